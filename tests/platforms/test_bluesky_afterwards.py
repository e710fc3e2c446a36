"""What becomes of a post on the reference server after it was published: seen, and taken down when told to."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from avatar_scheduler.domain.errors import OutcomeUnknown, Refused
from avatar_scheduler.publishers.base import Absent, Account, Found, Parcel
from avatar_scheduler.publishers.bluesky import Bluesky
from tests.peers.pds import Pds, Person
from tests.platforms.test_bluesky import only_post, publish
from tests.platforms.wire import LOSE_ANSWER, LOSE_REQUEST, Wire

pytestmark = pytest.mark.timeout(1000)
Edit = Callable[[Parcel, Mapping[str, Any]], None]


@pytest.fixture
def edit(bluesky: Bluesky, account: Account, pds: Pds, maya: Person) -> Edit:
    """Maya changes her post in another app."""

    def change(parcel: Parcel, changes: Mapping[str, Any]) -> None:
        credentials = {"identifier": maya.handle, "password": maya.password}
        signed_in = pds.call("POST", "com.atproto.server.createSession", body=credentials).json()
        edited = {k: v for k, v in {**only_post(pds, maya), **changes}.items() if v is not None}
        rkey = bluesky.intent(parcel, account)["rkey"]
        body = {"repo": maya.did, "collection": "app.bsky.feed.post", "rkey": rkey, "record": edited}
        headers = {"Authorization": f"Bearer {signed_in['accessJwt']}"}
        assert pds.call("POST", "com.atproto.repo.putRecord", body=body, headers=headers).status == 200

    return change


def look(bluesky: Bluesky, parcel: Parcel, account: Account) -> Found | Absent:
    return bluesky.read_back(parcel, account, bluesky.intent(parcel, account))


def take_down(bluesky: Bluesky, parcel: Parcel, account: Account) -> None:
    bluesky.take_down(parcel, account, bluesky.intent(parcel, account))


ANOTHER_LABEL = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "bot"}]}


class TestReadingBack:
    @pytest.mark.parametrize(
        "changes",
        [
            {"labels": None},
            {"labels": ANOTHER_LABEL},
            {"tags": None},
            {"tags": ["onions"]},
            {"text": "Good morning!"},
            {"text": "Good morning!\nAI avatar of Maya Okafor"},
        ],
    )
    def test_a_mark_taken_off_later_is_seen_on_media_that_are_still_ours(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, edit: Edit, changes: Mapping[str, Any]
    ) -> None:
        publish(bluesky, parcel, account)
        edit(parcel, changes)
        found = look(bluesky, parcel, account)
        assert isinstance(found, Found)
        assert (found.marked, found.same, found.ours) == (False, False, True)

    def test_other_words_below_the_line_are_another_post_but_marked(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, edit: Edit
    ) -> None:
        publish(bluesky, parcel, account)
        edit(parcel, {"text": f"{parcel.disclosure_line}\nSomething else."})
        found = look(bluesky, parcel, account)
        assert isinstance(found, Found)
        assert (found.marked, found.same, found.ours) == (True, False, True)

    def test_media_that_were_replaced_are_not_ours(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, edit: Edit
    ) -> None:
        publish(bluesky, parcel, account)
        edit(parcel, {"embed": None, "labels": None})
        found = look(bluesky, parcel, account)
        assert isinstance(found, Found)
        assert (found.marked, found.same, found.ours) == (False, False, False)


class TestTakingDown:
    """The count is the server's own list of records."""

    def test_it_is_gone_and_asking_again_changes_nothing(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, line: Wire
    ) -> None:
        publish(bluesky, parcel, account)
        other = replace(parcel, delivery_id=f"{parcel.delivery_id}-other")
        publish(bluesky, other, account)
        for _ in range(2):
            take_down(bluesky, parcel, account)
        assert isinstance(look(bluesky, parcel, account), Absent)
        assert isinstance(look(bluesky, other, account), Found)
        assert len(pds.posts(maya.did)) == 1
        assert line.calls("deleteRecord") == 1

    def test_an_edited_one_is_taken_down_while_it_shows_our_media(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, edit: Edit
    ) -> None:
        publish(bluesky, parcel, account)
        edit(parcel, {"labels": None, "text": "Me, for real."})
        take_down(bluesky, parcel, account)
        assert pds.posts(maya.did) == []

    def test_what_somebody_made_of_our_place_is_theirs(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, edit: Edit
    ) -> None:
        publish(bluesky, parcel, account)
        edit(parcel, {"embed": None, "text": "My holiday."})
        with pytest.raises(Refused, match="Look there yourself") as refused:
            take_down(bluesky, parcel, account)
        assert refused.value.code == "not_ours"
        assert only_post(pds, maya)["text"] == "My holiday."

    def test_an_edit_between_the_look_and_the_call_is_not_deleted_blindly(
        self,
        bluesky: Bluesky,
        parcel: Parcel,
        account: Account,
        pds: Pds,
        maya: Person,
        edit: Edit,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        publish(bluesky, parcel, account)
        there = Bluesky._there

        def and_edit(self: Bluesky, *args: Any) -> Any:
            found = there(self, *args)
            edit(parcel, {"embed": None, "text": "My holiday."})
            return found

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(Bluesky, "_there", and_edit)
            with pytest.raises(OutcomeUnknown, match="InvalidSwap"):
                take_down(bluesky, parcel, account)
        assert only_post(pds, maya)["text"] == "My holiday."

    @pytest.mark.parametrize("fault", [LOSE_REQUEST, LOSE_ANSWER])
    def test_a_broken_line_leaves_it_open_and_the_next_try_ends_it(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, line: Wire, fault: str
    ) -> None:
        publish(bluesky, parcel, account)
        line.next("deleteRecord", fault)
        with pytest.raises(OutcomeUnknown):
            take_down(bluesky, parcel, account)
        assert len(pds.posts(maya.did)) == (1 if fault == LOSE_REQUEST else 0)
        take_down(bluesky, parcel, account)
        assert pds.posts(maya.did) == []

    def test_a_session_that_ran_out_is_renewed(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, line: Wire
    ) -> None:
        publish(bluesky, parcel, account)
        line.answer_next("deleteRecord", 400, '{"error":"ExpiredToken","message":"x"}')
        take_down(bluesky, parcel, account)
        assert pds.posts(maya.did) == []

    def test_a_server_that_cannot_be_asked_first_is_not_told_to_delete(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, line: Wire
    ) -> None:
        publish(bluesky, parcel, account)
        line.answer_next("getRecord", 502, '{"error":"UpstreamFailure"}')
        with pytest.raises(OutcomeUnknown):
            take_down(bluesky, parcel, account)
        assert line.calls("deleteRecord") == 0

"""Against the reference server. Its own list of records is the witness, never what we believe we sent."""

import hashlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from avatar_scheduler.domain.errors import Conflict, OutcomeUnknown, Refused
from avatar_scheduler.outbound import TooSoon
from avatar_scheduler.publishers.base import Absent, Account, Answer, Found, MediaPart, Parcel, commit
from avatar_scheduler.publishers.bluesky import Bluesky, record
from avatar_scheduler.publishers.bluesky.xrpc import Sessions
from tests.peers.pds import Pds, Person
from tests.platforms.conftest import LINE, account_of
from tests.platforms.wire import LOSE_ANSWER, LOSE_REQUEST, Wire

# the first test may have to install the server
pytestmark = pytest.mark.timeout(1000)


def publish(bluesky: Bluesky, parcel: Parcel, account: Account) -> Answer:
    intent = bluesky.intent(parcel, account)
    return send(bluesky, parcel, account, bluesky.upload(parcel, account, intent, lambda: None))


def send(
    bluesky: Bluesky, parcel: Parcel, account: Account, uploaded: Mapping[str, str], seconds: float = 30
) -> Answer:
    """The irreversible call, as the publish worker makes it."""
    return commit(bluesky, parcel, account, bluesky.intent(parcel, account), uploaded, lambda: seconds)


def only_post(pds: Pds, person: Person) -> dict[str, Any]:
    posts = pds.posts(person.did)
    assert len(posts) == 1
    value = posts[0]["value"]
    assert isinstance(value, dict)
    return value


class TestPublishing:
    def test_a_picture_arrives_with_text_and_every_disclosure(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, picture: MediaPart
    ) -> None:
        answer = publish(bluesky, parcel, account)
        post = only_post(pds, maya)
        assert post["text"].split("\n")[0] == LINE
        assert post["text"] == parcel.caption
        assert post["tags"] == ["aigenerated"]
        assert post["labels"]["values"] == [{"val": "ai-generated"}]
        assert post["langs"] == ["en"]
        assert post["createdAt"] == "2026-11-22T09:30:15.123Z"
        image = post["embed"]["images"][0]
        assert image["alt"] == "Maya holds a red cup"
        assert image["aspectRatio"] == {"width": 320, "height": 200}
        assert hashlib.sha256(pds.blob(maya.did, image["image"]["ref"]["$link"])).hexdigest() == picture.sha256
        key = answer.object_id.rpartition("/")[2]
        assert answer.object_id == f"at://{maya.did}/app.bsky.feed.post/{key}"
        assert answer.url == f"https://bsky.app/profile/{maya.did}/post/{key}"

    def test_a_video_arrives_with_its_captions(
        self, bluesky: Bluesky, film_parcel: Parcel, account: Account, pds: Pds, maya: Person, film: MediaPart
    ) -> None:
        publish(bluesky, film_parcel, account)
        embed = only_post(pds, maya)["embed"]
        assert embed["$type"] == "app.bsky.embed.video"
        assert embed["alt"] == "Maya waves"
        assert embed["aspectRatio"] == {"width": 90, "height": 160}
        assert hashlib.sha256(pds.blob(maya.did, embed["video"]["ref"]["$link"])).hexdigest() == film.sha256
        assert embed["captions"][0]["lang"] == "en"
        assert pds.blob(maya.did, embed["captions"][0]["file"]["ref"]["$link"]).startswith(b"WEBVTT")

    def test_links_and_hashtags_are_marked_where_they_stand(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person
    ) -> None:
        publish(bluesky, parcel, account)
        post = only_post(pds, maya)
        text = post["text"].encode()
        shown = [text[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode() for f in post["facets"]]
        assert shown == ["https://example.org/maya", "#sunday"]

    def test_a_text_alone_is_a_post(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person
    ) -> None:
        publish(bluesky, replace(parcel, media=()), account)
        assert "embed" not in only_post(pds, maya)

    def test_the_lease_is_renewed_between_chunks_and_losing_it_ends_the_upload(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, tmp_path: Path
    ) -> None:
        big = tmp_path / "big.mp4"
        big.write_bytes(b"\0" * (5 * record.CHUNK))
        part = MediaPart(
            "video", hashlib.sha256(big.read_bytes()).hexdigest(), big, "video/mp4", big.stat().st_size, 9, 16, 1, ""
        )
        beats = []

        def beat() -> None:
            beats.append(1)
            if len(beats) == 3:
                raise Conflict("the lease is lost")

        with pytest.raises(Conflict):
            bluesky.upload(replace(parcel, media=(part,)), account, {}, beat)
        assert pds.posts(maya.did) == []


class TestOnce:
    def test_the_intent_is_the_same_every_time_and_a_valid_key(
        self, bluesky: Bluesky, parcel: Parcel, account: Account
    ) -> None:
        intent = bluesky.intent(parcel, account)
        assert bluesky.intent(replace(parcel, attempt_id="attempt-2"), account) == intent
        assert len(intent["rkey"]) == 13
        assert set(intent["rkey"]) <= set(record.TID_LETTERS)
        assert intent["rkey"][0] in "234567abcdefghij"

    def test_deliveries_of_the_same_instant_get_different_keys(self, parcel: Parcel) -> None:
        keys = {record.record_key(f"delivery-{n}", parcel.created_at) for n in range(5000)}
        assert len(keys) == 5000

    def test_keys_sort_by_time(self, parcel: Parcel) -> None:
        later = parcel.created_at + timedelta(seconds=1)
        assert record.record_key("z", parcel.created_at) < record.record_key("a", later)

    def test_committing_twice_leaves_one_post(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person
    ) -> None:
        assert publish(bluesky, parcel, account) == publish(bluesky, parcel, account)
        only_post(pds, maya)

    def test_eight_workers_at_once_leave_one_post(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, line: Wire
    ) -> None:
        intent = bluesky.intent(parcel, account)
        uploaded = bluesky.upload(parcel, account, intent, lambda: None)
        answers = []

        def commit() -> None:
            answers.append(send(bluesky, parcel, account, uploaded))

        threads = [threading.Thread(target=commit) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert line.calls("putRecord") == 8
        assert len(answers) == 8
        only_post(pds, maya)

    def test_a_lost_answer_is_an_open_question_that_reading_back_settles(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, line: Wire
    ) -> None:
        line.next("putRecord", LOSE_ANSWER)
        with pytest.raises(OutcomeUnknown):
            publish(bluesky, parcel, account)
        found = bluesky.read_back(parcel, account, bluesky.intent(parcel, account))
        assert isinstance(found, Found)
        assert (found.marked, found.same) == (True, True)
        assert line.calls("putRecord") == 1
        only_post(pds, maya)

    def test_a_lost_request_is_found_absent_and_the_next_attempt_makes_the_only_post(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, line: Wire
    ) -> None:
        line.next("putRecord", LOSE_REQUEST)
        with pytest.raises(OutcomeUnknown):
            publish(bluesky, parcel, account)
        assert isinstance(bluesky.read_back(parcel, account, bluesky.intent(parcel, account)), Absent)
        assert pds.posts(maya.did) == []
        publish(bluesky, replace(parcel, attempt_id="attempt-2"), account)
        only_post(pds, maya)

    @pytest.mark.parametrize("status", [500, 502, 503, 404, 409])
    def test_an_error_after_the_fact_is_never_taken_for_a_no(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, line: Wire, status: int
    ) -> None:
        line.answer_next("putRecord", status, '{"error":"InvalidRequest","message":"x"}')
        with pytest.raises(OutcomeUnknown):
            publish(bluesky, parcel, account)
        assert line.calls("putRecord") == 1

    @pytest.mark.parametrize(
        "body", ["", "<html>", "{}", '{"uri":"at://did:plc:other/app.bsky.feed.post/3l","cid":"b"}']
    )
    def test_a_yes_that_does_not_name_our_post_is_no_answer(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, line: Wire, body: str
    ) -> None:
        line.answer_next("putRecord", 200, body)
        with pytest.raises(OutcomeUnknown):
            publish(bluesky, parcel, account)

    def test_another_post_under_our_key_is_left_alone_and_reported(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person
    ) -> None:
        publish(bluesky, parcel, account)
        other = replace(parcel, caption=f"{LINE}\nSomething else")
        with pytest.raises(OutcomeUnknown, match="InvalidSwap"):
            publish(bluesky, other, account)
        found = bluesky.read_back(other, account, bluesky.intent(other, account))
        assert isinstance(found, Found)
        assert (found.marked, found.same) == (True, False)
        assert only_post(pds, maya)["text"] == parcel.caption

    def test_a_server_that_cannot_be_asked_gives_no_verdict(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, line: Wire
    ) -> None:
        intent = bluesky.intent(parcel, account)
        publish(bluesky, parcel, account)
        for fault in (LOSE_REQUEST, LOSE_ANSWER):
            line.next("getRecord", fault)
            with pytest.raises(OutcomeUnknown):
                bluesky.read_back(parcel, account, intent)
        for status, error in ((502, "UpstreamFailure"), (400, "InvalidRequest"), (404, "NotFound")):
            line.answer_next("getRecord", status, json.dumps({"error": error}))
            with pytest.raises(OutcomeUnknown):
                bluesky.read_back(parcel, account, intent)
        assert isinstance(bluesky.read_back(parcel, account, intent), Found)


class TestDisclosure:
    @pytest.mark.parametrize("line_wanted", ["", " ", "AI avatar of Leo", LINE[:-1]])
    def test_without_its_line_nothing_reaches_the_server(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, line: Wire, line_wanted: str
    ) -> None:
        unmarked = replace(parcel, disclosure_line=line_wanted)
        with pytest.raises(Refused) as refused:
            publish(bluesky, unmarked, account)
        assert refused.value.code == "mark_missing"
        uploaded = {"blobs": record.blobs_of(unmarked)[0].cid}
        with pytest.raises(Refused):
            send(bluesky, unmarked, account, uploaded)
        assert line.requests == []
        assert pds.posts(maya.did) == []

    def test_a_line_that_is_not_the_first_is_no_disclosure(self, bluesky: Bluesky, parcel: Parcel) -> None:
        with pytest.raises(Refused, match="does not start"):
            bluesky.check(replace(parcel, caption=f"Good morning!\n{LINE}"))

    @pytest.mark.parametrize(
        "change",
        [
            {"labels": None},
            {"labels": {"values": []}},
            {"labels": {"values": [{"val": "bot"}]}},
            {"tags": []},
            {"tags": None},
            {"text": "Good morning!"},
            {"text": f"Good morning!\n{LINE}"},
            {"text": None},
        ],
    )
    def test_the_bytes_that_leave_are_read_again_and_must_carry_every_mark(
        self,
        bluesky: Bluesky,
        parcel: Parcel,
        account: Account,
        line: Wire,
        monkeypatch: pytest.MonkeyPatch,
        change: Mapping[str, Any],
    ) -> None:
        honest = record.put_request
        intent = bluesky.intent(parcel, account)
        uploaded = bluesky.upload(parcel, account, intent, lambda: None)
        monkeypatch.setattr(record, "put_request", lambda did, key, value: honest(did, key, {**value, **change}))
        with pytest.raises(Refused) as refused:
            send(bluesky, parcel, account, uploaded)
        assert refused.value.code == "mark_missing"
        assert line.calls("putRecord") == 0


class TestRefusals:
    def test_a_text_too_long_is_refused_with_its_count_before_anything_is_sent(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, line: Wire
    ) -> None:
        long = replace(parcel, caption=f"{LINE}\n" + "x" * (301 - len(LINE)))
        with pytest.raises(Refused, match="has 302 characters, 2 more than the 300 allowed") as refused:
            publish(bluesky, long, account)
        assert refused.value.code == "does_not_fit"
        assert line.requests == []

    def test_the_longest_text_allowed_is_taken(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person
    ) -> None:
        family = "👩‍👩‍👧‍👦"
        full = f"{LINE}\n" + family * 100 + "x" * (299 - len(LINE) - 100)
        publish(bluesky, replace(parcel, caption=full), account)
        assert only_post(pds, maya)["text"] == full

    def test_few_characters_can_still_be_too_many_bytes(self, bluesky: Bluesky, parcel: Parcel) -> None:
        with pytest.raises(Refused, match=r"has \d+ bytes, \d+ more than the 3000 allowed"):
            bluesky.check(replace(parcel, caption=f"{LINE}\n" + "👩‍👩‍👧‍👦" * 200))

    def test_media_it_cannot_show_are_refused_early(self, bluesky: Bluesky, parcel: Parcel, film: MediaPart) -> None:
        picture = parcel.media[0]
        for media, reason in (
            ((picture,) * 5, "5 images, 4 allowed"),
            ((picture, film), "not both"),
            ((film, film), "2 videos, 1 allowed"),
            ((replace(picture, size=2_000_001),), "2000000 are allowed"),
            ((replace(film, size=100_000_001),), "100000000 are allowed"),
            ((replace(film, duration_ms=180_500),), r"lasts 180\.5 seconds"),
            ((replace(film, mime="video/webm"),), "video/mp4"),
            ((replace(film, kind="audio"),), "nothing else"),
        ):
            with pytest.raises(Refused, match=reason):
                bluesky.check(replace(parcel, media=media))

    def test_captions_too_large_are_refused_early(self, bluesky: Bluesky, film_parcel: Parcel) -> None:
        assert film_parcel.captions_vtt
        film_parcel.captions_vtt.write_text("WEBVTT\n" + "x" * 20_000)
        with pytest.raises(Refused, match="captions have 20007 bytes"):
            bluesky.check(film_parcel)

    def test_media_changed_after_approval_never_arrive_whole(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, tmp_path: Path
    ) -> None:
        swapped = tmp_path / "swapped.png"
        swapped.write_bytes(parcel.media[0].path.read_bytes()[:-1] + b"\0")
        with pytest.raises(Refused) as refused:
            publish(bluesky, replace(parcel, media=(replace(parcel.media[0], path=swapped),)), account)
        assert refused.value.code == "blob_changed"
        assert pds.posts(maya.did) == []

    def test_an_upload_of_other_media_cannot_be_committed(
        self, bluesky: Bluesky, parcel: Parcel, film_parcel: Parcel, account: Account, line: Wire
    ) -> None:
        intent = bluesky.intent(parcel, account)
        uploaded = bluesky.upload(film_parcel, account, intent, lambda: None)
        with pytest.raises(Refused, match="not of this post's media"):
            send(bluesky, parcel, account, uploaded)
        assert line.calls("putRecord") == 0

    def test_what_the_server_itself_refuses_is_a_certain_no_in_its_words(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person
    ) -> None:
        with pytest.raises(Refused, match="InvalidRequest") as refused:
            publish(bluesky, replace(parcel, language="not a language"), account)
        assert refused.value.code == "rejected"
        assert pds.posts(maya.did) == []

    def test_a_pause_asked_for_is_a_refusal_that_says_how_long(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, line: Wire
    ) -> None:
        line.answer_next("putRecord", 429, '{"error":"RateLimitExceeded","message":"x"}', "Retry-After: 1800")
        with pytest.raises(TooSoon, match="30 minutes") as refused:
            publish(bluesky, parcel, account)
        assert refused.value.retry_after == 1800

    def test_a_pause_asked_for_by_something_in_between_stays_an_open_question(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, line: Wire
    ) -> None:
        line.answer_next("putRecord", 429, "<html>slow down</html>")
        with pytest.raises(OutcomeUnknown):
            publish(bluesky, parcel, account)

    def test_a_network_down_before_the_commit_posts_nothing_for_certain(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, line: Wire
    ) -> None:
        for method in ("createSession", "uploadBlob"):
            line.next(method, LOSE_ANSWER)
            with pytest.raises(Refused, match="Nothing was posted") as refused:
                publish(bluesky, parcel, account)
            assert refused.value.code == "not_sent"

    def test_a_commit_without_time_left_sends_nothing(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, line: Wire
    ) -> None:
        intent = bluesky.intent(parcel, account)
        uploaded = bluesky.upload(parcel, account, intent, lambda: None)
        with pytest.raises(Refused) as refused:
            send(bluesky, parcel, account, uploaded, 0.5)
        assert refused.value.code == "not_sent"
        assert line.calls("putRecord") == 0


class TestSigningIn:
    def test_connecting_says_whose_account_it_is(self, bluesky: Bluesky, account: Account, maya: Person) -> None:
        assert bluesky.connect(replace(account, address="")) == (maya.did, maya.handle)

    def test_a_wrong_password_means_reconnect(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, line: Wire
    ) -> None:
        wrong = replace(account, secrets={**account.secrets, "password": "wrong"})
        with pytest.raises(Refused, match="Reconnect the channel") as refused:
            publish(bluesky, parcel, wrong)
        assert refused.value.code == "reconnect"
        assert line.requests == ["createSession"]
        assert pds.posts(maya.did) == []

    def test_credentials_of_somebody_else_are_refused(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, line: Wire
    ) -> None:
        other = pds.create_account(f"leo-{parcel.delivery_id}")
        swapped = replace(account_of(other, line.base_url), address=maya.did)
        with pytest.raises(Refused, match="not did:plc:") as refused:
            publish(bluesky, parcel, swapped)
        assert refused.value.code == "reconnect"
        assert pds.posts(other.did) == []

    def test_one_sign_in_serves_many_posts(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, line: Wire
    ) -> None:
        for number in range(3):
            publish(bluesky, replace(parcel, delivery_id=f"{parcel.delivery_id}-{number}"), account)
        assert line.calls("createSession") == 1
        assert len(pds.posts(maya.did)) == 3

    def test_a_session_that_ran_out_is_renewed_before_the_commit(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, line: Wire
    ) -> None:
        line.answer_next("uploadBlob", 400, '{"error":"ExpiredToken","message":"x"}')
        publish(bluesky, parcel, account)
        assert [line.calls(name) for name in ("createSession", "refreshSession", "putRecord")] == [1, 1, 1]
        only_post(pds, maya)

    def test_a_session_that_runs_out_at_the_commit_is_a_certain_no_and_the_next_attempt_works(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person, line: Wire
    ) -> None:
        words = replace(parcel, media=())  # without an upload nobody but the commit meets the session
        line.answer_next("putRecord", 400, '{"error":"ExpiredToken","message":"x"}')
        with pytest.raises(Refused) as refused:
            publish(bluesky, words, account)
        assert refused.value.code == "not_sent"
        assert line.calls("putRecord") == 1
        publish(bluesky, words, account)
        assert line.calls("createSession") == 2
        only_post(pds, maya)

    def test_a_token_revoked_at_the_commit_means_reconnect(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, line: Wire
    ) -> None:
        line.answer_next("putRecord", 400, '{"error":"InvalidToken","message":"x"}')
        with pytest.raises(Refused) as refused:
            publish(bluesky, parcel, account)
        assert refused.value.code == "reconnect"
        assert line.calls("putRecord") == 1

    def test_workers_racing_to_renew_do_it_once(self, bluesky: Bluesky, account: Account, line: Wire) -> None:
        sessions = Sessions(bluesky._outbound)
        over = sessions.get(account)
        renewed = []
        threads = [threading.Thread(target=lambda: renewed.append(sessions.get(account, over=over))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(renewed) == 6
        assert len({session.access for session in renewed}) == 1
        assert line.calls("refreshSession") == 1

    def test_one_server_that_hangs_does_not_hold_up_another_account(
        self, bluesky: Bluesky, parcel: Parcel, account: Account, pds: Pds, maya: Person
    ) -> None:
        sessions = bluesky._sessions
        with sessions._seat(replace(account, channel_id="hanging")).lock:
            started = time.monotonic()
            publish(bluesky, parcel, account)
            assert time.monotonic() - started < 20
        only_post(pds, maya)

    def test_secrets_do_not_show(self, bluesky: Bluesky, account: Account) -> None:
        session = Sessions(bluesky._outbound).sign_in(account)
        assert session.access not in repr(session)
        assert session.renew not in repr(session)

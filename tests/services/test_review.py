"""Deciding: about what was on the screen, once, with ten real seconds to take it back."""

from typing import Any

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Approval, Passkey, Post, Version
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.services import dispatch, passkeys, review, seen
from avatar_scheduler.services import publish as publishing
from avatar_scheduler.services.people import Person
from tests.services.cast import outsider, person
from tests.world import World


def approve(world: World, version: Version, who: Person | None = None, version_hash: str = "") -> str:
    with world.write() as session:
        return review.approve(
            session, world.settings, who or world.ada, version.id, version_hash or version.sha256, world.now
        )


def undo(world: World, approval_id: str, who: Person | None = None) -> None:
    with world.write() as session:
        review.undo(session, who or world.ada, approval_id, world.now)


def ask(world: World, version: Version, *reasons: str, text: str = "", **more: Any) -> None:
    with world.write() as session:
        review.ask_changes(
            session, world.ada, version.id, version.sha256, list(reasons), text, more.get("at_ms"), world.now
        )


def state(world: World, version: Version) -> PostState:
    with world.read() as session:
        return session.get_one(Post, version.post_id).state


def approvals(world: World) -> list[Approval]:
    with world.read() as session:
        return list(session.exec(select(Approval)))


class TestApproving:
    def test_another_hash_than_the_one_shown_records_nothing(self, world: World) -> None:
        version = world.version(world.post())
        world.watch(version)
        with pytest.raises(Conflict) as stale:
            approve(world, version, version_hash="0" * 64)
        assert (stale.value.code, approvals(world)) == ("stale", [])
        assert state(world, version) is PostState.in_review

    def test_a_core_kind_is_watched_first(self, world: World) -> None:
        version = world.version(world.post("reply"))
        with pytest.raises(Invalid) as unseen:
            approve(world, version)
        assert (unseen.value.code, approvals(world)) == ("not_seen", [])
        other = person(world, "manager")
        with world.write() as session:
            seen.read_to_end(session, session.get_one(Version, version.id), other.member_id, world.now)
        with pytest.raises(Invalid):
            approve(world, version)  # watched by somebody else, not by her
        world.watch(version)
        assert approve(world, version)

    def test_a_transcript_read_to_its_end_counts(self, world: World) -> None:
        version = world.version(world.post("reply"))
        with world.write() as session:
            seen.read_to_end(session, session.get_one(Version, version.id), world.ada.member_id, world.now)
        assert approve(world, version)

    def test_approving_twice_is_approving_once(self, world: World) -> None:
        version = world.version(world.post())
        assert approve(world, version) == approve(world, version)
        assert len(approvals(world)) == 1

    def test_the_second_person_hears_that_it_is_decided(self, world: World) -> None:
        version = world.version(world.post())
        approve(world, version)
        with pytest.raises(Conflict) as decided:
            approve(world, version, person(world, "manager"))
        assert (decided.value.code, len(approvals(world))) == ("decided", 1)
        with pytest.raises(Conflict), world.write() as session:
            review.reject(session, world.ada, version.id, version.sha256, world.now)

    @pytest.mark.parametrize("before", [-11, 0, 1])
    def test_the_last_moment_leaves_room_for_undo(self, world: World, before: int) -> None:
        version = world.version(world.post())
        world.now = world.delivery(version).latest_start
        world.later(seconds=before)
        if before == -11:
            assert approve(world, version)
            return
        with pytest.raises(Conflict) as late:
            approve(world, version)
        assert (late.value.code, approvals(world)) == ("too_late", [])

    def test_what_was_kept_back_is_too_late(self, world: World) -> None:
        version = world.version(world.post())
        world.now = world.delivery(version).latest_start
        dispatch.Sweeper(world.settings).sweep(world.later(seconds=1))
        with pytest.raises(Conflict, match="kept back") as late:
            approve(world, version)
        assert late.value.code == "too_late"

    def test_nobody_else_s_organization_decides(self, world: World) -> None:
        version, cy = world.version(world.post()), outsider(world)
        for verb in (
            lambda s: review.approve(s, world.settings, cy, version.id, version.sha256, world.now),
            lambda s: review.reject(s, cy, version.id, version.sha256, world.now),
            lambda s: review.ask_changes(s, cy, version.id, version.sha256, [], "no", None, world.now),
            lambda s: review.record_seen(s, cy, version.id, [(0, 10)], world.now),
        ):
            with pytest.raises(NotFound), world.write() as session:
                verb(session)
        assert (state(world, version), approvals(world)) == (PostState.in_review, [])

    def test_an_editor_may_not_decide(self, world: World) -> None:
        version = world.version(world.post())
        with pytest.raises(Forbidden):
            approve(world, version, person(world, "editor"))


class TestUndo:
    def test_after_nine_seconds_it_waits_again(self, world: World) -> None:
        version = world.version(world.post(at="now"))
        approval = approve(world, version)
        world.later(seconds=9)
        undo(world, approval)
        undo(world, approval)  # a second click changes nothing
        assert state(world, version) is PostState.in_review
        delivery = world.delivery(version)
        assert (delivery.state, delivery.ready_at) == (DeliveryState.waiting, delivery.due_at)
        again = approve(world, version)
        assert again != approval
        world.later(seconds=11)
        assert world.publish(world.delivery(version)).state is DeliveryState.published

    @pytest.mark.parametrize("after", [10, 11, 3600])
    def test_after_ten_it_is_too_late(self, world: World, after: int) -> None:
        version = world.version(world.post())
        approval = approve(world, version)
        world.later(seconds=after)
        with pytest.raises(Conflict) as late:
            undo(world, approval)
        assert (late.value.code, state(world, version)) == ("too_late", PostState.approved)

    def test_it_is_for_who_decided(self, world: World) -> None:
        version = world.version(world.post())
        approval = approve(world, version)
        for who in (person(world, "manager"), outsider(world)):
            with pytest.raises(NotFound):
                undo(world, approval, who)
        with pytest.raises(NotFound):
            undo(world, "f" * 32)
        assert state(world, version) is PostState.approved

    def test_what_is_going_out_is_not_undone(self, world: World) -> None:
        """A request that was read before the ten seconds ended and reached the database after."""
        version = world.version(world.post(at="now"))
        approval = approve(world, version)
        asked = world.later(seconds=9)
        world.later(seconds=2)
        publishing.run(world.settings, world.delivery(version).id, world.clock)
        with pytest.raises(Conflict, match="going out"), world.write() as session:
            review.undo(session, world.ada, approval, asked)
        assert state(world, version) is PostState.approved


class TestSayingNo:
    def test_rejecting_ends_it(self, world: World) -> None:
        version = world.version(world.post())
        with world.write() as session:
            review.reject(session, world.ada, version.id, version.sha256, world.now)
        assert state(world, version) is PostState.rejected
        assert world.delivery(version).state is DeliveryState.withdrawn
        with pytest.raises(Conflict):
            approve(world, version)

    def test_changes_carry_their_reasons(self, world: World) -> None:
        version = world.version(world.post())
        ask(world, version, "wrong_fact", "tone", text="  It is an oven. ", at_ms=1200)
        with world.read() as session:
            post = session.get_one(Post, version.post_id)
        assert (post.state, post.reason) == (PostState.changes_requested, "wrong fact; tone; It is an oven.")
        assert world.delivery(version).state is DeliveryState.withdrawn

    @pytest.mark.parametrize(
        ("reasons", "text", "code"),
        [(("ugly",), "", "reason"), ((), "  ", "empty_note"), (("tone",), "x" * 2001, "note_long")],
    )
    def test_a_note_says_something_known(self, world: World, reasons: tuple[str, ...], text: str, code: str) -> None:
        version = world.version(world.post())
        with pytest.raises(Invalid) as refused:
            ask(world, version, *reasons, text=text)
        assert (refused.value.code, state(world, version)) == (code, PostState.in_review)


def test_a_passkeys_answer_is_good_for_one_yes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an undo the same answer would fit again where an authenticator does not count."""
    version = world.version(world.post())
    with world.write() as session:
        key = Passkey(
            organization_id=world.ada.organization_id, member_id=world.ada.member_id, credential_id="c",
            created_at=world.now,
        )  # fmt: skip
        session.add(key)
    monkeypatch.setattr(passkeys, "check_assertion", lambda *_, **__: key)

    def say(answer: str) -> str:
        with world.write() as session:
            return review.approve(
                session, world.settings, world.ada, version.id, version.sha256, world.now, assertion=answer
            )

    first = say("{}")
    with world.write() as session:
        review.undo(session, world.ada, first, world.now)
    with pytest.raises(Refused, match="used before"):
        say("{}")
    assert say('{"other": 1}') != first

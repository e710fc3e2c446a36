"""Consent taken back at each state a post, a render and a delivery can be in: nothing starts after it (T32)."""

import sys
import time
from collections import Counter
from collections.abc import Callable

import pytest
from sqlmodel import Session, select

from avatar_scheduler.db import moves
from avatar_scheduler.db.tables import Approval, Attempt, Audit, Delivery, Incident, Post, Render
from avatar_scheduler.domain.delivery import AttemptState, DeliveryState
from avatar_scheduler.domain.errors import Conflict, Forbidden, NotFound, OutcomeUnknown, Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.publishers.own_feed import OwnFeed
from avatar_scheduler.services import again, consents, incidents, posts, renders, settle, standing, withdrawal
from avatar_scheduler.services import publish as publishing
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.withdrawal import Withdrawn
from tests.services.cast import agency, consent_gone, outsider, person
from tests.world import SCRIPT, World

S = DeliveryState
SECONDS = 5.0
"""The longest a withdrawal may take."""


def withdraw(world: World, who: Person | None = None) -> Withdrawn:
    with world.write() as session:
        return withdrawal.withdraw(session, who or world.ada, world.maya, world.now)


def waiting(world: World) -> Delivery:
    return world.delivery(world.version(world.post("reply")))


def claimed(world: World, monkeypatch: pytest.MonkeyPatch) -> Delivery:
    """Its worker stopped after the upload, before it asked a last time."""
    delivery = world.approved()
    world.due(delivery)
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "_arm", lambda *_: False)
        publishing.run(world.settings, delivery.id, world.clock)
    return world.again(delivery)


def unconfirmed(world: World, monkeypatch: pytest.MonkeyPatch) -> Delivery:
    """It never arrived, and nobody knows yet."""
    delivery = world.approved()
    world.due(delivery)

    def lost(*_: object) -> None:
        raise OutcomeUnknown("No answer.")

    with monkeypatch.context() as patch:
        patch.setattr(OwnFeed, "commit", lost)
        publishing.run(world.settings, delivery.id, world.clock)
    return world.again(delivery)


def after(world: World, delivery: Delivery, minutes: int = 4) -> Delivery:
    """Everything workers would still do with it."""
    world.later(minutes=minutes)
    publishing.run(world.settings, delivery.id, world.clock)
    settle.run(world.settings, delivery.id, world.clock)
    publishing.run(world.settings, delivery.id, world.clock)
    return world.again(delivery)


class TestAtEachStateOfADelivery:
    def test_waiting_for_a_yes(self, world: World) -> None:
        delivery = waiting(world)
        assert withdraw(world).kept_back == 1
        assert after(world, delivery).state is S.kept_back

    def test_scheduled(self, world: World) -> None:
        delivery = world.approved()
        assert withdraw(world).kept_back == 1
        found = world.again(delivery)
        assert (found.state, "Maya withdrew consent" in found.reason) == (S.kept_back, True)
        assert after(world, delivery).state is S.kept_back
        assert world.ledger == []

    def test_claimed_and_uploaded(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        delivery = claimed(world, monkeypatch)
        assert delivery.state is S.claimed
        assert withdraw(world).kept_back == 1
        assert after(world, delivery).state is S.kept_back
        assert [attempt.state for attempt in world.attempts(delivery)] == [AttemptState.abandoned]
        assert world.ledger == []

    def test_between_the_upload_and_the_last_question(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        delivery, upload = world.approved(), OwnFeed.upload
        world.due(delivery)

        def and_withdraw(self: OwnFeed, *args: object) -> object:
            done = upload(self, *args)  # type: ignore[arg-type]
            withdraw(world)
            return done

        monkeypatch.setattr(OwnFeed, "upload", and_withdraw)
        assert publishing.run(world.settings, delivery.id, world.clock) is False
        assert world.again(delivery).state is S.kept_back
        assert world.ledger == []

    def test_sent_without_an_answer_and_not_there(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        delivery = unconfirmed(world, monkeypatch)
        assert delivery.state is S.unconfirmed
        gone = withdraw(world)
        assert (gone.kept_back, gone.leaving) == (0, 1)
        assert after(world, delivery).state in (S.unconfirmed, S.scheduled, S.kept_back)
        assert after(world, delivery, minutes=40).state is not S.published
        assert world.ledger == []

    def test_published_is_on_the_list_and_comes_down_when_asked(self, world: World) -> None:
        delivery = world.publish(world.approved())
        assert withdraw(world).public == 1
        with world.write() as session:
            [row] = withdrawal.still_public(session, world.ada, world.maya)
            assert (row.delivery_id, row.state) == (delivery.id, "public")
            withdrawal.take_down(session, world.ada, world.maya, delivery.id, world.now)
            withdrawal.take_down(session, world.ada, world.maya, delivery.id, world.now)
        with world.read() as session:
            assert [one.state for one in withdrawal.still_public(session, world.ada, world.maya)] == ["taking_down"]
            assert len(list(session.exec(select(Incident)))) == 1
        world.later(seconds=1)
        again.run(world.settings, delivery.id, world.clock)
        with world.read() as session:
            assert withdrawal.still_public(session, world.ada, world.maya) == []

    @pytest.mark.parametrize("over", [S.failed, S.kept_back, S.withdrawn])
    def test_what_is_over_stays_as_it_is(self, world: World, over: DeliveryState) -> None:
        delivery = world.approved()
        world.sql("UPDATE delivery SET state = :over", over=str(over))
        assert withdraw(world).kept_back == 0
        assert world.again(delivery).state is over

    def test_every_state_there_is_was_asked_about(self) -> None:
        asked = {S.waiting, S.scheduled, S.claimed, S.unconfirmed, S.published, S.failed, S.kept_back, S.withdrawn}
        assert set(S) - asked == {S.sending, S.accepted}
        """`sending` is left to its answer, as `unconfirmed` is; `accepted` is public already."""
        assert set(withdrawal.QUEUED + withdrawal.LEAVING + withdrawal.PUBLIC) == set(S) - {
            S.failed, S.kept_back, S.withdrawn,
        }  # fmt: skip


RENDERS: dict[str, Callable[[Session, Render, World], None]] = {
    "queued": lambda session, row, world: None,
    "running": lambda session, row, world: moves.move(session, row, RenderState.running, at=world.now, actor="render"),
}


class TestAtEachStateOfARender:
    def submitted(self, world: World) -> tuple[Post, Render]:
        post = world.post()
        with world.write() as session:
            row = session.get_one(Post, post.id)
            return post, renders.submit(session, world.settings, world.ada, row, world.now)

    @pytest.mark.parametrize("state", list(RENDERS))
    def test_it_is_cancelled_and_its_post_says_why(self, world: World, state: str) -> None:
        post, render = self.submitted(world)
        with world.write() as session:
            RENDERS[state](session, session.get_one(Render, render.id), world)
        assert withdraw(world).renders == 1
        assert world.again(render).state is RenderState.cancelled
        blocked = world.again(post)
        assert (blocked.state, "withdrew consent" in blocked.reason) == (PostState.blocked, True)
        assert renders.run(world.settings, render.id, world.clock) is False

    def test_a_worker_in_the_middle_loses_it_the_next_time_it_asks(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, render = self.submitted(world)
        claim = renders._claim(world.settings, render.id, world.clock)
        assert claim is not None
        assert renders.ALIVE < SECONDS
        monkeypatch.setattr(renders, "ALIVE", 0.0)
        beat = renders._beat(world.settings, claim, world.clock)
        beat(10, "Speaking")
        withdraw(world)
        with pytest.raises(Conflict):
            beat(10, "Speaking")

    def test_a_draft_stays_and_is_not_rendered(self, world: World) -> None:
        post = world.post()
        withdraw(world)
        with pytest.raises(Refused, match="withdrew consent"), world.write() as session:
            renders.submit(session, world.settings, world.ada, session.get_one(Post, post.id), world.now)


class TestWhoMay:
    def test_the_person_and_nobody_else_but_the_terminal(self, world: World) -> None:
        nadia, leo, made = agency(world)
        for who in (nadia, person(world, "editor"), person(world, "admin"), person(world, "client")):
            with pytest.raises((Forbidden, NotFound)), world.write() as session:
                withdrawal.withdraw(session, who, made, world.now)
        with world.write() as session:
            assert withdrawal.withdraw(session, leo, made, world.now).consents == 1

    def test_not_somebody_from_elsewhere(self, world: World) -> None:
        with pytest.raises(NotFound):
            withdraw(world, outsider(world))

    def test_another_creator_is_left_alone(self, world: World) -> None:
        delivery = world.approved()
        _, leo, made = agency(world)
        with world.write() as session:
            withdrawal.withdraw(session, leo, made, world.now)
        assert world.publish(delivery).state is S.published


class TestWhatElseEnds:
    def test_standing_approvals(self, world: World) -> None:
        given = world.standing("tip")
        assert withdraw(world).standing == 1
        with world.read() as session:
            assert standing.in_force(session, world.ada, world.now) == []
            assert session.get_one(Approval, given.id).revoked_at is not None

    def test_a_new_consent_revives_nothing(self, world: World) -> None:
        delivery = world.approved()
        withdraw(world)
        with world.write() as session:
            consents.give(session, world.ada, world.maya, consents.Terms(), world.now)
        assert after(world, delivery).state is S.kept_back
        assert world.ledger == []

    def test_the_gate_stops_alone_what_a_withdrawal_had_missed(self, world: World) -> None:
        delivery = world.approved()
        with world.write() as session:
            consent_gone(world, session)
        assert world.publish(delivery).state is S.kept_back
        assert world.ledger == []

    def test_the_proof_and_the_log_stay(self, world: World) -> None:
        version = world.version(world.post("reply"))
        with world.read() as session:
            before = len(list(session.exec(select(Audit.seq))))
        withdraw(world)
        with world.read() as session:
            assert len(list(session.exec(select(Audit.seq)))) > before
        assert world.again(version).manifest == version.manifest

    def test_an_incident_for_other_reasons_is_not_called_a_takedown(self, world: World) -> None:
        delivery = world.publish(world.approved())
        with world.write() as session:
            incidents.ask_down(session, delivery, "Another reason.", world.ada.member_id, world.now)
            [row] = withdrawal.still_public(session, world.ada, world.maya)
        assert row.state == "public"


@pytest.mark.sqlite_first
def test_two_hundred_queued_posts_end_in_one_commit(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half wait for a yes, half are scheduled. Then every worker tries every one of them."""
    monkeypatch.setattr(posts, "render_script", lambda *_: SCRIPT)
    world.standing("tip", per_day=100)
    made = [world.delivery(world.version(world.post(("tip", "reply")[n % 2], at="+1m"))) for n in range(200)]
    assert Counter(row.state for row in made) == {S.scheduled: 100, S.waiting: 100}
    started = time.monotonic()
    gone = withdraw(world)
    took = time.monotonic() - started
    with capsys.disabled():
        sys.stdout.write(f"\nwithdrawal of 200 queued posts: {took:.2f} s from the call to the commit\n")
    assert gone.kept_back == 200
    world.later(minutes=1, seconds=1)
    assert [publishing.run(world.settings, row.id, world.clock) for row in made] == [False] * 200
    with world.read() as session:
        assert Counter(session.exec(select(Delivery.state))) == {S.kept_back: 200}
        assert list(session.exec(select(Attempt))) == []
    assert world.ledger == []

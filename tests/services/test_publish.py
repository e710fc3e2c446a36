"""The publish protocol, with every count taken from the feed's own ledger."""

import json
import time
from typing import Any

import pytest

from avatar_scheduler.db import deliveries as rows
from avatar_scheduler.db.columns import new_id
from avatar_scheduler.domain.delivery import AttemptState, DeliveryState
from avatar_scheduler.domain.errors import Conflict, OutcomeUnknown, Refused
from avatar_scheduler.publishers.base import Answer, Parcel
from avatar_scheduler.publishers.own_feed import Feed, OwnFeed
from avatar_scheduler.services import dispatch, holds, installation, parcels, posts, review, settle
from avatar_scheduler.services import publish as publishing
from tests.world import World


def test_an_approved_post_is_published_once_at_its_time(world: World) -> None:
    delivery = world.approved()
    assert publishing.run(world.settings, delivery.id, world.clock) is False  # not yet
    assert world.ledger == []
    assert world.publish(delivery).state is DeliveryState.published
    assert [line["created"] for line in world.ledger] == [True]


def test_a_message_delivered_five_times_publishes_once(world: World) -> None:
    delivery = world.approved()
    world.publish(delivery)
    for _ in range(4):
        publishing.run(world.settings, delivery.id, world.clock)
        settle.run(world.settings, delivery.id, world.clock)
    assert len(world.ledger) == 1


def test_a_message_about_nothing_does_nothing(world: World) -> None:
    assert publishing.run(world.settings, "f" * 32, world.clock) is False
    assert settle.run(world.settings, "f" * 32, world.clock) is False


def test_the_second_worker_loses_the_claim(world: World) -> None:
    delivery = world.approved()
    world.due(delivery)
    with world.write() as session:
        mine = rows.due(session, delivery.id, world.now, "publish")
        assert mine is not None
        rows.claim(session, mine, world.now, world.now, "publish")
    assert publishing.run(world.settings, delivery.id, world.clock) is False
    with pytest.raises(Conflict), world.write() as session:
        rows.owned(session, delivery.id, mine.fence - 1, DeliveryState.claimed)


def test_a_hold_stops_it_and_lifting_lets_it_go(world: World) -> None:
    delivery = world.approved()
    with world.write() as session:
        holds.put(session, world.ada, "organization", "", "a leak", world.now)
    assert world.publish(delivery).state is DeliveryState.scheduled
    with world.write() as session:
        holds.lift(session, world.ada, world.now)
    assert world.publish(delivery).state is DeliveryState.published


def test_a_hold_during_the_upload_still_stops_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = world.approved()
    upload = OwnFeed.upload

    def and_hold(self: OwnFeed, *args: Any) -> Any:
        with world.write() as session:
            holds.put(session, world.ada, "everything", "", "stop", world.now)
        return upload(self, *args)

    monkeypatch.setattr(OwnFeed, "upload", and_hold)
    assert world.publish(delivery).state is DeliveryState.scheduled
    assert world.ledger == []


def test_withdrawn_consent_keeps_it_back(world: World) -> None:
    delivery = world.approved()
    with world.write() as session:
        installation.revoke_consent(session, world.ada, world.maya, world.now)
    kept = world.publish(delivery)
    assert kept.state is DeliveryState.kept_back
    assert "withdrew consent" in kept.reason
    assert world.ledger == []


def test_past_its_latest_start_nothing_goes_out_by_itself(world: World) -> None:
    delivery = world.approved()
    world.now = delivery.latest_start
    world.later(seconds=1)
    assert world.publish(delivery).state is DeliveryState.kept_back
    assert world.ledger == []


def test_the_clock_keeps_back_what_nobody_decided(world: World) -> None:
    delivery = world.delivery(world.version(world.post("reply")))
    world.now = delivery.latest_start
    dispatch.Sweeper(world.settings).sweep(world.later(seconds=1))
    kept = world.again(delivery)
    assert kept.state is DeliveryState.kept_back
    assert "Nobody decided" in kept.reason


def test_a_refusal_is_failed_with_its_reason(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Answer:
        raise Refused("The platform says no.")

    monkeypatch.setattr(OwnFeed, "commit", refuse)
    failed = world.publish(world.approved())
    assert (failed.state, failed.reason) == (DeliveryState.failed, "The platform says no.")


class TestAnAnswerThatNeverCame:
    def test_it_is_unconfirmed_then_found_and_published(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        commit = OwnFeed.commit

        def commit_then_drop(self: OwnFeed, *args: Any) -> Answer:
            commit(self, *args)
            raise OutcomeUnknown("The line broke.")

        monkeypatch.setattr(OwnFeed, "commit", commit_then_drop)
        delivery = world.approved()
        world.due(delivery)
        publishing.run(world.settings, delivery.id, world.clock)
        assert world.again(delivery).state is DeliveryState.unconfirmed
        assert settle.run(world.settings, delivery.id, world.clock) is True
        assert world.again(delivery).state is DeliveryState.published
        assert len(world.ledger) == 1

    def test_nothing_there_is_believed_only_after_the_deadline(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def drop(*_: Any) -> Answer:
            raise OutcomeUnknown("The line broke.")

        delivery = world.approved()
        world.due(delivery)
        with monkeypatch.context() as broken:
            broken.setattr(OwnFeed, "commit", drop)
            publishing.run(world.settings, delivery.id, world.clock)
        settle.run(world.settings, delivery.id, world.clock)
        assert world.again(delivery).state is DeliveryState.unconfirmed  # its own call may still be on the way
        world.later(seconds=60)
        settle.run(world.settings, delivery.id, world.clock)
        assert world.again(delivery).state is DeliveryState.scheduled
        assert world.publish(delivery).state is DeliveryState.published
        assert [a.state for a in world.attempts(delivery)] == [AttemptState.absent, AttemptState.accepted]
        assert len(world.ledger) == 1

    def test_it_is_never_sent_again_while_nobody_can_be_asked(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unknown(*_: Any) -> Any:
            raise OutcomeUnknown("No line.")

        monkeypatch.setattr(OwnFeed, "commit", unknown)
        monkeypatch.setattr(OwnFeed, "read_back", unknown)
        delivery = world.publish(world.approved())
        sweeper = dispatch.Sweeper(world.settings)
        for _ in range(20):
            sweeper.sweep(world.later(minutes=5))
            settle.run(world.settings, delivery.id, world.clock)
            publishing.run(world.settings, delivery.id, world.clock)
        assert world.again(delivery).state is DeliveryState.unconfirmed
        assert len(world.attempts(delivery)) == 1


class TestALeaseThatRanOut:
    def test_before_the_irreversible_call_it_is_tried_again(self, world: World) -> None:
        delivery = world.approved()
        world.due(delivery)
        with world.write() as session:
            row = rows.due(session, delivery.id, world.now, "publish")
            assert row is not None
            rows.claim(session, row, world.now, world.now, "publish")
            rows.open_attempt(session, row, new_id(), "0" * 64, {}, world.now)
        dispatch.Sweeper(world.settings).sweep(world.later(seconds=1))
        assert world.again(delivery).state is DeliveryState.scheduled
        assert world.publish(delivery).state is DeliveryState.published
        assert [a.state for a in world.attempts(delivery)] == [AttemptState.abandoned, AttemptState.accepted]

    def test_after_it_only_a_read_back_decides(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        delivery = world.approved()
        world.due(delivery)
        monkeypatch.setattr(publishing, "_commit", lambda *_: False)  # the process dies right here
        publishing.run(world.settings, delivery.id, world.clock)
        assert world.again(delivery).state is DeliveryState.sending
        dispatch.Sweeper(world.settings).sweep(world.later(seconds=world.settings.lease_seconds + 1))
        assert world.again(delivery).state is DeliveryState.unconfirmed
        publishing.run(world.settings, delivery.id, world.clock)
        assert world.ledger == []

    def test_a_late_answer_of_the_old_worker_changes_nothing(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        commit = OwnFeed.commit

        def slow(self: OwnFeed, *args: Any) -> Answer:
            answer = commit(self, *args)
            dispatch.Sweeper(world.settings).sweep(world.later(seconds=world.settings.lease_seconds + 1))
            return answer

        monkeypatch.setattr(OwnFeed, "commit", slow)
        delivery = world.approved()
        world.due(delivery)
        publishing.run(world.settings, delivery.id, world.clock)
        assert world.again(delivery).state is DeliveryState.unconfirmed
        settle.run(world.settings, delivery.id, world.clock)
        assert world.again(delivery).state is DeliveryState.published
        assert len(world.ledger) == 1


def test_the_read_back_notices_a_changed_object(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = world.approved()
    world.due(delivery)
    publishing.run(world.settings, delivery.id, world.clock)
    [path] = (world.settings.feed / "items" / "maya").glob("*.json")
    item = json.loads(path.read_text())
    path.write_text(json.dumps({**item, "caption": "No label here."}))
    settle.run(world.settings, delivery.id, world.clock)
    with world.read() as session:
        from avatar_scheduler.db import audits

        actions = [row.action for row in audits.about(session, world.ada.organization_id, [delivery.id])]
    assert "delivery.incident" in actions


def test_an_edit_before_it_left_withdraws_it(world: World) -> None:
    delivery = world.approved()
    with world.write() as session:
        posts.edit(session, world.settings, world.ada, delivery.post_id, posts.Edit(caption="Other."), world.now)
    assert world.publish(delivery).state is DeliveryState.withdrawn
    assert world.ledger == []


def test_what_is_published_cannot_be_edited(world: World) -> None:
    delivery = world.publish(world.approved())
    with pytest.raises(Conflict, match="published"), world.write() as session:
        posts.edit(session, world.settings, world.ada, delivery.post_id, posts.Edit(caption="Other."), world.now)


def test_undo_and_claim_exclude_each_other(world: World) -> None:
    version = world.version(world.post("tip", at="now"))
    world.watch(version)
    approval = world.approve(version)
    delivery = world.delivery(version)
    world.later(seconds=9)
    assert publishing.run(world.settings, delivery.id, world.clock) is False
    with world.write() as session:
        review.undo(session, world.ada, approval, world.now)
    world.later(seconds=60)
    assert world.publish(delivery).state is DeliveryState.waiting
    assert world.ledger == []


def test_the_feed_has_exactly_the_approved_bytes(world: World) -> None:
    delivery = world.publish(world.approved())
    [item] = Feed(world.settings).items("maya")
    assert item.id == delivery.id
    served = Feed(world.settings).blobs.path(item.media_sha256).read_bytes()
    assert served == (world.film.folder / world.film.made["video"]).read_bytes()


@pytest.mark.parametrize("kind", ["captions", "poster"])
def test_a_file_swapped_after_the_upload_keeps_it_back(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    upload = OwnFeed.upload

    def and_swap(self: OwnFeed, parcel: Parcel, *args: Any) -> Any:
        done = upload(self, parcel, *args)
        path = parcel.poster if kind == "poster" else parcel.captions_vtt
        assert path is not None
        path.write_bytes(b"swapped")
        return done

    monkeypatch.setattr(OwnFeed, "upload", and_swap)
    assert world.publish(world.approved()).state is DeliveryState.kept_back
    assert world.ledger == []


def test_a_worker_that_was_held_up_past_its_deadline_does_not_send(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped between the last look and the call, as by SIGSTOP: somebody may be reading back already."""
    arm, real, stopped = publishing._arm, time.monotonic, 0.0

    def arm_then_stop(*args: Any) -> bool:
        nonlocal stopped
        armed = arm(*args)
        stopped = world.settings.lease_seconds / 2
        return armed

    monkeypatch.setattr(publishing, "_arm", arm_then_stop)
    monkeypatch.setattr(time, "monotonic", lambda: real() + stopped)
    delivery = world.approved()
    world.due(delivery)
    assert publishing.run(world.settings, delivery.id, world.clock) is False
    found = world.again(delivery)
    assert (found.state, world.ledger) == (DeliveryState.unconfirmed, [])
    assert "held up" in found.reason


@pytest.mark.parametrize("where", ["upload", "files"])
def test_a_full_disk_of_ours_is_waited_out(world: World, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def full(*_: Any) -> Any:
        raise Refused("The disk is full.", code="disk_full")

    delivery = world.approved()
    with monkeypatch.context() as trouble:
        if where == "upload":
            trouble.setattr(OwnFeed, "upload", full)
        else:
            trouble.setattr(parcels, "verify", full)
        found = world.publish(delivery)
    assert (found.state, found.reason) == (DeliveryState.scheduled, "The disk is full.")
    assert world.publish(found).state is DeliveryState.published


def test_a_full_disk_at_the_claim_keeps_nothing_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise Refused("The disk of the database is full.", code="disk_full")

    delivery = world.approved()
    with monkeypatch.context() as trouble:
        trouble.setattr(publishing, "may_send", full)
        assert world.publish(delivery).state is DeliveryState.scheduled
    assert world.publish(delivery).state is DeliveryState.published

"""`may_send`: each reason to say no, one at a time, over a delivery that may go."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from avatar_scheduler.db.tables import Approval, Avatar, Channel, Consent, Delivery, Post, Version
from avatar_scheduler.domain.errors import Conflict, Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.services import holds, review
from avatar_scheduler.services.gate import NotNow, may_send
from tests.services.cast import consent_gone, creator_of
from tests.world import World

Change = Callable[[World, Session], object]


def put(table: type[Any], **values: Any) -> Change:
    def change(world: World, session: Session) -> None:
        row = session.exec(select(table)).first()
        for name, value in values.items():
            setattr(row, name, value(world) if callable(value) else value)
        session.flush()

    return change


def ago(world: World) -> Any:
    return world.now - timedelta(seconds=1)


def ahead(world: World) -> Any:
    return world.now + timedelta(days=1)


def hold(scope: str) -> Change:
    def change(world: World, session: Session) -> None:
        channel = session.exec(select(Channel.id)).one()
        target = {"creator": world.maya.id, "channel": channel}.get(scope, "")
        holds.put(session, world.ada, scope, target, "a leak", world.now)

    return change


def withdraw_consent_and_hide_it(world: World, session: Session) -> None:
    consent_gone(world, session)
    put(Consent, revoked_at=None)(world, session)


def other_avatar(world: World, session: Session) -> None:
    old = session.exec(select(Avatar)).one()
    new = Avatar(**{**old.model_dump(), "id": "another"})
    session.add(new)
    session.flush()
    put(Post, avatar_id="another")(world, session)


def forget_approval(world: World, session: Session) -> None:
    session.delete(session.exec(select(Approval)).one())
    session.flush()


def another_channel(world: World, session: Session) -> None:
    old = session.exec(select(Channel)).one()
    session.add(Channel(**{**old.model_dump(), "id": "another", "address": "maya2"}))
    session.flush()
    put(Delivery, channel_id="another")(world, session)


REFUSALS: dict[str, tuple[Change, str]] = {
    "manifest": (put(Version, manifest="{}"), "version_changed"),
    "nobody": (forget_approval, "not_approved"),
    "undone": (put(Approval, undone_at=ago), "not_approved"),
    "revoked": (put(Approval, revoked_at=ago), "not_approved"),
    "decision": (put(Approval, decision="rejected"), "not_approved"),
    "signature": (put(Approval, signature=""), "approval_forged"),
    "approver": (put(Approval, by="eve"), "approval_forged"),
    "decided": (put(Approval, decided_at=ago), "approval_forged"),
    "approval_hash": (put(Approval, version_sha256="0" * 64), "approval_other"),
    "approval_post": (put(Approval, post_id="another"), "approval_other"),
    "parent": (put(Approval, parent_id="another"), "approval_forged"),
    "post_state": (put(Post, state=PostState.in_review), "not_approved"),
    "post_version": (put(Post, version_id="another"), "not_approved"),
    "due": (put(Delivery, due_at=ago), "delivery_changed"),
    "latest": (put(Delivery, latest_start=ahead), "delivery_changed"),
    "other_channel": (another_channel, "delivery_changed"),
    "disconnected": (put(Channel, disabled_at=ago), "channel_off"),
    "address": (put(Channel, address="leo"), "channel_changed"),
    "platform": (put(Channel, platform="bluesky"), "channel_changed"),
    "endpoint": (put(Channel, endpoint="https://evil.example"), "channel_changed"),
    "withdrawn": (consent_gone, "consent_revoked"),
    "withdrawn_hidden": (withdraw_consent_and_hide_it, "consent_revoked"),
    "ended": (put(Consent, ends_at=ago), "consent_expired"),
    "not_begun": (put(Consent, starts_at=ahead), "consent_not_started"),
    "voice": (put(Consent, rights=json.dumps(["likeness"])), "consent_scope"),
    "elsewhere": (put(Consent, platforms=json.dumps(["bluesky"])), "consent_scope"),
    "avatar": (other_avatar, "consent_changed"),
}
LATER: dict[str, tuple[Change, str]] = {
    "everything": (hold("everything"), "held"),
    "organization": (hold("organization"), "held"),
    "creator": (hold("creator"), "held"),
    "channel": (hold("channel"), "held"),
}


def test_what_was_approved_may_go_and_each_single_change_stops_it(world: World) -> None:
    delivery = world.approved("reply")
    world.due(delivery)
    for name, (change, code) in {**REFUSALS, **LATER}.items():
        with world.write() as session:
            row = session.get_one(Delivery, delivery.id)
            assert may_send(session, world.settings, row, world.now).target["delivery"] == delivery.id
            change(world, session)
            expected = NotNow if name in LATER else Refused
            with pytest.raises(expected) as no:
                may_send(session, world.settings, row, world.now)
            assert no.value.code == code, name
            session.rollback()


def test_its_window_is_closed_at_both_ends(world: World) -> None:
    delivery = world.approved("reply")
    moments = {
        delivery.due_at - timedelta(microseconds=1): "early",
        delivery.due_at: "",
        delivery.latest_start: "",
        delivery.latest_start + timedelta(microseconds=1): "too_late",
    }
    with world.read() as session:
        for at, code in moments.items():
            try:
                may_send(session, world.settings, session.get_one(Delivery, delivery.id), at)
                assert code == ""
            except (Conflict, Refused) as no:
                assert no.code == code, at  # noqa: PT017  (two kinds, and none)


def test_the_undo_time_cannot_be_edited_away(world: World) -> None:
    version = world.version(world.post(at="now"))
    world.approve(version)
    world.sql("UPDATE approval SET effective_at = decided_at")
    world.sql("UPDATE delivery SET ready_at = due_at")
    for seconds, may in ((9.9, False), (0.1, True)):
        world.later(seconds=seconds)
        with world.read() as session:
            row = session.get_one(Delivery, world.delivery(version).id)
            if may:
                assert may_send(session, world.settings, row, world.now)
                continue
            with pytest.raises(NotNow):
                may_send(session, world.settings, row, world.now)


def test_an_undone_yes_stays_undone_when_its_column_is_emptied(world: World) -> None:
    version = world.version(world.post())
    approval = world.approve(version)
    with world.write() as session:
        review.undo(session, world.ada, approval, world.now)
    world.sql("UPDATE approval SET undone_at = NULL")
    world.sql("UPDATE post SET state = 'approved'")
    world.sql("UPDATE delivery SET state = 'scheduled'")
    world.now = world.delivery(version).due_at
    with world.read() as session, pytest.raises(Refused) as no:
        may_send(session, world.settings, session.exec(select(Delivery)).one(), world.now)
    assert no.value.code == "approval_undone"


def test_an_approval_copied_to_another_post_is_refused(world: World) -> None:
    """Everything fits except what was signed."""
    mine, other = world.approved("reply"), world.version(world.post("reply"))
    with world.write() as session:
        row = session.exec(select(Approval)).one()
        copy = {**row.model_dump(), "id": "copy", "post_id": other.post_id}
        session.add(Approval(**{**copy, "version_id": other.id, "version_sha256": other.sha256}))
    world.sql("UPDATE post SET state = 'approved' WHERE id = :id", id=other.post_id)
    world.due(mine)
    with world.read() as session:
        delivery = session.exec(select(Delivery).where(Delivery.version_id == other.id)).one()
        with pytest.raises(Refused) as no:
            may_send(session, world.settings, delivery, delivery.due_at)
    assert no.value.code == "approval_forged"


def test_a_hold_on_somebody_else_stops_nobody(world: World) -> None:
    leo = creator_of(world, world.ada, "leo")
    delivery = world.approved("reply")
    world.due(delivery)
    with world.write() as session:
        holds.put(session, world.ada, "creator", leo.id, "", world.now)
        assert may_send(session, world.settings, session.get_one(Delivery, delivery.id), world.now)

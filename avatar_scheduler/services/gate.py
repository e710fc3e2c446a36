"""The one choke point before anything leaves: `may_send`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from avatar_scheduler.config import Settings
from avatar_scheduler.db import recall
from avatar_scheduler.db.tables import Approval, Avatar, Channel, Creator, Delivery, Post, Version
from avatar_scheduler.domain import consent
from avatar_scheduler.domain.disclosure import RequiredMark
from avatar_scheduler.domain.errors import Conflict, Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.services import approvals, consents, disclosing, history, holds, proof, rescheduling, versions
from avatar_scheduler.services.versions import Manifest


class NotNow(Conflict):
    """Allowed in principle, not at this moment: the delivery stays scheduled."""

    code = "not_now"


@dataclass(frozen=True)
class Sendable:
    manifest: Manifest
    target: dict[str, Any]
    channel: Channel
    given: tuple[Approval, ...]
    """The yeses it goes out on."""
    required: tuple[RequiredMark, ...]
    """What platform and law ask for at this instant; those of the request are measured on the request."""


def may_send(session: Session, settings: Settings, delivery: Delivery, at: datetime) -> Sendable:
    """Everything that must hold at this instant, read in the transaction that will commit the intent.

    Raises NotNow (held, or before its time) or Refused with the one reason it is kept back for.
    """
    version, post = session.get_one(Version, delivery.version_id), session.get_one(Post, delivery.post_id)
    manifest = versions.read(version)
    # First of all: until its hash is found under a signature, nothing in the manifest is believed.
    given = proof.check(session, settings, manifest, version, post, at)
    versions.check_seal(settings, version)
    history.check_delivery(session, delivery)
    if damage := recall.once(session, "damage", lambda: history.damage(settings)):
        raise NotNow(f"The log is damaged: {damage} Run: avatar-scheduler audit verify", code="log_damaged")
    target = _target(session, manifest, delivery, version, post)
    channel = _channel(session, delivery, target)
    _window(delivery, given, at)
    avatar, creator = session.get_one(Avatar, post.avatar_id), session.get_one(Creator, post.creator_id)
    if avatar.consent_id != manifest.data["consent"] or avatar.id != manifest.data["avatar"]["id"]:
        raise Refused("The avatar or its consent changed after the approval.", code="consent_changed")
    grant = consents.grant_of(session, avatar)
    said = consents.of_manifest(manifest.data)
    consent.check(grant, creator=creator.name, platforms=frozenset({channel.platform}), at=at, **said)
    if consents.digest(grant) != manifest.data["grant"]:
        raise Refused(
            "The consent is not the one it was approved under. Render the post again.", code="consent_changed"
        )
    audience = disclosing.widest(manifest.data.get("audience", ()), disclosing.audience_of(session, creator))
    required = manifest.check_marks(settings, channel.platform, audience, at)
    hold = holds.covering(session, delivery.organization_id, creator.id, channel.id)
    if hold is not None:
        raise NotNow(f"On hold: {hold.reason or 'no reason given'}.", code="held")
    return Sendable(manifest, target, channel, tuple(given), required)


def _target(session: Session, manifest: Manifest, delivery: Delivery, version: Version, post: Post) -> dict[str, Any]:
    """The delivery row must say what manifest and log say; where they differ, the row was tampered with."""
    target = manifest.target(delivery.id)
    same = (
        target is not None
        and manifest.data["organization"] == delivery.organization_id == post.organization_id == version.organization_id
        and manifest.data["post"] == delivery.post_id == version.post_id
        and target["channel"] == delivery.channel_id
        and rescheduling.due_of(session, delivery, target) == (delivery.due_at, delivery.latest_start)
    )
    if target is None or not same:
        raise Refused("The delivery is not the one that was approved.", code="delivery_changed")
    if post.version_id != version.id or post.state is not PostState.approved:
        raise Refused("The post changed after the approval.", code="not_approved")
    return target


def _channel(session: Session, delivery: Delivery, target: dict[str, Any]) -> Channel:
    channel = session.get_one(Channel, delivery.channel_id)
    now_there = (channel.organization_id, channel.platform, channel.address, channel.endpoint)
    if now_there != (delivery.organization_id, target["platform"], target["address"], target["endpoint"]):
        raise Refused("The channel is not the one that was approved.", code="channel_changed")
    if channel.disabled_at is not None:
        raise Refused("The channel was disconnected. Connect it again, then pick a new time.", code="channel_off")
    return channel


def _window(delivery: Delivery, given: list[Approval], at: datetime) -> None:
    if at > delivery.latest_start:
        raise Refused("Too late: its time passed before it could be sent. Pick a new time.", code="too_late")
    if at < delivery.due_at or any(at < approvals.in_force_from(row) for row in given):
        raise NotNow("Its time has not come.", code="early")

"""Reading at once what the gate will ask for about many deliveries: a dozen statements rather than fifty for each."""

from collections.abc import Sequence

from sqlmodel import Session

from avatar_scheduler.db import audits, recall
from avatar_scheduler.db.tables import (
    Approval,
    Attempt,
    Avatar,
    Channel,
    Consent,
    Creator,
    Delivery,
    Member,
    Post,
    Receipt,
    Version,
)


def read(session: Session, delivery_ids: Sequence[str]) -> None:
    """Does nothing in a session that recalls nothing. Raises Refused when the log about one of them is not genuine."""
    if not delivery_ids:
        return
    deliveries = recall.fetch(session, Delivery, "id", delivery_ids)
    posts = recall.fetch(session, Post, "id", {row.post_id for row in deliveries})
    versions = {row.version_id for row in deliveries}
    recall.fetch(session, Version, "id", versions)
    recall.fetch(session, Channel, "id", {row.channel_id for row in deliveries})
    creators = recall.fetch(session, Creator, "id", {row.creator_id for row in posts})
    avatars = recall.fetch(session, Avatar, "id", {row.avatar_id for row in posts})
    consents = recall.fetch(session, Consent, "id", {row.consent_id for row in avatars})
    given = recall.fetch(session, Approval, "version_id", versions)
    standing = recall.fetch(session, Approval, "id", {row.parent_id for row in given if row.parent_id})
    members = recall.fetch(session, Member, "id", {row.by for row in given})
    recall.fetch(session, Attempt, "delivery_id", delivery_ids)
    recall.fetch(session, Receipt, "delivery_id", delivery_ids)
    told = (deliveries, posts, creators, avatars, consents, given, standing, members)
    audits.fetch(session, {row.id for rows in told for row in rows})

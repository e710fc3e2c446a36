"""Somebody with the database's password writes a yes of their own. The publisher sends nothing on it.

Counted in the feed's own ledger; the last test says how many ways were tried.
"""

import base64
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, select

from avatar_scheduler.audit import GENESIS
from avatar_scheduler.db.columns import new_id
from avatar_scheduler.db.tables import Approval, Audit, Delivery, Organization, Passkey, Post, Version
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.services import approvals, review
from tests.world import World

Forge = Callable[[World, Session, Approval, Version], object]
"""Writes rows. Gets a real yes to another post, and the version nobody approved."""


def row_like(real: Approval, version: Version, **changed: object) -> Approval:
    values = {**real.model_dump(), "id": new_id(), "post_id": version.post_id, "version_id": version.id,
              "version_sha256": version.sha256, **changed}  # fmt: skip
    return Approval(**values)


def unsigned(world: World, session: Session, real: Approval, version: Version) -> None:
    session.add(row_like(real, version, signature=""))


def random_signature(world: World, session: Session, real: Approval, version: Version) -> None:
    session.add(row_like(real, version, signature=base64.b64encode(b"\1" * 64).decode()))


def moved(world: World, session: Session, real: Approval, version: Version) -> None:
    """The real row itself, pointed at the other version."""
    row = session.get_one(Approval, real.id)
    row.post_id, row.version_id, row.version_sha256 = version.post_id, version.id, version.sha256


def pointed(world: World, session: Session, real: Approval, version: Version) -> None:
    """Only the version id; hash and signature still fit each other."""
    session.get_one(Approval, real.id).version_id = version.id


def copied(world: World, session: Session, real: Approval, version: Version) -> None:
    session.add(row_like(real, version))


def own_key(world: World, session: Session, real: Approval, version: Version) -> None:
    row = row_like(real, version)
    key = Ed25519PrivateKey.generate()
    row.signature = base64.b64encode(key.sign(approvals.statement(row).payload())).decode()
    session.add(row)


def graded_up(world: World, session: Session, real: Approval, version: Version) -> None:
    """A passkey nobody enrolled, and an assertion of it."""
    key = Passkey(organization_id=real.organization_id, member_id=real.by, credential_id="AAAA", public_key="AAAA",
                  created_at=world.now)  # fmt: skip
    session.add(key)
    session.flush()
    session.add(row_like(real, version, grade="passkey", passkey_id=key.id, assertion="{}"))


def without_grade(world: World, session: Session, real: Approval, version: Version) -> None:
    session.add(row_like(real, version, grade="", acted_as="", stage=0))


def other_manifest(world: World, session: Session, real: Approval, version: Version) -> None:
    """The approved manifest and hash are written into the version nobody approved."""
    good = session.get_one(Version, real.version_id)
    row = session.get_one(Version, version.id)
    row.manifest, row.sha256, row.seal = good.manifest, good.sha256, good.seal
    session.add(row_like(real, row))


def under_a_standing_one(world: World, session: Session, real: Approval, version: Version) -> None:
    scope = {"creator": world.maya.id, "kinds": ["reply"], "platforms": ["own_feed"], "per_day": 9,
             "ends_at": (world.now + timedelta(days=9)).isoformat()}  # fmt: skip
    parent = row_like(real, version, decision="standing", post_id="", version_id="", version_sha256="",
                      scope=json.dumps(scope))  # fmt: skip
    session.add(parent)
    session.flush()
    session.add(row_like(real, version, parent_id=parent.id, grade="standing"))


def with_a_fitting_log(world: World, session: Session, real: Approval, version: Version) -> None:
    """A chained entry that says the yes was given, computed by somebody without the log's key."""
    row = row_like(real, version)
    session.add(row)
    last = session.exec(select(Audit).order_by(Audit.seq.desc()).limit(1)).one()  # type: ignore[attr-defined]
    entry = Audit(**{**last.model_dump(), "seq": last.seq + 1, "action": "approval.approved", "noun": "approval",
                     "noun_id": row.id, "previous": last.hash or GENESIS, "data": "{}"})  # fmt: skip
    session.add(entry)


FORGERIES: dict[str, Forge] = {
    forge.__name__: forge
    for forge in (
        unsigned, random_signature, moved, pointed, copied, own_key, graded_up, without_grade, other_manifest,
        under_a_standing_one, with_a_fitting_log,
    )
}  # fmt: skip


def let_out(session: Session, version: Version) -> None:
    """What an insider writes beside the yes: states and times, as if everything had been decided."""
    session.get_one(Post, version.post_id).state = PostState.approved
    for row in session.exec(select(Delivery).where(Delivery.version_id == version.id)):
        row.state = DeliveryState.scheduled


@pytest.mark.parametrize("name", FORGERIES)
def test_a_yes_written_into_the_database_sends_nothing(world: World, name: str) -> None:
    given = world.approved("reply")
    with world.read() as session:
        real = session.exec(select(Approval)).one()
    version = world.version(world.post("reply", title="Garlic"))
    with world.write() as session:
        FORGERIES[name](world, session, real, version)
        let_out(session, version)
    delivery = world.delivery(version)
    assert world.publish(delivery).state is not DeliveryState.published
    assert [line for line in world.ledger if line["item"] == delivery.id] == []
    assert given.id != delivery.id


COLUMNS = {
    "organization_id": "0" * 32, "post_id": "0" * 32, "version_id": "0" * 32, "version_sha256": "0" * 64,
    "decision": "standing", "by": "0" * 32, "stage": 3, "acted_as": "anyone", "grade": "passkey",
    "passkey_id": "x", "assertion": "{}", "parent_id": "0" * 32, "scope": "{}", "signature": "AAAA",
    "decided_at": timedelta(seconds=-60),
}  # fmt: skip
"""Every column that says something; the rest (note, effective_at) decides nothing or only makes it wait longer."""


@pytest.mark.parametrize("column", COLUMNS)
def test_one_column_of_a_real_yes_changed(world: World, column: str) -> None:
    delivery = world.approved("reply")
    value = COLUMNS[column]
    with world.write() as session:
        session.add(Organization(id="0" * 32, name="Elsewhere", created_at=world.now))
        session.flush()
        row = session.exec(select(Approval)).one()
        setattr(row, column, row.decided_at + value if isinstance(value, timedelta) else value)
    assert world.publish(delivery).state is not DeliveryState.published
    assert world.ledger == []


@pytest.mark.parametrize("column", ["undone_at", "revoked_at"])
def test_a_yes_taken_back_is_brought_back_by_sql(world: World, column: str) -> None:
    delivery = world.approved("reply")
    with world.write() as session:
        row = session.exec(select(Approval)).one()
        if column == "undone_at":
            review.undo(session, world.ada, row.id, row.decided_at)
        else:
            approvals.void(session, row, "left", world.now)
    with world.write() as session:
        setattr(session.exec(select(Approval)).one(), column, None)
        let_out(session, session.get_one(Version, delivery.version_id))
    assert world.publish(delivery).state is not DeliveryState.published
    assert world.ledger == []


def test_every_column_was_tried() -> None:
    known = set(Approval.model_fields) - {"id", "note", "effective_at", "undone_at", "revoked_at"}
    assert known == set(COLUMNS)
    assert len(FORGERIES) + len(COLUMNS) + 2 >= 28

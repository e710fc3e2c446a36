"""T28: a policy stored as nothing, as a yes, as a number. None of them is read as "nobody has to agree"."""

import json
import sys
from collections import Counter
from collections.abc import Callable

import pytest
from sqlmodel import select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Approval, Delivery, Version
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import SchedulerError
from avatar_scheduler.domain.stages import ANYONE, CREATOR, Stage
from avatar_scheduler.domain.version import canonical, sha256
from avatar_scheduler.services import gate, policies, policy_changes
from tests.acceptance.test_forged_yes import let_out, row_like
from tests.services import cast
from tests.world import World

VALUES = [
    "null", "true", "false", "0", "1", "[]", "{}", '""', '"[]"', "[null]", "[true]", "[[]]", "[{}]",
    '[{"by": [], "all": false}]', '[{"by": [], "all": true}]', '[{"by": null, "all": false}]',
    '[{"by": "anyone", "all": false}]', '[{"by": {"anyone": 1}, "all": false}]', '[{"by": [true], "all": false}]',
    '[{"by": ["anyone"], "all": null}]', '[{"by": ["anyone"]}]', "NaN", "", "nonsense",
]  # fmt: skip
Write = Callable[[World, str], None]
"""Makes a stored policy of the creator Maya say this."""
tried: Counter[str] = Counter()


def table(world: World, value: str) -> None:
    """What somebody with the database's password types. The log is believed, and it asks for two."""
    world.sql("UPDATE policy SET stages = :value", value=value)


def stages(world: World, value: str) -> None:
    """In the log itself, under its key: a mistake of ours, or an insider on the machine."""
    _log(world, {"stages": value, "effective_at": world.now.isoformat(), "dropped": False})


def whole(world: World, value: str) -> None:
    _log(world, value)


def when(world: World, value: str) -> None:
    """It cannot be said whether it holds."""
    known = json.dumps([{"all": False, "by": [ANYONE]}])
    _log(world, f'{{"stages": {json.dumps(known)}, "effective_at": {value or "-"}, "dropped": 0}}')


def _log(world: World, said: object) -> None:
    text = said if isinstance(said, str) else json.dumps(said)
    with world.write() as session:
        audits.append(
            session, at=world.now, organization=world.ada.organization_id, actor=world.ada.member_id,
            action="policy.set", noun=policies.NOUN, noun_id=world.maya.id, data={"*#2": text},
        )  # fmt: skip


@pytest.mark.parametrize("write", [table, stages, whole, when], ids=lambda one: one.__name__)
def test_the_publisher_sends_nothing_on_it(world: World, write: Write) -> None:
    """Approved under a policy of one; then it is made stronger, and what is stored of that says something else."""
    delivery = world.approved("reply")
    cast.policy(world, world.maya, Stage((CREATOR,)), Stage(("role:approver",)))
    world.due(delivery)
    with world.read() as session:
        first = session.get_one(Delivery, delivery.id).state
    assert first is DeliveryState.scheduled
    for value in VALUES:
        write(world, value)
        with world.write() as session, pytest.raises(SchedulerError) as why:
            gate.may_send(session, world.settings, session.get_one(Delivery, delivery.id), world.now)
        assert why.value.code in ("policy", "policy_unreadable"), value
        tried[write.__name__] += 1
    assert world.publish(delivery).state is DeliveryState.kept_back
    assert world.ledger == []


def test_a_stored_one_that_cannot_be_read_freezes_nothing(world: World) -> None:
    for value in VALUES:
        stages(world, value)
        with world.read() as session, pytest.raises(SchedulerError):
            policies.of(session, world.maya, "reply", world.now)
        tried["freezing"] += 1


def test_it_can_be_set_again(world: World) -> None:
    """Whatever was there may have asked for more: the new one is a weaker one, and waits."""
    stages(world, "null")
    with world.write() as session:
        row = policy_changes.put(session, world.ada, world.maya, "*", (Stage((CREATOR,)),), world.now)
    assert row.effective_at is not None
    assert row.effective_at > world.now
    with world.write() as session:
        policy_changes.record(
            session, world.ada, world.maya, "policy.set",
            policies.Said("*", 3, row.stages, world.now, dropped=False), world.now,
        )  # fmt: skip
    with world.read() as session:
        assert policies.of(session, world.maya, "reply", world.now).stages == (Stage((CREATOR,)),)


@pytest.mark.parametrize("value", VALUES)
def test_written_into_the_frozen_version(world: World, value: str) -> None:
    """With its hash made to fit, and a yes beside it."""
    given = world.approved("reply")
    version = world.version(world.post("reply", title="Garlic"))
    manifest = json.loads(version.manifest)
    try:
        manifest["policy"]["stages"] = json.loads(value, parse_constant=str)
    except ValueError:
        manifest["policy"] = value
    with world.write() as session:
        row = session.get_one(Version, version.id)
        row.manifest = canonical(manifest)
        row.sha256 = sha256(row.manifest)
    with pytest.raises(SchedulerError) as why:  # nobody is shown it as approvable
        world.approve(world.again(version))
    assert why.value.code == "version_forged"
    with world.write() as session:
        row = session.get_one(Version, version.id)
        session.add(row_like(session.exec(select(Approval)).one(), row))
        let_out(session, row)
    tried["manifest"] += 1
    assert world.publish(world.delivery(version)).state is not DeliveryState.published
    assert [line for line in world.ledger if line["item"] != given.id] == []


def test_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(set(VALUES)) == len(VALUES) >= 24
    with capsys.disabled():
        sys.stdout.write(
            f"\npolicies: {sum(tried.values())} stored values tried, {dict(tried)}, nothing sent on them\n"
        )

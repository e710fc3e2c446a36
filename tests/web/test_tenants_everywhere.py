"""T16: every route, asked by the owner of another organization with real ids of this one: nothing is there.

And by a member of this one who reaches another creator only.
"""

import sys
from dataclasses import replace

import pytest
from fastapi import FastAPI
from sqlmodel import select

from avatar_scheduler.db.tables import Approval, Audit, Hold, Member
from avatar_scheduler.domain.stages import CREATOR, Stage
from avatar_scheduler.services import delegates, members, policy_changes
from avatar_scheduler.web import deps
from tests.acceptance.site import furnish
from tests.services import cast
from tests.web.conftest import link
from tests.web.test_access import FILLED, routes
from tests.web.visitor import Visitor
from tests.world import World

NOTHING = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})
OWN = ("/account", "/sign-", "/events", "/menu", "/onboarding")
"""About whoever asks."""


def ids(world: World) -> dict[str, str]:
    """Something of Ada's for each parameter a path may have."""
    values = furnish(world, "Onions")
    helper = cast.person(world, "approver")
    with world.write() as session:
        invitation, _ = members.invite(session, world.ada, "x@example.org", "X", "editor", (), world.now)
        named = delegates.name(session, world.ada, world.maya, helper.member_id, ("reply",), 7, world.now)
        policy = policy_changes.put(session, world.ada, world.maya, "*", (Stage((CREATOR,)),), world.now)
    with world.read() as session:
        hold, approval = session.exec(select(Hold.id)).first(), session.exec(select(Approval.id)).first()
    found = {"invitation_id": invitation.id, "delegate_id": named.id, "policy_id": policy.id, "hold_id": hold or "",
             "approval_id": approval or "", "member_id": helper.member_id}  # fmt: skip
    return {**{name: str(value) for name, value in FILLED.items()}, **values, **found}


def entries(world: World, organization: str) -> int:
    with world.read() as session:
        return len(session.exec(select(Audit.seq).where(Audit.organization_id == organization)).all())


def asked_everywhere(app: FastAPI, visitor: Visitor, values: dict[str, str]) -> int:
    count = 0
    for method, path in routes(app):
        if method == "MOUNT" or "{" not in path or path in deps.PUBLIC or path.startswith(OWN):
            continue
        filled = path.format(**values)
        data = {} if method == "GET" else {"data": {"csrf": visitor.csrf, "version_hash": "0" * 64, "text": "x"}}
        answer = visitor.ask(method, filled, headers={"accept": "application/json", "x-csrf": visitor.csrf}, **data)
        assert answer.status_code in NOTHING, (method, path, answer.status_code, answer.text[:200])
        count += 1
    return count


def test_nothing_of_one_organization_is_there_for_another(world: World, app: FastAPI, cy: Visitor) -> None:
    values = ids(world)
    before = entries(world, world.ada.organization_id)
    count = asked_everywhere(app, cy, values)
    sys.stdout.write(f"\n{count} routes asked by another organization, nothing there\n")
    assert count > 40
    assert entries(world, world.ada.organization_id) == before


def test_nothing_of_a_creator_is_there_for_who_reaches_another(world: World, app: FastAPI) -> None:
    values = ids(world)
    noa = cast.creator_of(world, world.ada, "noa")
    limited = cast.reaches(world, cast.person(world, "manager"), noa)
    with world.write() as session:
        session.get_one(Member, limited.member_id).reach = "assigned"
    visitor = Visitor(app, world.settings.base_url).enter(link(world, replace(limited).member_id))
    values["member_id"] = values["invitation_id"] = "0" * 32  # people are everybody's
    count = asked_everywhere(app, visitor, values)
    sys.stdout.write(f"\n{count} routes asked by who reaches another creator, nothing there\n")
    assert count > 40


def test_a_way_in_would_be_seen(world: World, app: FastAPI, ada: Visitor) -> None:
    with pytest.raises(AssertionError):
        asked_everywhere(app, ada, ids(world))

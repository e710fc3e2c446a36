"""Who may do what, through the verbs themselves."""

from collections.abc import Callable
from typing import Any

import pytest

from avatar_scheduler.domain.errors import Forbidden, NotFound
from avatar_scheduler.services import holds, installation, posts, renders, review, standing
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import ROLES
from tests.services.cast import person
from tests.world import World

Verb = Callable[[World, Any, Person], object]
GONE = "0" * 32


def make(world: World, session: Any, who: Person) -> object:
    return posts.make(session, world.settings, who, posts.NewPost("maya", "T", "tip", "Hello."), world.maya, world.now)


def submit(world: World, session: Any, who: Person) -> object:
    post = posts.make(
        session, world.settings, world.ada, posts.NewPost("maya", "T", "tip", "Hello."), world.maya, world.now
    )
    return renders.submit(session, world.settings, who, post, world.now)


def add_creator(world: World, session: Any, who: Person) -> object:
    new = installation.NewCreator("Leo", "leo", "en", "UTC", "leo", "city", "fictional")
    return installation.add_creator(session, who, new, world.now)


def add_channel(world: World, session: Any, who: Person) -> object:
    return installation.add_channel(session, who, world.maya, "bluesky", "did:plc:x", "", "", world.now)


WRITING: dict[str, Verb] = {
    "make": make,
    "submit": submit,
    "edit": lambda world, session, who: posts.edit(session, world.settings, who, GONE, posts.Edit(), world.now),
    "cancel": lambda world, session, who: posts.cancel(session, who, GONE, world.now),
}
MANAGING: dict[str, Verb] = {"creator": add_creator}
CONNECTING: dict[str, Verb] = {"channel": add_channel}
DECIDING: dict[str, Verb] = {
    "approve": lambda world, session, who: review.approve(session, world.settings, who, GONE, GONE, world.now),
    "reject": lambda world, session, who: review.reject(session, who, GONE, GONE, world.now),
    "changes": lambda world, session, who: review.ask_changes(session, who, GONE, GONE, [], "no", None, world.now),
    "standing": lambda world, session, who: standing.grant(
        session, world.settings, who, world.maya, ("tip",), 1, 1, world.now
    ),
}
STOPPING: dict[str, Verb] = {
    "hold": lambda world, session, who: holds.put(session, who, "organization", "", "stop", world.now),
}
ALL = {**WRITING, **MANAGING, **CONNECTING, **DECIDING, **STOPPING}
MATRIX = {
    "owner": ALL,
    "admin": ALL,
    "manager": ALL,
    "editor": {**WRITING, **STOPPING},
    "creator": {**WRITING, **CONNECTING, **DECIDING, **STOPPING},
    "approver": {**DECIDING, **STOPPING},
    "client": {**CONNECTING, **DECIDING, **STOPPING},
    "api": {**WRITING, **STOPPING},
    "analyst": {},
    "auditor": {},
    "Owner": {},
    "": {},
}


def test_the_matrix_names_every_role() -> None:
    assert set(MATRIX) >= ROLES


@pytest.mark.parametrize("role", MATRIX)
def test_a_role_may_do_its_verbs_and_no_other(world: World, role: str) -> None:
    who = person(world, role)
    allowed = set()
    for name, verb in ALL.items():
        if outcome(world, verb, who) != "role":
            allowed.add(name)
    assert allowed == set(MATRIX[role])


def outcome(world: World, verb: Verb, who: Person) -> str:
    """The code of the refusal; past the role the posts of this test are not there, and nothing is kept."""
    try:
        with world.write() as session:
            verb(world, session, who)
            session.rollback()
    except (Forbidden, NotFound) as error:
        return error.code
    return ""

"""Comments: who reads them, what is kept of them, and whom a name reaches."""

import json

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Audit, Comment, Notice, Post
from avatar_scheduler.domain.errors import Forbidden, Invalid, NotFound
from avatar_scheduler.services import comments
from avatar_scheduler.services.people import Person
from tests.services.cast import outsider, person, reaches
from tests.world import World


def said(world: World, post: Post, text: str = "Slower here.", who: Person | None = None, **more: object) -> str:
    given = {"audience": "internal", "at_ms": None, "quote": "", **more}
    with world.write() as session:
        row = comments.write(
            session, who or world.ada, post.id, text, str(given["audience"]), given["at_ms"],  # type: ignore[arg-type]
            str(given["quote"]), world.now,
        )  # fmt: skip
        return row.id


def read(world: World, post: Post, who: Person | None = None) -> comments.Thread:
    with world.read() as session:
        return comments.of_post(session, who or world.ada, post.id)


def test_a_comment_stands_with_its_pin_and_its_quote(world: World) -> None:
    post = world.post()
    said(world, post, at_ms=12_000, quote="the\nheat")
    [row] = read(world, post).open
    assert (row.words, row.at_ms, row.quote_there, row.by) == ("Slower here.", 12_000, True, "Ada")


def test_a_client_reads_and_writes_only_what_is_shared(world: World) -> None:
    post, client = world.post(), reaches(world, person(world, "client"), world.maya)
    hidden, shared = said(world, post, "Between us."), said(world, post, "For you.", audience="client")
    thread = read(world, post, client)
    assert [row.id for row in thread.open] == [shared]
    assert thread.audiences == ("client",)
    with pytest.raises(Forbidden):
        said(world, post, "Sneaky.", client)
    for verb in (comments.settle, comments.reopen, comments.delete):
        with world.write() as session, pytest.raises(NotFound):
            verb(session, client, hidden, world.now)


def test_nobody_from_elsewhere_learns_of_it(world: World) -> None:
    post = world.post()
    row, cy = said(world, post), outsider(world)
    with pytest.raises(NotFound):
        read(world, post, cy)
    with pytest.raises(NotFound):
        said(world, post, who=cy)
    with world.write() as session, pytest.raises(NotFound):
        comments.settle(session, cy, row, world.now)


def test_who_does_not_reach_the_creator_does_not_reach_the_comment(world: World) -> None:
    post, stranger = world.post(), person(world, "creator")
    row = said(world, post)
    far = Person(**{**stranger.__dict__, "reach": frozenset()})
    with world.write() as session, pytest.raises(NotFound):
        comments.settle(session, far, row, world.now)


def test_settled_and_opened_again(world: World) -> None:
    post = world.post()
    row = said(world, post)
    with world.write() as session:
        comments.settle(session, world.ada, row, world.now)
    assert [one.resolved_by for one in read(world, post).settled] == ["Ada"]
    with world.write() as session:
        comments.reopen(session, world.ada, row, world.now)
    assert [one.id for one in read(world, post).open] == [row]


def test_only_ones_own_is_deleted_and_then_its_words_are_gone(world: World) -> None:
    post, ben = world.post(), person(world, "editor")
    row = said(world, post, "Something I regret.", quote="the heat")
    with world.write() as session, pytest.raises(Forbidden):
        comments.delete(session, ben, row, world.now)
    with world.write() as session:
        comments.delete(session, world.ada, row, world.now)
    with world.read() as session:
        kept = session.get_one(Comment, row)
        assert (kept.words, kept.quote, kept.deleted_at is None) == ("", "", False)
    assert [one.deleted for one in read(world, post).settled] == [True]


def test_the_log_says_how_long_and_never_what(world: World) -> None:
    post = world.post()
    row = said(world, post, "A very private remark.", quote="the heat")
    with world.write() as session:
        comments.delete(session, world.ada, row, world.now)
    with world.read() as session:
        entries = list(session.exec(select(Audit).where(Audit.noun == "comment").order_by("seq")))
    assert [entry.action for entry in entries] == ["comment.written", "comment.deleted"]
    assert json.loads(entries[0].data) == {"audience": "internal", "length": "22", "post": post.id}
    assert "private" not in "".join(entry.data for entry in entries)


@pytest.mark.parametrize("text", ["", "  ", "x" * 2001])
def test_a_comment_has_one_to_two_thousand_characters(world: World, text: str) -> None:
    post = world.post()
    with pytest.raises(Invalid):
        said(world, post, text)


def test_a_quote_must_stand_in_the_script(world: World) -> None:
    post = world.post()
    with pytest.raises(Invalid):
        said(world, post, quote="Turn it up")


def test_a_name_reaches_who_can_read_it(world: World) -> None:
    post = world.post()
    nadia, client = person(world, "manager"), reaches(world, person(world, "client"), world.maya)
    row = said(world, post, "@Manager and @Client, look.")
    with world.read() as session:
        assert json.loads(session.get_one(Comment, row).mentions) == [nadia.member_id]
        told = set(session.exec(select(Notice.member_id).where(Notice.about == row)))
    assert told == {nadia.member_id}
    shared = said(world, post, "@client look", audience="client")
    with world.read() as session:
        assert json.loads(session.get_one(Comment, shared).mentions) == [client.member_id]


def test_an_analyst_reads_and_does_not_write(world: World) -> None:
    post, analyst = world.post(), person(world, "analyst")
    said(world, post)
    assert not read(world, post, analyst).may_write
    with pytest.raises(Forbidden):
        said(world, post, who=analyst)

"""What a post says decides whether a person is asked."""

import pytest

from avatar_scheduler.cli.demo import TIP
from avatar_scheduler.domain.interaction import SECONDARY, is_core
from avatar_scheduler.scripts import starters
from avatar_scheduler.scripts.render import preview
from avatar_scheduler.scripts.source import parse
from avatar_scheduler.services import kinds
from tests.services.cast import person
from tests.world import World


@pytest.mark.parametrize("starter", [one.id for one in starters.starters() if one.script.kind in SECONDARY])
def test_no_starter_is_raised_by_its_own_words(world: World, starter: str) -> None:
    one = starters.load(starter)
    spoken = preview(one.source, {})
    texts = {"title": one.script.title, "script": spoken}
    with world.read() as session:
        judged = kinds.judge_texts(session, world.maya, one.script.kind, "no", texts, one.script.language)
    assert (judged.core, judged.reasons) == (False, ())


def test_the_tip_of_the_demo_stays_secondary(world: World) -> None:
    post = world.post(template=TIP) if parse(TIP) else None
    assert post is not None
    with world.read() as session:
        assert not kinds.judge(session, post).core


@pytest.mark.parametrize("where", ["title", "caption", "template"])
def test_a_promise_anywhere_makes_it_core(world: World, where: str) -> None:
    post = world.post(**{where: "I promise you this works."})
    with world.read() as session:
        judged = kinds.judge(session, post)
    assert not is_core(post.kind)
    assert judged.core
    assert kinds.because(judged) == [["promise", {"template": "script"}.get(where, where), "I promise you"]]


def test_members_are_people_and_the_creator_speaks_for_herself(world: World) -> None:
    person(world, "editor")  # called Editor
    mine, theirs = world.post(caption="This is Maya."), world.post(caption="Ask Editor about it.")
    with world.read() as session:
        assert not kinds.judge(session, mine).core
        assert kinds.because(kinds.judge(session, theirs)) == [["names_a_person", "caption", "Editor"]]


def test_directions_are_not_words(world: World) -> None:
    with world.read() as session:
        judged = kinds.judge_texts(session, world.maya, "tip", "no", {"script": "[show baby] Onions."}, "en")
    assert not judged.core


def test_the_composer_hears_what_only_shows_once_spoken(world: World) -> None:
    typed = {"template": "I {{ verb }} you.", "var.verb": "promise"}
    with world.read() as session:
        found = kinds.hints(session, world.maya, "no", typed, "I promise you.", "en")
    assert [(hint.what, hint.field, hint.words) for hint in found] == [("promise", "", "")]

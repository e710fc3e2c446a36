"""Writing posts: what is taken, and what each state allows."""

import json
from typing import Any

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Approval, Post, Render
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import Conflict, Invalid, NotFound, Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.services import dispatch, installation, posts, renders, review
from avatar_scheduler.services import publish as publishing
from avatar_scheduler.services.posts import Edit
from tests.services.cast import creator_of, outsider
from tests.world import World

SALT = """{#
title = "Salt"
language = "en"
kind = "tip"

[variables.much]
type = "text"
max_length = 10
example = "less"
#}
Use {{ much }} salt."""


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"title": "  "}, "title"),
    ({"title": "x" * 121}, "title"),
    ({"kind": "advert"}, "unknown_kind"),
    ({"channels": ()}, "no_channel"),
    ({"channels": ("own_feed", "own_feed")}, "channel_twice"),
    ({"channels": ("own_feed", "own_feed:maya")}, "channel_twice"),
    ({"at": "yesterday"}, "bad_time"),
    ({"at": "2020-01-01 10:00"}, "past"),
    ({"at": "2027-03-28 02:30"}, "zone_gap"),
    ({"zone": "Mars/Base"}, "unknown_zone"),
]


def edit(world: World, post_id: str, **change: Any) -> Post:
    with world.write() as session:
        return posts.edit(session, world.settings, world.ada, post_id, Edit(**change), world.now)


def cancel(world: World, post_id: str) -> None:
    with world.write() as session:
        posts.cancel(session, world.ada, post_id, world.now)


def submit(world: World, post: Post) -> Render:
    with world.write() as session:
        return renders.submit(session, world.settings, world.ada, session.get_one(Post, post.id), world.now)


class TestMaking:
    def test_what_is_wrong_is_said_before_anything_is_rendered(self, world: World) -> None:
        for wrong, code in WRONG:
            with pytest.raises(Invalid) as refused:
                world.post(**wrong)
            assert refused.value.code == code, wrong

    def test_a_channel_that_is_not_there_is_named(self, world: World) -> None:
        for name in ("bluesky", "own_feed:leo"):
            with pytest.raises(NotFound, match="There are: own_feed:maya"):
                world.post(channels=(name,))

    def test_a_caption_has_an_end(self, world: World) -> None:
        new = posts.NewPost("maya", "T", "tip", "Hello.", caption="x" * 2201)
        with pytest.raises(Invalid, match="2201 characters"), world.write() as session:
            posts.make(session, world.settings, world.ada, new, world.maya, world.now)

    def test_without_consent_nothing_is_written(self, world: World) -> None:
        with world.write() as session:
            installation.revoke_consent(session, world.ada, world.maya, world.now)
        with pytest.raises(Refused, match="withdrew consent"):
            world.post()

    def test_the_creator_of_another_organization_is_not_there(self, world: World) -> None:
        leo = creator_of(world, outsider(world), "leo")
        new = posts.NewPost("leo", "T", "tip", "Hello.")
        with pytest.raises(NotFound), world.write() as session:
            posts.make(session, world.settings, world.ada, new, leo, world.now)

    def test_the_script_is_rendered_with_its_variables(self, world: World) -> None:
        post = world.post(template=SALT, variables={"much": "less"})
        assert (post.script, json.loads(post.variables)) == ("Use less salt.", {"much": "less"})


class TestFinding:
    def test_the_first_characters_do(self, world: World) -> None:
        post = world.post()
        with world.read() as session:
            assert posts.get(session, world.ada, post.id[:6]).id == post.id
            for other in (post.id[:5], "", "%%%%%%", "______", post.id + "0", "é" * 8):
                with pytest.raises(NotFound):
                    posts.get(session, world.ada, other)

    def test_two_that_begin_alike_are_neither(self, world: World) -> None:
        one, other = world.post(), world.post()
        world.sql("UPDATE post SET id = 'abcdef1' WHERE id = :id", id=one.id)
        world.sql("UPDATE post SET id = 'abcdef2' WHERE id = :id", id=other.id)
        with world.read() as session:
            assert posts.get(session, world.ada, "abcdef1").id == "abcdef1"
            with pytest.raises(NotFound):
                posts.get(session, world.ada, "abcdef")

    def test_another_organization_finds_edits_and_cancels_nothing(self, world: World) -> None:
        post, cy = world.post(), outsider(world)
        for verb in (
            lambda session: posts.get(session, cy, post.id),
            lambda session: posts.edit(session, world.settings, cy, post.id, Edit(title="Mine"), world.now),
            lambda session: posts.cancel(session, cy, post.id, world.now),
            lambda session: renders.submit(session, world.settings, cy, session.get_one(Post, post.id), world.now),
        ):
            with pytest.raises(NotFound), world.write() as session:
                verb(session)
        assert world.again(post) == post


class TestEditing:
    def test_the_limits_of_a_new_post_hold(self, world: World) -> None:
        post = world.post()
        changes: tuple[dict[str, str], ...] = (
            {"title": " "},
            {"title": "x" * 121},
            {"caption": "x" * 2201},
            {"zone": "UTC"},
        )
        for change in changes:
            with pytest.raises(Invalid):
                edit(world, post.id, **change)
        assert world.again(post) == post

    def test_only_what_is_named_changes(self, world: World) -> None:
        before = world.post(template=SALT, variables={"much": "less"})
        world.later(seconds=1)
        after = edit(world, before.id, variables={"much": "more"})
        changed = {name for name, value in before.model_dump().items() if value != getattr(after, name)}
        assert changed == {"variables", "script", "updated_at"}
        assert after.script == "Use more salt."

    def test_a_new_time_keeps_the_zone(self, world: World) -> None:
        post = world.post()
        edit(world, post.id, at="2026-12-24 18:00")
        [target] = json.loads(world.again(post).targets)
        assert (target["due_at"], target["zone"]) == ("2026-12-24T17:00:00+00:00", "Europe/Paris")

    def test_an_edit_in_review_withdraws_and_the_version_is_stale(self, world: World) -> None:
        version = world.version(world.post())
        edit(world, version.post_id, caption="Other.")
        assert world.delivery(version).state is DeliveryState.withdrawn
        post = world.again(version)
        with pytest.raises(Conflict, match="Changed while you looked"), world.write() as session:
            review.approve(session, world.settings, world.ada, version.id, post.sha256, world.now)

    def test_an_edit_voids_the_approval_for_good(self, world: World) -> None:
        delivery = world.approved()
        post = edit(world, delivery.post_id, caption="Other.")
        again = world.version(post)
        with world.read() as session:
            assert session.exec(select(Approval).where(Approval.version_id == again.id)).first() is None
        assert world.delivery(again).state is DeliveryState.waiting
        assert world.publish(delivery).state is DeliveryState.withdrawn
        assert world.ledger == []

    def test_an_edit_stops_the_render(self, world: World) -> None:
        post = world.post()
        render = submit(world, post)
        edited = edit(world, post.id, caption="Other.")
        assert (edited.state, edited.render_id) == (PostState.draft, "")
        assert world.again(render).state is RenderState.cancelled

    def test_while_it_goes_out_nothing_changes(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        delivery = world.approved()
        world.due(delivery)
        monkeypatch.setattr(publishing, "_commit", lambda *_: False)
        publishing.run(world.settings, delivery.id, world.clock)
        for verb in (lambda: edit(world, delivery.post_id, caption="Other."), lambda: cancel(world, delivery.post_id)):
            with pytest.raises(Conflict, match="going out right now"):
                verb()
        assert world.again(delivery).state is DeliveryState.sending

    def test_a_kept_back_post_gets_a_new_time(self, world: World) -> None:
        delivery = world.delivery(world.version(world.post()))
        world.now = delivery.latest_start
        dispatch.Sweeper(world.settings).sweep(world.later(seconds=1))
        post = edit(world, delivery.post_id, caption="Other.")
        with pytest.raises(Invalid, match="new one with --at"):
            submit(world, post)
        post = edit(world, delivery.post_id, at="+1h")
        version = world.version(post)
        world.watch(version)
        world.approve(version)
        assert world.publish(world.delivery(version)).state is DeliveryState.published

    @pytest.mark.parametrize("state", [PostState.rejected, PostState.cancelled])
    def test_an_end_is_an_end(self, world: World, state: PostState) -> None:
        version = world.version(world.post())
        with world.write() as session:
            if state is PostState.rejected:
                review.reject(session, world.ada, version.id, version.sha256, world.now)
            else:
                posts.cancel(session, world.ada, version.post_id, world.now)
        with pytest.raises(Conflict, match=f"is {state}; it cannot be edited"):
            edit(world, version.post_id, caption="Other.")
        with pytest.raises(Conflict):
            cancel(world, version.post_id)


class TestCancelling:
    def test_a_rendering_post_takes_its_render_along(self, world: World) -> None:
        post = world.post()
        render = submit(world, post)
        cancel(world, post.id)
        assert world.again(post).state is PostState.cancelled
        assert world.again(render).state is RenderState.cancelled
        assert renders.run(world.settings, render.id, world.clock) is False

    def test_an_approved_post_does_not_go_out(self, world: World) -> None:
        delivery = world.approved()
        cancel(world, delivery.post_id)
        assert world.publish(delivery).state is DeliveryState.withdrawn
        assert world.ledger == []

    def test_what_is_out_is_out(self, world: World) -> None:
        delivery = world.publish(world.approved())
        with pytest.raises(Conflict, match="published"):
            cancel(world, delivery.post_id)

"""Renders under a lease: claimed once, renewed while it works, taken back when it is silent, never half a result."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Asset, Post, Render, Version
from avatar_scheduler.domain.errors import Conflict, Invalid, Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.domain.render import MAX_TRIES, RenderState
from avatar_scheduler.renderers import process
from avatar_scheduler.services import dispatch, posts, renders
from tests.world import World

Step = Callable[[Callable[[int, str], None]], object]


def submit(world: World, post: Post) -> Render:
    with world.write() as session:
        return renders.submit(session, world.settings, world.ada, session.get_one(Post, post.id), world.now)


def sweep(world: World) -> None:
    sweeper = dispatch.Sweeper(world.settings)
    sweeper.owner = "the clock"  # always the same one: another would wait for its lease
    sweeper.sweep(world.now)


@pytest.fixture
def studio(world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, Step]:
    """Stands where the render process is: hands over the session's film. Steps run before `make` or `measure` end."""
    steps: dict[str, Step] = {}

    def run(verb: str, folder: Path, _: Path, progress: Callable[[int, str], None], *__: object) -> dict[str, Any]:
        progress(10, "Speaking")
        if verb in steps:
            steps[verb](progress)
        return world.film.hand_over(verb, folder)

    monkeypatch.setattr(process, "run", run)
    return steps


def run(world: World, render: Render) -> bool:
    return renders.run(world.settings, render.id, world.clock)


def assets(world: World) -> int:
    with world.read() as session:
        return len(list(session.exec(select(Asset.id))))


class TestSubmitting:
    def test_what_cannot_be_spoken_is_refused_before_any_work(self, world: World) -> None:
        post = world.post()
        world.sql("UPDATE post SET script = '🎂🎂'")
        with pytest.raises(Invalid):
            submit(world, post)
        assert world.again(post).state is PostState.draft

    def test_a_post_is_submitted_once(self, world: World) -> None:
        post = world.post()
        submit(world, post)
        with pytest.raises(Conflict, match="only a draft"):
            submit(world, post)

    def test_a_post_in_review_is_not_rendered_again(self, world: World) -> None:
        version = world.version(world.post())
        with world.read() as session:
            post = session.get_one(Post, version.post_id)
        with pytest.raises(Conflict, match="in review"):
            submit(world, post)


class TestRunning:
    def test_a_film_is_stored_frozen_and_in_review(self, world: World, studio: dict[str, Step]) -> None:
        post = world.post()
        render = submit(world, post)
        assert run(world, render) is True
        done, found = world.again(render), world.again(post)
        assert (done.state, done.percent, done.lease_until) == (RenderState.done, 100, None)
        assert found.state is PostState.in_review
        assert assets(world) == 3

    def test_a_doubled_message_renders_once(self, world: World, studio: dict[str, Step]) -> None:
        render = submit(world, world.post())
        studio["make"] = lambda _: (run(world, render), run(world, render)) == (False, False) or pytest.fail("twice")
        assert [run(world, render), run(world, render)] == [True, False]
        assert (assets(world), world.again(render).tries) == (3, 1)
        assert renders.run(world.settings, "f" * 32, world.clock) is False

    def test_the_lease_is_renewed_while_it_works(self, world: World, studio: dict[str, Step]) -> None:
        render = submit(world, world.post())
        lease = world.settings.lease_seconds

        def slowly(progress: Callable[[int, str], None]) -> None:
            for percent in (20, 40, 60, 80):
                world.later(seconds=lease - 1)
                progress(percent, "Drawing")
                sweep(world)
                assert world.again(render).state is RenderState.running

        studio["make"] = slowly
        assert run(world, render) is True
        assert world.again(render).tries == 1

    def test_silent_work_renews_it_too(
        self, world: World, studio: dict[str, Step], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Measuring reports no percentage; a long film must not lose its lease over it."""
        render = submit(world, world.post())
        at = iter(range(0, 10_000, 2))
        monkeypatch.setattr(time, "monotonic", lambda: next(at))

        def silently(progress: Callable[[int, str], None]) -> None:
            for _ in range(10):
                world.later(seconds=2)
                progress(0, "")
                sweep(world)

        studio["measure"] = silently
        assert run(world, render) is True
        assert world.again(render).percent == 100

    def test_progress_never_goes_back(self, world: World, studio: dict[str, Step]) -> None:
        render = submit(world, world.post())
        shown = []

        def back(progress: Callable[[int, str], None]) -> None:
            for percent, step in ((50, "Drawing"), (3, "Encoding")):
                progress(percent, step)
                row = world.again(render)
                shown.append((row.percent, row.step))

        studio["make"] = back
        run(world, render)
        assert shown == [(50, "Drawing"), (50, "Encoding")]

    def test_a_refusal_blocks_the_post_with_its_reason(self, world: World, studio: dict[str, Step]) -> None:
        post = world.post()
        render = submit(world, post)

        def refuse(_: object) -> None:
            raise Refused("The voice cannot say this.")

        studio["make"] = refuse
        assert run(world, render) is True
        found = world.again(post)
        assert (found.state, found.reason) == (PostState.blocked, "The voice cannot say this.")
        assert (world.again(render).state, assets(world)) == (RenderState.failed, 0)
        studio.clear()
        assert run(world, submit(world, found)) is True  # it can be submitted again
        assert world.again(post).state is PostState.in_review

    def test_a_full_disk_blocks_it_in_words(self, world: World, studio: dict[str, Step]) -> None:
        post = world.post()

        def full(_: object) -> None:
            raise OSError(28, "No space left on device")

        studio["measure"] = full
        run(world, submit(world, post))
        assert "disk is full" in world.again(post).reason
        assert assets(world) == 0

    @pytest.mark.parametrize("mark", ["label", "caption_line", "xmp", "credentials"])
    def test_a_missing_mark_blocks_it_by_name(self, world: World, studio: dict[str, Step], mark: str) -> None:
        post = world.post()
        world.film = type(world.film)(
            world.film.folder, world.film.keys, world.film.order, world.film.made,
            [{**e, "ok": e["ok"] and e["mark"] != mark} for e in world.film.evidence], world.film.prints,
        )  # fmt: skip
        run(world, submit(world, post))
        found = world.again(post)
        assert found.state is PostState.blocked
        assert found.reason.startswith(f"{mark}: ")
        with world.read() as session:
            assert session.exec(select(Version)).first() is None


class TestMeanwhile:
    def test_an_edit_during_the_render_discards_the_result(self, world: World, studio: dict[str, Step]) -> None:
        post = world.post()
        render = submit(world, post)

        def edit(_: object) -> None:
            with world.write() as session:
                posts.edit(session, world.settings, world.ada, post.id, posts.Edit(caption="Other."), world.now)

        for verb in ("make", "measure"):
            studio.clear()
            studio[verb] = edit
            assert run(world, render) is False
            assert world.again(render).state is RenderState.cancelled
            assert (world.again(post).state, assets(world)) == (PostState.draft, 0)
            render = submit(world, post)

    def test_a_cancelled_post_is_not_rendered_again_by_the_clock(self, world: World, studio: dict[str, Step]) -> None:
        post = world.post()
        render = submit(world, post)

        def cancel(_: object) -> None:
            with world.write() as session:
                posts.cancel(session, world.ada, post.id, world.now)

        studio["make"] = cancel
        assert run(world, render) is False
        world.later(seconds=60)
        sweep(world)
        assert world.again(render).state is RenderState.cancelled

    def test_a_queued_render_nobody_wants_is_dropped(self, world: World, studio: dict[str, Step]) -> None:
        post = world.post()
        render = submit(world, post)
        world.sql("UPDATE post SET render_id = 'another' WHERE id = :id", id=post.id)
        assert run(world, render) is False
        assert world.again(render).state is RenderState.cancelled
        assert world.again(post).state is PostState.rendering

    def test_a_worker_that_lost_its_lease_touches_nothing(self, world: World, studio: dict[str, Step]) -> None:
        """It wakes up when another has already begun: one film, the second worker's."""
        post = world.post()
        render = submit(world, post)

        def asleep(_: object) -> None:
            studio.clear()
            world.later(seconds=world.settings.lease_seconds)
            sweep(world)
            assert world.again(render).state is RenderState.queued
            assert run(world, render) is True

        studio["make"] = asleep
        assert run(world, render) is False
        found = world.again(render)
        assert (found.state, found.tries, assets(world)) == (RenderState.done, 2, 3)
        assert world.again(post).state is PostState.in_review

    def test_not_even_while_the_other_is_still_at_work(
        self, world: World, studio: dict[str, Step], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its heartbeat just passed, then the lease went to another: the fence is asked again with each write."""
        post = world.post()
        render = submit(world, post)
        monkeypatch.setattr(renders, "_beat", lambda *_: lambda *_: None)

        def overtaken(_: object) -> None:
            world.later(seconds=world.settings.lease_seconds)
            sweep(world)
            assert renders._claim(world.settings, render.id, world.clock)

        def overtaken_then_fail(_: object) -> None:
            overtaken(_)
            raise Refused("Too late to say so.")

        for ending in (overtaken, overtaken_then_fail):
            studio["make"] = ending
            run(world, render)
            assert world.again(render).state is RenderState.running
            assert world.again(post).state is PostState.rendering
            world.later(seconds=world.settings.lease_seconds)
            world.sql("UPDATE render SET tries = 0")
            sweep(world)

    def test_a_worker_that_wakes_while_measuring_touches_nothing(self, world: World, studio: dict[str, Step]) -> None:
        post = world.post()
        render = submit(world, post)

        def asleep(_: object) -> None:
            studio.clear()
            world.later(seconds=world.settings.lease_seconds)
            sweep(world)
            assert run(world, render) is True

        studio["measure"] = asleep
        assert run(world, render) is False
        with world.read() as session:
            assert len(list(session.exec(select(Version.id)))) == 1

    def test_a_script_that_kills_its_worker_is_set_aside(self, world: World, studio: dict[str, Step]) -> None:
        class Killed(BaseException):
            """What is left of a process after SIGKILL: nothing is tidied."""

        def die(_: object) -> None:
            raise Killed

        post = world.post()
        render = submit(world, post)
        studio["make"] = die
        for attempt in range(1, MAX_TRIES + 1):
            with pytest.raises(Killed):
                run(world, render)
            assert world.again(render).tries == attempt
            assert run(world, render) is False
            world.later(seconds=world.settings.lease_seconds)
            sweep(world)
        found = world.again(post)
        assert world.again(render).state is RenderState.failed
        assert (found.state, found.reason[:29]) == (PostState.blocked, "The renderer stopped 3 times ")

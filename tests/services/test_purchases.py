"""Bought renders: never twice, never beyond the budget, never without consent, and always with a reason in words."""

import errno
from collections.abc import Iterator
from datetime import timedelta

import pytest

from avatar_scheduler.db.tables import Post, Render
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.domain.purchase import PurchaseState
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.renderers import process
from avatar_scheduler.services import budgets, posts, purchases
from avatar_scheduler.storage import Blobs
from tests.services.cast import consent_gone
from tests.vendors import heygen
from tests.vendors.server import running
from tests.vendors.shop import TINY, Shop, no_studio
from tests.world import World

S = PurchaseState
CREATE = "/v3/videos"


@pytest.fixture
def vendor() -> Iterator[heygen.HeyGen]:
    with running(heygen.HeyGen, TINY) as made:
        yield made


@pytest.fixture
def given(world: World, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    return no_studio(world, monkeypatch)


@pytest.fixture
def shop(world: World, vendor: heygen.HeyGen, given: list[bytes]) -> Shop:
    return Shop(world, "heygen", vendor)


def reason(shop: Shop, render: Render) -> str:
    """Of the blocked post; the render and the purchase say no other."""
    found = shop.world.again(render)
    assert found.state is RenderState.failed
    with shop.world.read() as session:
        post = session.get_one(Post, found.post_id)
    assert post.state is PostState.blocked
    return post.reason


class TestBuying:
    def test_a_film_is_bought_once_and_ends_in_review(self, shop: Shop, given: list[bytes]) -> None:
        post = shop.post()
        render = shop.submit(post)
        seen = [shop.work(render)]
        while seen[-1].state is not RenderState.done:
            seen.append(shop.step(render))
        row = shop.purchase(render)
        assert [r.state for r in seen] == [RenderState.waiting] * 3 + [RenderState.done]
        assert shop.world.again(post).state is PostState.in_review
        assert (shop.vendor.bought, given) == ([row.id], [TINY])
        assert (row.state, row.vendor_id, row.reason) == (S.fetched, "job-1", "")

    def test_what_it_really_took_is_what_it_cost(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        no_studio(shop.world, monkeypatch, duration_ms=29_100)
        row = shop.purchase(shop.finish(shop.submit()))
        assert (row.estimate_cents, row.charged_cents) == (21, 201)  # 30 started seconds
        with shop.world.read() as session:
            assert budgets.month(session, shop.world.maya.id, shop.world.now).spent_cents == 201

    def test_no_worker_waits(self, shop: Shop) -> None:
        render = shop.work(shop.submit())
        assert (render.lease_until, render.tries) == (None, 0)
        assert render.look_at is not None
        assert shop.world.now < render.look_at <= shop.world.now + timedelta(seconds=5)
        shop.sweep()
        assert shop.world.again(render).state is RenderState.waiting  # not yet

    def test_it_is_asked_less_and_less_often(self, shop: Shop) -> None:
        shop.vendor.stages = ["processing"]
        render, waits = shop.work(shop.submit()), []
        for _ in range(40):
            render = shop.step(render)
            assert render.look_at is not None
            waits.append((render.look_at - shop.world.now).total_seconds())
        assert waits == sorted(waits)
        assert (waits[0], waits[-1]) == (5, 300)

    def test_the_key_and_the_call_name_the_purchase(self, shop: Shop) -> None:
        render = shop.work(shop.submit())
        [job] = shop.vendor.jobs.values()
        row = shop.purchase(render)
        assert job.key == job.body["callback_id"] == row.id
        assert job.title.endswith(row.id)
        assert "callback_url" not in job.body  # nobody outside reaches http://127.0.0.1

    def test_another_caption_costs_nothing_and_other_words_do(self, shop: Shop, given: list[bytes]) -> None:
        first = shop.finish(shop.submit())
        spent = self.spent(shop)
        for change, films in ((posts.Edit(caption="Other"), 1), (posts.Edit(template="Other words here."), 2)):
            with shop.world.write() as session:
                post = posts.edit(session, shop.world.settings, shop.world.ada, first.post_id, change, shop.world.now)
            again = shop.finish(shop.submit(post))
            assert again.state is RenderState.done
            assert len(shop.vendor.bought) == films
            assert (self.spent(shop) > spent) is (films > 1)
        assert given == [TINY] * 3

    def spent(self, shop: Shop) -> int:
        with shop.world.read() as session:
            return budgets.month(session, shop.world.maya.id, shop.world.now).spent_cents

    def test_a_film_that_could_not_be_used_is_not_used_again(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object) -> None:
            raise Refused("The film from HeyGen is silent.")

        with monkeypatch.context() as patch:
            patch.setattr(process, "run", refuse)
            render = shop.finish(shop.submit())
        assert "silent" in reason(shop, render)
        with shop.world.read() as session:
            post = session.get_one(Post, render.post_id)
        assert shop.finish(shop.submit(post)).state is RenderState.done
        assert len(shop.vendor.bought) == 2

    def test_the_room_is_shared(self, shop: Shop) -> None:
        renders = [shop.submit() for _ in range(11)]
        shown = [shop.work(render).step for render in renders]
        assert len(shop.vendor.bought) == 10
        assert shown[-1] == "Waiting for room: HeyGen takes 10 at a time"
        shop.finish(renders[0])
        shop.step(renders[-1])
        assert len(set(shop.vendor.bought)) == len(shop.vendor.bought) == 11


class TestBudget:
    def test_without_one_nothing_is_bought(self, world: World, vendor: heygen.HeyGen, given: list[bytes]) -> None:
        shop = Shop(world, "heygen", vendor, budget=None)
        post = shop.post()
        with pytest.raises(Refused, match=r"no budget for paid renders. Set one: avatar-scheduler budget set"):
            shop.submit(post)
        assert shop.world.again(post).state is PostState.draft
        assert vendor.said == []

    def test_beyond_it_is_refused_with_the_figures(self, world: World, vendor: heygen.HeyGen) -> None:
        shop = Shop(world, "heygen", vendor, budget=50)
        shop.submit()
        shop.submit()
        with pytest.raises(Refused, match=r"costs about \$0.21. Of Maya's \$0.50 for this month \$0.42 is spent"):
            shop.submit()

    def test_a_new_month_begins_at_nothing(self, world: World, vendor: heygen.HeyGen, given: list[bytes]) -> None:
        shop = Shop(world, "heygen", vendor, budget=30)
        shop.submit()
        world.later(days=32)
        shop.submit()

    def test_what_was_never_ordered_is_given_back(self, world: World, vendor: heygen.HeyGen) -> None:
        shop = Shop(world, "heygen", vendor, budget=30)
        post = shop.post()
        render = shop.submit(post)
        with world.write() as session:
            posts.cancel(session, world.ada, post.id, world.now)
        shop.step(render)
        assert shop.purchase(render).state is S.cancelled
        shop.submit()

    def test_what_the_vendor_took_counts_even_when_it_failed_there(
        self, world: World, vendor: heygen.HeyGen, given: list[bytes]
    ) -> None:
        shop = Shop(world, "heygen", vendor, budget=30)
        vendor.stages = ["failed"]
        shop.finish(shop.submit())
        with pytest.raises(Refused, match="spent"):
            shop.submit()

    def test_it_is_looked_at_again_before_the_call(self, shop: Shop) -> None:
        render = shop.submit()
        with shop.world.write() as session:
            budgets.put(session, shop.world.ada, shop.world.maya, 1, shop.world.now)
        assert "Raise it" in reason(shop, shop.work(render))
        assert shop.vendor.said == []


class TestUnknown:
    @pytest.mark.parametrize(
        "fault",
        [
            {"status": 504, "body": {"message": "Endpoint request timed out"}},
            {},
            {"hang": True},
            {"status": 200, "body": {"data": {}}},
            {"status": 409, "body": {"error": {"code": "request_in_progress", "message": "busy"}}},
        ],
        ids=["504", "dropped", "hangs", "no id", "in progress"],
    )
    def test_taken_but_not_answered_is_found_and_not_bought_again(self, shop: Shop, fault: dict[str, object]) -> None:
        shop.vendor.next("POST", CREATE, after=True, **fault)
        render = shop.work(shop.submit())
        assert shop.purchase(render).state is S.unknown
        assert render.step == "Looking whether HeyGen took it"
        render = shop.finish(render)
        assert render.state is RenderState.done
        assert (shop.vendor.bought, shop.vendor.calls("POST", CREATE)) == ([shop.purchase(render).id], 1)

    def test_only_a_late_absence_allows_another_call(self, shop: Shop) -> None:
        shop.vendor.next("POST", CREATE)
        render = shop.work(shop.submit())
        started = shop.world.now
        while shop.purchase(render).state is S.unknown:
            assert shop.vendor.calls("POST", CREATE) == 1
            render = shop.step(render)
        assert shop.world.now - started > purchases.MARGIN
        assert shop.finish(render).state is RenderState.done
        assert (len(shop.vendor.bought), shop.vendor.calls("POST", CREATE)) == (1, 2)

    @pytest.mark.parametrize("status", [500, 429, 401])
    def test_a_list_that_cannot_be_read_proves_nothing(self, shop: Shop, status: int) -> None:
        shop.vendor.next("POST", CREATE)
        render = shop.work(shop.submit())
        for _ in range(8):
            shop.vendor.next("GET", "/v3/videos?", status=status, body={})
            render = shop.step(render, minutes=3)
            assert shop.purchase(render).state is S.unknown
        assert shop.vendor.calls("POST", CREATE) == 1

    def test_after_a_day_a_person_is_told(self, shop: Shop) -> None:
        shop.vendor.next("POST", CREATE)
        render = shop.until(shop.submit(), S.unknown)
        shop.vendor.next("GET", "/v3/videos?", status=500)
        render = shop.step(render, hours=25)
        assert "Nobody can tell whether HeyGen made it" in reason(shop, render)

    def test_a_refused_connection_is_no_doubt(self, shop: Shop) -> None:
        """Nothing left, so it waits and is sent then."""
        render = shop.submit()
        shop.vendor.close()
        render = shop.work(render)
        assert (render.state, shop.purchase(render).state) == (RenderState.waiting, S.planned)
        assert "cannot be reached" in render.step


class TestTrouble:
    @pytest.mark.parametrize(
        ("status", "code", "words"),
        [
            (400, "validation_error", "HeyGen did not take it (too long)"),
            (401, "unauthorized", "Give it a new one: avatar-scheduler vendor add heygen"),
            (402, "insufficient_credit", "HeyGen has no credits left (too long). Top up there"),
            (403, "resource_access_denied", "does not allow this with your account"),
            (404, "not_found", "HeyGen does not know it"),
            (451, "blocked", "refused this content (too long). Change the script"),
        ],
    )
    def test_a_no_is_told_in_words_and_costs_nothing(self, shop: Shop, status: int, code: str, words: str) -> None:
        shop.vendor.next("POST", CREATE, status=status, body={"error": {"code": code, "message": "too long"}})
        render = shop.work(shop.submit())
        assert words in reason(shop, render)
        assert shop.purchase(render).state is S.failed
        with shop.world.read() as session:
            assert budgets.month(session, shop.world.maya.id, shop.world.now).spent_cents == 0

    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [({}, 60), ({"Retry-After": "17"}, 17), ({"Retry-After": "999999"}, 3600), ({"Retry-After": "0"}, 5),
         ({"Retry-After": "soon"}, 60), ({"RateLimit-Reset": "40"}, 40)],
    )  # fmt: skip
    def test_too_many_is_tried_again_when_told(self, shop: Shop, headers: dict[str, str], seconds: float) -> None:
        shop.vendor.next("POST", CREATE, status=429, body={}, headers=headers)
        render = shop.work(shop.submit())
        assert render.look_at == shop.world.now + timedelta(seconds=seconds)
        assert "It is tried again by itself" in render.step
        assert shop.finish(render).state is RenderState.done
        assert len(shop.vendor.bought) == 1

    def test_stuck_at_97_is_said_and_its_failure_too(self, shop: Shop) -> None:
        shop.vendor.stages = ["processing 97"] * 9 + ["failed"]
        render = shop.work(shop.submit())
        render = shop.step(render)
        assert (render.step, render.percent) == ("HeyGen works on it", 58)
        render = shop.step(render, minutes=25)
        assert render.step == "HeyGen has not moved for 25 minutes (97 %)"
        assert "could not make the film: it gave no reason" in reason(shop, shop.finish(render))

    def test_rejected_after_it_was_accepted(self, shop: Shop) -> None:
        shop.vendor.stages, shop.vendor.reason = ["processing", "failed"], "400105"
        assert "HeyGen refused this content: 400105" in reason(shop, shop.finish(shop.submit()))

    def test_a_word_nobody_knows_is_waited_out(self, shop: Shop) -> None:
        shop.vendor.stages = ["waiting", "queued", "polishing", "completed"]
        assert shop.finish(shop.submit()).state is RenderState.done

    def test_a_server_error_while_asking_changes_nothing(self, shop: Shop) -> None:
        render = shop.work(shop.submit())
        for status in (500, 502, 503, 429, 401, 404):
            shop.vendor.next("GET", "/v3/videos/job", status=status, body={})
            render = shop.step(render)
            assert shop.purchase(render).state is S.submitted
        assert shop.finish(render).state is RenderState.done

    def test_after_a_day_it_is_given_up(self, shop: Shop) -> None:
        shop.vendor.stages = ["processing"]
        render = shop.step(shop.work(shop.submit()), hours=25)
        assert "HeyGen did not finish within 24 hours" in reason(shop, render)

    def test_an_old_address_is_asked_for_again(self, shop: Shop) -> None:
        shop.vendor.expired = 2
        assert shop.finish(shop.submit()).state is RenderState.done
        assert shop.vendor.calls("GET", "/media/") == 3

    def test_a_film_without_its_end_is_fetched_again(self, shop: Shop, given: list[bytes]) -> None:
        shop.vendor.cut = 2
        assert shop.finish(shop.submit()).state is RenderState.done
        assert given == [TINY]

    def test_a_full_disk_throws_nothing_away_that_was_paid(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> str:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(Blobs, "put", full)
            shop.vendor.stages = ["completed"]
            render = shop.step(shop.work(shop.submit()))
            assert (render.state, render.step) == (RenderState.waiting, "Fetching it: No space left on device.")
        assert shop.finish(render).state is RenderState.done
        assert len(shop.vendor.bought) == 1


class TestConsent:
    def test_withdrawn_before_the_call_nothing_is_asked_for(self, shop: Shop) -> None:
        render = shop.submit()
        with shop.world.write() as session:
            consent_gone(shop.world, session)
        assert "withdrew consent" in reason(shop, shop.work(render))
        assert shop.vendor.said == []

    def test_withdrawn_meanwhile_nothing_is_fetched_and_it_is_deleted_there(self, shop: Shop) -> None:
        render = shop.work(shop.submit())
        with shop.world.write() as session:
            consent_gone(shop.world, session)
        render = shop.finish(render)
        assert "withdrew consent" in reason(shop, render)
        assert shop.vendor.calls("GET", "/media/") == 0
        shop.step(render, minutes=1)
        assert [job.deleted for job in shop.vendor.jobs.values()] == [True]


class TestCancelling:
    def edit(self, shop: Shop, render: Render) -> None:
        with shop.world.write() as session:
            posts.edit(
                session, shop.world.settings, shop.world.ada, render.post_id, posts.Edit(title="Other"), shop.world.now
            )

    def test_an_edit_cancels_at_the_vendor(self, shop: Shop) -> None:
        render = shop.work(shop.submit())
        self.edit(shop, render)
        assert shop.world.again(render).state is RenderState.cancelled
        render = shop.step(render, seconds=1)
        assert shop.purchase(render).state is S.cancelled
        assert [job.deleted for job in shop.vendor.jobs.values()] == [True]

    def test_an_unknown_one_is_looked_for_and_then_cancelled(self, shop: Shop) -> None:
        shop.vendor.next("POST", CREATE, after=True, status=504)
        render = shop.work(shop.submit())
        self.edit(shop, render)
        for _ in range(4):
            shop.step(render, minutes=1)
        assert shop.purchase(render).state is S.cancelled
        assert [job.deleted for job in shop.vendor.jobs.values()] == [True]
        assert shop.vendor.calls("POST", CREATE) == 1

    def test_an_unknown_one_that_is_not_there_is_never_ordered(self, shop: Shop) -> None:
        shop.vendor.next("POST", CREATE)
        render = shop.work(shop.submit())
        self.edit(shop, render)
        for _ in range(5):
            shop.step(render, minutes=1)
        assert (shop.purchase(render).state, shop.vendor.bought) == (S.cancelled, [])

    def test_an_edit_during_the_call_does_not_lose_the_id(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        render = shop.submit()
        handle = shop.vendor.handle

        def editing(*call: object) -> object:
            if call[0] == "POST":
                self.edit(shop, render)
            return handle(*call)  # type: ignore[arg-type]

        monkeypatch.setattr(shop.vendor, "handle", editing)
        shop.work(render)
        assert (shop.purchase(render).state, shop.purchase(render).vendor_id) == (S.submitted, "job-1")
        shop.step(render, minutes=1)
        assert shop.purchase(render).state is S.cancelled
        assert [job.deleted for job in shop.vendor.jobs.values()] == [True]

    def test_a_vendor_that_does_not_answer_is_asked_again_later(self, shop: Shop) -> None:
        render = shop.work(shop.submit())
        self.edit(shop, render)
        shop.vendor.next("DELETE", "/v3/videos/", status=500)
        shop.step(render, minutes=1)
        assert shop.purchase(render).state is S.submitted
        shop.step(render, minutes=1)
        assert shop.purchase(render).state is S.cancelled

"""A vendor's message makes us look, once, and changes nothing by itself: doubled, late, early, forged or replayed."""

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations

import pytest

from avatar_scheduler.db.tables import Render
from avatar_scheduler.domain.errors import Forbidden, Invalid, NotFound
from avatar_scheduler.domain.purchase import PurchaseState
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.services import hooks, vendors
from tests.services.cast import outsider
from tests.vendors import d_id, heygen, synthesia
from tests.vendors.server import Job, Vendor, running
from tests.vendors.shop import TINY, Shop, no_studio
from tests.world import World

S = PurchaseState


@pytest.fixture
def vendor() -> Iterator[heygen.HeyGen]:
    with running(heygen.HeyGen, TINY) as made:
        yield made


@pytest.fixture
def shop(world: World, vendor: heygen.HeyGen, monkeypatch: pytest.MonkeyPatch) -> Shop:
    no_studio(world, monkeypatch)
    return Shop(world, "heygen", vendor)


def tell(shop: Shop, address: str, headers: dict[str, str], body: bytes) -> bool:
    name, token = address.split("/hooks/")[1].split("/")
    with shop.world.write() as session:
        return hooks.hear(session, name, token, headers, body, shop.world.now)


def only(vendor: Vendor) -> Job:
    [job] = vendor.jobs.values()
    return job


def waiting(shop: Shop) -> Render:
    """Taken by the vendor, and not to be asked about for minutes."""
    shop.vendor.stages = ["processing"]
    render = shop.work(shop.submit())
    render = shop.step(render, minutes=20)
    assert render.look_at is not None
    assert render.look_at > shop.world.now + timedelta(seconds=100)
    return render


def looks_now(shop: Shop, render: Render) -> bool:
    return shop.world.again(render).look_at == shop.world.now


class TestSigned:
    """To the address of an account."""

    def test_it_makes_us_look_now_and_nothing_else(self, shop: Shop, vendor: heygen.HeyGen) -> None:
        render = waiting(shop)
        before = shop.purchase(render)
        assert tell(shop, shop.hook_address, *vendor.hook(only(vendor))) is True
        assert looks_now(shop, render)
        assert (shop.purchase(render), shop.world.again(render).state) == (before, RenderState.waiting)
        shop.step(render)  # "success" was said; the vendor itself still says otherwise
        assert shop.purchase(render).state is S.submitted

    def test_a_doubled_or_replayed_one_counts_once(self, shop: Shop, vendor: heygen.HeyGen) -> None:
        """Its timestamp is not signed, so a fresh one on an old body is no news either."""
        render = waiting(shop)
        headers, body = vendor.hook(only(vendor))
        assert tell(shop, shop.hook_address, headers, body) is True
        render = shop.step(render)
        shop.world.later(hours=2)
        fresh = {**headers, "heygen-timestamp": str(int(shop.world.now.timestamp()))}
        assert [tell(shop, shop.hook_address, fresh, body) for _ in range(3)] == [False] * 3
        assert not looks_now(shop, render)

    @pytest.mark.parametrize(
        "change",
        [
            lambda headers, body: ({}, body),
            lambda headers, body: (headers, body.replace(b"success", b"fail")),
            lambda headers, body: ({"heygen-signature": "0" * 64}, body),
            lambda headers, body: ({**headers, "heygen-timestamp": "1"}, body),
            lambda headers, body: ({**headers, "heygen-timestamp": "soon"}, body),
        ],
        ids=["unsigned", "altered", "forged", "old", "no time"],
    )
    def test_a_wrong_signature_is_refused(self, shop: Shop, vendor: heygen.HeyGen, change: object) -> None:
        render = waiting(shop)
        with pytest.raises(Forbidden, match="not signed by the vendor"):
            tell(shop, shop.hook_address, *change(*vendor.hook(only(vendor))))  # type: ignore[operator]
        assert not looks_now(shop, render)

    def test_after_the_secret_was_changed_the_old_one_is_dead(self, shop: Shop, vendor: heygen.HeyGen) -> None:
        """A message signed before and tried again after is lost; asking again finds what it would have told."""
        render = waiting(shop)
        token, address = vendors.hook_address(shop.world.settings, "heygen")
        with shop.world.write() as session:
            vendors.listen(session, shop.world.ada, "heygen", token, "another", shop.world.now)
        with pytest.raises(Forbidden):
            tell(shop, address, *vendor.hook(only(vendor)))
        with pytest.raises(NotFound):
            tell(shop, shop.hook_address, *vendor.hook(only(vendor)))
        vendor.stages = ["completed"]
        assert shop.finish(render).state is RenderState.done

    def test_an_unsubscribed_kind_or_a_stranger_is_heard_and_ignored(self, shop: Shop, vendor: heygen.HeyGen) -> None:
        render = waiting(shop)
        other = Job("job-99", "f" * 32, "", {}, shop.world.now)
        assert tell(shop, shop.hook_address, *vendor.hook(other, event_type="avatar_video_gif.success")) is False
        assert not looks_now(shop, render)

    def test_another_organizations_purchase_is_out_of_reach(self, shop: Shop, vendor: heygen.HeyGen) -> None:
        render = waiting(shop)
        cy = outsider(shop.world)
        token, address = vendors.hook_address(shop.world.settings, "heygen")
        with shop.world.write() as session:
            vendors.add(session, shop.world.settings, cy, "heygen", shop.vendor.url, "theirs", shop.world.now)
            vendors.listen(session, cy, "heygen", token, heygen.SECRET, shop.world.now)
        assert tell(shop, address, *vendor.hook(only(vendor))) is False
        assert not looks_now(shop, render)

    @pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"event_data": 3}', b"\xff", b'{"event_data": {}'])
    def test_what_is_no_message_is_refused(self, shop: Shop, body: bytes) -> None:
        import hmac

        signed = {"heygen-signature": hmac.new(heygen.SECRET.encode(), body, "sha256").hexdigest()}
        with pytest.raises(Invalid, match="no message"):
            tell(shop, shop.hook_address, signed, body)

    def test_every_order_of_messages_ends_the_same(self, shop: Shop, vendor: heygen.HeyGen) -> None:
        render = waiting(shop)
        kinds = ("avatar_video.success", "avatar_video.fail", "avatar_video_caption.success", "video_agent.success")
        for number, order in enumerate(permutations(kinds)):
            for kind in order:
                made = vendor.hook(only(vendor), event_type=kind, event_id=f"evt-{number}-{kind}")
                tell(shop, shop.hook_address, *made)
        assert (shop.purchase(render).state, shop.world.again(render).state) == (S.submitted, RenderState.waiting)
        vendor.stages = ["completed"]
        assert shop.finish(render).state is RenderState.done

    def test_synthesias_time_is_signed_so_an_old_one_is_refused(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with running(synthesia.Synthesia, TINY) as there:
            shop = Shop(world, "synthesia", there)
            there.stages = ["in_progress"]
            render = shop.step(shop.work(shop.submit()), minutes=20)
            now = str(int(world.now.timestamp()))
            with pytest.raises(Forbidden):
                tell(shop, shop.hook_address, *there.hook(only(there), str(int(now) - 400)))
            assert tell(shop, shop.hook_address, *there.hook(only(there), now)) is True
            assert looks_now(shop, render)


class TestUnsigned:
    """To the address of one purchase, which only the vendor was told."""

    @pytest.fixture
    def there(self) -> Iterator[d_id.DId]:
        with running(d_id.DId, TINY) as made:
            yield made

    @pytest.fixture
    def shop(self, world: World, there: d_id.DId, monkeypatch: pytest.MonkeyPatch) -> Shop:
        no_studio(world, monkeypatch)
        monkeypatch.setattr(world.settings, "base_url", "https://avatars.example")
        return Shop(world, "d_id", there)

    def test_it_makes_us_look(self, shop: Shop, there: d_id.DId) -> None:
        render = waiting(shop)
        [address] = there.hooks
        assert address.startswith("https://avatars.example/hooks/d_id/")
        assert tell(shop, address, *there.hook(only(there))) is True
        assert looks_now(shop, render)
        assert tell(shop, address, *there.hook(only(there))) is False

    def test_only_the_hash_of_the_address_is_kept(self, shop: Shop, there: d_id.DId) -> None:
        render = waiting(shop)
        token = there.hooks[0].rpartition("/")[2]
        assert shop.purchase(render).hook_sha256 == vendors.digest(token)
        assert token not in json.dumps(shop.purchase(render).model_dump(), default=str)

    @pytest.mark.parametrize("address", ["/hooks/d_id/guess", "/hooks/heygen/{token}", "/hooks/d_id/"])
    def test_any_other_address_is_nothing(self, shop: Shop, there: d_id.DId, address: str) -> None:
        waiting(shop)
        token = there.hooks[0].rpartition("/")[2]
        with pytest.raises(NotFound):
            tell(shop, address.format(token=token), *there.hook(only(there)))

    def test_one_that_comes_before_we_wrote_the_id_down(
        self, shop: Shop, there: d_id.DId, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        handle, heard = there.handle, []

        def early(*call: object) -> object:
            answer = handle(*call)  # type: ignore[arg-type]
            if call[0] == "POST":
                heard.append(tell(shop, there.hooks[0], *there.hook(only(there))))
            return answer

        monkeypatch.setattr(there, "handle", early)
        render = shop.work(shop.submit())
        assert heard == [False]  # its worker is at it and looks by itself
        assert shop.purchase(render).state is S.submitted
        assert shop.finish(render).state is RenderState.done

    def test_one_about_a_call_nobody_heard_the_answer_of(self, shop: Shop, there: d_id.DId) -> None:
        there.next("POST", "/clips", after=True, status=504)
        render = shop.work(shop.submit())
        assert tell(shop, there.hooks[0], *there.hook(only(there))) is True
        shop.step(render)
        assert shop.purchase(render).state is S.submitted
        assert len(there.bought) == 1

    def test_one_that_comes_when_all_is_over(self, shop: Shop, there: d_id.DId) -> None:
        render = shop.finish(shop.submit())
        assert tell(shop, there.hooks[0], *there.hook(only(there))) is False
        assert shop.world.again(render).state is RenderState.done

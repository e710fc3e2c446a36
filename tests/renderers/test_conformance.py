"""Whatever renders it, the post ends in review with the same marks; and the same troubles end in the same way."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from avatar_scheduler.db.tables import Post, Version
from avatar_scheduler.domain.disclosure import Mark
from avatar_scheduler.domain.errors import Invalid, OutcomeUnknown, Refused, SchedulerError
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.domain.purchase import PurchaseState
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.marks import credentials
from avatar_scheduler.renderers import renderer, synthesia
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.renderers.contract import Absent, Account, Later, Purchase
from avatar_scheduler.rules.renderers import vendors as known
from avatar_scheduler.services import renders, versions
from avatar_scheduler.storage import Blobs
from tests.vendors.server import KEY, Vendor, running
from tests.vendors.shop import HOSTS, KINDS, PAID, SCRIPT, TINY, Shop
from tests.world import World

EVERY = ("builtin", *KINDS)
MARKS = {Mark.label, Mark.caption_line, Mark.xmp, Mark.aigc, Mark.credentials, Mark.watermark}


def test_every_vendor_that_has_a_price_has_a_simulator() -> None:
    assert set(known()) == set(KINDS)
    assert {name for name, about in known().items() if about.cents_per_minute} == set(PAID)
    here = Path(renders.__file__).parents[1] / "renderers"
    assert all((here / f"{name}.py").is_file() for name in EVERY)


class TestFilms:
    """The whole way, through the real finishing process."""

    @pytest.mark.parametrize("name", EVERY)
    @pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
    def test_a_script_becomes_a_marked_film_in_review(self, world: World, mp4: bytes, name: str) -> None:
        post = self.rendered(world, mp4, name)
        found = world.again(post)
        assert found.state is PostState.in_review, found.reason
        with world.read() as session:
            manifest = versions.read(session.get_one(Version, found.version_id))
        assert {e.mark for e in manifest.evidence() if e.ok} >= MARKS
        media = manifest.data["media"]
        assert set(media) >= {"video", "captions", "poster"}
        assert (media["video"]["width"], media["video"]["height"]) == (1080, 1920)
        blobs = Blobs(world.settings.blobs)
        assert "heat" in blobs.verified(media["captions"]["sha256"]).read_text()
        root = (world.settings.keys / "credentials" / "root.pem").read_text()
        said = credentials.report(self.named(blobs, media["video"]["sha256"], world), root)
        assert said.actions[0] == ("c2pa.created" if name == "builtin" else "c2pa.opened")
        assert not said.problem

    def rendered(self, world: World, mp4: bytes, name: str) -> Post:
        if name == "builtin":
            post = world.post("reply")
            with world.write() as session:
                row = renders.submit(session, world.settings, world.ada, session.get_one(Post, post.id), world.now)
            assert renders.run(world.settings, row.id, world.clock)
            return post
        with running(KINDS[name], mp4) as vendor:
            shop = Shop(world, name, vendor)
            post = shop.post()
            assert shop.finish(shop.submit(post)).state is RenderState.done
            return post

    def named(self, blobs: Blobs, sha256: str, world: World) -> Path:
        target = world.settings.data / "film.mp4"
        target.write_bytes(blobs.verified(sha256).read_bytes())
        return target


@pytest.fixture(params=list(KINDS))
def vendor(request: pytest.FixtureRequest) -> Iterator[tuple[str, Vendor]]:
    with running(KINDS[request.param], TINY) as made:
        yield request.param, made


@pytest.fixture
def there(vendor: tuple[str, Vendor]) -> Vendor:
    return vendor[1]


@pytest.fixture
def name(vendor: tuple[str, Vendor]) -> str:
    return vendor[0]


@pytest.fixture
def account(there: Vendor) -> Account:
    return Account(there.url, {"api_key": KEY})


@pytest.fixture
def purchase(name: str, there: Vendor) -> Purchase:
    return bought(name, there)


def order(name: str, there: Vendor, **more: str) -> Order:
    given = {
        "title": "Onions", "text": SCRIPT, "language": "en", "pack": "maya", "scene": "kitchen", "label_sign": "AI",
        "label_words": "AI", "caption": "AI", "caption_line": "AI", "software": "x 1",
        "when": "2026-11-22T09:00:00+00:00", "renderer": name, "vendor": json.dumps(there.needs), **more,
    }  # fmt: skip
    return Order.read(given)


def bought(name: str, there: Vendor, vendor_id: str = "job-1", age: float = 1.0) -> Purchase:
    return Purchase(
        "f" * 32, order(name, there), datetime.fromisoformat("2026-11-22T09:00:00+00:00"), vendor_id=vendor_id, age=age
    )


class TestContract:
    """What each adapter promises, over the wire to its simulator."""

    def test_a_plan_tells_the_price_and_asks_nobody(self, name: str, there: Vendor) -> None:
        plan = renderer(name).plan(order(name, there))
        assert (plan.estimate_cents > 0) == (name in PAID)
        assert 1 < plan.seconds < 5
        assert there.said == []

    @pytest.mark.parametrize(
        "more",
        [
            {"text": "[smile]"},
            {"text": "Look. [show cake]"},
            {"text": "onion " * 1200},
            {"form": "stills"},
            {"staging": '{"place": "left"}'},
            {"staging": '{"intro": {"title": "Hello"}}'},
            {"staging": '{"background": {"kind": "image", "value": "x"}, "materials": {"x": "y"}}'},
        ],
    )
    def test_what_it_cannot_make_is_said_before_anything_is_spent(
        self, name: str, there: Vendor, more: dict[str, str]
    ) -> None:
        with pytest.raises(Invalid):
            renderer(name).plan(order(name, there, **more))

    @pytest.mark.parametrize("vendor", PAID, indirect=True)
    def test_an_avatar_it_does_not_know_is_said_too(self, name: str, there: Vendor) -> None:
        with pytest.raises(Invalid, match="avatar-scheduler avatar add --vendor-avatar ID"):
            renderer(name).plan(order(name, there, vendor="{}"))

    def test_cues_are_never_spoken(self, name: str, there: Vendor, account: Account) -> None:
        made = bought(name, there)
        said = Purchase(made.key, order(name, there, text="[smile] Onions. [pause 1s] Low."), made.asked_at)
        renderer(name, HOSTS).submit(account, said, 10)
        assert "Onions. Low." in json.dumps(there.jobs["job-1"].body)

    def test_bought_asked_and_fetched(
        self, name: str, there: Vendor, account: Account, purchase: Purchase, tmp_path: Path
    ) -> None:
        made = renderer(name, HOSTS)
        vendor_id = made.submit(account, purchase, 10)
        assert vendor_id
        states = []
        for percent in range(4):
            status = made.poll(account, Purchase(purchase.key, purchase.order, purchase.asked_at, vendor_id="job-1",
                                                 percent=percent))  # fmt: skip
            states.append(status.state)
        assert states[-1] == "ready"
        beats: list[int] = []
        made.fetch(account, bought(name, there), tmp_path / "film.mp4", lambda: beats.append(1))
        assert (tmp_path / "film.mp4").read_bytes() == TINY
        assert beats

    @pytest.mark.parametrize("vendor", PAID, indirect=True)
    def test_a_key_is_found_and_another_is_absent(self, name: str, there: Vendor, account: Account) -> None:
        made, mine = renderer(name, HOSTS), bought(name, there)
        assert isinstance(made.find(account, mine), Absent)
        vendor_id = made.submit(account, mine, 10)
        assert made.find(account, mine) == vendor_id
        other = Purchase("e" * 32, mine.order, mine.asked_at)
        assert isinstance(made.find(account, other), Absent)

    @pytest.mark.parametrize("oldest_first", [False, True])
    @pytest.mark.parametrize("vendor", PAID, indirect=True)
    def test_a_key_is_found_on_the_last_page_too(
        self, name: str, there: Vendor, account: Account, monkeypatch: pytest.MonkeyPatch, oldest_first: bool
    ) -> None:
        """No order of the list is promised."""
        made, mine = renderer(name, HOSTS), bought(name, there)
        monkeypatch.setattr(synthesia, "PAGE", 2)
        there.page, there.oldest_first = 2, oldest_first
        for number in range(7):
            key = mine.key if number == (6 if oldest_first else 0) else str(number) * 32
            made.submit(account, Purchase(key, mine.order, mine.asked_at), 10)
        for job in there.jobs.values():  # old ones come first, ours was made a moment ago
            job.created_at = mine.asked_at - timedelta(days=10 - int(job.id.rpartition("-")[2]))
        ours = next(job for job in there.jobs.values() if job.key == mine.key)
        ours.created_at = mine.asked_at + timedelta(seconds=1) if oldest_first else ours.created_at
        asked = mine.asked_at if oldest_first else mine.asked_at - timedelta(days=20)
        found = made.find(account, Purchase(mine.key, mine.order, asked))
        assert found == ours.id

    @pytest.mark.parametrize("fault", [{"after": True}, {"status": 500}, {"status": 502}, {"status": 200, "body": []}])
    def test_no_clear_answer_is_an_open_question(
        self, name: str, there: Vendor, account: Account, purchase: Purchase, fault: dict[str, object]
    ) -> None:
        there.next("POST", there.create, **fault)
        with pytest.raises(OutcomeUnknown):
            renderer(name, HOSTS).submit(account, purchase, 10)

    def test_too_many_is_not_a_doubt(self, name: str, there: Vendor, account: Account, purchase: Purchase) -> None:
        there.next("POST", there.create, status=429, headers={"Retry-After": "9"})
        with pytest.raises(Later) as later:
            renderer(name, HOSTS).submit(account, purchase, 10)
        assert (later.value.seconds, there.bought) == (9, [])

    @pytest.mark.parametrize("vendor", PAID, indirect=True)
    def test_a_wrong_key_and_empty_pockets_are_told_apart(
        self, name: str, there: Vendor, account: Account, purchase: Purchase
    ) -> None:
        made = renderer(name, HOSTS)
        with pytest.raises(Refused) as refused:
            made.submit(Account(there.url, {"api_key": "wrong"}), purchase, 10)
        assert refused.value.code == "auth"
        assert "wrong" not in refused.value.message
        there.credits = 0
        with pytest.raises(Refused, match="no credits left"):
            made.submit(account, purchase, 10)

    def test_health_says_something_and_a_wrong_key_is_refused(self, name: str, there: Vendor, account: Account) -> None:
        made = renderer(name, HOSTS)
        assert made.health(account)
        if name in PAID:
            with pytest.raises(Refused):
                made.health(Account(there.url, {"api_key": "wrong"}))

    def test_a_cut_off_film_is_no_film(
        self, name: str, there: Vendor, account: Account, purchase: Purchase, tmp_path: Path
    ) -> None:
        made = renderer(name, HOSTS)
        made.submit(account, purchase, 10)
        there.stages = there.stages[-1:]
        there.film = TINY[:-1]
        with pytest.raises(OutcomeUnknown, match=r"not arrive whole|broke off"):
            made.fetch(account, bought(name, there), tmp_path / "film.mp4", lambda: None)

    def test_cancelling_twice_is_fine(self, name: str, there: Vendor, account: Account, purchase: Purchase) -> None:
        made = renderer(name, HOSTS)
        made.submit(account, purchase, 10)
        for _ in range(2):
            made.cancel(account, bought(name, there))

    @pytest.mark.parametrize("address", ["http://169.254.169.254", "https://10.0.0.1", "file:///etc/passwd"])
    def test_it_goes_nowhere_it_may_not(self, name: str, purchase: Purchase, address: str) -> None:
        with pytest.raises(SchedulerError, match="Nothing was sent"):
            renderer(name).submit(Account(address, {"api_key": KEY}), purchase, 2)


class TestDId:
    """What only it does."""

    @pytest.mark.parametrize(
        ("known", "path"),
        [({"presenter_id": "amy-1"}, "/clips"), ({"presenter_id": "https://x.example/maya.jpg"}, "/talks"),
         ({"avatar_id": "avt_1"}, "/scenes")],
    )  # fmt: skip
    def test_the_kind_of_avatar_says_where_it_is_made(self, known: dict[str, str], path: str) -> None:
        with running(KINDS["d_id"], TINY) as there:
            there.next("POST", path, status=201, body={"id": "made-1"})
            made = Purchase("f" * 32, order("d_id", there, vendor=json.dumps(known)), datetime.now(UTC))
            assert renderer("d_id", HOSTS).submit(Account(there.url, {"api_key": KEY}), made, 10) == "made-1"


class TestLiveTalking:
    """What only it does."""

    @pytest.fixture
    def there(self) -> Iterator[Vendor]:
        with running(KINDS["livetalking"], TINY) as made:
            yield made

    def test_a_200_with_an_error_inside_is_a_refusal(self, there: Vendor) -> None:
        there.next("POST", "/record", status=200, body={"code": 0})
        there.next("POST", "/human", status=200, body={"code": -1, "msg": "session not found"})
        with pytest.raises(Refused, match="session not found"):
            renderer("livetalking").submit(Account(there.url, {}), bought("livetalking", there), 10)

    def test_it_is_reached_on_this_machine_only(self, there: Vendor) -> None:
        with pytest.raises(Refused, match="not a plain http address of this machine"):
            renderer("livetalking", {"lab.local": ["10.0.0.0/8"]}).health(Account("http://lab.local:8010", {}))

    def test_its_words_are_echoed_and_recorded_afresh(self, there: Vendor) -> None:
        renderer("livetalking").submit(Account(there.url, {}), bought("livetalking", there), 10)
        assert [path for _, path in there.said] == ["/interrupt_talk", "/record", "/record", "/human"]
        assert there.jobs["job-1"].body == {"sessionid": "0", "type": "echo", "text": SCRIPT}

    def test_quiet_too_early_is_not_ready(self, there: Vendor) -> None:
        """It takes up to ten seconds from the text to the first sound."""
        made, account = renderer("livetalking"), Account(there.url, {})
        made.submit(account, bought("livetalking", there), 10)
        there.stages = ["quiet"]
        assert made.poll(account, bought("livetalking", there, age=5)).state == "queued"
        assert made.poll(account, bought("livetalking", there, age=60)).state == "ready"


def test_a_purchase_under_way_is_shown_where_every_render_is(world: World) -> None:
    with running(KINDS["heygen"], TINY) as vendor:
        shop = Shop(world, "heygen", vendor)
        vendor.stages = ["processing 40"]
        render = shop.step(shop.work(shop.submit()))
        assert (render.percent, render.step) == (24, "HeyGen works on it")
        assert shop.purchase(render).state is PurchaseState.submitted

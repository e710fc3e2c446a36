"""What an order says, and that nobody but the rules words what discloses."""

import base64
import json
from io import BytesIO

import pytest
from PIL import Image

from avatar_scheduler import rules
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.renderers import marking
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.services import orders
from tests.world import World


def ordered(world: World, **more: str) -> Order:
    post = world.post(more.pop("kind", "tip"), **more)
    with world.read() as session:
        return orders.order_of(session, world.settings, post, world.now, "00c0ffee")


def png(side: int) -> bytes:
    found = BytesIO()
    Image.new("RGB", (side, side), "white").save(found, "PNG")
    return found.getvalue()


class TestIcon:
    def test_the_painted_sign_stands_where_nobody_put_an_icon(self, world: World) -> None:
        assert ordered(world).icon == ""

    def test_an_operators_icon_takes_its_place_and_is_bound_by_the_order(self, world: World) -> None:
        folder = world.settings.data / "icons"
        folder.mkdir()
        (folder / "ai.png").write_bytes(png(64))
        order = ordered(world)
        assert base64.b64decode(order.icon) == png(64)
        painted = marking.plate(Order.read({**vars(order), "icon": ""}), (1080, 1920))
        assert marking.plate(order, (1080, 1920)).rgba != painted.rgba
        (folder / "ai.png").write_bytes(bytes(orders.MOST_ICON_BYTES + 1))
        with pytest.raises(Invalid, match=r"ai\.png has 65537 bytes"):
            ordered(world)


class TestPaid:
    def test_who_pays_is_said_beside_the_avatar_in_every_place(self, world: World) -> None:
        free, paid = ordered(world), ordered(world, kind="sponsored", sponsored="paid")
        assert (free.sponsor, free.sponsor_line, free.spoken) == ("", "", "")
        assert (paid.sponsor, paid.label_words) == ("Ad", free.label_words)
        assert paid.caption.splitlines()[:2] == [free.caption_line, paid.sponsor_line]
        assert paid.spoken == rules.texts("en", form="video", name="Maya", sponsored="paid").spoken_sponsored

    @pytest.mark.parametrize("sponsored", ["", "maybe", "no"])
    def test_a_sponsored_post_says_who_pays(self, world: World, sponsored: str) -> None:
        with pytest.raises(Invalid):
            ordered(world, kind="sponsored", sponsored=sponsored)

    def test_words_nobody_may_write_are_not_taken_from_the_post(self, world: World) -> None:
        order = ordered(world, title="#ad", template="Ad. Paid partnership.")
        assert json.loads(order.staging) == {}
        assert (order.sponsor, order.sponsor_line) == ("", "")

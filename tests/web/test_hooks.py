"""The one door other programs may use: no session, no origin, no form token, and nothing to learn from it."""

from collections.abc import Iterator

import pytest

from tests.services.test_hooks import only, waiting
from tests.vendors import heygen
from tests.vendors.server import running
from tests.vendors.shop import TINY, Shop, no_studio
from tests.web.visitor import Visitor
from tests.world import World


@pytest.fixture
def shop(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    no_studio(world, monkeypatch)
    with running(heygen.HeyGen, TINY) as vendor:
        yield Shop(world, "heygen", vendor)


def call(visitor: Visitor, path: str, headers: dict[str, str], body: bytes) -> int:
    plain: dict[str, str | None] = {"origin": None, "content-type": "application/json", **headers}
    return visitor.ask("POST", path, headers=plain, content=body).status_code


def test_a_message_is_heard_without_a_session_or_an_origin(shop: Shop, stranger: Visitor) -> None:
    render = waiting(shop)
    headers, body = shop.vendor.hook(only(shop.vendor))  # type: ignore[attr-defined]
    assert [call(stranger, shop.hook_address, headers, body) for _ in range(2)] == [204, 204]
    assert shop.world.again(render).look_at == shop.world.now


def test_a_forged_one_and_a_wrong_address_are_refused(shop: Shop, stranger: Visitor) -> None:
    waiting(shop)
    headers, body = shop.vendor.hook(only(shop.vendor))  # type: ignore[attr-defined]
    assert call(stranger, shop.hook_address, {}, body) == 403
    assert call(stranger, "/hooks/heygen/guess", headers, body) == 404
    assert call(stranger, "/hooks/nobody/guess", headers, body) == 404
    assert call(stranger, shop.hook_address, headers, b"x" * 70_000) == 413


def test_a_probe_is_answered_the_same_everywhere(shop: Shop, stranger: Visitor) -> None:
    for path in (shop.hook_address, "/hooks/heygen/guess"):
        answer = stranger.ask("OPTIONS", path)
        assert (answer.status_code, answer.headers["allow"], answer.content) == (200, "POST, OPTIONS", b"")

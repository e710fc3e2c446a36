"""“Is this ours?” for strangers: an answer without an account, a short queue, and nothing kept."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from avatar_scheduler.services import recognition
from avatar_scheduler.services.recognition import Answer
from avatar_scheduler.uploads import sandbox
from avatar_scheduler.web import verify
from tests.uploads import good
from tests.web import cases
from tests.web.visitor import Visitor
from tests.world import World

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Looking takes seconds and has its own tests: here it is counted."""
    found: list[str] = []

    def recognise(_settings: object, incoming: Any) -> Answer:
        found.append(incoming.sha256)
        return Answer(incoming.sha256, cases.FOUND)

    monkeypatch.setattr(recognition, "recognise", recognise)
    return found


def drop(
    visitor: Visitor, data: bytes = b"bytes", filename: str = "found.mp4", **headers: str | None
) -> httpx.Response:
    return visitor.ask("POST", "/verify", headers={**headers}, files=[("file", (filename, data, "video/mp4"))])


class TestPage:
    def test_a_stranger_gets_the_form_and_finds_it_from_public_pages(self, stranger: Visitor, world: World) -> None:
        page = stranger.get("/verify")
        assert page.status_code == 200
        assert "Is this ours?" in page.text
        assert 'href="/verify"' in stranger.get("/f/maya").text
        assert "Est-ce de nous" in stranger.get("/verify", headers={"accept-language": "fr"}).text

    def test_the_answer_shows_what_is_public_and_what_changed(self, stranger: Visitor, looked: list[str]) -> None:
        page = drop(stranger)
        assert page.status_code == 200
        for words in ("This leads to a post of ours", "Ada Lind", 'href="/proof/d1"', "540×960", "label is gone"):
            assert words in page.text
        assert len(looked) == 1

    def test_a_program_gets_the_same_as_json(self, stranger: Visitor, looked: list[str]) -> None:
        told = drop(stranger, accept="application/json").json()
        assert (told["ours"], told["how"], told["proof"]) == (True, "watermark", "/proof/d1")
        assert {change["what"] for change in told["changes"]} >= {"size", "label_gone"}

    def test_what_cannot_be_opened_is_said_on_the_page(self, stranger: Visitor) -> None:
        page = drop(stranger, b"<svg/>", "a.svg")
        assert page.status_code == 422
        assert "The file is an SVG drawing." in page.text
        assert "data-verify" in page.text

    def test_no_file_is_said_so(self, stranger: Visitor) -> None:
        page = drop(stranger, b"", "")
        assert page.status_code == 422
        assert "Choose a file first." in page.text

    def test_where_nothing_can_be_opened_safely_there_is_no_form(
        self, stranger: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sandbox, "_probed", ["the kernel refuses"])
        page = stranger.get("/verify").text
        assert "Files cannot be checked on this machine" in page
        assert "data-verify" not in page
        assert drop(stranger, good.picture("PNG"), "a.png").status_code == 422


class TestLimits:
    def test_one_address_is_told_to_come_back_later(self, stranger: Visitor, looked: list[str], world: World) -> None:
        for _ in range(verify.PER_ADDRESS):
            assert drop(stranger).status_code == 200
        refused = drop(stranger)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "600")
        assert "Try again in ten minutes" in refused.text
        assert len(looked) == verify.PER_ADDRESS
        world.later(minutes=11)
        assert drop(stranger).status_code == 200

    def test_all_addresses_together_too(
        self, stranger: Visitor, looked: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(verify, "IN_ALL", 1)
        assert drop(stranger).status_code == 200
        refused = drop(stranger)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")

    def test_while_another_is_looked_at_one_waits_and_is_then_told(
        self, app: FastAPI, stranger: Visitor, looked: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(verify, "PATIENCE_SECONDS", 0.01)
        with app.state.desk.turn():
            refused = drop(stranger, accept="application/json")
        assert (refused.status_code, refused.json()["error"]) == (503, "busy")
        assert drop(stranger).status_code == 200

    def test_as_many_as_may_arrive_at_once(self, world: World) -> None:
        desk = verify.Desk()
        places = [desk.place(f"10.0.0.{number}", world.now) for number in range(verify.ARRIVING)]
        for place in places:
            place.__enter__()
        with pytest.raises(verify.Busy), desk.place("10.0.1.1", world.now):
            pass
        places[0].__exit__(None, None, None)
        with desk.place("10.0.1.1", world.now):
            pass

    def test_too_large_a_file(self, stranger: Visitor, looked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(recognition, "MOST_BYTES", 100)
        page = drop(stranger, bytes(101))
        assert page.status_code == 422
        assert "The file is larger than 100 bytes." in page.text
        assert looked == []

    def test_a_body_beyond_all_limits_is_refused_by_its_length(self, stranger: Visitor) -> None:
        headers: dict[str, str | None] = {
            "content-length": str(verify.LARGEST_BODY + 1),
            "content-type": "multipart/form-data; boundary=x",
        }
        assert stranger.ask("POST", "/verify", headers=headers, content=b"").status_code == 413

    def test_a_file_that_trickles_in_is_let_go(
        self, stranger: Visitor, looked: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def trickle() -> AsyncIterator[bytes]:
            yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
            await asyncio.Event().wait()

        monkeypatch.setattr(verify, "ARRIVAL_SECONDS", 0.1)
        headers: dict[str, str | None] = {"content-type": "multipart/form-data; boundary=x"}
        page = stranger.ask("POST", "/verify", headers=headers, content=trickle())
        assert (page.status_code, looked) == (422, [])
        assert "took too long to arrive" in page.text

    def test_from_another_site_it_is_refused(self, stranger: Visitor, looked: list[str]) -> None:
        assert drop(stranger, origin="https://evil.example").status_code == 403
        assert looked == []


@pytest.mark.parametrize(
    ("host", "address"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("2001:db8:1:2::9", "2001:db8:1:2::/64")],
)
def test_a_household_is_one_address(host: str, address: str, settings: object) -> None:
    class Asking:
        client = type("Client", (), {"host": host})

    assert verify.address_of(Asking()) == address  # type: ignore[arg-type]


def test_nothing_of_a_file_stays_whatever_became_of_it(world: World, stranger: Visitor) -> None:
    for data in (b"<svg/>", b"\xff\xd8\xff cut", b""):
        drop(stranger, data)
    assert list((world.settings.data / "incoming").iterdir()) == []

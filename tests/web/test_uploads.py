"""The page of files: added by a form, shown to one's own people, removed on a second click."""

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from avatar_scheduler.services import uploads
from avatar_scheduler.uploads import kinds, sandbox
from avatar_scheduler.web import security
from avatar_scheduler.web import uploads as pages
from tests.services.cast import person
from tests.uploads import good
from tests.web.conftest import link
from tests.web.visitor import Visitor
from tests.world import World

HEAD = 'name="{}"\r\n\r\n'


def send(visitor: Visitor, data: bytes, filename: str = "stall.png", **fields: str) -> httpx.Response:
    form = {"csrf": visitor.csrf, "creator": "maya", "kind": "image", "name": "stall", **fields}
    parts: list[Any] = [(name, (None, value)) for name, value in form.items()]
    return visitor.ask("POST", "/uploads", files=[*parts, ("file", (filename, data, "text/html"))])


def only(world: World) -> uploads.Row:
    with world.read() as session:
        return uploads.listing(session, world.ada)[0]


def count(world: World) -> int:
    with world.read() as session:
        return len(uploads.listing(session, world.ada))


class TestAdding:
    def test_a_file_is_in_the_list_with_its_picture(self, world: World, ada: Visitor) -> None:
        answer = send(ada, good.picture("PNG"))
        row = only(world)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/uploads#u-{row.upload_id}")
        page = ada.get("/uploads").text
        assert f'id="u-{row.upload_id}"' in page
        assert f'src="/uploads/{row.upload_id}/thumbnail"' in page
        assert "320×240" in page
        small = ada.get(f"/uploads/{row.upload_id}/thumbnail")
        assert (small.status_code, small.headers["content-type"]) == (200, "image/jpeg")

    def test_a_program_is_told_where_it_is(self, world: World, ada: Visitor) -> None:
        parts: list[Any] = [(name, (None, value)) for name, value in (("csrf", ada.csrf), ("kind", "image"))]
        files = [*parts, ("file", ("a.png", good.picture("PNG"), ""))]
        answer = ada.ask("POST", "/uploads", headers={"accept": "application/json"}, files=files)
        assert answer.json() == {"url": f"/uploads#u-{only(world).upload_id}"}

    def test_what_is_wrong_is_said_on_the_page_and_what_was_typed_stays(self, world: World, ada: Visitor) -> None:
        answer = send(ada, b"<svg onload=alert(1)/>", "a.svg", kind="photo", name="my-face")
        assert answer.status_code == 422
        assert "The file is an SVG drawing. For photo, bring a JPEG, PNG or WebP picture." in answer.text
        assert 'value="my-face"' in answer.text
        assert re.search(r'value="photo"[^>]* checked', answer.text)
        assert count(world) == 0

    def test_its_own_type_and_path_count_for_nothing(self, world: World, ada: Visitor) -> None:
        assert send(ada, good.picture("PNG"), "..\\..\\etc/x.png", name="").status_code == 303
        assert only(world).name == "x"

    def test_no_file_is_said_so(self, ada: Visitor) -> None:
        answer = send(ada, b"", "")
        assert answer.status_code == 422
        assert "Choose a file first." in answer.text

    def test_too_large_a_file_is_refused_in_its_own_words(
        self, world: World, ada: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small = kinds.Kind(("picture",), 100, 60, kinds.MB, "a picture")
        monkeypatch.setitem(kinds.KINDS, "image", small)
        answer = send(ada, good.picture("PNG"))
        assert answer.status_code == 422
        assert "The file is larger than 100 bytes." in answer.text
        assert list(uploads.folder(world.settings).iterdir()) == []

    def test_a_body_beyond_all_kinds_is_refused_by_its_length(self, ada: Visitor) -> None:
        headers: dict[str, str | None] = {
            "content-length": str(pages.LARGEST_BODY + 1),
            "content-type": "multipart/form-data; boundary=x",
        }
        assert ada.ask("POST", "/uploads", headers=headers, content=b"").status_code == 413

    def test_where_nothing_can_be_opened_safely_there_is_no_form(
        self, ada: Visitor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sandbox, "_probed", ["the kernel refuses"])
        page = ada.get("/uploads").text
        assert "Files cannot be added on this machine" in page
        assert "the kernel refuses" in page
        assert "data-uploading" not in page
        assert send(ada, good.picture("PNG")).status_code == 422


class TestForgery:
    @pytest.mark.parametrize("csrf", ["", "wrong"])
    def test_without_the_sessions_token_no_byte_is_taken(
        self, world: World, ada: Visitor, csrf: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pages, "Incoming", None)  # would be called for the first byte
        assert send(ada, good.picture("PNG"), csrf=csrf).status_code == 403
        assert count(world) == 0

    def test_a_token_behind_the_file_is_too_late(self, world: World, ada: Visitor) -> None:
        parts: list[Any] = [("file", ("a.png", good.picture("PNG"), "")), ("csrf", (None, ada.csrf))]
        assert ada.ask("POST", "/uploads", files=parts).status_code == 403

    def test_a_header_is_no_way_round(self, world: World, ada: Visitor) -> None:
        parts: list[Any] = [("kind", (None, "image")), ("file", ("a.png", good.picture("PNG"), ""))]
        assert ada.ask("POST", "/uploads", headers={"x-csrf": ada.csrf}, files=parts).status_code == 403

    def test_from_another_site_it_is_refused(self, world: World, ada: Visitor) -> None:
        parts: list[Any] = [("csrf", (None, ada.csrf)), ("file", ("a.png", good.picture("PNG"), ""))]
        headers: dict[str, str | None] = {"origin": "https://evil.example"}
        assert ada.ask("POST", "/uploads", headers=headers, files=parts).status_code == 403
        assert count(world) == 0


class TestForm:
    @pytest.mark.parametrize("field", ["organization_id", "created_by", "sha256", "kind "])
    def test_a_field_nobody_listed_is_refused(self, world: World, ada: Visitor, field: str) -> None:
        assert send(ada, good.picture("PNG"), **{field: "x"}).status_code == 422
        assert count(world) == 0

    def test_a_field_is_short(self, ada: Visitor) -> None:
        answer = send(ada, good.picture("PNG"), name="x" * 5000)
        assert answer.status_code == 422
        assert "Check: name." in answer.text

    @pytest.mark.parametrize(
        ("kind", "body"),
        [
            ("multipart/form-data; boundary=x", b""),
            ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; "),
            ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\nhalf"),
            ("multipart/form-data; boundary=x", b"\x00" * 999),
            ("multipart/form-data", b"--x--"),
            ("multipart/form-data; boundary=" + "x" * 300, b""),
            ("application/x-www-form-urlencoded", b"csrf=1"),
            ("application/json", b"{}"),
        ],
    )
    def test_a_broken_one_is_refused(self, ada: Visitor, kind: str, body: bytes) -> None:
        answer = ada.ask("POST", "/uploads", headers={"content-type": kind}, content=body)
        assert answer.status_code in (403, 422)

    def test_cut_off_in_the_file_nothing_is_kept(self, world: World, ada: Visitor) -> None:
        fields = b"".join(
            b"--x\r\nContent-Disposition: form-data; " + HEAD.format(name).encode() + value.encode() + b"\r\n"
            for name, value in (("csrf", ada.csrf), ("kind", "image"))
        )
        file = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + good.picture("PNG")
        headers: dict[str, str | None] = {"content-type": "multipart/form-data; boundary=x"}
        answer = ada.ask("POST", "/uploads", headers=headers, content=fields + file)
        assert answer.status_code == 422
        assert "did not arrive whole" in answer.text
        assert count(world) == 0


class TestSeeing:
    def test_one_can_do_nothing_but_be_shown(self, world: World, ada: Visitor) -> None:
        send(ada, good.picture("PNG"))
        for part in ("file", "thumbnail"):
            headers = ada.get(f"/uploads/{only(world).upload_id}/{part}").headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["content-security-policy"] == "default-src 'none'; sandbox"
            assert headers["content-type"] in ("image/png", "image/jpeg")

    def test_a_look_is_a_download(self, world: World, ada: Visitor) -> None:
        send(ada, good.pack(), "look.zip", kind="pack")
        headers = ada.get(f"/uploads/{only(world).upload_id}/file").headers
        assert headers["content-type"] == "application/octet-stream"
        assert headers["content-disposition"].startswith("attachment")
        assert ada.get(f"/uploads/{only(world).upload_id}/thumbnail").status_code == 404

    def test_sound_can_be_heard_in_place(self, world: World, ada: Visitor) -> None:
        send(ada, good.sound("wav", "pcm_s16le"), "a.wav", kind="audio")
        url = f"/uploads/{only(world).upload_id}/file"
        assert f'<audio controls preload="none" src="{url}"' in ada.get("/uploads").text
        assert ada.get(url, headers={"range": "bytes=0-3"}).content == b"fLaC"

    def test_others_see_nothing_of_it(self, world: World, ada: Visitor, cy: Visitor, stranger: Visitor) -> None:
        send(ada, good.picture("PNG"))
        row = only(world)
        assert row.name not in cy.get("/uploads").text
        for part in ("file", "thumbnail"):
            assert cy.get(f"/uploads/{row.upload_id}/{part}").status_code == 404
            assert stranger.get(f"/uploads/{row.upload_id}/{part}").status_code == 303
        assert cy.post(f"/uploads/{row.upload_id}/removal").status_code == 404
        assert count(world) == 1

    def test_who_may_not_write_sees_no_form(self, world: World, app: FastAPI, ada: Visitor) -> None:
        send(ada, good.picture("PNG"))
        analyst = person(world, "analyst")
        visitor = Visitor(app, world.settings.base_url).enter(link(world, analyst.member_id))
        page = visitor.get("/uploads").text
        assert "stall" in page
        assert "data-uploading" not in page
        assert "/removal" not in page
        assert send(visitor, good.picture("PNG"), name="other").status_code == 403

    def test_in_french(self, cy: Visitor) -> None:
        assert "Aucun fichier" in cy.get("/uploads").text


class TestRemoving:
    def test_is_asked_for_and_done(self, world: World, ada: Visitor) -> None:
        send(ada, good.picture("PNG"))
        row = only(world)
        assert "Remove it for good?" in ada.get("/uploads").text
        assert ada.ask("POST", f"/uploads/{row.upload_id}/removal", data={}).status_code == 403
        assert ada.post(f"/uploads/{row.upload_id}/removal").status_code == 303
        assert count(world) == 0
        assert ada.post(f"/uploads/{row.upload_id}/removal").status_code == 404

    def test_of_what_a_post_needs_is_refused_on_the_page(self, world: World, ada: Visitor) -> None:
        send(ada, good.picture("PNG"))
        world.post(staging={"materials": {"stall": "stall"}})
        answer = ada.post(f"/uploads/{only(world).upload_id}/removal")
        assert answer.status_code == 409
        assert "The post “Onions” needs it." in answer.text
        assert count(world) == 1


def test_only_these_routes_check_their_token_themselves() -> None:
    from avatar_scheduler.web.deps import STREAMED

    assert frozenset({"/uploads", "/onboarding/{slug}/proof"}) == STREAMED
    assert pages.LARGEST_BODY > security.MAX_BODY

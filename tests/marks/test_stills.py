"""A picture's marks, each broken by itself, on the bytes somebody would download."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from PIL import Image

from avatar_scheduler.domain import slides
from avatar_scheduler.domain.disclosure import Evidence, Mark, RequiredMark, unproven
from avatar_scheduler.domain.staging import FORMATS
from avatar_scheduler.marks import aigc, credentials, digest, source_types, xmp
from avatar_scheduler.marks.inspect import Expected
from avatar_scheduler.marks.label import LabelArt, draw
from avatar_scheduler.marks.stills import inspect_stills, measure_label, measure_plates
from avatar_scheduler.marks.watermark import embed, keys
from avatar_scheduler.studio.job import Overlay, StudioJob
from avatar_scheduler.studio.stills import draw as studio
from tests.marks.conftest import SMALL, lay, scenery

LINE = "AI-generated avatar image."
SPONSOR_LINE = "Ad: paid partnership."
CAPTION = f"{LINE}\n{SPONSOR_LINE}\nOnions."
MARK_ID = "0badcafe"
IN_FILE = {Mark.label, Mark.xmp, Mark.aigc, Mark.credentials}


def lacking(marks: Iterable[Mark], evidence: list[Evidence], *media: Path | str) -> list[str]:
    asked = [RequiredMark(mark, "test", "a law", "its text", date(2026, 11, 22)) for mark in marks]
    files = [digest.of_file(one) if isinstance(one, Path) else one for one in media]
    return unproven(asked, evidence, media=files, caption=digest.of_text(CAPTION))


def picture(art: LabelArt | None, size: tuple[int, int] = SMALL) -> Image.Image:
    pixels = scenery(size).copy()
    if art:
        lay(art, pixels)
    return Image.fromarray(pixels)


@pytest.fixture
def expected(art: LabelArt, folder: Path) -> Expected:
    return Expected(art, CAPTION, LINE, credentials.read_root(folder))


@pytest.fixture
def finish(tmp_path: Path, folder: Path, now: datetime) -> Callable[..., Path]:
    """What the renderer does once a picture is drawn."""

    def finish(image: Image.Image, name: str = "one.jpg", **saving: object) -> Path:
        raw = tmp_path / f"raw-{name}"
        image.save(raw, **saving)  # type: ignore[arg-type]
        xmp.write(raw, source_types.TRAINED)
        aigc.write(raw, producer="avatar-scheduler", produce_id=MARK_ID)
        credentials.sign(raw, tmp_path / name, folder=folder, title=name, software="0.1.0", when=now)
        return tmp_path / name

    return finish


@pytest.mark.parametrize("name", ["one.jpg", "one.png"])
def test_a_finished_picture_has_every_mark(
    finish: Callable[..., Path], art: LabelArt, expected: Expected, name: str
) -> None:
    made = finish(picture(art), name)
    evidence = inspect_stills([made], expected)
    assert [e.mark for e in evidence if e.ok] == [Mark.caption_line, Mark.label, Mark.xmp, Mark.aigc, Mark.credentials]
    assert lacking({*IN_FILE, Mark.caption_line}, evidence, made) == []
    assert int(evidence[1].measured["height_thousandths"]) >= 50
    assert evidence[1].measured["text"] == "AI Avatar of Maya"


def test_a_slide_of_a_paid_post_carries_every_layer(tmp_path: Path, folder: Path, now: datetime) -> None:
    """As the studio draws it, with both plates and the hidden mark."""
    size = FORMATS["4:5"]
    keys.make_key(folder)
    key, art = keys.key_of(folder, "org"), draw("AI", "Avatar of Maya", size, sponsor="Ad")
    overlay = Overlay(art.rgba, art.width, art.height, art.x, art.y)
    job = StudioJob(
        "x", "en", "maya", "kitchen", "ab", overlay, *size, watermark=lambda luma: embed.field(luma, MARK_ID, key)
    )
    [raw] = studio.draw(job, slides.read("# look\nOnions."), tmp_path, "Avatar of Maya")
    made = tmp_path / "signed.jpg"
    xmp.write(raw, source_types.TRAINED)
    aigc.write(raw, producer="avatar-scheduler", produce_id=MARK_ID)
    credentials.sign(raw, made, folder=folder, title="one", software="0.1.0", when=now, mark_id=MARK_ID)
    root = credentials.read_root(folder)
    expected = Expected(art, CAPTION, LINE, root, sponsor_line=SPONSOR_LINE, mark_id=MARK_ID, watermark_key=key)
    evidence = inspect_stills([made], expected)
    assert [e.summary for e in evidence if not e.ok] == []
    marks = {*IN_FILE, Mark.sponsor_label, Mark.watermark, Mark.caption_line, Mark.sponsor_line}
    assert {e.mark for e in evidence} == marks
    assert lacking(marks, evidence, made) == []


def test_each_plate_is_looked_for_in_its_own_place(finish: Callable[..., Path]) -> None:
    both = draw("AI", "Avatar of Maya", SMALL, sponsor="Ad")
    for shown, gone in ((both.plate, Mark.sponsor_label), (both.sponsor, Mark.label)):
        found = measure_plates(finish(picture(shown), f"{gone}.jpg"), both)
        assert [(e.mark, e.summary) for e in found if not e.ok] == [(gone, "gone")]
        assert [e.measured["text"] for e in found if e.ok] == ["Ad" if gone is Mark.label else "AI Avatar of Maya"]


def test_one_unmarked_slide_stops_the_whole_reel(
    finish: Callable[..., Path], art: LabelArt, expected: Expected
) -> None:
    good, bare = finish(picture(art)), finish(picture(None), "two.jpg")
    evidence = inspect_stills([good, bare], expected)
    assert lacking(IN_FILE, evidence, good, bare) == ["picture 2, label: gone"]
    assert lacking(IN_FILE, evidence, good) == []
    assert len(lacking(IN_FILE, evidence, good, bare, "0" * 64)) == 1 + len(IN_FILE)
    assert lacking(IN_FILE, evidence) != []


class TestLabel:
    def check(self, path: Path, art: LabelArt) -> str:
        evidence = measure_label(path, art)
        assert evidence.subject == digest.of_file(path)
        return "ok" if evidence.ok else evidence.summary

    def test_another_name_is_another_label(self, finish: Callable[..., Path], art: LabelArt) -> None:
        assert self.check(finish(picture(art)), draw("AI", "Avatar of Leo", SMALL)) != "ok"

    def test_a_sticker_over_it_shows(self, finish: Callable[..., Path], art: LabelArt) -> None:
        image = picture(art)
        image.paste((200, 30, 30), (art.x + 20, art.y, art.x + 60, art.y + art.height))
        assert self.check(finish(image), art) == "altered"

    @pytest.mark.parametrize("quality", [92, 72, 55])
    def test_it_is_recognised_at_every_quality_we_write(
        self, finish: Callable[..., Path], art: LabelArt, quality: int
    ) -> None:
        assert self.check(finish(picture(art), quality=quality, subsampling=0), art) == "ok"

    @pytest.mark.parametrize("format_", ["GIF", "WEBP", "BMP"])
    def test_other_formats_are_not_pictures_here(self, tmp_path: Path, art: LabelArt, format_: str) -> None:
        path = tmp_path / "one.jpg"
        picture(art).save(path, format_)
        assert "cannot be read" in self.check(path, art)

    def test_viewers_that_turn_it_would_move_the_label(self, tmp_path: Path, art: LabelArt) -> None:
        path, exif = tmp_path / "one.jpg", Image.Exif()
        exif[0x0112] = 6
        picture(art).save(path, exif=exif)
        assert "upright" in self.check(path, art)

    def test_viewers_that_recolour_it_could_fade_the_label(self, tmp_path: Path, art: LabelArt) -> None:
        path = tmp_path / "one.jpg"
        picture(art).save(path, icc_profile=b"\0" * 200)
        assert "sRGB" in self.check(path, art)

    def test_a_film_in_a_png_shows_the_label_only_once(self, tmp_path: Path, art: LabelArt) -> None:
        path = tmp_path / "one.png"
        picture(art).save(path, save_all=True, append_images=[picture(None)], duration=100)
        assert "more than one picture" in self.check(path, art)

    @pytest.mark.parametrize("mode", ["RGBA", "L", "P", "CMYK"])
    def test_only_plain_colour_is_judged(self, tmp_path: Path, art: LabelArt, mode: str) -> None:
        path = tmp_path / ("one.jpg" if mode == "CMYK" else "one.png")
        picture(art).convert(mode).save(path)
        assert "plain RGB" in self.check(path, art)

    @pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"not a picture" * 99])
    def test_bad_files_are_evidence_not_exceptions(self, tmp_path: Path, expected: Expected, data: bytes) -> None:
        path = tmp_path / "one.jpg"
        path.write_bytes(data)
        found = inspect_stills([path, tmp_path / "absent.jpg"], expected)
        assert {e.mark for e in found if e.ok} == {Mark.caption_line}
        assert len(found) == 1 + 2 * len(IN_FILE)
        assert all(e.summary and "\n" not in e.summary for e in found)

    def test_half_a_picture_is_none(self, finish: Callable[..., Path], art: LabelArt) -> None:
        path = finish(picture(art))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
        assert self.check(path, art) != "ok"

    def test_a_smaller_picture_has_no_room_for_it(self, tmp_path: Path, art: LabelArt) -> None:
        path = tmp_path / "one.jpg"
        picture(None, (300, 300)).save(path)
        assert "too small" in self.check(path, art)


def test_each_other_mark_fails_by_itself(
    finish: Callable[..., Path], art: LabelArt, expected: Expected, tmp_path: Path
) -> None:
    made = finish(picture(art))
    resaved = tmp_path / "resaved.jpg"
    with Image.open(made) as image:
        image.save(resaved, quality=92)
    flipped = tmp_path / "flipped.jpg"
    data = bytearray(made.read_bytes())
    data[-50] ^= 4
    flipped.write_bytes(data)
    cases = [
        (made, replace(expected, caption="Onions."), {Mark.caption_line}),
        (made, replace(expected, root_pem=""), {Mark.credentials}),
        (flipped, expected, {Mark.credentials}),
        (resaved, expected, {Mark.xmp, Mark.aigc, Mark.credentials}),
    ]
    for path, wanted, marks in cases:
        assert {e.mark for e in inspect_stills([path], wanted) if not e.ok} == marks


def test_the_label_keeps_its_size_in_every_format() -> None:
    for width, height in FORMATS.values():
        made = draw("AI", "Avatar of Maya", (width, height))
        assert made.height * 1000 // min(width, height) >= 50

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from avatar_scheduler.domain.disclosure import Mark
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import digest
from avatar_scheduler.marks.watermark import detect, message, pattern, picture, scores
from avatar_scheduler.marks.watermark.scores import Geometry, Reader
from tests.marks.watermark import material
from tests.marks.watermark.material import (
    FRAMES,
    ID,
    KEY,
    OTHER_KEY,
    PORTRAIT,
    SMALL,
    SQUARE,
    TALL,
    WIDE,
    Change,
    Pixels,
    film,
    marked,
    scene,
    to_rgb,
)  # fmt: skip

KEYS = {"other": OTHER_KEY, "studio": KEY}


@pytest.fixture(scope="module")
def tall(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("films") / "tall.mp4", marked(scene(TALL)))


@pytest.fixture(scope="module")
def unmarked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("films") / "unmarked.mp4", scene(SMALL))


@pytest.mark.parametrize("size", [TALL, PORTRAIT, SQUARE, WIDE, SMALL])
def test_there_and_back(tmp_path: Path, size: tuple[int, int]) -> None:
    reading = detect.read_video(film(tmp_path / "film.mp4", marked(scene(size))), KEYS, search=False)
    assert reading
    assert (reading.organization, reading.mark_id) == ("studio", ID)
    assert not reading.searched
    assert not reading.mirrored


@pytest.mark.parametrize(("size", "crf"), [((720, 1280), 28), ((540, 960), 32), ((480, 854), 30)])
def test_smaller_and_coarser_copies(tmp_path: Path, size: tuple[int, int], crf: int) -> None:
    copy = film(tmp_path / "copy.mp4", marked(scene(TALL)), size=size, crf=crf)
    reading = detect.read_video(copy, KEYS, search=False)
    assert reading
    assert reading.mark_id == ID


def _cropped(rgb: Pixels) -> Pixels:
    height, width = rgb.shape[:2]
    return rgb[height // 40 : -height // 40, width // 40 : -width // 40]


def _framed(rgb: Pixels) -> Pixels:
    framed = np.zeros((1080, 1920, 3), np.uint8)
    framed[:, 656:1264] = cv2.resize(rgb, (608, 1080), interpolation=cv2.INTER_AREA)
    return framed


def _enlarged(rgb: Pixels) -> Pixels:
    larger = cv2.resize(rgb, None, fx=1.06, fy=1.06, interpolation=cv2.INTER_LINEAR)
    return np.asarray(larger[40 : 40 + rgb.shape[0], 30 : 30 + rgb.shape[1]], np.uint8)


def _darker_and_noisy(rgb: Pixels) -> Pixels:
    noise = np.random.default_rng(3).normal(0, 4, rgb.shape)
    return np.clip(rgb * 0.85 + 12 + noise, 0, 255).astype(np.uint8)


def _stickered(rgb: Pixels) -> Pixels:
    rgb = rgb.copy()
    rgb[800:1600, 200:760] = (250, 40, 90)
    return rgb


@pytest.mark.parametrize(
    ("change", "size", "searched"),
    [
        (_cropped, (1026, 1824), True),
        (_framed, (1920, 1080), True),
        (_enlarged, (720, 1280), True),
        (lambda rgb: rgb[:, ::-1], (1080, 1920), True),
        (_darker_and_noisy, (720, 1280), False),
        (_stickered, (720, 1280), False),
    ],
    ids=["cropped", "framed", "enlarged", "mirrored", "noisy", "stickered"],
)
def test_what_people_do_to_copies(tmp_path: Path, change: Change, size: tuple[int, int], searched: bool) -> None:
    copy = film(tmp_path / "copy.mp4", marked(scene(TALL)), change=change, size=size, crf=26)
    reading = detect.read_video(copy, KEYS, search=searched)
    assert reading
    assert (reading.organization, reading.mark_id, reading.searched) == ("studio", ID, searched)


def test_a_mirrored_copy_is_said_to_be_one(tall: Path) -> None:
    seen = Reader(picture.of_film(tall)).blue
    reading = detect.read(np.ascontiguousarray(seen[:, ::-1]), KEYS, search=True)
    assert reading
    assert reading.mirrored


def test_another_key_reads_nothing(tall: Path) -> None:
    assert detect.read_video(tall, {"other": OTHER_KEY}, search=False) is None
    assert detect.read_video(tall, {}, search=False) is None


def test_nothing_is_read_where_nothing_is_hidden(unmarked: Path) -> None:
    assert detect.read_video(unmarked, KEYS, search=True) is None


def test_an_id_with_one_bit_turned_is_never_read() -> None:
    """Also where most of the mark is gone, it is the id or nothing."""
    chance = np.random.default_rng(2)
    _, u, _ = marked(scene(SMALL))
    for strength in (0, 1, 2, 3, 4, 6, 8):
        blue = (u + chance.normal(0, strength, u.shape)).astype(np.float32)
        reading = detect.read(blue, KEYS, search=False)
        assert reading is None or reading.mark_id == ID
        mark_id, fit = scores.best(Reader(blue).soft(detect.as_made(blue)), KEY)
        assert mark_id in ("", ID) or fit < detect.AS_MADE.decoder


def _blue(chips: NDArray[np.int8]) -> NDArray[np.float32]:
    return chips[:, :34].repeat(16, 0).repeat(16, 1)[:, :540].astype(np.float32)


def _still(chips: NDArray[np.int8]) -> Image.Image:
    u = (128 + _blue(chips)).astype(np.uint8)
    return Image.fromarray(to_rgb((np.full((1920, 1080), 120, np.uint8), u, np.full(u.shape, 128, np.uint8))))


def test_both_scores_must_be_reached(tmp_path: Path) -> None:
    """One alone may come about by chance, and a checksum of 16 bits holds by chance now and then."""
    whole, chance = pattern.chips(message.encode(ID), KEY), np.random.default_rng(2)
    noise = chance.choice(np.array([-1, 1], np.int8), whole.shape)
    without_sync = np.where(pattern.public().sync, noise, whole)
    faint = np.where(pattern.public().sync | (chance.random(whole.shape) < 0.22), whole, noise)
    path = tmp_path / "still.png"
    for chips, weak in ((without_sync, "sync"), (faint, "decoder")):
        _still(chips).save(path)
        blue = picture.of_still(path)
        soft = Reader(blue).soft(Geometry(1))
        assert scores.best(soft, KEY)[0] == ID
        assert {"sync": scores.sync(soft) < 3.5, "decoder": scores.best(soft, KEY)[1] < 9} == {
            name: name == weak for name in ("sync", "decoder")
        }
        assert detect.read(blue, KEYS, search=False) is None
        assert detect.measure(path, ID, KEY).summary == "gone"
    _still(whole).save(path)
    assert detect.measure(path, ID, KEY).ok


@pytest.mark.parametrize("name", ["still.jpg", "still.png", "still.webp"])
def test_stills(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Image.fromarray(to_rgb(marked(scene(SQUARE)))).save(path, quality=70)
    reading = detect.read_still(path, KEYS, search=False)
    assert reading
    assert reading.mark_id == ID
    assert detect.measure(path, ID, KEY).ok


class TestMeasure:
    def test_what_was_read_is_in_the_evidence(self, tall: Path) -> None:
        found = detect.measure(tall, ID, KEY)
        assert found.ok, found.summary
        assert found.mark is Mark.watermark
        assert found.subject == digest.of_file(tall)
        assert found.measured["id"] == ID
        assert all(isinstance(found.measured[score], int) for score in ("sync", "decoder"))

    def test_another_id_is_no_evidence(self, tall: Path) -> None:
        found = detect.measure(tall, "1badcaff", KEY, subject="known")
        assert (found.ok, found.summary, found.subject) == (False, f"says {ID}, not 1badcaff", "known")

    def test_another_key_is_no_evidence(self, tall: Path) -> None:
        found = detect.measure(tall, ID, OTHER_KEY)
        assert (found.ok, found.summary, found.measured["id"]) == (False, "gone", "")

    def test_an_unmarked_film_is_no_evidence(self, unmarked: Path) -> None:
        assert detect.measure(unmarked, ID, KEY).summary == "gone"

    @pytest.mark.parametrize("content", [b"", b"no film", b"\xff\xd8\xff\xe0 no picture", b"\x89PNG\r\n\x1a\n"])
    def test_bad_media_is_no_evidence_and_no_error(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "post.mp4").write_bytes(content)
        found = detect.measure(tmp_path / "post.mp4", ID, KEY)
        assert not found.ok
        assert "cannot be read" in found.summary

    def test_a_missing_file_is_no_evidence(self, tmp_path: Path) -> None:
        found = detect.measure(tmp_path / "gone.mp4", ID, KEY)
        assert (found.ok, found.subject) == (False, "")

    def test_sound_alone_is_no_evidence(self, tmp_path: Path) -> None:
        path = tmp_path / "sound.mp4"
        with av.open(path, "w") as container:
            stream = container.add_stream("aac", rate=48000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.float32), format="fltp", layout="mono")
            frame.rate = 48000
            container.mux([*stream.encode(frame), *stream.encode(None)])
        assert "no picture" in detect.measure(path, ID, KEY).summary


class TestHumanClips:
    def test_they_are_not_looked_at(self, tmp_path: Path) -> None:
        """Two thirds of the film are a person's: looked at, they would outweigh the mark."""
        planes = scene(SMALL)
        path = tmp_path / "film.mp4"
        frames = [marked(planes)] * 20 + [scene(SMALL, seed=9)] * 80 + [marked(planes)] * 20
        with av.open(path, "w") as container:
            stream = container.add_stream("libx264", rate=20, options={"preset": "veryfast", "crf": "21"})
            stream.width, stream.height, stream.pix_fmt = *SMALL, "yuv420p"
            for each in frames:
                container.mux(stream.encode(material.to_frame(each)))
            container.mux(stream.encode(None))
        spared = detect.measure(path, ID, KEY, human_ms=((1000, 5000),))
        assert spared.ok, spared.summary
        assert spared.measured["decoder"] > detect.measure(path, ID, KEY).measured["decoder"]  # type: ignore[operator]

    def test_a_film_of_nothing_else_has_no_mark_to_measure(self, unmarked: Path) -> None:
        found = detect.measure(unmarked, ID, KEY, human_ms=((0, 10_000),))
        assert found.summary == "No frame of the avatar's could be decoded."


def test_a_film_too_large_to_look_at_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (5000, 16)).save(path)
    with pytest.raises(Invalid, match="larger than"):
        detect.read_still(path, KEYS, search=False)


def test_frames_are_taken_all_over_the_film(tall: Path) -> None:
    with av.open(tall) as container:
        stream = container.streams.video[0]
        seen = [frame.pts or 0 for frame in picture._frames(container, stream, ())]
    assert seen == sorted(set(seen))
    assert len(seen) >= FRAMES // 2


def test_a_strip_of_a_picture_costs_no_more_than_a_picture() -> None:
    strip = np.zeros((1, 2048), np.float32)
    assert Reader(strip)._resized(detect.as_made(strip).scale)[0].size < 2_000_000

"""Every hostile file is refused with its reason, reaches nothing, leaves nothing, and takes no more than its memory."""

import logging
import random
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image, ImageCms

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.services.uploads import CANONICAL
from avatar_scheduler.uploads import kinds
from avatar_scheduler.uploads.accept import Accepted, accepted
from avatar_scheduler.uploads.incoming import Incoming
from tests.uploads import corpus, good

PEAK = re.compile(r"(\d+) kB at most")


@contextmanager
def opened(folder: Path, kind: str, filename: str, data: bytes) -> Iterator[Accepted]:
    with Incoming(folder, kinds.kind_of(kind).most_bytes) as incoming:
        incoming.write(data)
        canonical = CANONICAL if kind == "pack" else ""
        with accepted(incoming, kind, filename, folder, canonical=canonical) as made:
            yield made


class Knocks:
    """A server on this machine that counts who comes."""

    def __init__(self) -> None:
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.door.getsockname()[1]
        self.count = 0
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        while True:
            visitor, _ = self.door.accept()
            with visitor:
                if visitor.recv(9) == b"the end\n":
                    return
                self.count += 1

    def total(self) -> int:
        """Whoever knocked before this call has been counted when it returns."""
        with socket.create_connection(("127.0.0.1", self.port)) as me:
            me.sendall(b"the end\n")
        self.thread.join()
        self.door.close()
        return self.count


@pytest.mark.timeout(300)
def test_every_hostile_file_is_refused_with_its_reason(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "avatar_scheduler.uploads.sandbox")
    knocks, wrong = Knocks(), {}
    cases = corpus.every(knocks.port)
    for case in cases:
        try:
            with opened(tmp_path, case.kind, case.filename, case.data) as made:
                wrong[case.name] = f"accepted as {made}"
        except Invalid as error:
            if error.code != case.code or case.words not in error.message:
                wrong[case.name] = f"{error.code}: {error.message}"
    peaks = [int(found) for found in PEAK.findall(caplog.text)]
    print(f"{len(cases)} hostile files, {len(peaks)} opened, {max(peaks) // 1024} MB at most")  # noqa: T201
    assert wrong == {}
    assert len({case.name for case in cases}) == len(cases) >= 80
    assert max(peaks) * 1024 <= kinds.MEMORY
    assert knocks.total() == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(300)
def test_damaged_at_random_they_are_opened_or_refused_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "avatar_scheduler.uploads.sandbox")
    chance, answered = random.Random(7), 0
    for kind, filename, data in (
        ("image", "a.jpg", good.picture("JPEG")),
        ("image", "a.webp", good.picture("WEBP")),
        ("audio", "a.mp3", good.sound("mp3", "libmp3lame")),
        ("clip", "a.mp4", good.clip()),
        ("clip", "a.webm", good.clip("webm", "libvpx-vp9", "libopus")),
    ):
        for _ in range(6):
            hurt = bytearray(data)
            for _ in range(chance.choice((1, 20, 200))):
                hurt[chance.randrange(16, len(hurt))] = chance.randrange(256)
            try:
                with opened(tmp_path, kind, filename, bytes(hurt)):
                    answered += 1
            except Invalid as error:
                answered += error.code != "upload_broken"
    assert answered == 30
    assert max(int(found) for found in PEAK.findall(caplog.text)) * 1024 <= kinds.MEMORY


class TestPictures:
    @pytest.mark.parametrize(
        ("kind", "mode"),
        [("JPEG", mode) for mode in ("RGB", "L", "CMYK")]
        + [("PNG", mode) for mode in ("RGB", "L", "P", "1", "I;16", "LA", "RGBA")]
        + [("WEBP", mode) for mode in ("RGB", "RGBA")],
    )
    def test_of_every_sort_are_written_anew(self, tmp_path: Path, kind: str, mode: str) -> None:
        given = good.scene().convert("L" if mode == "I;16" else mode).convert(mode)
        clear = "A" in mode
        if clear:
            given.putalpha(90)
        with opened(tmp_path, "image", "a", good.picture(kind, given)) as made, Image.open(made.path) as image:
            image.load()
            assert image.mode == ("RGBA" if clear else "RGB")
            assert made.mime == ("image/png" if kind == "PNG" or clear else "image/jpeg")
            assert (made.width, made.height) == image.size == (320, 240)

    def test_stand_upright_and_carry_no_notes(self, tmp_path: Path) -> None:
        with opened(tmp_path, "photo", "a.jpg", good.turned()) as made, Image.open(made.path) as image:
            assert image.size == (240, 320)
            assert len(image.getexif()) == 0
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
            assert b"maker" not in made.path.read_bytes()

    def test_are_made_smaller_than_the_largest_we_keep(self, tmp_path: Path) -> None:
        data = good.picture("PNG", Image.new("RGB", (5000, 2500), "teal"))
        with opened(tmp_path, "image", "a.png", data) as made, Image.open(made.thumbnail) as small:
            assert (made.width, made.height) == (4096, 2048)
            assert small.size == (480, 240)

    def test_in_another_colour_space_come_as_srgb(self, tmp_path: Path) -> None:
        red = Image.new("RGB", (64, 64), (255, 0, 0))
        crossed = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        crossed = crossed.replace(b"rXYZ", b"....", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"....", b"gXYZ", 1)
        for profile, seen in ((crossed, (0, 255, 0)), (b"no profile at all", (255, 0, 0))):
            with (
                opened(tmp_path, "image", "a.png", good.picture("PNG", red, icc_profile=profile)) as made,
                Image.open(made.path) as image,
            ):
                assert "icc_profile" not in image.info
                assert image.getpixel((5, 5)) == seen


class TestSounds:
    @pytest.mark.parametrize(
        ("filename", "container", "codec", "rate", "channels"),
        [
            ("a.wav", "wav", "pcm_s16le", 44_100, 2),
            ("a.wav", "wav", "pcm_s24le", 96_000, 1),
            ("a.flac", "flac", "flac", 48_000, 1),
            ("a.mp3", "mp3", "libmp3lame", 44_100, 2),
            ("a.ogg", "ogg", "libopus", 48_000, 1),
            ("a.m4a", "mp4", "aac", 48_000, 2),
            ("a.webm", "webm", "libopus", 48_000, 1),
        ],
    )
    def test_come_as_flac(
        self, tmp_path: Path, filename: str, container: str, codec: str, rate: int, channels: int
    ) -> None:
        data = good.sound(container, codec, rate, channels)
        for kind, layout in (("audio", "mono"), ("music", "stereo")):
            with opened(tmp_path, kind, filename, data) as made, av.open(str(made.path)) as found:
                stream = found.streams.audio[0]
                assert (stream.codec_context.name, stream.rate, stream.layout.name) == ("flac", 48_000, layout)
                assert abs(made.duration_ms - 1000) < 60
                assert made.thumbnail.stat().st_size == 0
                assert dict(found.metadata) == {}


class TestClips:
    @pytest.mark.parametrize(
        ("filename", "container", "codec", "sound"),
        [
            ("a.mp4", "mp4", "libx264", "aac"),
            ("a.mov", "mov", "libx265", ""),
            ("a.webm", "webm", "libvpx-vp9", "libopus"),
            ("a.mkv", "matroska", "libsvtav1", "pcm_s16le"),
        ],
    )
    def test_come_as_h264_at_thirty(
        self, tmp_path: Path, filename: str, container: str, codec: str, sound: str
    ) -> None:
        data = good.clip(container, codec, sound)
        with opened(tmp_path, "clip", filename, data) as made, av.open(str(made.path)) as found:
            film = found.streams.video[0]
            assert (film.codec_context.name, film.codec_context.pix_fmt) == ("h264", "yuv420p")
            assert film.average_rate == Fraction(30)
            assert (made.width, made.height, film.frames) == (320, 180, 30)
            assert [s.codec_context.name for s in found.streams.audio] == (["aac"] if sound else [])
            assert abs(made.duration_ms - 1000) <= 34
            times = [packet.pts for packet in found.demux(film) if packet.pts is not None]
            assert len({b - a for a, b in zip(sorted(times), sorted(times)[1:], strict=False)}) == 1
            with Image.open(made.thumbnail) as small:
                assert small.size == (320, 180)

    def test_are_no_larger_than_a_post(self, tmp_path: Path) -> None:
        data = good.clip(size=(2560, 1440), frames=2, sound_codec="")
        with opened(tmp_path, "clip", "a.mp4", data) as made:
            assert (made.width, made.height) == (1920, 1080)

    def test_filmed_upright_stay_upright(self, tmp_path: Path) -> None:
        data = bytearray(good.clip(sound_codec=""))
        at = data.index(b"tkhd") + 44
        data[at : at + 36] = _QUARTER
        with opened(tmp_path, "clip", "a.mp4", bytes(data)) as made:
            assert (made.width, made.height) == (180, 320)
            with Image.open(made.thumbnail) as small:  # what was on top on the left is now on top on the right
                red, green, blue = small.convert("RGB").crop((165, 5, 175, 15)).resize((1, 1)).tobytes()
            assert max(red, green) < 60
            assert blue > 180

    def test_keep_sound_and_picture_together(self, tmp_path: Path) -> None:
        with opened(tmp_path, "clip", "a.mp4", good.clip()) as made, av.open(str(made.path)) as found:
            starts = [float((stream.start_time or 0) * (stream.time_base or 0)) for stream in found.streams]
            assert max(starts) - min(starts) < 0.03


_QUARTER = b"".join(
    number.to_bytes(4, "big", signed=True) for number in (0, 1 << 16, 0, -(1 << 16), 0, 0, 180 << 16, 0, 1 << 30)
)
"""The matrix a phone writes when it is held upright."""


def test_a_pack_comes_in_its_one_form(tmp_path: Path) -> None:
    with opened(tmp_path, "pack", "a.zip", good.pack()) as made:
        first = made.path.read_bytes()
    with opened(tmp_path, "pack", "b.zip", first) as again:
        assert again.path.read_bytes() == first
        assert again.mime == "application/zip"


def test_progress_is_told(tmp_path: Path) -> None:
    heard: list[int] = []
    with Incoming(tmp_path, kinds.MB) as incoming:
        incoming.write(good.clip())
        with accepted(incoming, "clip", "a.mp4", tmp_path, heard.append):
            assert heard == sorted(set(heard))
            assert len(heard) > 5

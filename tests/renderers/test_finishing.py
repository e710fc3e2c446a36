"""Films from outside: what cannot be shown, heard or believed is refused; the rest gets our frame, label and length."""

import json
import random
from dataclasses import asdict
from pathlib import Path

import av
import numpy as np
import pytest

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.marks.watermark import detect
from avatar_scheduler.marks.watermark.keys import key_of
from avatar_scheduler.renderers import finishing, process
from avatar_scheduler.renderers.base import SIGNING, VENDOR_FILM, Order
from avatar_scheduler.studio.audio import RATE, measure
from tests.vendors.shop import make_mp4
from tests.world import Film


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


def order(film: Film, **more: str) -> Order:
    staging = json.dumps({"format": "1:1"})  # the smallest frame there is
    return Order.read({**film.order, "renderer": "heygen", "text": "Keep the heat low.", "staging": staging, **more})


def put(folder: Path, data: bytes) -> None:
    """What the vendor sent, and what the signature is told beside the order."""
    (folder / VENDOR_FILM).write_bytes(data)
    (folder / SIGNING).write_text(json.dumps({"timestamp_authority": "", "allow_hosts": []}))


def refusal(film: Film, folder: Path, data: bytes, **more: str) -> str:
    put(folder, data)
    (folder / "order.json").write_text(json.dumps(asdict(order(film, **more))))
    with pytest.raises(Refused) as refused:
        process.run("make", folder, film.keys / "credentials", lambda *_: None, 100)
    assert not (folder / "signed.mp4").exists()
    return refused.value.message


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("silent", "has no sound"),
        ("blind", "has no picture"),
        ("long", "30 seconds long; the script takes about 2"),
        ("garbage", "cannot be decoded"),
        ("holes", "cannot be decoded"),
        ("empty", "cannot be decoded"),
    ],
)
def test_what_is_no_film_of_this_script_is_refused(
    film: Film, films: Path, tmp_path: Path, kind: str, words: str
) -> None:
    made = broken(kind, films)
    found = refusal(film, tmp_path, made)
    assert words in found
    assert "Submit the post again, or use a built-in avatar." in found


def broken(kind: str, films: Path) -> bytes:
    if kind in ("silent", "blind"):
        return make_mp4(films, sound=kind != "silent", picture=kind != "blind")
    if kind == "long":
        return make_mp4(films, seconds=30)
    if kind == "holes":
        return holed(make_mp4(films))
    return random.Random(1).randbytes(50_000) if kind == "garbage" else b""


def holed(data: bytes) -> bytes:
    """Its index whole, what it points to gone."""
    at = data.index(b"mdat") + 4
    end = data.index(b"moov") - 4 if data.index(b"moov") > at else len(data)
    return data[:at] + bytes(end - at) + data[end:]


def test_a_short_one_for_a_long_script_is_refused(film: Film, films: Path, tmp_path: Path) -> None:
    assert "the script takes about 32" in refusal(film, tmp_path, make_mp4(films), text="Keep the heat low. " * 20)


def test_it_is_framed_leveled_and_as_long_as_it_was(film: Film, films: Path, tmp_path: Path) -> None:
    put(tmp_path, make_mp4(films, seconds=2.4))
    said: list[int] = []
    made = finishing.make(order(film), tmp_path, film.keys / "credentials", lambda percent, _: said.append(percent))
    assert (made["width"], made["height"], made["duration_ms"], made["human_ms"]) == (1080, 1080, 2400, [])
    assert said == sorted(said)
    with av.open(str(tmp_path / made["video"])) as container:
        video = container.streams.video[0]
        times = [frame.time for frame in container.decode(video)]
        assert (video.width, video.height) == (1080, 1080)
        assert np.allclose(np.diff(times), 1 / 30, atol=1e-3)
    with av.open(str(tmp_path / made["video"])) as container:
        parts = [frame.to_ndarray() for frame in container.decode(audio=0)]
    sound = np.concatenate(parts, axis=1).astype(np.float32)
    assert abs(measure(sound[:, : round(2.3 * RATE)]) + 14) < 1.0
    assert (tmp_path / made["captions"]).read_text().startswith("WEBVTT")
    assert (tmp_path / made["poster"]).read_bytes().startswith(b"\xff\xd8")


def test_it_carries_the_hidden_mark_whatever_the_vendor_put_there(film: Film, films: Path, tmp_path: Path) -> None:
    put(tmp_path, make_mp4(films))
    asked, keys = order(film), film.keys / "credentials"
    made = finishing.make(asked, tmp_path, keys, lambda *_: None)
    for file in (made["video"], made["poster"]):
        assert detect.measure(tmp_path / file, asked.mark_id, key_of(keys, asked.organization)).ok
    assert not detect.measure(tmp_path / VENDOR_FILM, asked.mark_id, key_of(keys, asked.organization)).ok


def test_what_is_left_over_of_the_frame_is_black(film: Film, films: Path, tmp_path: Path) -> None:
    put(tmp_path, make_mp4(films))
    finishing.make(order(film), tmp_path, film.keys / "credentials", lambda *_: None)
    with av.open(str(tmp_path / "signed.mp4")) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert picture[540, 40].max() < 12  # beside the upright film
    assert picture[540, 540].min() > 24

"""Real media, made once: a moving picture with the label drawn into it, signed by an installation of its own."""

from collections.abc import Callable, Container
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from avatar_scheduler.marks import credentials, source_types, xmp
from avatar_scheduler.marks.label import LabelArt, draw

SMALL = (540, 960)
FPS = 30
Picture = NDArray[np.uint8]


def scenery(size: tuple[int, int]) -> Picture:
    """Coloured tiles: harder on the encoder than a face."""
    width, height = size
    tiles = np.random.default_rng(7).integers(40, 220, (height // 40 + 1, width // 40 + 1, 3), np.uint8)
    return np.ascontiguousarray(tiles.repeat(40, 0).repeat(40, 1)[:height, :width])


def lay(art: LabelArt, picture: Picture) -> None:
    """Composites the art as the studio does."""
    pixels = np.frombuffer(art.rgba, np.uint8).reshape(art.height, art.width, 4).astype(np.float32)
    alpha = pixels[..., 3:] / 255
    under = picture[art.y : art.y + art.height, art.x : art.x + art.width]
    under[:] = (pixels[..., :3] * alpha + under * (1 - alpha)).round()


def film(
    path: Path,
    art: LabelArt | None,
    *,
    seconds: float = 2,
    size: tuple[int, int] = SMALL,
    fps: int = FPS,
    without: Container[int] = (),
    options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    instead: LabelArt | None = None,
) -> Path:
    """`without` are the numbers of the frames that lack the label, or show another `instead`."""
    ground = scenery(size)
    with av.open(path, "w") as container:
        stream = container.add_stream(
            "libx264", rate=fps, options={"preset": "ultrafast", "bf": "2", **(options or {})}
        )
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        for number in range(round(seconds * fps)):
            picture = np.roll(ground, number * 3, axis=0)
            if shown := instead if number in without else art:
                lay(shown, picture)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def art() -> LabelArt:
    return draw("AI", "Avatar of Maya", SMALL)


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory, art: LabelArt) -> Path:
    return film(tmp_path_factory.mktemp("films") / "labelled.mp4", art, seconds=5)


@pytest.fixture(scope="session")
def now() -> datetime:
    """The machine's time, once: c2pa itself looks at the machine's clock."""
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> Path:
    folder = tmp_path_factory.mktemp("installation") / "chain"
    credentials.make_chain(folder, "Studio Ada", now)
    return folder


@pytest.fixture(scope="session")
def signed(tmp_path_factory: pytest.TempPathFactory, labelled: Path, folder: Path, now: datetime) -> Path:
    """Everything a video must carry, in the order it is put on."""
    tagged = tmp_path_factory.mktemp("signed") / "tagged.mp4"
    tagged.write_bytes(labelled.read_bytes())
    xmp.write(tagged, source_types.TRAINED)
    post = tagged.with_name("post.mp4")
    credentials.sign(tagged, post, folder=folder, title="post.mp4", software="0.1.0", when=now)
    return post


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[Path], Path]:
    def copy(source: Path) -> Path:
        target = tmp_path / source.name
        target.write_bytes(source.read_bytes())
        return target

    return copy


@pytest.fixture(autouse=True)
def _no_footprints(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The second reader saves its telemetry choice in the user's settings."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("settings")))

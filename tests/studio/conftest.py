"""One real film for the whole folder, and the small jobs the other tests are cut from."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from avatar_scheduler.studio import audio
from avatar_scheduler.studio.avatar import pack
from avatar_scheduler.studio.job import PACKS, Overlay, Rendered, StudioJob
from avatar_scheduler.studio.render import render
from avatar_scheduler.studio.speech.speak import speak
from avatar_scheduler.studio.timed import Speech
from tests.studio.jobs import SCRIPT, make_job

# Maya's mouth and label in a 1080x1920 frame.
MOUTH = (slice(990, 1190), slice(430, 770))
LABEL = (slice(60, 180), slice(480, 1040))


@dataclass(frozen=True)
class Film:
    """What a player sees and hears. Pictures are luma."""

    rendered: Rendered
    progress: list[tuple[int, str]]
    mouths: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    sound: audio.Sound


@pytest.fixture(scope="session")
def speech() -> Speech:
    return speak(SCRIPT, "en")


@pytest.fixture(scope="session")
def maya() -> pack.Pack:
    return pack.load(PACKS / "maya")


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    progress: list[tuple[int, str]] = []
    rendered = render(
        make_job(), tmp_path_factory.mktemp("film"), lambda percent, stage: progress.append((percent, stage))
    )
    pictures = list(_pictures(rendered.video))
    with av.open(str(rendered.video)) as container:
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1).astype(np.float32)
    return Film(
        rendered,
        progress,
        np.stack([picture[MOUTH] for picture in pictures]),
        np.stack([picture[LABEL] for picture in pictures]),
        sound,
    )


@pytest.fixture
def small_job() -> StudioJob:
    """A quarter of the pixels and two words: for what does not depend on size."""
    plate = np.full((40, 180, 4), (20, 24, 30, 255), np.uint8)
    return make_job(text="Hello there.", width=540, height=960, overlay=Overlay(plate.tobytes(), 180, 40, 340, 20))


def _pictures(video: Path) -> Iterator[NDArray[np.uint8]]:
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="gray").astype(np.uint8)

"""Films and speech made for the tests: small, and different in every frame."""

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.studio import planes
from avatar_scheduler.studio.timed import Cue, Speech, Timed

RATE = 24_000
TONE = 1000


def clip(path: Path, size: tuple[int, int] = (320, 240), *, seconds: float = 1.0, fps: int = 30, tone: int = 0) -> Path:
    """Grey that rises from dark to light with its number, so that a picture says when it is; a tone if asked for."""
    with av.open(path, "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"crf": "10", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        sound = container.add_stream("aac", rate=48_000, layout="stereo") if tone else None
        for number in range(round(seconds * fps)):
            picture = np.full((size[1], size[0], 3), level(number), np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode())
        if sound:
            wave = (0.3 * np.sin(np.arange(round(seconds * 48_000)) * 2 * np.pi * tone / 48_000)).astype(np.float32)
            for start in range(0, len(wave), 1024):
                part = np.stack([wave[start : start + 1024]] * 2)
                frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
                frame.sample_rate, frame.pts = 48_000, start
                container.mux(sound.encode(frame))
            container.mux(sound.encode())
    return path


def level(number: int) -> int:
    return 40 + 4 * (number % 50)


def speech(*cues: Cue, seconds: float = 2.0) -> Speech:
    """Noise for a voice: four words, each half of the time spoken with the lips closed at first."""
    step = (seconds - 0.6) / 4
    words = tuple(Timed(f"word{i}", 0.3 + i * step, 0.3 + (i + 1) * step) for i in range(4))
    phonemes = tuple(
        Timed(sound, word.start + part * step / 2, word.start + (part + 1) * step / 2)
        for word in words
        for part, sound in enumerate("mɑ")
    )
    samples = np.random.default_rng(1).normal(0, 0.05, round(seconds * RATE)).astype(np.float32)
    return Speech(samples, RATE, words, phonemes, "misaki_en", cues)


def grey(frame: av.VideoFrame) -> NDArray[np.uint8]:
    luma = planes.views(frame)[0].astype(np.float32)
    return np.asarray(np.clip((luma - 16) * (255 / 219), 0, 255).round(), np.uint8)

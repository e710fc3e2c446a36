"""Honest files of every kind, small, made while the tests run."""

import io
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

import avatar_scheduler.studio

PACKS = Path(avatar_scheduler.studio.__file__).parent / "packs"


def scene(width: int = 320, height: int = 240) -> Image.Image:
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, 255 - x], axis=-1).astype("uint8"))


def picture(kind: str, image: Image.Image | None = None, **more: Any) -> bytes:
    out = io.BytesIO()
    (image or scene()).save(out, kind, **more)
    return out.getvalue()


def turned() -> bytes:
    """A phone's photo held upright: 320x240 in the file, to be seen as 240x320, with the place it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "A maker nobody should hear of"
    return picture("JPEG", exif=exif)


def tone(seconds: float, rate: int, channels: int = 1) -> av.AudioFrame:
    wave = (np.sin(np.arange(int(rate * seconds)) / 20) * 8000).astype("int16")
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[channels]
    frame = av.AudioFrame.from_ndarray(np.repeat(wave, channels).reshape(1, -1), format="s16", layout=layout)
    frame.sample_rate = rate
    return frame


@cache
def sound(container: str, codec: str, rate: int = 48_000, channels: int = 1, seconds: float = 1) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=container) as film:
        add_sound(film, codec, rate, channels, seconds)
    return out.getvalue()


def add_sound(film: Any, codec: str, rate: int = 48_000, channels: int = 1, seconds: float = 1) -> None:
    frame = tone(seconds, rate, channels)
    stream = film.add_stream(codec, rate=rate, layout=frame.layout.name)
    size = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(stream.codec_context.format.name, frame.layout.name, rate, frame_size=size)
    for part in (*resampler.resample(frame), *resampler.resample(None)):
        film.mux(stream.encode(part))
    film.mux(stream.encode(None))


@cache
def clip(
    container: str = "mp4", codec: str = "libx264", sound_codec: str = "aac", size: tuple[int, int] = (320, 180),
    rate: int = 25, frames: int = 25, films: int = 1, channels: int = 1, pixels: str = "yuv420p",
) -> bytes:  # fmt: skip
    out = io.BytesIO()
    with av.open(out, "w", format=container) as film:
        streams = []
        for _ in range(films):
            stream: Any = film.add_stream(
                codec, rate=rate, options={"preset": "ultrafast"} if codec == "libx264" else {}
            )
            stream.width, stream.height, stream.pix_fmt = *size, pixels
            streams.append(stream)
        flat = max(size) > 4096
        frame = (
            av.VideoFrame(*size, "yuv420p")
            if flat
            else av.VideoFrame.from_ndarray(np.asarray(scene(*size)), format="rgb24")
        )
        if sound_codec:
            add_sound(film, sound_codec, channels=channels, seconds=frames / rate)
        for number in range(frames):
            for stream in streams:
                shown = frame.reformat(format=pixels)
                shown.pts = number
                film.mux(stream.encode(shown))
        for stream in streams:
            film.mux(stream.encode(None))
    return out.getvalue()


def pack(**changed: bytes | None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        files = {path.name: path.read_bytes() for path in sorted((PACKS / "maya").iterdir())}
        for name, data in {**files, **changed}.items():
            if data is not None:
                archive.writestr(name, data)
    return out.getvalue()

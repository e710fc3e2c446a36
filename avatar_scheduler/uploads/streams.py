"""What sound and film share: a container opened as the one format it was found to be, its streams counted."""

import errno
import importlib
import os
import pkgutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

import av
from av.container import InputContainer
from av.stream import Disposition

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.uploads import kinds

av.logging.set_level(None)

SOUND_CODECS = (
    "aac", "mp3", "mp3float", "flac", "opus", "libopus", "vorbis", "alac", "pcm_s16le", "pcm_s24le", "pcm_s32le",
    "pcm_u8", "pcm_f32le", "pcm_s16be", "pcm_mulaw", "pcm_alaw",
)  # fmt: skip
FILM_CODECS = ("h264", "hevc", "vp8", "vp9", "av1", "libdav1d")
GRACE = 1
"""Seconds over: encoders round up."""
_FORMATS = {"mov": "mov,mp4,m4a,3gp,3g2,mj2", "matroska": "matroska,webm"}


def load() -> None:
    """PyAV imports some of itself at first use, when no file can be read any more."""
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if not module.name.endswith(("__main__", "datasets")):
            importlib.import_module(module.name)


@contextmanager
def opened(source: BinaryIO, opener: str) -> Iterator[InputContainer]:
    """Nothing is guessed and nothing else is fetched: one format, our own file object, no protocol at all."""
    options = {
        "format_whitelist": _FORMATS.get(opener, opener),
        "codec_whitelist": ",".join(SOUND_CODECS + FILM_CODECS),
        "protocol_whitelist": "none",
        "enable_drefs": "0",
        "use_absolute_path": "0",
        "max_pixels": str(kinds.CLIP_PIXELS),
        "probesize": "2000000",
        "threads": "1",
    }
    if opener != "mov":
        del options["enable_drefs"], options["use_absolute_path"]
    try:
        with av.open(source, format=opener, options=options, io_open=_nothing_else, metadata_errors="replace") as found:
            if isinstance(found, InputContainer):
                yield found
    except (av.error.FFmpegError, OverflowError, ZeroDivisionError) as error:
        _not_its_fault(error)
        raise Invalid("The file is damaged or cut off. Export it again.", code="upload_damaged") from None


def _not_its_fault(error: Exception) -> None:
    """What the machine lacks is said as such, by the one who asked."""
    number = getattr(error, "errno", None)
    if number in (errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        raise OSError(number, os.strerror(number)) from None
    if number in (errno.EPERM, errno.EACCES):
        raise Invalid("The file asks for more than itself. Export it as one file.", code="upload_asks") from None


def _nothing_else(url: str, flags: int, options: Mapping[str, Any]) -> object:
    raise PermissionError(errno.EPERM, "no other file is opened", url)


def check(container: InputContainer, longest: int) -> None:
    if len(container.streams) > kinds.MOST_STREAMS:
        raise Invalid(
            f"The file has {len(container.streams)} streams; {kinds.MOST_STREAMS} is the most. Export it again.",
            code="upload_streams",
        )
    if container.duration is not None and container.duration > (longest + GRACE) * av.time_base:
        raise too_long(longest)


def too_long(longest: int) -> Invalid:
    return Invalid(f"It is longer than {longest // 60} minutes. Cut it shorter.", code="upload_long")


def no_sound() -> Invalid:
    return Invalid("There is no sound in the file.", code="upload_silent")


def check_sound(stream: av.AudioStream, most_channels: int) -> None:
    """A codec we do not open has no context, or a name off the list."""
    if stream.codec_context is None or stream.codec_context.name not in SOUND_CODECS:
        raise strange("sound", stream)
    channels, rate = stream.codec_context.layout.nb_channels, stream.codec_context.sample_rate
    if not 1 <= channels <= most_channels:
        raise Invalid(f"The sound has {channels} channels; {most_channels} is the most.", code="upload_channels")
    low, high = kinds.RATES
    if not low <= rate <= high:
        raise Invalid(f"The sound has {rate} samples a second; {low} to {high} can be used.", code="upload_rate")


def strange(what: str, stream: av.stream.Stream) -> Invalid:
    name = stream.codec_context.name if stream.codec_context else "an unknown codec"
    return Invalid(
        f"Its {what} is in {name}, which is not opened here. Export it as MP4 (H.264, AAC).", code="upload_codec"
    )


def films(container: InputContainer) -> list[av.VideoStream]:
    """Moving pictures; the cover of a song is none."""
    return [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]


def frames(container: InputContainer, stream: av.AudioStream) -> Iterator[av.AudioFrame | None]:
    """None at the end, which empties what is downstream."""
    yield from container.decode(stream)
    yield None

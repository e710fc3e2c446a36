"""What may be uploaded, and how much of it: every cap in one place."""

from dataclasses import dataclass

from avatar_scheduler.domain.errors import Invalid

MB = 2**20


@dataclass(frozen=True)
class Kind:
    families: tuple[str, ...]
    most_bytes: int
    wall_seconds: float
    """Longer than a slow machine needs for the longest file we take."""
    written_bytes: int
    """Of what we write from it."""
    ways: str
    """What to bring, in words."""


_STILL = "a JPEG, PNG or WebP picture"
_SOUND = "a WAV, FLAC, MP3, Ogg or M4A sound"
KINDS = {
    "photo": Kind(("picture",), 25 * MB, 60, 100 * MB, _STILL),
    "image": Kind(("picture",), 25 * MB, 60, 100 * MB, _STILL),
    "audio": Kind(("sound", "mp4", "matroska"), 100 * MB, 180, 100 * MB, _SOUND),
    "music": Kind(("sound", "mp4", "matroska"), 100 * MB, 180, 200 * MB, _SOUND),
    "clip": Kind(("mp4", "matroska"), 500 * MB, 1200, 500 * MB, "an MP4, MOV or WebM film"),
    "pack": Kind(("zip",), 50 * MB, 120, 100 * MB, "a ZIP of an avatar pack"),
}

MOST_PIXELS = 50_000_000
LONGEST_SIDE, SHORTEST_SIDE = 16_384, 16
KEPT_SIDE, CLIP_SIDE = 4096, 1920
"""Pictures and films are made smaller to these."""
MOST_METADATA = MB
SOUND_SECONDS, CLIP_SECONDS = 600, 180
MOST_STREAMS = 16
MOST_CHANNELS, CLIP_CHANNELS = 2, 6
RATES = (8_000, 96_000)
CLIP_PIXELS = 4096 * 2304
CLIP_RATE, KEPT_RATE = 120, 30

MEMORY = 512 * MB
"""Of the process that opens a file, all told."""


def kind_of(name: str) -> Kind:
    if name not in KINDS:
        raise Invalid(f"“{name[:40]}” is not a kind of upload. Use one of: {', '.join(KINDS)}.", code="upload_kind")
    return KINDS[name]


def size(number: int) -> str:
    """Bytes as people read them."""
    for unit, name in ((1 << 30, "GB"), (MB, "MB"), (1 << 10, "kB")):
        if number >= unit:
            return f"{number / unit:.{0 if number >= 10 * unit else 1}f} {name}"
    return f"{number} bytes"

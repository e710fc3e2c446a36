"""What to render, and whether it can be: light enough for a web process to import."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.staging import Staging
from avatar_scheduler.studio import voices
from avatar_scheduler.studio.speech import cues

if TYPE_CHECKING:
    from avatar_scheduler.studio.watermark import Watermark

PACKS = Path(__file__).parent / "packs"
SCENES = Path(__file__).parent / "scenes"
LONGEST_SECONDS = 600
LONGEST_BEFORE_SPOKEN = 4.0
"""Seconds: with the breath before the first word it is heard in the first 5."""
_BEHIND = {"image": ("image", "photo"), "video": ("clip",)}
"""Kinds of material a background may be."""

# Measured on the English voice: 14 to 16 letters a second, and a digit reads as about four letters.
_LETTERS_PER_SECOND = 15
_LETTERS_PER_DIGIT = 4
_SECONDS_PER_SENTENCE = 0.4


@dataclass(frozen=True)
class Overlay:
    """Straight-alpha RGBA, drawn over everything from the first frame to the last. x and y are even."""

    rgba: bytes
    width: int
    height: int
    x: int
    y: int


@dataclass(frozen=True)
class Material:
    """An uploaded file, already checked and re-encoded by us."""

    kind: str
    """"photo", "image", "audio", "music", "clip" or "pack"."""
    path: Path


@dataclass(frozen=True)
class StudioJob:
    """All randomness comes from `seed`: the same job gives the same frames."""

    text: str
    language: str
    avatar: str
    """A built-in pack's id; ignored when `pack` names a folder."""
    scene: str
    seed: str
    overlay: Overlay
    width: int = 1080
    height: int = 1920
    fps: int = 30
    staging: Staging = field(default_factory=Staging)
    materials: Mapping[str, Material] = field(default_factory=dict)
    """By the names `staging` and the script use."""
    pack: Path | None = None
    """Folder of an uploaded look."""
    pronunciations: Mapping[str, str] = field(default_factory=dict)
    """Written word -> how to read it, in the language's spelling."""
    sentences: Path | None = None
    """Folder where spoken sentences are kept between renders; None keeps nothing."""
    draft: bool = False
    """Quick and small, for the composer; never leaves."""
    over_person: Overlay | None = None
    """What stays over a person's own clip, where the label may not: that it is paid for."""
    spoken: str = ""
    """Said before everything else, as it is written here; a line may be in another language. Empty says nothing."""
    watermark: "Watermark | None" = None
    """Hidden in every picture but those of a human clip, and in no draft. None hides nothing."""


@dataclass(frozen=True)
class Rendered:
    video: Path
    captions: Path
    poster: Path
    duration_ms: int
    width: int
    height: int
    human_ms: tuple[tuple[int, int], ...] = ()
    """Start and end of each part that shows a person, not the avatar."""


def avatars() -> list[str]:
    return sorted(path.parent.name for path in PACKS.glob("*/avatar.toml"))


def scenes() -> list[str]:
    return sorted(path.stem for path in SCENES.glob("*.svg"))


def estimate_seconds(text: str) -> float:
    letters = sum(_LETTERS_PER_DIGIT if c.isdigit() else 1 for c in text if c.isalnum() or c.isspace())
    sentences = 1 + len(re.findall(r"[.!?…\n]+", text))
    return letters / _LETTERS_PER_SECOND + sentences * _SECONDS_PER_SENTENCE


def check(job: StudioJob) -> None:
    """Raises Invalid for a job that cannot be rendered, before anything is spent on it."""
    _check_text(cues.check(job.text, {name: material.kind for name, material in job.materials.items()}))
    if job.spoken or not job.staging.recording:
        voices.check(job.language, "" if job.staging.recording else job.staging.voice)
    if job.spoken and job.staging.intro and job.staging.intro.seconds > LONGEST_BEFORE_SPOKEN:
        raise Invalid(
            f"intro.seconds: before the spoken notice a card may stay {LONGEST_BEFORE_SPOKEN:g} seconds. Shorten it.",
            code="staging",
        )
    background = job.staging.background
    for what, value, known in (
        ("avatar", job.avatar, [job.avatar] if job.pack else avatars()),
        ("scene", (background.kind == "scene" and background.value) or job.scene, scenes()),
    ):
        if value not in known:
            raise Invalid(f'There is no {what} "{value}". Choose one of: {", ".join(known)}.', code=f"unknown_{what}")
    _check_materials(job)
    _check_frame(job)


def _check_materials(job: StudioJob) -> None:
    """Those the settings name; the script's own are checked with its cues."""
    staging = job.staging
    for where, name, kinds in (
        ("recording", staging.recording, ("audio",)),
        ("music.material", staging.music.material if staging.music else "", ("music", "audio")),
        ("background.value", staging.background.value, _BEHIND.get(staging.background.kind, ())),
    ):
        if not name or not kinds:
            continue
        if name not in job.materials:
            raise Invalid(f"{where}: there is no material “{name}”. Upload it, or name another.", code="material")
        kind = job.materials[name].kind
        if kind not in kinds:
            raise Invalid(f"{where}: “{name}” is of kind {kind}, not {' or '.join(kinds)}.", code="material")


def _check_text(text: str) -> None:
    if not text.strip():
        raise Invalid("The script is empty. Write at least one word to speak.", code="script_empty")
    if not any(_speakable(c) for c in text):
        if any(c.isalpha() for c in text):
            known = ", ".join(sorted(voices.languages()))
            raise Invalid(
                f"No voice here reads the letters of this script. Write it in one of: {known}.",
                code="script_unspeakable",
            )
        raise Invalid("The script has only signs or emoji. Add a sentence to speak.", code="script_unspeakable")
    if estimate_seconds(text) > LONGEST_SECONDS:
        raise too_long()


def too_long() -> Invalid:
    minutes = LONGEST_SECONDS // 60
    return Invalid(f"The script is longer than {minutes} minutes. Shorten it or split it.", code="script_too_long")


def _speakable(character: str) -> bool:
    return character.isdecimal() or unicodedata.name(character, "").startswith("LATIN ")


def _check_frame(job: StudioJob) -> None:
    overlay = job.overlay
    if job.width % 2 or job.height % 2 or not (240 <= job.width <= 2160 and 240 <= job.height <= 3840):
        raise Invalid(f"A frame of {job.width}x{job.height} cannot be drawn. Use even numbers, 240 to 2160x3840.")
    if not 10 <= job.fps <= 60:
        raise Invalid(f"{job.fps} frames a second cannot be drawn. Use 10 to 60.")
    if len(overlay.rgba) != overlay.width * overlay.height * 4 or not overlay.rgba:
        raise Invalid(f"The label picture is not {overlay.width}x{overlay.height} RGBA.")
    inside = 0 <= overlay.x <= job.width - overlay.width and 0 <= overlay.y <= job.height - overlay.height
    if overlay.x % 2 or overlay.y % 2 or not inside:
        raise Invalid(f"The label at {overlay.x},{overlay.y} does not lie inside the frame on even pixels.")
    if not re.fullmatch(r"[0-9a-f]+", job.seed):
        raise Invalid("The seed is not a hexadecimal number.")

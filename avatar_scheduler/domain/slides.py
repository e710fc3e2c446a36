"""What a still post shows, as its writer wrote it: slides between lines of ---, each a few words and a few settings.

    # look
    pose: smile, look left
    background: city
    alt: Maya on a roof at dusk, the city behind her.

    Evening walks count too.
    ---
    Keep the heat low.
    — Grandma

The first line may say what the slide is; without it a slide with words is a quote and one without is a look.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.staging import PLACES, Background
from avatar_scheduler.domain.staging import read as read_staging

KINDS = ("look", "quote", "thumbnail")
"""The avatar in a place, words with a small avatar beside them, or a few large words beside the avatar."""
MOST = 10
SETTINGS = ("pose", "background", "place", "alt")
MOODS = ("neutral", "smile", "worried", "surprised")
GAZES = ("look camera", "look left", "look right")
TILTS = ("tilt left", "tilt right")
POSES = (*MOODS, *GAZES, *TILTS)
LONGEST = {"look": 140, "quote": 360, "thumbnail": 60}
"""Letters a picture can show at a size people read."""
LONGEST_ALT = 1000
DASHES = ("— ", "– ", "- ")

_RULE = re.compile(r"-{3,}")
_CUE = re.compile(r"\[[a-z][^\]\n]*\]")


@dataclass(frozen=True)
class Slide:
    kind: str
    text: str = ""
    by: str = ""
    """Who said it, under a quote."""
    mood: str = "smile"
    gaze: str = "look camera"
    tilt: str = ""
    place: str = ""
    """One of `staging.PLACES`; empty leaves it to the post's settings."""
    background: Background | None = None
    """None leaves it to the post's settings."""
    alt: str = ""
    """For those who cannot see it. Never empty once read."""


def read(text: str, *, name: str = "") -> tuple[Slide, ...]:
    """`name` says whose avatar it is, for pictures nobody described. Raises Invalid that names the slide."""
    parts = _split(text)
    if not parts:
        raise Invalid("The post has no slide. Write at least a line of words, or “# look”.", code="no_slides")
    if len(parts) > MOST:
        raise Invalid(f"The post has {len(parts)} slides; {MOST} is the most. Take some out.", code="slides")
    slides = []
    for number, lines in enumerate(parts, 1):
        try:
            slides.append(_slide(lines, name))
        except Invalid as wrong:
            raise Invalid(f"Slide {number}: {wrong.message}", code=wrong.code) from None
    return tuple(slides)


def materials(slides: Iterable[Slide]) -> list[str]:
    """Pictures the slides name."""
    shown = [slide.background for slide in slides if slide.background]
    return [background.value for background in shown if background.kind == "image"]


def _split(text: str) -> list[list[str]]:
    """Lines of each slide. A rule before the first or after the last is an ornament; between two it is a mistake."""
    parts: list[list[str]] = [[]]
    for line in text.strip().splitlines():
        if _RULE.fullmatch(line.strip()):
            parts.append([])
        else:
            parts[-1].append(line.rstrip())
    full = [part if any(line.strip() for line in part) else [] for part in parts]
    while full and not full[0]:
        full.pop(0)
    while full and not full[-1]:
        full.pop()
    return full


def _slide(lines: list[str], name: str) -> Slide:
    if not lines:
        raise Invalid("there is nothing between two lines of ---. Write it, or take one line out.", code="slides")
    lines = list(lines)
    while not lines[0].strip():
        lines.pop(0)
    kind = ""
    if lines[0].startswith("#"):
        kind = lines.pop(0).lstrip("#").strip().lower()
        if kind not in KINDS:
            raise Invalid(f"there is no “# {kind[:40]}”. Use # {', # '.join(KINDS)}.", code="slide_kind")
    given = _settings(lines)
    words, by = _words(lines)
    kind = kind or ("quote" if words else "look")
    slide = Slide(kind, words, by, place=_place(given), background=_background(given), alt=given.get("alt", ""))
    slide = _posed(slide, given.get("pose", ""))
    _check(slide)
    return replace(slide, alt=slide.alt or _described(slide, name))


def _settings(lines: list[str]) -> dict[str, str]:
    """Takes the leading lines “key: value” out of `lines`. Any other line begins the words."""
    given: dict[str, str] = {}
    while lines:
        key, colon, value = lines[0].partition(":")
        key = key.strip().lower()
        if not colon or key not in SETTINGS:
            near = difflib.get_close_matches(key, SETTINGS, 1, 0.8) if colon else []
            if near:
                raise Invalid(f"there is no setting “{key}”. Did you mean “{near[0]}”?", code="slide_setting")
            break
        if key in given:
            raise Invalid(f"“{key}” is set twice. Keep one.", code="slide_setting")
        given[key] = value.strip()
        lines.pop(0)
    return given


def _words(lines: list[str]) -> tuple[str, str]:
    """The words, and who said them when the last line begins with a dash."""
    lines = "\n".join(lines).strip().splitlines()
    by = ""
    if len(lines) > 1 and lines[-1].startswith(DASHES):
        by = lines.pop().lstrip("—–- ").strip()
    return "\n".join(lines).strip(), by


def _place(given: dict[str, str]) -> str:
    place = given.get("place", "")
    if place and place not in PLACES:
        raise Invalid(f"place: “{place[:40]}” is not known. Use one of: {', '.join(PLACES)}.", code="slide_setting")
    return place


def _background(given: dict[str, str]) -> Background | None:
    """A scene's name, one colour or two, or “image NAME”: as short as it can be written."""
    said = given.get("background", "").split()
    if not said:
        return None
    if said[0].startswith("#"):
        wanted = {"kind": "color" if len(said) == 1 else "gradient", "value": " ".join(said)}
    elif said[0] == "image" and len(said) == 2:
        wanted = {"kind": "image", "value": said[1]}
    elif len(said) == 1:
        wanted = {"kind": "scene", "value": said[0]}
    else:
        raise Invalid(
            "background: write a scene such as city, #1d3557, #1d3557 #457b9d, or image NAME.", code="slide_setting"
        )
    names = {wanted["value"]: wanted["value"]} if wanted["kind"] == "image" else {}
    return read_staging({"background": wanted, "materials": names}).background


def _posed(slide: Slide, said: str) -> Slide:
    for word in filter(None, (part.strip().lower() for part in said.split(","))):
        if word in MOODS:
            slide = replace(slide, mood=word)
        elif word in GAZES:
            slide = replace(slide, gaze=word)
        elif word in TILTS:
            slide = replace(slide, tilt=word)
        else:
            raise Invalid(f"pose: “{word[:40]}” is not known. Use: {', '.join(POSES)}.", code="slide_setting")
    return slide


def _check(slide: Slide) -> None:
    if slide.kind != "look" and not slide.text:
        raise Invalid(f"a {slide.kind} needs words. Write them under its first line.", code="slide_empty")
    if slide.by and slide.kind != "quote":
        raise Invalid("only a quote ends with who said it. Write “# quote” above it.", code="slide_by")
    most = LONGEST[slide.kind]
    if len(slide.text) > most:
        raise Invalid(
            f"it has {len(slide.text)} letters; a {slide.kind} shows {most}. Shorten it or make two.", code="slide_long"
        )
    if len(slide.alt) > LONGEST_ALT:
        raise Invalid(f"alt: {len(slide.alt)} letters; {LONGEST_ALT} is the most.", code="slide_setting")
    if cue := _CUE.search(slide.text):
        raise Invalid(
            f"{cue[0]} is a cue for a film. In a picture write a line “pose: smile, look left”.", code="slide_cue"
        )


def _described(slide: Slide, name: str) -> str:
    """Said of a picture nobody described: less than a person would say, and never nothing."""
    words = " ".join(slide.text.split())
    if slide.kind == "quote":
        return f"“{words}”" + (f" — {slide.by}" if slide.by else "")
    scene = slide.background.value if slide.background and slide.background.kind == "scene" else ""
    shown = ", ".join(filter(None, (name or "The avatar", scene)))
    return f"{shown}. {words}".strip() if words else f"{shown}."

"""Where things lie on each kind of slide. Everything keeps below the label's lower edge or clear of its side."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import skia

from avatar_scheduler.domain.slides import Slide
from avatar_scheduler.domain.staging import Background
from avatar_scheduler.studio.job import StudioJob
from avatar_scheduler.studio.lettering import REGULAR
from avatar_scheduler.studio.scene.backdrop import backdrop
from avatar_scheduler.studio.stills import words
from avatar_scheduler.studio.stills.person import Person
from avatar_scheduler.studio.textblock import Block

INK, PAPER, AMBER, WHITE = 0xFF14181F, 0xFFFBF8F2, 0xFFFFC53D, 0xFFFFFFFF
PLATE = 0xD2141A22
_SOFT = 0xFF5B6470
_BLUR = 0.022
"""Of the frame's shortest side: a place is still felt behind a quote, and no longer read."""
_LEAST_CONTRAST = 3.0
"""WCAG 2.2, for large text."""


def paint(canvas: Any, job: StudioJob, slide: Slide, person: Person, signature: str) -> None:
    background = slide.background or job.staging.background
    {"look": _look, "quote": _quote, "thumbnail": _thumbnail}[slide.kind](
        canvas, job, slide, person, background, signature
    )


def _ground(canvas: Any, job: StudioJob, background: Background) -> None:
    pixels = backdrop(replace(job, staging=replace(job.staging, background=background)))
    canvas.drawImage(skia.Image.fromarray(pixels, skia.kRGBA_8888_ColorType), 0, 0)


def _ink(background: Background) -> int | None:
    """White or near black, whichever is read more easily on all of these colours; None when neither is, or no colour
    is known."""
    if background.kind not in ("color", "gradient"):
        return None
    grounds = [_luminance(int(color[1:], 16)) for color in background.value.split()]
    readable = {ink: min(_contrast(_luminance(ink), ground) for ground in grounds) for ink in (WHITE, INK)}
    best = max(readable, key=lambda ink: readable[ink])
    return best if readable[best] >= _LEAST_CONTRAST else None


def _luminance(color: int) -> float:
    red, green, blue = ((color >> shift & 0xFF) / 255 for shift in (16, 8, 0))
    return float(0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2)


def _contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def _look(canvas: Any, job: StudioJob, slide: Slide, person: Person, background: Background, _: str) -> None:
    _ground(canvas, job, background)
    width, height = job.width, job.height
    place = slide.place or job.staging.place
    if place == "circle":
        radius = 0.3 * min(width, height)
        middle = (width / 2, height / 2 + 0.06 * height)
        person.peep(canvas, x=middle[0], y=middle[1], radius=radius, ring=WHITE, ground=PAPER)
    else:
        share = {"full": 0.5, "left": 0.29, "right": 0.71}[place]
        person.stand(canvas, middle=share * width, head_top=_under_label(job), floor=height)
    if slide.text:
        _plated(canvas, job, slide.text)


def _plated(canvas: Any, job: StudioJob, text: str) -> None:
    """White words on a dark plate near the lower edge."""
    unit, across = min(job.width, job.height), min(job.width, 1.35 * job.height)
    room = (across * 0.8, job.height * 0.26)
    lines = words.fit(text, room, unit * 0.064, unit * 0.034, language=job.language)
    pad = unit * 0.032
    left, top = (job.width - lines.width) / 2, job.height - unit * 0.06 - pad - lines.height
    plate = skia.Rect.MakeXYWH(left - 1.3 * pad, top - 0.6 * pad, lines.width + 2.6 * pad, lines.height + 1.2 * pad)
    canvas.drawRoundRect(plate, pad, pad, skia.Paint(AntiAlias=True, Color=PLATE))
    for line, line_top in _rows(lines, top):
        line.draw(canvas, (job.width - line.width) / 2, line_top, WHITE)


def _quote(canvas: Any, job: StudioJob, slide: Slide, person: Person, background: Background, signature: str) -> None:
    """Words at the size they need, the avatar small below them, beside whose avatar it is."""
    unit, margin = min(job.width, job.height), 0.07 * min(job.width, job.height)
    plain = _ink(background)
    if plain:
        _ground(canvas, job, background)
    else:
        _panel(canvas, job, background, margin)
    ink, soft = plain or INK, plain or _SOFT
    inner, top = margin * (1.0 if plain else 1.5), _under_label(job) + margin * 0.4
    radius = unit * 0.085
    foot = job.height - margin * (1.0 if plain else 1.4) - radius
    room = (job.width - 2 * inner, foot - radius - margin * 0.8 - top)
    said = unit * 0.05 if slide.by else 0.0
    for_words = (room[0], room[1] - said * 1.6)
    lines = words.fit(slide.text, for_words, unit * 0.125, unit * 0.03, language=job.language)
    start = top + (room[1] - lines.height - said * 1.6) / 2
    bar = skia.Rect.MakeXYWH(inner, start - unit * 0.034, unit * 0.11, unit * 0.016)
    canvas.drawRoundRect(bar, unit * 0.008, unit * 0.008, skia.Paint(AntiAlias=True, Color=AMBER))
    lines.draw(canvas, inner, start, ink)
    if slide.by:
        for_name = (room[0], said * 1.5)
        by = words.fit(f"— {slide.by}", for_name, said, unit * 0.025, font=REGULAR, language=job.language)
        by.draw(canvas, inner, start + lines.height + said * 0.3, soft)
    person.peep(canvas, x=inner + radius, y=foot, radius=radius, ring=AMBER, ground=0xFFE9EDF1)
    beside = inner + 2 * radius + unit * 0.03
    name = words.fit(signature, (job.width - beside - inner, radius), unit * 0.04, unit * 0.02, font=REGULAR)
    name.draw(canvas, beside, foot - name.height / 2, soft)


def _panel(canvas: Any, job: StudioJob, background: Background, margin: float) -> None:
    """The place, out of focus, under a sheet of paper that begins above the label."""
    blur = skia.ImageFilters.Blur(*[_BLUR * min(job.width, job.height)] * 2, skia.TileMode.kClamp)
    canvas.saveLayer(None, skia.Paint(ImageFilter=blur))
    _ground(canvas, job, background)
    canvas.restore()
    edge = margin * 0.35
    sheet = skia.Rect.MakeLTRB(edge, job.overlay.y - edge, job.width - edge, job.height - edge)
    paper = skia.Paint(AntiAlias=True, Color=PAPER, ImageFilter=_shadow(margin))
    canvas.drawRoundRect(sheet, margin * 0.6, margin * 0.6, paper)


def _shadow(margin: float) -> Any:
    return skia.ImageFilters.DropShadow(0, margin * 0.1, margin * 0.3, margin * 0.3, 0x66101820)


def _thumbnail(canvas: Any, job: StudioJob, slide: Slide, person: Person, background: Background, _: str) -> None:
    """A few large words, line by line on amber, and the avatar close."""
    _ground(canvas, job, background)
    width, height = job.width, job.height
    wide = width > height
    left = (slide.place or job.staging.place) == "left"
    middle = (0.27 if left else 0.73) * width if wide else 0.5 * width
    person.stand(canvas, middle=middle, head_top=_under_label(job), floor=height)
    room = (0.46 * width, 0.62 * height) if wide else (0.86 * width, 0.24 * height)
    unit = min(width, height)
    lines = words.fit(slide.text.upper(), room, unit * 0.19, unit * 0.06, language=job.language)
    top = (height - lines.height + _under_label(job)) / 2 if wide else height - unit * 0.08 - lines.height
    start = (0.5 if left else 0.05) * width if wide else 0.0
    _blocks(canvas, lines, top, start, 0.0 if wide else width)


def _blocks(canvas: Any, lines: Block, top: float, left: float, across: float) -> None:
    """Each line on its own block; centred when `across` is given."""
    pad, corner, step = lines.size * 0.2, lines.size * 0.12, lines.height / len(lines.lines)
    rows = [(line, (across - line.width) / 2 if across else left, at) for line, at in _rows(lines, top)]
    for line, x, at in rows:
        block = skia.Rect.MakeXYWH(x - pad, at, line.width + 2 * pad, step * 1.03)
        canvas.drawRoundRect(block, corner, corner, skia.Paint(AntiAlias=True, Color=AMBER))
    for line, x, at in rows:
        line.draw(canvas, x, at, INK)


def _rows(lines: Block, top: float) -> Iterator[tuple[Block, float]]:
    """Each line by itself, to be set where it belongs."""
    step = lines.height / len(lines.lines)
    for number, line in enumerate(lines.lines):
        yield replace(lines, lines=(line,)), top + number * step


def _under_label(job: StudioJob) -> float:
    return job.overlay.y + job.overlay.height + 0.022 * min(job.width, job.height)

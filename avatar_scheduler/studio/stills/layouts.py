"""Where things lie on each kind of slide. Everything keeps below the label's lower edge or clear of its side."""

from typing import Any

import skia

from avatar_scheduler.domain.slides import Slide
from avatar_scheduler.domain.staging import Background
from avatar_scheduler.studio.job import StudioJob
from avatar_scheduler.studio.stills import ground, words
from avatar_scheduler.studio.stills.person import Person

INK, PAPER, AMBER, WHITE = 0xFF14181F, 0xFFFBF8F2, 0xFFFFC53D, 0xFFFFFFFF
PLATE = 0xD2141A22
_SOFT = 0xFF5B6470
_BLUR = 0.022
"""Of the frame's shortest side: a place is still felt behind a quote, and no longer read."""


def paint(canvas: Any, job: StudioJob, slide: Slide, person: Person, signature: str) -> None:
    background = slide.background or job.staging.background
    {"look": _look, "quote": _quote, "thumbnail": _thumbnail}[slide.kind](
        canvas, job, slide, person, background, signature
    )


def _look(canvas: Any, job: StudioJob, slide: Slide, person: Person, background: Background, _: str) -> None:
    ground.paint(canvas, job, background)
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
    lines = words.fit(text, words.BOLD, (across * 0.8, job.height * 0.26), unit * 0.064, unit * 0.034)
    pad = unit * 0.032
    left, top = (job.width - lines.width) / 2, job.height - unit * 0.06 - pad - lines.height
    plate = skia.Rect.MakeLTRB(left - 1.3 * pad, top - pad * 0.6, left + lines.width + 1.3 * pad, top + lines.height)
    plate.fBottom += pad * 0.6
    canvas.drawRoundRect(plate, pad, pad, skia.Paint(AntiAlias=True, Color=PLATE))
    for number, line in enumerate(lines.texts):
        x = (job.width - lines.font.measureText(line)) / 2
        canvas.drawString(line, x, lines.baseline(top, number), lines.font, skia.Paint(AntiAlias=True, Color=WHITE))


def _quote(canvas: Any, job: StudioJob, slide: Slide, person: Person, background: Background, signature: str) -> None:
    """Words at the size they need, the avatar small below them, beside whose avatar it is."""
    unit, margin = min(job.width, job.height), 0.07 * min(job.width, job.height)
    plain = background.kind in ("color", "gradient")
    ink, soft = (INK, _SOFT)
    if plain:
        ground.paint(canvas, job, background)
        ink = soft = WHITE if ground.is_dark(background) else INK
    else:
        _panel(canvas, job, background, margin)
    inner, top = margin * (1.0 if plain else 1.5), _under_label(job) + margin * 0.4
    radius = unit * 0.085
    foot = job.height - margin * (1.0 if plain else 1.4) - radius
    room = (job.width - 2 * inner, foot - radius - margin * 0.8 - top)
    said = unit * 0.05 if slide.by else 0.0
    lines = words.fit(slide.text, words.BOLD, (room[0], room[1] - said * 1.6), unit * 0.125, unit * 0.03)
    start = top + (room[1] - lines.height - said * 1.6) / 2
    bar = skia.Rect.MakeXYWH(inner, start - unit * 0.034, unit * 0.11, unit * 0.016)
    canvas.drawRoundRect(bar, unit * 0.008, unit * 0.008, skia.Paint(AntiAlias=True, Color=AMBER))
    lines.draw(canvas, inner, start, ink)
    if slide.by:
        by = words.fit(f"— {slide.by}", words.REGULAR, (room[0], said * 1.5), said, unit * 0.025)
        by.draw(canvas, inner, start + lines.height + said * 0.3, soft)
    person.peep(canvas, x=inner + radius, y=foot, radius=radius, ring=AMBER, ground=0xFFE9EDF1)
    beside = inner + 2 * radius + unit * 0.03
    name = words.fit(signature, words.REGULAR, (job.width - beside - inner, radius), unit * 0.04, unit * 0.02)
    name.draw(canvas, beside, foot - name.height / 2, soft)


def _panel(canvas: Any, job: StudioJob, background: Background, margin: float) -> None:
    """The place, out of focus, under a sheet of paper that begins above the label."""
    filter_ = skia.ImageFilters.Blur(*[_BLUR * min(job.width, job.height)] * 2, skia.TileMode.kClamp)
    canvas.saveLayer(None, skia.Paint(ImageFilter=filter_))
    ground.paint(canvas, job, background)
    canvas.restore()
    edge = margin * 0.35
    sheet = skia.Rect.MakeLTRB(edge, job.overlay.y - edge, job.width - edge, job.height - edge)
    paper = skia.Paint(AntiAlias=True, Color=PAPER, ImageFilter=_shadow(margin))
    canvas.drawRoundRect(sheet, margin * 0.6, margin * 0.6, paper)


def _shadow(margin: float) -> Any:
    return skia.ImageFilters.DropShadow(0, margin * 0.1, margin * 0.3, margin * 0.3, 0x66101820)


def _thumbnail(canvas: Any, job: StudioJob, slide: Slide, person: Person, background: Background, _: str) -> None:
    """A few large words, line by line on amber, and the avatar close."""
    ground.paint(canvas, job, background)
    width, height = job.width, job.height
    wide = width > height
    left = (slide.place or job.staging.place) == "left"
    middle = (0.27 if left else 0.73) * width if wide else 0.5 * width
    person.stand(canvas, middle=middle, head_top=_under_label(job), floor=height)
    room = (0.46 * width, 0.62 * height) if wide else (0.86 * width, 0.24 * height)
    unit = min(width, height)
    lines = words.fit(slide.text.upper(), words.BOLD, room, unit * 0.19, unit * 0.06)
    top = (height - lines.height + _under_label(job)) / 2 if wide else height - unit * 0.08 - lines.height
    start = (0.5 if left else 0.05) * width if wide else 0.0
    _blocks(canvas, lines, top, start, 0.0 if wide else width)


def _blocks(canvas: Any, lines: words.Lines, top: float, left: float, across: float) -> None:
    """Each line on its own block; centred when `across` is given."""
    for number, line in enumerate(lines.texts):
        long = lines.font.measureText(line)
        x = (across - long) / 2 if across else left
        base = lines.baseline(top, number)
        block = skia.Rect.MakeLTRB(
            x - lines.size * 0.2, base - lines.size * 0.9, x + long + lines.size * 0.2, base + lines.size * 0.22
        )
        corner = lines.size * 0.12
        canvas.drawRoundRect(block, corner, corner, skia.Paint(AntiAlias=True, Color=AMBER))
    lines_ = skia.Paint(AntiAlias=True, Color=INK)
    for number, line in enumerate(lines.texts):
        x = (across - lines.font.measureText(line)) / 2 if across else left
        canvas.drawString(line, x, lines.baseline(top, number), lines.font, lines_)


def _under_label(job: StudioJob) -> float:
    return job.overlay.y + job.overlay.height + 0.022 * min(job.width, job.height)

"""Looks, mouths and scenes side by side, to be looked at."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import skia
from PIL import Image

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio import lettering
from avatar_scheduler.studio.avatar.motion import Look, Pose
from avatar_scheduler.studio.avatar.pack import Pack
from avatar_scheduler.studio.avatar.sprites import Figure, draw_svg
from avatar_scheduler.studio.job import SCENES

MOUTHS = ("X", "B", "D", "F", "smile_C")
_FRAME = (1080, 1920)
_SHOWN = 1180
"""Frame pixels in one square: head and shoulders."""
_TILE, _GAP, _LINE = 270, 6, 40
_PAPER, _INK = 0xFFF6F4EF, 0xFF33383A
_QUALITY = 84


def draw(packs: Mapping[str, Pack], scenes: Sequence[str], target: Path) -> None:
    """A row for each look and scene, a column for each mouth; each row has one blink, glance or brow to show."""
    width = len(MOUTHS) * (_TILE + _GAP) + _GAP
    height = len(packs) * len(scenes) * (_TILE + _GAP + _LINE) + _GAP
    rgba = np.zeros((height, width, 4), np.uint8)
    canvas = skia.Surface(rgba, colorType=skia.kRGBA_8888_ColorType).getCanvas()
    canvas.clear(_PAPER)
    y = _GAP
    for name, pack in packs.items():
        figure = Figure(pack, *_FRAME)
        for number, scene in enumerate(scenes):
            for column, mouth in enumerate(MOUTHS):
                heading = mouth.replace("_", " ") if column else f"{name}, {scene}: {mouth}"
                _write(canvas, heading, 2 * _GAP + column * (_TILE + _GAP), y + _LINE - 12)
                look = _look(pack, mouth, other=number % 2 == 1)
                _tile(canvas, figure, look, scene, (_GAP + column * (_TILE + _GAP), y + _LINE))
            y += _TILE + _GAP + _LINE
    try:
        Image.fromarray(rgba[..., :3]).save(target, quality=_QUALITY, optimize=True)
    except (OSError, ValueError, KeyError) as error:
        raise Invalid(f"{target.name} cannot be written: {error}. Name it something.jpg or something.png.") from error


def _look(pack: Pack, mouth: str, *, other: bool) -> Look:
    eyes = {"B": "closed", "F": "left", "smile_C": "smile"} if other else {"F": "right", "smile_C": "smile"}
    brows = {"D": "up", "F": "worried"} if other else {"D": "up"}
    smiling, letter = mouth.startswith("smile_"), mouth[-1]
    part = pack.mouth(letter, smiling=smiling or (other and letter == "X"))
    return Look(Pose(0, 0.0), part, pack.eyes(eyes.get(mouth, "open")), pack.brows(brows.get(mouth, "neutral")))


def _tile(canvas: Any, figure: Figure, look: Look, scene: str, at: tuple[int, int]) -> None:
    """A square of the frame around the face, wherever the pack has it."""
    mouth = figure.box("mouth", Pose(0, 0.0))
    top = max(0, min(_FRAME[1] - _SHOWN, mouth.y + mouth.height // 2 - round(0.63 * _SHOWN)))
    canvas.save()
    canvas.translate(*at)
    canvas.clipRect(skia.Rect.MakeWH(_TILE, _TILE))
    canvas.scale(_TILE / _SHOWN, _TILE / _SHOWN)
    canvas.translate((_SHOWN - _FRAME[0]) / 2, -top)
    canvas.save()
    canvas.translate((_FRAME[0] - _SHOWN) / 2, 0)
    canvas.scale(_SHOWN / _FRAME[0], 1)
    draw_svg(SCENES / f"{scene}.svg", canvas, *_FRAME)
    canvas.restore()
    figure.draw(canvas, look)
    canvas.restore()


def _write(canvas: Any, text: str, x: int, y: int) -> None:
    font = skia.Font(lettering.typeface(lettering.BOLD), 22)
    canvas.drawString(text, x, y, font, skia.Paint(AntiAlias=True, Color=_INK))

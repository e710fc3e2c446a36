"""Icons an operator puts in the sign's place: any file may come, and none may make the label say less."""

import io

import numpy as np
import pytest
from PIL import Image

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import icons
from avatar_scheduler.marks.label import draw
from avatar_scheduler.marks.plate import INK
from tests.marks.test_plate import pixels

FRAME = (1080, 1920)
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100" viewBox="0 0 200 100">'
    b'<rect width="200" height="100" fill="%s"/></svg>'
)


def png(width: int = 200, height: int = 100, colour: tuple[int, ...] = (255, 85, 85, 255)) -> bytes:
    made = io.BytesIO()
    Image.new("RGBA", (width, height), colour).save(made, "PNG")
    return made.getvalue()


@pytest.mark.parametrize("icon", [png(), SVG % b"#ff5555", png(40, 20), png(1600, 800)])
def test_it_takes_the_place_of_the_sign_in_its_own_shape(icon: bytes) -> None:
    art = draw("AI", "Avatar of Maya", FRAME, icon=icon)
    red = (pixels(art)[..., 0] > 200) & (pixels(art)[..., 1] < 90)
    rows, columns = (np.flatnonzero(red.any(axis=axis)) for axis in (1, 0))
    assert columns[0] > 8
    assert (columns[-1] - columns[0] + 1) / (rows[-1] - rows[0] + 1) == pytest.approx(2, abs=0.03)
    assert rows[-1] - rows[0] + 1 >= 0.05 * 1920
    assert draw("AI", "Avatar of Maya", FRAME, icon=icon) == art


def test_the_capitals_are_still_written_for_nobody_vouches_for_the_picture() -> None:
    art = draw("AI", "Avatar of Maya", FRAME, icon=png(100, 100))
    assert art.text == "AI Avatar of Maya"
    assert art.width > draw("AI", "Avatar of Maya", FRAME).width - 40
    assert draw("AI", "AI avatar of Maya", FRAME, icon=png()).text == "AI avatar of Maya"


@pytest.mark.parametrize(
    ("icon", "why"),
    [
        (b"GIF89a", "neither a PNG nor an SVG"),
        (b"<svg", "neither a PNG nor an SVG"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>', "neither a PNG nor an SVG"),
        (png()[:60], "damaged"),
        (png()[:20], "damaged"),
        (png(5000, 10), "larger than 4096"),
        (png(700, 100), "a strip"),
        (SVG.replace(b'width="200" height', b'width="9000" height') % b"#fff", "a strip"),
        (png(colour=(0, 0, 0, 0)), "cannot be seen"),
        (png(colour=INK), "cannot be seen"),
        (SVG % b"#000000", "cannot be seen"),
        (png() + bytes(icons.MOST_BYTES), "bytes, 524288 are allowed"),
    ],
)
def test_what_cannot_be_read_or_seen_is_refused(icon: bytes, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        draw("AI", "Avatar of Maya", FRAME, icon=icon)


def test_an_svg_that_swells_is_not_drawn() -> None:
    layers = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9))
    bomb = f'<!DOCTYPE svg [<!ENTITY e0 "x">{layers}]><svg xmlns="http://www.w3.org/2000/svg"><text>&e8;</text></svg>'
    with pytest.raises(Invalid):
        draw("AI", "Avatar of Maya", FRAME, icon=bomb.encode())

from math import ceil

import numpy as np
import pytest
from numpy.typing import NDArray

from avatar_scheduler import rules
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks.label import LabelArt, draw

FRAMES = [(1080, 1920), (540, 960), (720, 1280), (1080, 1350), (1080, 1080), (1920, 1080)]
CAPITAL_OF_EM = 0.668  # Atkinson Hyperlegible
LONG_NAME = "Maximiliane Wolfeschlegelsteinhausenbergerdorff-Hohenzollern"


def pixels(art: LabelArt) -> NDArray[np.uint8]:
    return np.frombuffer(art.rgba, np.uint8).reshape(art.height, art.width, 4)


def white(art: LabelArt) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = np.logical_and(pixels(art)[..., 0] > 128, pixels(art)[..., 3] == 255)
    return mask


def box_columns(art: LabelArt) -> tuple[int, int]:
    """Where the white box begins and ends: its top edge is whiter than any line of text."""
    picture = white(art)
    top = int(picture.any(axis=1).argmax()) + 2
    columns = np.flatnonzero(picture[top])
    return int(columns[0]), int(columns[-1])


def tallest(picture: NDArray[np.bool_]) -> int:
    rows = np.flatnonzero(picture.any(axis=1))
    return int(rows[-1] - rows[0] + 1)


def contrast(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """WCAG 2.2."""
    low, high = sorted(luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: NDArray[np.uint8]) -> float:
    part = colour[:3].astype(float) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("frame", FRAMES)
class TestSizes:
    def test_the_signs_capitals_are_tall_enough_for_the_frame_and_its_shortest_side(
        self, frame: tuple[int, int]
    ) -> None:
        art = draw("AI", "Avatar of Maya", frame)
        left, right = box_columns(art)
        sides, ends = (right - left) // 8, art.height // 6
        letters = ~white(art)[ends:-ends, left + sides : right - sides]
        assert tallest(letters) >= ceil(max(0.035 * frame[1], 0.05 * min(frame)))

    def test_the_words_are_at_least_five_percent_of_the_shortest_side(self, frame: tuple[int, int]) -> None:
        art = draw("AI", "HHHH", frame)
        words = white(art)[:, box_columns(art)[1] + art.height // 8 :]
        assert tallest(words) / CAPITAL_OF_EM >= 0.05 * min(frame) - 0.5

    def test_the_plate_sits_top_right_inside_the_safe_area_on_even_pixels(self, frame: tuple[int, int]) -> None:
        art = draw("AI", "Avatar of Maya", frame)
        least = 36 * min(frame) / 1080
        assert frame[0] - art.x - art.width >= least
        assert art.y >= least
        assert art.x + art.width / 2 > frame[0] / 2
        assert art.y + art.height < frame[1] * 0.25
        assert not any(side % 2 for side in (art.x, art.y, art.width, art.height))
        assert len(art.rgba) == art.width * art.height * 4

    def test_a_name_of_sixty_letters_is_cut_not_shrunk(self, frame: tuple[int, int]) -> None:
        assert len(LONG_NAME) >= 60
        long, short = (draw("AI", f"Avatar of {name}", frame) for name in (LONG_NAME, "Maya"))
        assert long.width <= 0.62 * frame[0]
        assert long.height == short.height
        assert long.alt.endswith(LONG_NAME)


def test_a_tall_picture_keeps_the_label_clear_of_the_apps_own_controls() -> None:
    art = draw("AI", "Avatar of Maya", (1080, 1920))
    assert art.y >= 0.14 * 1920
    assert 1080 - art.x - art.width >= 0.06 * 1080


def test_text_and_box_stand_out_from_the_plate_whatever_lies_under_it() -> None:
    art = draw("AI", "Avatar of Maya", (1080, 1920))
    plate, box = (pixels(art)[art.height // 2, column] for column in (6, box_columns(art)[0] + 6))
    assert plate[3] == box[3] == 255
    assert contrast(plate, box) >= 4.5
    words = pixels(art)[:, box_columns(art)[1] + 20 : -20].reshape(-1, 4)
    assert contrast(plate, words[words[:, 0].argmax()]) >= 4.5


def test_only_the_rounded_corners_are_transparent() -> None:
    alpha = pixels(draw("AI", "Avatar of Maya", (1080, 1920)))[..., 3]
    assert alpha[0, 0] == alpha[-1, -1] == 0
    assert (alpha == 255).mean() > 0.98


def test_words_too_long_for_a_line_take_two() -> None:
    one, two = (draw("AI", words, (1080, 1920)) for words in ("Avatar of Maya", "Avatar IA de Maya"))
    heights = [tallest(white(art)[:, box_columns(art)[1] + 20 :]) for art in (one, two)]
    assert heights[1] > 1.5 * heights[0]
    assert two.width <= 0.62 * 1080


@pytest.mark.parametrize("name", ["Zoë", "Łukasz", "Ñuñez", "Đorđe"])
def test_latin_names_are_drawn_with_their_accents(name: str) -> None:
    assert draw("AI", f"Avatar of {name}", (1080, 1920)).alt == f"AI: Avatar of {name}"


def test_every_language_has_a_label_that_can_be_drawn() -> None:
    for language in rules.languages():
        words = rules.wording(language).label_words.format(name="Maya")
        assert draw(rules.LABEL_SIGN, words, (1080, 1920)).width <= 0.62 * 1080


def test_the_same_wording_gives_the_same_pixels() -> None:
    assert draw("AI", "Avatar of Maya", (1080, 1920)) == draw("AI", "  Avatar of\u00a0Maya ", (1080, 1920))


@pytest.mark.parametrize("name", ["Мая", "美", "🦊"])
def test_letters_the_typeface_lacks_are_refused_by_name(name: str) -> None:
    with pytest.raises(Invalid, match=f"no “{name[0]}”"):
        draw("AI", f"Avatar of {name}", (1080, 1920))


@pytest.mark.parametrize(("sign", "words"), [("", "Avatar of Maya"), ("AI", " \n")])
def test_a_label_without_sign_or_words_is_refused(sign: str, words: str) -> None:
    with pytest.raises(Invalid, match="display name"):
        draw(sign, words, (1080, 1920))


def test_a_picture_too_narrow_for_readable_text_is_refused() -> None:
    with pytest.raises(Invalid, match="too narrow"):
        draw("AI", "Avatar of Maya", (300, 1920))

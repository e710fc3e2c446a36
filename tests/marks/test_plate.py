from itertools import product
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
    """Where the white box begins and ends: the run of white just under its upper left corner."""
    picture = white(art)
    left = int(picture.any(axis=0).argmax())
    row = picture[int(picture[:, left + 4].argmax()) + 3]
    return left, left + int((~row[left + 4 :]).argmax()) + 3


def tallest(picture: NDArray[np.bool_]) -> int:
    rows = np.flatnonzero(picture.any(axis=1))
    return int(rows[-1] - rows[0] + 1)


def line_heights(art: LabelArt) -> list[int]:
    """Of the lines right of the box. Letters without accents or descenders are as high as capitals."""
    inked = white(art)[:, box_columns(art)[1] + art.height // 8 :].any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inked.astype(int), [0]])))
    return [int(end - start) for start, end in zip(edges[::2], edges[1::2], strict=True)]


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
        long = draw("AI", f"Avatar of {LONG_NAME}", frame)
        assert long.width <= 0.64 * frame[0]
        assert long.text.startswith("AI Avatar of Maximiliane Wo")
        assert long.text.endswith("…")
        assert long.alt.endswith(LONG_NAME)
        one, many = (draw("AI", words, frame) for words in ("HHHH", "HHHH " + "H" * 60))
        assert len(line_heights(many)) > 1
        assert min(line_heights(many)) >= line_heights(one)[0]


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
    one, two = (draw("AI", words, (1080, 1920)) for words in ("Avatar of Maya", "Images virtuelles de Maya"))
    heights = [tallest(white(art)[:, box_columns(art)[1] + 20 :]) for art in (one, two)]
    assert heights[1] > 1.5 * heights[0]
    assert two.width <= 0.64 * 1080


@pytest.mark.parametrize("name", ["Zoë", "Łukasz", "Ñuñez", "Đorđe"])
def test_latin_names_are_drawn_with_their_accents(name: str) -> None:
    assert draw("AI", f"Avatar of {name}", (1080, 1920)).alt == f"AI: Avatar of {name}"


class TestWholeWordings:
    FRENCH = "Images virtuelles – Avatar IA de Maximiliane-Wolfeschlegelstein"

    @pytest.mark.parametrize("frame", FRAMES)
    def test_what_the_law_asks_for_stands_first_and_only_the_name_is_cut(self, frame: tuple[int, int]) -> None:
        art = draw("AI", self.FRENCH, frame, whole=["Images virtuelles", "AI"])
        assert art.text.startswith("AI Images virtuelles – Avatar IA de Maximiliane")

    def test_a_wording_that_would_be_cut_is_refused_by_name(self) -> None:
        last = "Avatar IA de Maximiliane Wolfeschlegelsteinhausenbergerdorff – Images virtuelles"
        assert "Images" not in draw("AI", last, (1080, 1920)).text
        with pytest.raises(Invalid, match="no room for the words “Images virtuelles”"):
            draw("AI", last, (1080, 1920), whole=["Images virtuelles"])

    @pytest.mark.parametrize("frame", FRAMES)
    def test_no_letter_leaves_its_plate(self, frame: tuple[int, int]) -> None:
        for words in ("Êggy", "Êggy of Êggy Êggy Êggy", "Êggy " * 20):
            art = draw("AI", words, frame, sponsor="Êggy Êggy")
            assert not (white(art.plate)[:2] | white(art.plate)[-2:]).any()
            sponsor = pixels(both(art)[1])
            inked = (sponsor[..., 0] < 128) & (sponsor[..., 3] == 255)
            assert not inked[-2:].any()


def both(art: LabelArt) -> tuple[LabelArt, LabelArt]:
    assert art.sponsor
    return art.plate, art.sponsor


@pytest.mark.parametrize("frame", FRAMES)
class TestSponsorPlate:
    def test_it_stands_under_the_label_with_the_same_right_edge_and_takes_nothing_from_it(
        self, frame: tuple[int, int]
    ) -> None:
        alone, art = draw("AI", "Avatar of Maya", frame), draw("AI", "Avatar of Maya", frame, sponsor="Ad")
        label, sponsor = both(art)
        assert label == alone.plate
        assert art.text == alone.text == "AI Avatar of Maya"
        assert (art.sponsor_text, sponsor.text) == ("Ad", "Ad")
        assert art.alt == "AI: Avatar of Maya. Ad"
        assert label.y + label.height < sponsor.y
        assert pixels(sponsor)[0, -sponsor.height :, 3].any(), "the gap is no part of its height"
        assert sponsor.y + sponsor.height == art.y + art.height
        assert (pixels(sponsor)[sponsor.height // 2 :, -4, 3] == 255).any()
        assert not any(side % 2 for part in both(art) for side in (part.x, part.y, part.width, part.height))

    def test_its_letters_are_as_tall_as_the_labels_words(self, frame: tuple[int, int]) -> None:
        art = draw("AI", "HHHH", frame, sponsor="HHHH")
        label, sponsor = both(art)
        words = tallest(white(label)[:, box_columns(label)[1] + label.height // 8 :])
        inked = (pixels(sponsor)[..., 0] < 128) & (pixels(sponsor)[..., 3] == 255)
        assert abs(tallest(inked) - words) <= 1
        assert tallest(inked) / CAPITAL_OF_EM >= 0.05 * min(frame) - 1.5

    def test_its_letters_stand_out_from_it(self, frame: tuple[int, int]) -> None:
        shown = pixels(both(draw("AI", "Avatar of Maya", frame, sponsor="Ad"))[1])
        solid = shown[shown[..., 3] == 255]
        assert contrast(solid[solid[:, 0].argmin()], solid[solid[:, 0].argmax()]) >= 4.5

    def test_every_languages_words_for_it_fit_whole(self, frame: tuple[int, int]) -> None:
        for language, pays in product(rules.languages(), ("own", "paid")):
            said = rules.texts(language, form="video", name="Maya", sponsored=pays)
            art = draw(said.label_sign, said.label_words, frame, sponsor=said.sponsor)
            assert art.text == f"{said.label_sign} {said.label_words}"
            assert art.sponsor_text == said.sponsor
            assert both(art)[1].width <= 0.64 * frame[0]
            assert art.y + art.height < frame[1] * 0.4

    def test_words_that_do_not_fit_are_refused_not_cut(self, frame: tuple[int, int]) -> None:
        with pytest.raises(Invalid, match="“Bezahlte"):
            draw("AI", "Avatar of Maya", frame, sponsor="Bezahlte Partnerschaft mit der Firma " * 3)


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

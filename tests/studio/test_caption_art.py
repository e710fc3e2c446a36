"""Every style in every format: inside its box, clear of the label, large enough for a phone, and nothing left out."""

from dataclasses import dataclass

import numpy as np
import pytest
import skia
from numpy.typing import NDArray

from avatar_scheduler.domain.staging import FORMATS
from avatar_scheduler.marks import label
from avatar_scheduler.studio.avatar.pack import Box
from avatar_scheduler.studio.caption_art import CaptionArt, place, unit
from avatar_scheduler.studio.captions import styled
from avatar_scheduler.studio.job import Overlay
from avatar_scheduler.studio.timed import Timed

SHORT = ("Oui !",)
SENTENCE = ("Aujourd'hui", "je", "vous", "montre", "mon", "pain :")
LONG = ("Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen",)
ADDRESS = ("https://example.com/recettes/pain-au-levain-de-maya-okafor-a-lyon",)
WIDE = ("WWWWWWWWWW", "MMMMMMMMM", "WWWWWWWW")
EMOJI = ("pain", "chaud 🍞👩🏾‍🍳🇫🇷")
STATES = {"karaoke": (0, 1), "plain": (0,), "pop": (-2, -1, 0, 1)}


@dataclass(frozen=True)
class Frame:
    size: tuple[int, int]
    overlay: Overlay
    box: Box

    def art(self, style: str, language: str = "fr") -> CaptionArt:
        return CaptionArt(self.box, unit(*self.size), style, language)

    def painted(self, art: CaptionArt, words: tuple[str, ...], state: int) -> NDArray[np.uint8]:
        """The alpha of the whole frame: whatever the art touches."""
        rgba = np.zeros((self.size[1], self.size[0], 4), np.uint8)
        art.paint(skia.Surface(rgba, colorType=skia.kRGBA_8888_ColorType).getCanvas(), words, state)
        return rgba[..., 3]


@pytest.fixture(params=FORMATS)
def frame(request: pytest.FixtureRequest) -> Frame:
    size = FORMATS[request.param]
    art = label.draw("AI", "Avatar of Marguerite Okafor-Lindqvist", size)
    overlay = Overlay(art.rgba, art.width, art.height, art.x, art.y)
    return Frame(size, overlay, place(*size, overlay))


def test_the_box_keeps_clear_of_the_label_and_of_what_platforms_cover(frame: Frame) -> None:
    width, height = frame.size
    overlay = frame.overlay
    assert not frame.box.meets(Box(overlay.x, overlay.y, overlay.width, overlay.height))
    tall = height > 1.4 * width
    assert frame.box.bottom <= height * (0.8 if tall else 0.95)
    assert width - frame.box.right >= (0.11 if tall else 0.02) * width
    assert frame.box.y >= height / 2


@pytest.mark.parametrize("style", STATES)
@pytest.mark.parametrize("words", [SHORT, SENTENCE, LONG, ADDRESS, WIDE, EMOJI], ids=lambda words: words[0][:5])
def test_nothing_is_drawn_outside(frame: Frame, style: str, words: tuple[str, ...]) -> None:
    art, box = frame.art(style), frame.box
    extent = art.extent(words)
    assert extent is not None
    assert extent.around(box) == box
    for state in STATES[style]:
        alpha = frame.painted(art, words, state)
        assert alpha[extent.y : extent.bottom, extent.x : extent.right].max() > 200
        alpha[extent.y : extent.bottom, extent.x : extent.right] = 0
        assert alpha.max() == 0


def test_capitals_are_large_enough_for_a_phone(frame: Frame) -> None:
    """A frame as wide as a phone, 390 points: capitals of at least 7 points, as in small print."""
    phone = 390 / frame.size[0] if frame.size[0] < frame.size[1] * 1.5 else 844 / frame.size[0]
    rows = np.flatnonzero(frame.painted(frame.art("pop"), ("HHHHHHHHHHHHH",), 0).max(axis=1))
    assert (rows[-1] - rows[0]) * phone > 14
    layout = frame.art("karaoke")._layout(SENTENCE)
    assert layout is not None
    assert layout.size * 0.668 * phone > 9


class TestPaint:
    def test_marks_the_word_being_heard_and_no_other(self) -> None:
        art = CaptionArt(Box(48, 1300, 984, 240), 1.0)
        first, second = (art.picture(("eins", "zwei"), state) for state in (0, 1))
        assert first is not None
        assert second is not None
        assert first[1] == second[1]
        middle = first[1].width // 2
        amber = [
            [(half[..., 0] > 240) & (half[..., 2] < 90) for half in (p[0][:, :middle], p[0][:, middle:])]
            for p in (first, second)
        ]
        assert [[bool(half.sum() > 500) for half in halves] for halves in amber] == [[True, False], [False, True]]

    def test_plain_marks_none(self) -> None:
        art = CaptionArt(Box(48, 1300, 984, 240), 1.0, "plain")
        picture = art.picture(("eins", "zwei"), 0)
        assert picture is not None
        colours = picture[0][..., :3].astype(np.int16)
        assert np.ptp(colours, axis=-1).max() < 40

    @pytest.mark.parametrize("style", ["karaoke", "pop", "plain"])
    def test_reads_over_white_and_over_black(self, style: str) -> None:
        """Light letters with dark around them, whatever is behind: contrast within the picture itself."""
        picture = CaptionArt(Box(48, 1300, 984, 240), 1.0, style).picture(("Bonjour", "tous"), 1)
        assert picture is not None
        alpha = picture[0][..., 3:].astype(np.float64) / 255
        for behind in (0, 255):
            seen = picture[0][..., :3] + behind * (1 - alpha)
            solid = seen[alpha[..., 0] > 0.7].mean(axis=-1)
            assert np.percentile(solid, 92) > 200
            assert np.percentile(solid, 8) < 100

    def test_gives_the_same_picture_alone_and_on_a_canvas(self) -> None:
        art, words = CaptionArt(Box(48, 1300, 984, 240), 1.0, "pop"), ("so", "gut")
        rgba = np.zeros((1920, 1080, 4), np.uint8)
        art.paint(skia.Surface(rgba, colorType=skia.kRGBA_8888_ColorType).getCanvas(), words, 1)
        picture = art.picture(words, 1)
        assert picture is not None
        pixels, box = picture
        assert np.array_equal(rgba[box.y : box.bottom, box.x : box.right], pixels)
        assert (box.x % 2, box.y % 2, box.width % 2, box.height % 2) == (0, 0, 0, 0)

    @pytest.mark.parametrize("words", [(), ("→",), ("", "✓")])
    def test_draws_nothing_for_nothing_it_can_draw(self, words: tuple[str, ...]) -> None:
        art = CaptionArt(Box(48, 1300, 984, 240), 1.0)
        assert art.extent(words) is None
        assert art.picture(words, 0) is None

    def test_a_long_word_goes_on_two_lines_before_it_is_cut(self) -> None:
        art = CaptionArt(Box(120, 1300, 840, 240), 1.0)
        layout = art._layout(("https://example.com/recettes/pain-au-levain",))
        assert layout is not None
        first, second = (word.text for word in layout.words)
        assert first[-1] in "/-"
        assert first + second == "https://example.com/recettes/pain-au-levain"

    def test_a_line_does_not_end_after_an_article(self) -> None:
        art = CaptionArt(Box(120, 1300, 840, 240), 1.0, language="fr")
        layout = art._layout(("je", "prépare", "la", "boulangerie"))
        assert layout is not None
        lines = {word.text: word.baseline for word in layout.words}
        assert lines["la"] == lines["boulangerie"] > lines["je"]


def test_styled_captions_fit_at_a_readable_size() -> None:
    text = "Aujourd'hui je vous montre comment préparer un bon pain au levain à la maison"
    words = tuple(Timed(word, i * 0.3, i * 0.3 + 0.3) for i, word in enumerate(text.split()))
    for style, least in (("karaoke", 66), ("pop", 88)):
        art = CaptionArt(Box(120, 1296, 840, 240), 1.0, style, "fr")
        for caption in styled(words, "fr", style):
            layout = art._layout(tuple(word.text for word in caption.words))
            assert layout is not None
            assert layout.size >= least, caption.text

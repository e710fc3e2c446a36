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


BOX = Box(48, 1300, 984, 240)


def painted(art: CaptionArt, words: tuple[str, ...], state: int) -> NDArray[np.uint8]:
    """The box alone, on nothing; alpha is straight."""
    rgba = np.zeros((BOX.height, BOX.width, 4), np.uint8)
    canvas = skia.Surface(rgba, colorType=skia.kRGBA_8888_ColorType).getCanvas()
    canvas.translate(-BOX.x, -BOX.y)
    art.paint(canvas, words, state)
    return rgba


class TestPaint:
    def test_marks_the_word_being_heard_and_no_other(self) -> None:
        art = CaptionArt(BOX, 1.0)
        amber = []
        for state in (0, 1):
            rgba = painted(art, ("eins", "zwei"), state)
            marked = (rgba[..., 0] > 240) & (rgba[..., 2] < 90)
            amber.append([bool(half.sum() > 500) for half in np.split(marked, 2, axis=1)])
        assert amber == [[True, False], [False, True]]

    def test_plain_marks_none(self) -> None:
        colours = painted(CaptionArt(BOX, 1.0, "plain"), ("eins", "zwei"), 0)[..., :3].astype(np.int16)
        assert np.ptp(colours, axis=-1).max() < 40

    @pytest.mark.parametrize("style", ["karaoke", "pop", "plain"])
    @pytest.mark.parametrize("behind", [0, 255])
    def test_reads_over_white_and_over_black(self, style: str, behind: int) -> None:
        """Light letters with dark around them, whatever is behind."""
        rgba = painted(CaptionArt(BOX, 1.0, style), ("Bonjour", "tous"), 1)
        alpha = rgba[..., 3] / 255
        seen = (rgba[..., :3].mean(axis=-1) * alpha + behind * (1 - alpha))[alpha > 0.7]
        assert np.percentile(seen, 92) > 200
        assert np.percentile(seen, 8) < 100

    @pytest.mark.parametrize("words", [(), ("→",), ("", "✓")])
    def test_draws_nothing_for_nothing_it_can_draw(self, words: tuple[str, ...]) -> None:
        art = CaptionArt(BOX, 1.0)
        assert art.extent(words) is None
        assert not painted(art, words, 0).any()

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

import numpy as np
import pytest
import skia

from avatar_scheduler.domain.staging import FORMATS, Card, LowerThird
from avatar_scheduler.marks import label
from avatar_scheduler.studio import titles
from avatar_scheduler.studio.avatar.pack import Box
from avatar_scheduler.studio.caption_art import band, unit
from avatar_scheduler.studio.lettering import BOLD, REGULAR
from avatar_scheduler.studio.textblock import fit

LONG_NAME = "Marie-Antoinette de la Rochefoucauld-Montmorency du Plessis-Bellière"
LONG_TEXT = (
    "Boulangère, autrice de « Pain maison » et formatrice à l'école de Lyon depuis 2011 ; maman de deux enfants. " * 2
)
size_of_each_format = pytest.mark.parametrize("size", FORMATS.values(), ids=FORMATS.keys())


def label_box(size: tuple[int, int]) -> Box:
    art = label.draw("AI", "Avatar of Marguerite Okafor-Lindqvist", size)
    return Box(art.x, art.y, art.width, art.height)


def words_box(pixels: titles.Pixels) -> Box:
    """Where anything differs from the ground, which changes from row to row and column to column only slightly."""
    gray = pixels[..., :3].astype(np.int16).sum(axis=-1)
    edges = np.zeros(gray.shape, bool)
    edges[:, 1:] = np.abs(np.diff(gray, axis=1)) > 30
    edges[1:] |= np.abs(np.diff(gray, axis=0)) > 30
    rows, columns = np.flatnonzero(edges.any(axis=1)), np.flatnonzero(edges.any(axis=0))
    return Box(columns[0], rows[0], columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0])


class TestLowerThird:
    @size_of_each_format
    @pytest.mark.parametrize(
        "spec", [LowerThird("Maya"), LowerThird("Maya Okafor", "Boulangère 🍞"), LowerThird(LONG_NAME, LONG_TEXT[:200])]
    )
    def test_stands_above_the_captions_and_clear_of_the_label(self, spec: LowerThird, size: tuple[int, int]) -> None:
        pixels, box = titles.lower_third(spec, size, unit(*size), language="fr")
        assert pixels.shape == (box.height, box.width, 4)
        assert box.bottom <= band(*size).y
        assert box.x > 0
        assert box.right < size[0]
        assert not box.meets(label_box(size))
        assert (box.x % 2, box.y % 2, box.width % 2, box.height % 2) == (0, 0, 0, 0)

    def test_is_no_wider_than_its_words_need(self) -> None:
        short = titles.lower_third(LowerThird("Maya"), (1080, 1920), 1.0)[1]
        assert short.width < titles.lower_third(LowerThird("Maya Okafor-Lindqvist"), (1080, 1920), 1.0)[1].width


class TestCard:
    @size_of_each_format
    @pytest.mark.parametrize(
        "spec", [Card("Bonjour !"), Card("Pain", "La recette"), Card(LONG_TEXT[:200], LONG_TEXT[:200]), Card("x" * 200)]
    )
    def test_keeps_its_words_clear_of_the_label_and_of_the_platforms(self, spec: Card, size: tuple[int, int]) -> None:
        pixels = titles.card(spec, size, language="fr", below=label_box(size).bottom)
        assert pixels.shape == (size[1], size[0], 4)
        assert (pixels[..., 3] == 255).all()
        words = words_box(pixels)
        assert not words.meets(label_box(size))
        assert words.x >= 0.04 * size[0]
        assert words.right <= 0.96 * size[0]
        assert words.bottom <= band(*size).bottom

    def test_a_longer_title_is_set_smaller(self) -> None:
        short, longer = (words_box(titles.card(Card(title), (1080, 1080))) for title in ("H", "H" * 40))
        assert short.height > longer.height


class TestFit:
    def test_takes_the_largest_size_that_fits(self) -> None:
        assert fit("Bonjour", (2000, 200), (120, 90, 60)).size == 120
        assert fit("Bonjour", (400, 200), (120, 90, 60)).size == 90

    def test_breaks_evenly_and_not_after_an_article(self) -> None:
        block = fit("Le pain, c'est la patience qui lève dans le silence.", (540, 400), (50,), language="fr")
        assert block.lines == ("Le pain, c'est", "la patience qui lève", "dans le silence.")

    def test_keeps_the_lines_that_were_typed(self) -> None:
        assert fit("Un\n\nDeux", (500, 400), (50,)).lines == ("Un", "Deux")

    def test_cuts_only_at_the_smallest_size_and_says_so(self) -> None:
        block = fit("mot " * 60, (500, 120), (60, 40), font=REGULAR)
        assert block.size == 40
        assert len(block.lines) == 2
        assert block.lines[-1].endswith("…")
        assert block.width <= 500
        assert block.height <= 120

    def test_french_signs_stay_with_their_words(self) -> None:
        block = fit("Êtes-vous vraiment prêts ?", (440, 400), (60,), language="fr")
        assert block.lines[-1].endswith("prêts\u202f?")

    def test_shapes_its_letters(self) -> None:
        """Kerning: the pair is narrower than its letters one by one."""
        pair, single = (fit(text, (2000, 200), (100,), font=BOLD).width for text in ("AV", "A"))
        assert pair < single + fit("V", (2000, 200), (100,)).width
        assert skia.Font(skia.Typeface.MakeFromFile(str(BOLD)), 100).measureText("AV") > pair

from itertools import pairwise

import pytest

from avatar_scheduler.studio.captions import captions, on_screen, styled, vtt
from avatar_scheduler.studio.timed import Timed


def timed(text: str, gap: float = 0.0) -> tuple[Timed, ...]:
    return tuple(Timed(word, i * (0.4 + gap), i * (0.4 + gap) + 0.4) for i, word in enumerate(text.split()))


def spoken(*words: str) -> tuple[Timed, ...]:
    return tuple(Timed(word, i * 0.4, i * 0.4 + 0.4) for i, word in enumerate(words))


class TestCaptions:
    def test_break_at_sentence_ends_and_keep_short(self) -> None:
        shown = captions(timed("Hello, I am Maya! Today I'm baking sourdough in my little kitchen with butter."))
        assert shown[0].text == "Hello, I am Maya!"
        assert all(len(caption.text) <= 28 for caption in shown)

    def test_do_not_leave_a_last_word_alone(self) -> None:
        shown = captions(timed("We will bake a big loaf of bread today."))
        assert min(len(caption.words) for caption in shown) >= 2

    def test_break_at_commas_and_not_after_articles(self) -> None:
        text = "Today I'm baking sourdough in my little kitchen with butter, salt and a lot of love."
        texts = [caption.text for caption in captions(timed(text))]
        assert any(text.endswith("butter,") for text in texts)
        assert not [text for text in texts if text.split()[-1] in ("in", "my", "a", "of", "with")]
        friend = captions(timed("We went to the market with a friend of my mother."))
        assert friend[0].text == "We went to the market"

    def test_an_abbreviation_ends_no_sentence(self) -> None:
        assert captions(timed("Dr. Brown is here."))[0].text == "Dr. Brown is here."

    def test_never_overlap_and_go_when_nobody_speaks(self) -> None:
        shown = captions((*timed("One two. Three four."), Timed("Five.", 9.0, 9.4)))
        assert all(a.end <= b.start for a, b in pairwise(shown))
        assert shown[-2].end < 3

    def test_a_word_longer_than_a_line_is_kept_whole(self) -> None:
        assert captions(timed("x" * 90))[0].text == "x" * 90

    def test_keep_every_word_in_its_order_and_time(self) -> None:
        words = timed("Aujourd'hui je vous montre comment préparer un bon pain au levain à la maison , c'est tout")
        for style in ("karaoke", "pop", "plain"):
            kept = [word for caption in styled(words, "fr", style) for word in caption.words]
            assert [(word.text, word.start) for word in kept] == [(word.text, word.start) for word in words]

    @pytest.mark.parametrize(
        ("language", "words", "printed"),
        [
            ("fr", ("Il", "dit «", "oui ! »"), "Il dit «\u00a0oui\u202f!\u00a0»"),
            ("es", ("Hola ¿", "qué", "tal ?"), "Hola ¿qué tal?"),
            ("en", ("So (", "really", "big)"), "So (really big)"),
        ],
    )
    def test_an_opening_sign_goes_with_the_word_after_it(
        self, language: str, words: tuple[str, ...], printed: str
    ) -> None:
        caption = captions(spoken(*words), language)[0]
        assert caption.text == printed
        assert [word.start for word in caption.words] == [word.start for word in spoken(*words)]

    def test_a_sentence_ends_after_its_closing_quotes_and_emoji(self) -> None:
        shown = captions(spoken("« C'est", "bon ! »", "Il", "en", "reprend ! 🍞", "Et", "toi ?"), "fr")
        assert [caption.text.split()[-1] for caption in shown] == ["»", "🍞", "?"]


class TestStyled:
    def test_pop_shows_a_few_words_and_never_two_clauses(self) -> None:
        shown = styled(timed("Hello, I am Maya! Today I'm baking sourdough in my kitchen."), "en", "pop")
        assert [caption.text for caption in shown[:2]] == ["Hello,", "I am Maya!"]
        assert all(len(caption.words) <= 3 and len(caption.text) <= 15 for caption in shown)

    def test_none_burns_nothing_in(self) -> None:
        assert styled(timed("One two."), "en", "none") == []

    def test_karaoke_and_plain_say_what_the_file_says(self) -> None:
        words = timed("One two three. Four five.")
        assert styled(words, "en", "karaoke") == styled(words, "en", "plain") == captions(words, "en")


class TestOnScreen:
    def test_the_word_being_heard_is_marked(self) -> None:
        plan = on_screen(captions(timed("One two three.")), 60, 30)
        assert [plan[0], plan[15], plan[30], plan[59]] == [(0, 0), (0, 1), (0, 2), None]

    def test_plain_is_one_picture_a_caption(self) -> None:
        plan = on_screen(captions(timed("One two three. Four.")), 80, 30, "plain")
        assert set(plan) == {(0, 0), (1, 0), None}

    def test_popping_words_come_in_two_steps(self) -> None:
        plan = on_screen(styled(timed("One two."), "en", "pop"), 40, 30, "pop")
        assert plan[:3] == [(0, -2), (0, -1), (0, 0)]
        assert plan[15] == (0, 1)


def test_vtt_counts_hours_and_escapes_marks() -> None:
    text = vtt(captions((Timed("<b>", 3661.5, 3662.0), Timed("&", 3662.0, 3662.25))))
    assert text == "WEBVTT\n\n01:01:01.500 --> 01:01:02.850\n&lt;b&gt; &amp;\n"


@pytest.mark.parametrize(("silence", "shown_until"), [(0.4, 1.4), (1.0, 2.0), (1.2, 1.6), (3.0, 1.6)])
def test_a_caption_stays_over_a_gap_too_short_to_see(silence: float, shown_until: float) -> None:
    words = (Timed("One.", 0.5, 1.0), Timed("Two.", 1.0 + silence, 2.0 + silence))
    assert captions(words, "en")[0].end == pytest.approx(shown_until)

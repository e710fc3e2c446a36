from itertools import pairwise

from avatar_scheduler.studio.captions import captions, on_screen, vtt
from avatar_scheduler.studio.timed import Timed


def timed(text: str, gap: float = 0.0) -> tuple[Timed, ...]:
    return tuple(Timed(word, i * (0.4 + gap), i * (0.4 + gap) + 0.4) for i, word in enumerate(text.split()))


class TestCaptions:
    def test_break_at_sentence_ends_and_keep_short(self) -> None:
        shown = captions(timed("Hello, I am Maya! Today I'm baking sourdough in my little kitchen with butter."))
        assert shown[0].text == "Hello, I am Maya!"
        assert all(len(caption.text) <= 30 for caption in shown)

    def test_do_not_leave_a_last_word_alone(self) -> None:
        shown = captions(timed("We will bake a big loaf of bread today."))
        assert min(len(caption.words) for caption in shown) >= 2

    def test_never_overlap_and_go_when_nobody_speaks(self) -> None:
        shown = captions((*timed("One two. Three four."), Timed("Five.", 9.0, 9.4)))
        assert all(a.end <= b.start for a, b in pairwise(shown))
        assert shown[-2].end < 3

    def test_a_word_longer_than_a_line_is_kept_whole(self) -> None:
        assert captions(timed("x" * 90))[0].text == "x" * 90


def test_the_word_being_heard_is_marked() -> None:
    shown = captions(timed("One two three."))
    plan = on_screen(shown, 60, 30)
    assert [plan[0], plan[15], plan[30], plan[59]] == [(0, 0), (0, 1), (0, 2), None]


def test_vtt_counts_hours_and_escapes_marks() -> None:
    text = vtt(captions((Timed("<b>", 3661.5, 3662.0), Timed("&", 3662.0, 3662.25))))
    assert text == "WEBVTT\n\n01:01:01.500 --> 01:01:02.850\n&lt;b&gt; &amp;\n"

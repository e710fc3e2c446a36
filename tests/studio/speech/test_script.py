from avatar_scheduler.studio.speech.script import Unit, as_written, clean, sentences
from avatar_scheduler.studio.timed import Timed


def spoken(*words: str) -> list[Timed]:
    return [Timed(word, float(index), index + 0.8) for index, word in enumerate(words)]


def units(*written: str, **readings: str) -> list[Unit]:
    """Read as they are written, or as told by position: `_1="six thirty"`."""
    return [Unit(word, readings.get(f"_{number}", word)) for number, word in enumerate(written)]


def spans(timed: list[Timed]) -> list[tuple[str, float, float]]:
    return [(word.text, word.start, word.end) for word in timed]


class TestSentences:
    def test_end_at_marks_and_line_breaks(self) -> None:
        assert sentences("One. Two?\nThree") == [["One."], ["Two?"], ["Three"]]

    def test_titles_initials_and_small_letters_do_not_end_one(self) -> None:
        assert sentences("Dr. J. Smith agrees. So do I. Right?") == [
            ["Dr.", "J.", "Smith", "agrees."],
            ["So", "do", "I."],
            ["Right?"],
        ]
        assert len(sentences("Wait... what")) == 1

    def test_french_titles_do_not_end_one(self) -> None:
        assert len(sentences("MM. Le Goff et M. Roy, p. ex. Paul.")) == 1

    def test_closing_quotes_stay(self) -> None:
        assert sentences('He said "Go." Then left.') == [["He", "said", '"Go."'], ["Then", "left."]]


class TestAsWritten:
    def test_equal_words_keep_their_times(self) -> None:
        assert spans(as_written(units("Hi,", "Ada!"), spoken("Hi,", "Ada!"))) == [("Hi,", 0.0, 0.8), ("Ada!", 1.0, 1.8)]

    def test_a_number_lasts_as_long_as_its_words(self) -> None:
        timed = as_written(units("at", "6:30", "sharp", _1="six thirty"), spoken("at", "six", "thirty", "sharp"))
        assert spans(timed)[1] == ("6:30", 1.0, 2.8)

    def test_signs_without_a_reading_stay_with_the_word_before(self) -> None:
        timed = as_written(units("salt", "—", "pepper", "😀", _3=""), spoken("salt", "pepper"))
        assert spans(timed) == [("salt —", 0.0, 0.8), ("pepper 😀", 1.0, 1.8)]

    def test_no_written_word_is_ever_lost(self) -> None:
        written = ["—", "3rd", "a/b", "x²", "...", "ok"]
        for heard in (["third", "ok"], ["so", "much", "more", "said", "ok", "then"], ["nothing"]):
            timed = as_written(units(*written), spoken(*heard))
            assert " ".join(word.text for word in timed).split() == written
            assert [word.start for word in timed] == sorted(word.start for word in timed)

    def test_nothing_spoken_gives_nothing(self) -> None:
        assert as_written(units("😀"), []) == []


def test_clean_drops_what_no_file_can_hold() -> None:
    assert clean("a\x00b\ud800c\nd") == "abc\nd"

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_scheduler.scripts.text import clean, clean_line, wrong


class TestClean:
    @pytest.mark.parametrize(
        ("raw", "text"),
        [
            ("a\r\nb\rc", "a\nb\nc"),
            ("a\x00\x07\x1b[31mb", "a[31mb"),
            ("abc\u202edef\u202c", "abcdef"),
            ("\u2066a\u2069\u200e\u200f\u061cb", "ab"),
            ("per\u200bson\u00ad\u2060\ufeff", "person"),
            ("a\U000e0041\U000e0001\U000e0100b", "ab"),
            ("a\u2028b\u2029c\x85d", "a\nb\nc\nd"),
            ("a\ud800b\ue000", "ab"),
            ("  a \t  b  \n   c ", "a b\nc"),
            ("a\n\n\n\n\nb\n\n", "a\n\nb"),
        ],
        ids=[
            "line ends",
            "controls",
            "override",
            "marks",
            "zero width",
            "tags",
            "separators",
            "lone",
            "blanks",
            "gaps",
        ],
    )
    def test_what_nobody_sees_is_gone(self, raw: str, text: str) -> None:
        assert clean(raw) == text

    @pytest.mark.parametrize(
        "text", ["18\u00a0h\u00a030\u202f!", "👩\u200d🍳 ❤️", "می\u200cخواهم", "naïve café, œuf", "שלום"]
    )
    def test_what_languages_need_stays(self, text: str) -> None:
        assert clean(text) == text

    @given(st.text())
    def test_twice_is_once(self, raw: str) -> None:
        assert clean(clean(raw)) == clean(raw)

    @given(st.text())
    def test_a_clean_line_is_one_clean_line(self, raw: str) -> None:
        line = clean_line(raw)
        assert clean(line) == line
        assert "\n" not in line


class TestWrong:
    def test_names_the_column_of_the_whole_word(self) -> None:
        assert wrong("names name", 1, "name", "x").message == "Line 1, column 7: x"

    def test_leaves_out_a_column_it_cannot_find(self) -> None:
        assert wrong("a\nb", 2, "zzz", "x").message == "Line 2: x"

    def test_leaves_out_a_line_that_is_not_there(self) -> None:
        assert wrong("a", 0, "a", "x").message == "x"

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_scheduler.domain import slides
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.slides import Slide, read
from avatar_scheduler.domain.staging import Background


def one(text: str) -> Slide:
    [slide] = read(text, name="Avatar of Maya")
    return slide


def refused(text: str) -> str:
    with pytest.raises(Invalid) as wrong:
        read(text)
    return wrong.value.message


class TestKinds:
    def test_words_alone_are_a_quote_and_nothing_but_settings_is_a_look(self) -> None:
        assert [slide.kind for slide in read("Hello there.\n---\npose: smile\n---\n# thumbnail\nHey")] == [
            "quote", "look", "thumbnail"
        ]  # fmt: skip

    def test_a_whole_slide(self) -> None:
        settings = "pose: surprised, look left, tilt right\nbackground: city\nplace: left\nalt: On a roof."
        text = f"# Look\n{settings}\n\nHi.\nYou."
        assert one(text) == Slide(
            "look",
            "Hi.\nYou.",
            "",
            "surprised",
            "look left",
            "tilt right",
            "left",
            Background("scene", "city"),
            "On a roof.",
        )

    def test_the_last_line_after_a_dash_says_who_said_it(self) -> None:
        assert (one("Keep going.\n— Ada").text, one("Keep going.\n— Ada").by) == ("Keep going.", "Ada")
        assert one("- not a name").text == "- not a name"

    def test_a_colon_in_the_words_is_no_setting(self) -> None:
        assert one("Remember: rest.").text == "Remember: rest."
        assert one("First line.\nalt: stays words").text == "First line.\nalt: stays words"

    @pytest.mark.parametrize(
        ("said", "background"),
        [
            ("kitchen", Background("scene", "kitchen")),
            ("#1d3557", Background("color", "#1d3557")),
            ("#1d3557 #457b9d", Background("gradient", "#1d3557 #457b9d")),
            ("image beach", Background("image", "beach")),
            ("", None),
        ],
    )
    def test_backgrounds_are_short_to_write(self, said: str, background: Background | None) -> None:
        assert one(f"# look\nbackground: {said}").background == background


class TestWordsForThoseWhoCannotSeeIt:
    @pytest.mark.parametrize(
        ("text", "alt"),
        [
            ("# look\nalt: On a roof.", "On a roof."),
            ("# look", "Avatar of Maya."),
            ("# look\nbackground: city\n\nHello you", "Avatar of Maya, city. Hello you"),
            ("Two\nlines\n— Ada", "“Two lines” — Ada"),
            ("# look\nalt:", "Avatar of Maya."),
        ],
    )
    def test_they_are_never_missing(self, text: str, alt: str) -> None:
        assert one(text).alt == alt

    def test_without_a_name_it_still_says_avatar(self) -> None:
        assert read("# look")[0].alt == "The avatar."


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("", "has no slide"),
            ("---\n---", "has no slide"),
            ("One\n---\n\n---\nThree", "Slide 2: there is nothing between"),
            ("\n---\n".join(["x"] * 11), "11 slides; 10 is the most"),
            ("# poster\nHi", "there is no “# poster”. Use # look, # quote, # thumbnail."),
            ("# quote", "a quote needs words"),
            ("# thumbnail\npose: smile", "a thumbnail needs words"),
            ("# look\npose: dancing", "pose: “dancing” is not known. Use: neutral"),
            ("# look\nplace: up", "place: “up” is not known"),
            ("# look\nbackgroud: city", "Did you mean “background”?"),
            ("# look\nalt: a\nalt: b", "“alt” is set twice"),
            ("# look\nbackground: one two three", "background: write a scene such as city"),
            ("# look\nbackground: #12", "write #1d3557"),
            ("# look\nbackground: image ../../x", "is not a name"),
            ("Hi [smile] you", "[smile] is a cue for a film"),
            ("# look\nHi\n— Ada", "only a quote ends with who said it"),
            ("# thumbnail\n" + "x" * 61, "61 letters; a thumbnail shows 60"),
            ("# look\nalt: " + "x" * 1001, "1000 is the most"),
        ],
    )
    def test_they_say_where_and_what_to_do(self, text: str, part: str) -> None:
        assert part in refused(text)

    @given(st.text(alphabet="#-: \nalookquteps—[]ck", max_size=200))
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        try:
            found = read(text)
        except Invalid:
            return
        assert 1 <= len(found) <= slides.MOST
        assert all(slide.alt and slide.kind in slides.KINDS for slide in found)


def test_materials_are_the_pictures_named() -> None:
    assert slides.materials(read("# look\nbackground: image beach\n---\nHi\n---\n# look\nbackground: city")) == [
        "beach"
    ]

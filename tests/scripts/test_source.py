import time

import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.scripts.source import VariableType, parse

FULL = """{#
title = "Weekly recap"
language = "fr-CA"
kind = "recap"

[variables.name]
type = "text"
help = "Whose week"
max_length = 40

[variables.day]
type = "date"
default = 2027-03-14

[variables.start]
type = "time"
required = false
example = 18:30:00

[variables.items]
type = "list"
example = ["one", "two"]

[variables.mood]
type = "choice"
choices = ["calm", "glad"]
default = "calm"

[variables.price]
type = "number"
example = 9.5
#}
Hello {{ name }}
"""


def described(extra: str) -> str:
    return f'{{#\ntitle = "T"\nlanguage = "en"\nkind = "tip"\n{extra}\n#}}\nWords'


def refusal(source: str) -> str:
    with pytest.raises(Invalid) as refused:
        parse(source)
    assert refused.value.code == "script_description"
    assert "\n" not in refused.value.message
    return refused.value.message


class TestParse:
    def test_reads_the_whole_description(self) -> None:
        script = parse(FULL)
        assert (script.title, script.language, script.kind) == ("Weekly recap", "fr-CA", "recap")
        assert [v.name for v in script.variables] == ["name", "day", "start", "items", "mood", "price"]
        assert script.body == "Hello {{ name }}\n"

    def test_a_default_makes_a_variable_optional(self) -> None:
        script = parse(FULL)
        assert {v.name: v.required for v in script.variables} == {
            "name": True, "day": False, "start": False, "items": True, "mood": False, "price": True,
        }  # fmt: skip

    def test_values_of_toml_become_what_a_person_would_type(self) -> None:
        variables = {v.name: v for v in parse(FULL).variables}
        assert variables["day"].default == "2027-03-14"
        assert variables["start"].example == "18:30"
        assert variables["items"].example == "one\ntwo"
        assert variables["price"].example == "9.5"
        assert variables["mood"].choices == ("calm", "glad")
        assert variables["name"].max_length == 40
        assert variables["name"].type is VariableType.text

    def test_without_a_description_there_are_only_words(self) -> None:
        script = parse("Just words.")
        assert (script.title, script.language, script.kind, script.variables) == ("", "", "", ())
        assert script.body == "Just words."

    def test_the_files_of_every_editor_are_equal(self) -> None:
        assert parse("\ufeff" + FULL.replace("\n", "\r\n")) == parse(FULL)

    def test_marks_for_blanks_belong_to_the_comment(self) -> None:
        assert parse(FULL.replace("{#", "{#-").replace("#}", "-#}")) == parse(FULL)

    def test_blank_lines_before_it_do_not_move_line_numbers(self) -> None:
        assert refusal("\n\n" + FULL.replace('"recap"', '"recup"')).startswith("Line 6: There is no post kind")


class TestRefusals:
    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ('{#\ntitle = "T\n#}', "Line 2: Illegal character '\\n'. The first comment describes the script in TOML."),
            ("{# Hello #}\nx", "Line 1: Expected '=' after a key in a key/value pair."),
            ('{#\ntitle = "T"\nx', "Line 1, column 1: The comment is never closed. Write #} after it."),
            ('{#\nlanguage = "en"\n#}', "Line 1: 'title' is missing or no text."),
            (
                '{#\ntitle = "T"\nlanguage = "English"\n#}',
                "Line 3: 'English' is no language. Write it like 'en' or 'fr-CA'.",
            ),
            (described("colour = 1"), "Line 5: 'colour' means nothing here. Known: kind, language, title, variables."),
            (
                described("[variables.a]\ntype = 'txt'"),
                "Line 6: The variable 'a' has an unknown type. Use one of: text, ",
            ),
            (described("[variables.a]\nhelp = 'x'"), "Line 5: 'type' of the variable 'a' is missing"),
            (described("[variables.Name]\ntype = 'text'"), "Line 5: A variable cannot be called 'Name'."),
            (described("[variables.loop]\ntype = 'text'"), "Line 5: A variable cannot be called 'loop'."),
            (described("[variables._x]\ntype = 'text'"), "Line 5: A variable cannot be called '_x'."),
            (
                described("[variables.a]\ntype = 'text'\nsize = 3"),
                "Line 7: 'size' of the variable 'a' means nothing here.",
            ),
            (
                described("[variables.a]\ntype = 'text'\nmax_length = 0"),
                "Line 7: 'max_length' of the variable 'a' must be",
            ),
            (
                described("[variables.a]\ntype = 'date'\nmax_length = 9"),
                "Line 7: 'max_length' of the variable 'a' is for",
            ),
            (
                described("[variables.a]\ntype = 'text'\nrequired = 1"),
                "Line 7: 'required' of the variable 'a' must be true",
            ),
            (
                described("[variables.a]\ntype = 'choice'"),
                "Line 5: 'choices' of the variable 'a' must be a list of 1 to 20",
            ),
            (
                described("[variables.a]\ntype = 'choice'\nchoices = ['']"),
                "Line 7: Each of 'choices' of the variable 'a'",
            ),
            (
                described("[variables.a]\ntype = 'text'\nchoices = ['b']"),
                "Line 7: 'choices' of the variable 'a' is for type",
            ),
            (
                described("[variables.a]\ntype = 'text'\ndefault = true"),
                "Line 7: 'default' of the variable 'a' must be a text",
            ),
            (described("variables = 3"), "Line 5: Describe each variable under its own [variables.name]."),
        ],
    )
    def test_say_the_line_and_what_to_do(self, source: str, message: str) -> None:
        assert refusal(source).startswith(message)

    def test_a_date_in_a_language_we_cannot_speak(self) -> None:
        source = described("[variables.a]\ntype = 'date'").replace('"en"', '"sv"')
        assert refusal(source) == "Line 6: 'a': a date can be spoken in en, fr only. Use type = \"text\" instead."

    def test_too_many_variables(self) -> None:
        source = described("\n".join(f"[variables.v{i}]\ntype = 'text'" for i in range(21)))
        assert "A script can have 20 variables, this one has 21." in refusal(source)

    def test_a_source_over_twenty_kilobytes(self) -> None:
        parse("x" * 20_000)
        with pytest.raises(Invalid, match="20,001 bytes long and the limit is 20,000"):
            parse("x" * 20_001)
        with pytest.raises(Invalid, match="20,002 bytes"):
            parse("é" * 10_001)

    def test_a_line_no_person_writes(self) -> None:
        assert refusal(described("a." * 300 + "b = 1")) == "Line 5: This line is longer than 500 characters."

    @pytest.mark.parametrize(
        "toml",
        ["a." * 3900 + "a = 1", "a = " + "[" * 400, "a = " + "1" * 450, "a = [\n" + "[\n" * 3000, "x = 1\n" * 2000],
        ids=["dotted key", "brackets", "digits", "brackets over lines", "long"],
    )
    def test_hostile_toml_costs_nothing(self, toml: str) -> None:
        started = time.process_time()
        refusal(described(toml))
        assert time.process_time() - started < 0.5

import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.scripts.source import Script, Variable, VariableType
from avatar_scheduler.scripts.values import bind, check_described_values

T = VariableType


def script(*variables: Variable, language: str = "en") -> Script:
    return Script("T", language, "tip", variables, "")


def refusal(variable: Variable, raw: str) -> str:
    with pytest.raises(Invalid) as refused:
        bind(script(variable), {variable.name: raw})
    assert refused.value.code == "script_value"
    assert "\n" not in refused.value.message
    return refused.value.message


class TestBind:
    def test_gives_each_type_its_value(self) -> None:
        bound = bind(
            script(
                Variable("name", T.text),
                Variable("price", T.number),
                Variable("day", T.date),
                Variable("start", T.time),
                Variable("items", T.list),
                Variable("mood", T.choice, choices=("calm", "glad")),
            ),
            {
                "name": " Ada ",
                "price": "9.90",
                "day": "2027-03-14",
                "start": "18:30",
                "items": "a\n\n b\n",
                "mood": "glad",
            },
        )
        assert {name: str(value) for name, value in bound.items()} == {
            "name": "Ada",
            "price": "9.90",
            "day": "Sunday, March 14",
            "start": "6:30 pm",
            "items": "a and b",
            "mood": "glad",
        }

    def test_speaks_the_language_of_the_script(self) -> None:
        variables = (Variable("price", T.number), Variable("day", T.date), Variable("items", T.list))
        bound = bind(script(*variables, language="fr-CA"), {"price": "9.90", "day": "2027-03-01", "items": "a\nb\nc"})
        assert [str(v) for v in bound.values()] == ["9,90", "lundi 1er mars", "a, b et c"]

    def test_an_unknown_name_is_told_from_a_misspelt_one(self) -> None:
        known = script(Variable("name", T.text))
        with pytest.raises(Invalid, match=r"^There is no variable 'nmae' in this script. Did you mean 'name'\?$"):
            bind(known, {"nmae": "x"})
        with pytest.raises(Invalid, match=r"^There is no variable 'zzz' in this script. It has: name.$"):
            bind(known, {"zzz": "x"})
        with pytest.raises(Invalid, match=r"Describe it in the first comment, under \[variables.x\].$"):
            bind(script(), {"x": "1"})

    def test_a_hostile_name_stays_one_short_line(self) -> None:
        with pytest.raises(Invalid) as refused:
            bind(script(), {"a\r\nb\u202e" * 99: "x"})
        assert "\n" not in refused.value.message
        assert "\u202e" not in refused.value.message
        assert len(refused.value.message) < 200

    def test_a_missing_value_is_explained_by_its_help(self) -> None:
        variable = Variable("guest", T.text, help="Who comes to visit.")
        assert refusal(variable, " \u200b ") == "'guest' is missing. Who comes to visit."

    def test_an_empty_optional_value_is_left_out(self) -> None:
        assert bind(script(Variable("guest", T.text, required=False)), {"guest": ""}) == {}

    def test_an_empty_value_takes_the_default(self) -> None:
        assert bind(script(Variable("guest", T.text, default="Ben")), {"guest": " "}) == {"guest": "Ben"}

    def test_examples_fill_gaps_only_when_asked(self) -> None:
        guest = script(Variable("guest", T.text, example="Cy"))
        assert bind(guest, {}, examples=True) == {"guest": "Cy"}
        assert bind(guest, {"guest": "Ada"}, examples=True) == {"guest": "Ada"}
        with pytest.raises(Invalid, match="'guest' is missing"):
            bind(guest, {})


class TestWrongValues:
    def test_too_long(self) -> None:
        assert refusal(Variable("a", T.text, max_length=5), "1234567") == (
            "'a' can have 5 characters in a line. Shorten it by 2."
        )
        assert "Shorten it by 1" in refusal(Variable("a", T.list, max_length=5), "12345\n123456")

    def test_too_many_items(self) -> None:
        assert refusal(Variable("a", T.list), "x\n" * 52) == "'a' can have 50 items, one per line. Remove 2."

    @pytest.mark.parametrize(
        "raw", ["abc", "1e9", "1,000", "1_000", "9" * 13, "inf", "nan", "0x10", "٣", "--1", "1.1234567"]
    )
    def test_not_a_number(self, raw: str) -> None:
        assert refusal(Variable("a", T.number), raw).startswith("'a' must be a number like 1200 or 9.90")

    @pytest.mark.parametrize("raw", ["14.03.2027", "20270314", "2027-W10-1", "tomorrow", "2027-03-14T10:00"])
    def test_not_a_date(self, raw: str) -> None:
        assert refusal(Variable("a", T.date), raw) == "'a' must be a date like 2027-03-14."

    def test_a_day_that_does_not_exist(self) -> None:
        assert refusal(Variable("a", T.date), "2027-02-29") == "'a': there is no day 2027-02-29."

    def test_not_a_time(self) -> None:
        assert refusal(Variable("a", T.time), "6 pm") == "'a' must be a time like 18:30."
        assert refusal(Variable("a", T.time), "25:00") == "'a': there is no time 25:00."

    def test_not_one_of_the_choices(self) -> None:
        assert refusal(Variable("a", T.choice, choices=("b", "c")), "d") == "'a' must be one of: b, c."

    @pytest.mark.parametrize("key", ["default", "example"])
    def test_a_default_or_example_that_does_not_fit(self, key: str) -> None:
        variable = Variable("a", T.date, **{key: "soon"})  # type: ignore[arg-type]
        with pytest.raises(Invalid, match=f"^The {key} does not fit. 'a' must be a date"):
            check_described_values(script(variable))

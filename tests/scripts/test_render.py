import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.scripts import render as module
from avatar_scheduler.scripts.jail import Limits
from avatar_scheduler.scripts.render import preview, render, validate
from avatar_scheduler.scripts.text import clean_line
from tests.scripts.corpus import HEAD, VALUES
from tests.scripts.footprint import spent_on_children


class TestRender:
    def test_takes_well_under_half_a_second(self) -> None:
        # Measured 0.1 s; the room is for slower machines.
        before = spent_on_children()
        render(HEAD + "Hi {{ name }}", VALUES)
        assert spent_on_children() - before < 0.4

    @given(st.text(max_size=300))
    @settings(max_examples=5, deadline=None)
    def test_a_value_survives_the_way_there_and_back(self, raw: str) -> None:
        value = clean_line(raw)
        if value.strip():
            assert render(HEAD + "[{{ name }}]", {**VALUES, "name": raw}) == f"[{value}]"

    def test_the_longest_text_of_wide_characters_comes_back(self) -> None:
        body = "{% for a in items %}" + "é" * 7_900 + "{% endfor %}"
        assert len(render(HEAD + body, {**VALUES, "items": "1\n2\n3\n4"})) == 31_600

    def test_a_text_over_the_limit_is_refused(self) -> None:
        with pytest.raises(Invalid, match="grows longer than 10 bytes") as refused:
            render("x" * 11, {}, limits=Limits(output_bytes=10))
        assert refused.value.code == "script_too_long"

    def test_values_that_are_too_long_never_start_a_process(self) -> None:
        before = spent_on_children()
        with pytest.raises(Invalid, match="64,000 bytes together"):
            render(HEAD, {**VALUES, "name": "x" * 64_000})
        assert spent_on_children() == before

    def test_a_source_that_is_too_long_is_refused(self) -> None:
        with pytest.raises(Invalid, match="Split it in two"):
            render("x" * 20_001, {})

    def test_a_slow_script_is_stopped_and_says_so(self) -> None:
        with pytest.raises(Invalid, match="not ready in time and was stopped") as refused:
            render("x", {}, limits=Limits(wall_seconds=0.001))
        assert refused.value.code == "script_too_heavy"

    def test_a_lone_surrogate_is_no_accident(self) -> None:
        assert render(HEAD + "a\ud800b{{ name }}", {**VALUES, "name": "c\udfffd"}) == "abcd"


class TestPreview:
    def test_takes_missing_values_from_the_examples(self) -> None:
        source = HEAD.replace("[variables.name]", "[variables.name]\nexample = 'Ben'") + "{{ name }}"
        values = {k: v for k, v in VALUES.items() if k != "name"}
        assert preview(source, values) == "Ben"
        assert preview(source, VALUES) == "Ada"
        with pytest.raises(Invalid, match="'name' is missing"):
            render(source, values)


class TestValidate:
    def test_returns_the_description(self) -> None:
        script = validate(HEAD + "{{ name }}")
        assert script.title == "Corpus"
        assert [v.name for v in script.variables] == ["name", "items", "day", "n"]

    def test_needs_no_values_but_looks_at_the_words(self) -> None:
        with pytest.raises(Invalid, match="no variable 'nmae'"):
            validate(HEAD + "{{ nmae }}")

    def test_looks_at_the_defaults(self) -> None:
        with pytest.raises(Invalid, match=r"The default does not fit\. 'n' must be a number"):
            validate(HEAD.replace("[variables.n]", "[variables.n]\ndefault = 'many'"))


class TestAnswers:
    """A child that was taken over can say anything."""

    @pytest.mark.parametrize(
        "answer", [b"", b"\xff", b"[]", b"{}", b'{"text": 3}', b'{"error": "x"}', b"[" * 99_999, b'{"text": ["x"]}']
    )
    def test_nonsense_is_an_error_of_the_script(self, answer: bytes) -> None:
        with pytest.raises(Invalid, match="made its process fail"):
            module._read(answer, Limits())

    def test_text_is_cleaned_once_more(self) -> None:
        assert module._read(b'{"text": "a\\u202eb\\u0000\\r\\nc"}', Limits()) == "ab\nc"

    def test_text_is_measured_once_more(self) -> None:
        with pytest.raises(Invalid, match="grows too long"):
            module._read(b'{"text": "' + b"x" * 11 + b'"}', Limits(output_bytes=10))

    def test_errors_stay_one_short_line(self) -> None:
        with pytest.raises(Invalid) as refused:
            module._read(b'{"error": "a\\nb\\u202e' + b"x" * 999 + b'", "code": "c"}', Limits())
        assert refused.value.message.startswith("a bxxx")
        assert len(refused.value.message) == 400

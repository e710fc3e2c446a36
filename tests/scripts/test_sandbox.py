import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.scripts import sandbox
from avatar_scheduler.scripts.render import validate
from avatar_scheduler.scripts.text import clean, clean_line
from tests.scripts.corpus import HEAD, VALUES

LINES = HEAD.count("\n")


def render(body: str, **values: str) -> str:
    return sandbox.render(HEAD + body, {**VALUES, **values}, output_bytes=64_000)


def refusal(body: str, **values: str) -> Invalid:
    with pytest.raises(Invalid) as refused:
        render(body, **values)
    assert "\n" not in refused.value.message
    return refused.value


class TestRender:
    @pytest.mark.parametrize(
        ("body", "text"),
        [
            ("Hi {{ name }}.", "Hi Ada."),
            (
                "{{ name | upper }} {{ name | lower }} {{ 'two words' | title }} {{ 'ab' | capitalize }}",
                "ADA ada Two Words Ab",
            ),
            ("{{ items }}; {{ items | join(' / ') }}; {{ items | length }}", "one and two; one / two; 2"),
            ("{{ items | first }} {{ items | last }} {{ items[1] }}", "one two two"),
            (
                "{% for i in items %}{{ loop.index }} of {{ loop.length }}: {{ i }}. {% endfor %}",
                "1 of 2: one. 2 of 2: two.",
            ),
            ("{{ day }} {{ day.year }} {{ day.month }}", "Sunday, March 14 2027 3"),
            ("{{ day | upper }}", "SUNDAY, MARCH 14"),
            ("{{ n | round(2) }}", "3.00"),
            ("{% if n > 2 and 'one' in items %}yes{% else %}no{% endif %}", "yes"),
            ("{{ 'one thing' if n == 1 else 'things' }}", "things"),
            ("{{ 'a text that is far too long' | truncate(14) }}", "a text..."),
            ("<b>{{ name }}</b> & co", "<b>Ada</b> & co"),
            ("{% if n %}One.{% endif %}\nTwo.", "One.\nTwo."),
        ],
    )
    def test_says_what_is_written(self, body: str, text: str) -> None:
        assert render(body) == text

    def test_an_optional_variable_can_be_asked_for(self) -> None:
        source = HEAD.replace("[variables.n]", "[variables.n]\nrequired = false")
        body = "{{ n | default('none') }} {% if n %}a{% else %}b{% endif %} {% if n is defined %}c{% endif %}"
        values = {k: v for k, v in VALUES.items() if k != "n"}
        assert sandbox.render(source + body, values, output_bytes=99) == "none b"


class TestErrors:
    def test_a_failure_while_rendering_has_its_line(self) -> None:
        error = refusal("a\nb {{ name > 3 }}")
        assert error.code == "script_failed"
        assert error.message.startswith(f"Line {LINES + 2}: Two values of different types meet here")

    @pytest.mark.parametrize("body", ["{{ name | round }}", "{{ name | join }}", "{{ n | length }}"])
    def test_a_filter_that_does_not_fit(self, body: str) -> None:
        assert "a filter does not fit its value" in refusal(body).message

    def test_a_missing_optional_value_in_a_comparison(self) -> None:
        source = HEAD.replace("[variables.n]", "[variables.n]\nrequired = false") + "{{ n > 3 }}"
        with pytest.raises(Invalid, match=r"put \{% if name %\}"):
            sandbox.render(source, {k: v for k, v in VALUES.items() if k != "n"}, output_bytes=99)

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("{{ name", "unexpected end of template, expected 'end of print statement'"),
            ("x\n{% fro i in items %}", "Encountered unknown tag 'fro'"),
            ("{% if n %}", "Unexpected end of template"),
            ("{{ name }", "unexpected '}'"),
            ("{{ 'a", "unexpected char"),
        ],
    )
    def test_a_slip_of_the_keyboard_has_its_line(self, body: str, message: str) -> None:
        error = refusal(body)
        assert error.code == "script_syntax"
        assert error.message.startswith(f"Line {LINES + 1 + body.count(chr(10))}")
        assert message in error.message

    @pytest.mark.parametrize("body", ["{{ " + "(" * 9000, "{{ " + "1" * 9000 + " }}", "{{ " + "not " * 4000 + "n }}"])
    def test_what_is_too_deep_for_the_parser(self, body: str) -> None:
        assert refusal(body).code == "script_syntax"

    def test_a_text_that_grows_over_the_limit(self) -> None:
        body = "{% for a in items %}{% for b in items %}" + "x" * 10_000 + "{% endfor %}{% endfor %}"
        assert len(render(body, items="1\n2")) == 40_000
        assert refusal(body, items="1\n2\n3").code == "script_too_long"


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_a_text_never_changes_the_structure_around_it(raw: str) -> None:
    value = clean_line(raw)
    body = "[{{ name }}]{% if name %}({{ name }}){% endif %}{% for i in items %}<{{ i }}>{% endfor %}"
    if value.strip():
        assert render(body, name=raw, items="a") == f"[{value}]({value})<a>"
    else:
        assert "'name' is missing" in refusal(body, name=raw).message


@given(st.lists(st.text(max_size=50), max_size=20))
@settings(max_examples=100, deadline=None)
def test_items_never_change_the_structure_around_them(raw: list[str]) -> None:
    items = [line for line in clean("\n".join(raw)).split("\n") if line]
    joined = "\n".join(raw)
    if "".join(items).strip():
        text = render("{% for i in items %}<{{ i }}>{% endfor %}", items=joined)
        assert text == "".join(f"<{i}>" for i in items)


def test_the_environment_holds_nothing_that_is_not_listed() -> None:
    env = sandbox.environment()
    assert env.globals == {}
    assert set(env.filters) == {
        "upper", "lower", "capitalize", "title", "trim", "length", "first", "last", "round", "truncate", "join",
        "default",
    }  # fmt: skip
    assert set(env.tests) == {"defined", "undefined", "odd", "even"}
    assert env.loader is None


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("{{ name", "Line 1, column 1"),
        ("One\nHi {{ na me }}", "Line 2, column 10"),
        ("{% for %}", "Line 1, column 8"),
        ("ab {{ x | }}", "Line 1, column 11"),
        ("{% fo x %}", "Line 1, column 4"),
    ],
)
def test_a_syntax_error_names_line_and_column(source: str, place: str) -> None:
    with pytest.raises(Invalid, match=f"^{place}: "):
        validate(source)

import pytest
from jinja2 import nodes

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.scripts import allow, sandbox
from tests.scripts.corpus import HEAD

KINDS = {"name": "text", "items": "list", "day": "date", "start": "time", "n": "number", "mood": "choice"}


def check(source: str) -> None:
    allow.check(sandbox.environment().parse(source), KINDS, source)


def refusal(source: str) -> str:
    with pytest.raises(Invalid) as refused:
        check(source)
    assert refused.value.code == "script_not_allowed"
    return refused.value.message


@pytest.mark.parametrize(
    "source",
    [
        "Just words.",
        "{# a remark #}Words.",
        "{{ name }}",
        "{{ name | trim | upper | truncate(20) }}",
        "{{ n | round(2) }} {{ n | round }}",
        "{{ name | default('you') }}",
        "{{ items | join(', ') }} {{ items | length }} {{ items | first }} {{ items[1] }}",
        "{{ day.year }} {{ start.hour }}",
        "{% if n > 3 and not name == 'x' or 'a' in items %}a{% elif n is odd %}b{% else %}c{% endif %}",
        "{{ 'a' if mood == 'b' else 'c' }}",
        "{% for item in items if item != 'x' %}{{ loop.index }}{{ item }}{% else %}none{% endfor %}",
        "{% for a in items %}{% for b in items %}{{ a }}{{ b }}{{ loop.last }}{% endfor %}{% endfor %}",
        "{% if day is defined %}{{ day }}{% endif %}",
        "{{ 'many' if items | length > 3 }}",
    ],
)
def test_what_scripts_need_is_allowed(source: str) -> None:
    check(source)


class TestAdvice:
    """Each refusal says where, what, and what to do instead."""

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("Hi\n{{ nmae }}", "Line 2, column 4: There is no variable 'nmae' in this script. Did you mean 'name'?"),
            (
                "{{ name.upper() }}",
                "Line 1, column 14: Nothing can be called in a script. To change a value use a filter",
            ),
            ("{{ name.real }}", "Line 1, column 9: 'name' has no 'real'. Use the variable by its name alone."),
            ("{{ day.days }}", "Line 1, column 8: 'day' has no 'days'. It has: day, month, year."),
            ("{{ name | uper }}", "Line 1, column 11: There is no filter 'uper'. Use one of: upper, lower,"),
            ("{{ n is even(2) }}", "Line 1, column 9: The test 'even' takes nothing in brackets."),
            (
                "{{ n is prime }}",
                "Line 1, column 9: There is no test 'prime'. Use one of: defined, even, odd, undefined.",
            ),
            ("a\nb\n{% set x = 1 %}", "Line 3, column 4: {% set %} is not available. Declare a variable"),
            ("{{ n + 1 }}", "Line 1, column 6: A script cannot calculate."),
            ("{{ -n }}", "Line 1, column 4: A script cannot calculate."),
            ("{{ name ~ name }}", "Line 1, column 9: Texts cannot be joined with ~."),
            ("{% for c in name %}{% endfor %}", "Line 1, column 13: 'name' is not a list."),
            ("{% for items in items %}{% endfor %}", "Line 1, column 8: The name 'items' is taken."),
            ("{% for i in items recursive %}{% endfor %}", "Line 1, column 19: A loop cannot be recursive."),
            ("{{ nmaes[0] }}", "Line 1, column 4: There is no variable 'nmaes' in this script."),
            ("{{ items[n] }}", "Line 1, column 9: Only a place in a list can stand in [ ]"),
            ("{{ items[50] }}", "Line 1, column 9: Only a place in a list can stand in [ ]"),
            ("{{ name[0] }}", "Line 1, column 8: Only a variable of type list has places"),
            ("{{ n | round(7) }}", "Line 1, column 8: The filter 'round' takes a number of decimals from 0 to 6."),
            ("{{ n | round(true) }}", "Line 1, column 8: The filter 'round' takes a number of decimals"),
            ("{{ name | truncate(2) }}", "Line 1, column 11: The filter 'truncate' takes a number of characters"),
            ("{{ name | upper(1) }}", "Line 1, column 11: The filter 'upper' takes nothing in brackets."),
            ("{{ 1234567890123 }}", "Line 1: This number has more than 12 digits."),
            ("{{ 1e400 }}", "Line 1: This number has more than 12 digits."),
            ("{% for i in items %}{{ loop }}{% endfor %}", "Line 1, column 24: loop alone says nothing."),
        ],
    )
    def test_in_one_line(self, source: str, message: str) -> None:
        assert refusal(source).startswith(message)

    def test_a_separator_can_have_twenty_characters(self) -> None:
        check("{{ items | join('" + "-" * 20 + "') }}")
        assert "at most 20" in refusal("{{ items | join('" + "-" * 21 + "') }}")

    def test_a_name_of_a_loop_is_gone_after_it(self) -> None:
        assert "no variable 'item'" in refusal("{% for item in items %}{% endfor %}{{ item }}")

    def test_the_loop_itself_is_gone_after_it(self) -> None:
        assert "no variable 'loop'" in refusal("{% for item in items %}{% endfor %}{{ loop.index }}")


class TestDepth:
    def test_two_loops_are_enough(self) -> None:
        source = "{% for a in items %}{% for b in items %}{% for c in items %}x" + "{% endfor %}" * 3
        assert "Loops are more than 2 deep" in refusal(source)

    def test_two_loops_after_each_other_are_not_deep(self) -> None:
        check("{% for a in items %}x{% endfor %}" * 5)

    def test_blocks_end_at_six(self) -> None:
        check("{% if n %}" * 6 + "{% endif %}" * 6)
        assert "Blocks are more than 6 deep" in refusal("{% if n %}" * 7 + "{% endif %}" * 7)

    def test_a_long_chain_of_elif_is_not_deep(self) -> None:
        check("{% if n == 0 %}a" + "{% elif n == 1 %}b" * 50 + "{% endif %}")

    def test_expressions_end_at_sixteen(self) -> None:
        assert "more than 16 deep" in refusal("{{ name" + " | upper" * 17 + " }}")
        assert "more than 16 deep" in refusal("{{ " + "not " * 17 + "name }}")


def test_every_kind_of_node_that_is_not_listed_is_refused() -> None:
    """A future Jinja with a new tag must not find a door."""
    allowed = {"Output", "If", "For", "TemplateData"}
    statements = [
        c for c in vars(nodes).values() if isinstance(c, type) and issubclass(c, nodes.Stmt) and not c.abstract
    ]
    assert len(statements) > 20
    for unheard in statements:
        if unheard.__name__ not in allowed:
            with pytest.raises(Invalid):
                allow.check(nodes.Template([unheard(lineno=1)], lineno=1), KINDS, HEAD)


def test_every_kind_of_expression_that_is_not_listed_is_refused() -> None:
    allowed = {"Name", "Const", "Getattr", "Getitem", "Filter", "Test", "Compare", "And", "Or", "Not", "CondExpr"}
    expressions = [
        c for c in vars(nodes).values() if isinstance(c, type) and issubclass(c, nodes.Expr) and not c.abstract
    ]
    assert len(expressions) > 30
    for unheard in expressions:
        # Only Jinja's parser can make an InternalName; TemplateData stands for itself.
        if unheard.__name__ not in allowed | {"TemplateData", "InternalName"}:
            output = nodes.Output([unheard(lineno=1)], lineno=1)
            with pytest.raises(Invalid):
                allow.check(nodes.Template([output], lineno=1), KINDS, HEAD)

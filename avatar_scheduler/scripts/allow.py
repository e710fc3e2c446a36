"""The Jinja a script may use, checked on the parsed tree before anything is compiled.

Compiling already runs code: Jinja folds constants, and `{{ ('A' * 10**9) | length }}` took 973 MB without being
rendered. So what is not named here never reaches the compiler.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from jinja2 import nodes

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.scripts.source import VariableType
from avatar_scheduler.scripts.text import wrong
from avatar_scheduler.scripts.values import no_such_variable

LOOPS = 2
BLOCKS = 6
EXPRESSION_DEPTH = 16

Kind = str
"""A VariableType, "item" (of a list) or "loop"."""

ATTRIBUTES: dict[Kind, frozenset[str]] = {
    VariableType.date: frozenset({"year", "month", "day"}),
    VariableType.time: frozenset({"hour", "minute"}),
    "loop": frozenset({"index", "index0", "revindex", "first", "last", "length"}),
}
ATTRIBUTE_NAMES = frozenset().union(*ATTRIBUTES.values())


def _is_text(limit: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and len(value) <= limit


def _is_number(low: int, high: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and low <= value <= high


# These shrink a text, keep its length, or at most triple it once (upper). Left out on purpose:
# growing without bound: replace, format, center, indent, wordwrap, string; reaching into objects: attr, map, select,
# groupby, xmlattr; not for speech: tojson, urlize, pprint, safe, escape; not the same twice: random;
# not needed because values are typed: int, float, list.
FILTERS: dict[str, tuple[tuple[Callable[[object], bool], str], ...]] = {
    "upper": (),
    "lower": (),
    "capitalize": (),
    "title": (),
    "trim": (),
    "length": (),
    "first": (),
    "last": (),
    "round": ((_is_number(0, 6), "a number of decimals from 0 to 6"),),
    "truncate": ((_is_number(10, 1000), "a number of characters from 10 to 1000"),),
    "join": ((_is_text(20), "a text of at most 20 characters"),),
    "default": ((_is_text(300), "a text of at most 300 characters"),),
}
_LOGIC = frozenset({nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Operand, nodes.CondExpr})
TESTS = frozenset({"defined", "undefined", "odd", "even"})

_INSTEAD: dict[type[nodes.Node], tuple[str, str]] = {
    nodes.Call: ("(", "Nothing can be called in a script. To change a value use a filter, like {{ name | upper }}."),
    nodes.Assign: ("set", "{% set %} is not available. Declare a variable in the first comment."),
    nodes.AssignBlock: ("set", "{% set %} is not available. Declare a variable in the first comment."),
    nodes.Macro: ("macro", "{% macro %} is not available. Write the words out where they are spoken."),
    nodes.CallBlock: ("call", "{% call %} is not available. Write the words out where they are spoken."),
    nodes.FilterBlock: ("filter", "{% filter %} is not available. Use the filter on a value, like {{ name | upper }}."),
    nodes.Include: ("include", "A script stands alone: {% include %} is not available. Copy the words in."),
    nodes.Import: ("import", "A script stands alone: {% import %} is not available. Copy the words in."),
    nodes.FromImport: ("import", "A script stands alone: {% import %} is not available. Copy the words in."),
    nodes.Extends: ("extends", "A script stands alone: {% extends %} is not available. Copy the words in."),
    nodes.Block: ("block", "{% block %} is not available. Write the words without it."),
    nodes.With: ("with", "{% with %} is not available. Use the variable itself."),
    nodes.Scope: ("autoescape", "{% autoescape %} is not available: a script is plain text."),
    nodes.List: ("[", "Lists cannot be written in a script. Declare a variable of type list."),
    nodes.Tuple: (",", "Lists cannot be written in a script. Declare a variable of type list."),
    nodes.Dict: ("{", "Tables cannot be written in a script. Declare variables in the first comment."),
    nodes.Slice: (":", "Parts of a list or text cannot be taken. Use first, last or truncate."),
    nodes.Concat: ("~", "Texts cannot be joined with ~. Write the two values side by side."),
}
_ARITHMETIC = "A script cannot calculate. Work the value out and give it as a variable."


def check(tree: nodes.Template, kinds: Mapping[str, Kind], source: str) -> None:
    """Raises Invalid at the first thing that is not allowed. `kinds` are the declared variables."""
    _Checker(source).statements(tree.body, _Scope(dict(kinds)))


@dataclass(frozen=True)
class _Scope:
    kinds: dict[str, Kind]
    loops: int = 0
    blocks: int = 0

    def inside(self, **names: Kind) -> "_Scope":
        return _Scope({**self.kinds, **names}, self.loops + bool(names), self.blocks + 1)


class _Checker:
    def __init__(self, source: str) -> None:
        self._source = source

    def _wrong(self, node: nodes.Node, found: str, message: str) -> Invalid:
        # Jinja puts some nodes around others without giving them a line.
        line = node.lineno or next((n.lineno for n in node.iter_child_nodes() if n.lineno), 0)
        return wrong(self._source, line, found, message)

    def _unlisted(self, node: nodes.Node) -> Invalid:
        if isinstance(node, nodes.BinExpr | nodes.UnaryExpr):
            return self._wrong(node, node.operator or "", _ARITHMETIC)
        other = ("", f"{type(node).__name__} is not available in a script. Write it in plain words.")
        found, message = _INSTEAD.get(type(node), other)
        return self._wrong(node, found, message)

    def statements(self, body: list[nodes.Node], scope: _Scope) -> None:
        for node in body:
            # Exact types: a subclass of an allowed node is another node.
            if type(node) is nodes.Output:
                for part in node.nodes:
                    if type(part) is not nodes.TemplateData:
                        self.expression(part, scope)
            elif type(node) is nodes.If:
                self._if(node, scope)
            elif type(node) is nodes.For:
                self._for(node, scope)
            else:
                raise self._unlisted(node)

    def _nested(self, node: nodes.Node, word: str, scope: _Scope) -> None:
        if scope.blocks > BLOCKS:
            raise self._wrong(node, word, f"Blocks are more than {BLOCKS} deep. Make the script flatter.")
        if scope.loops > LOOPS:
            raise self._wrong(node, word, f"Loops are more than {LOOPS} deep. Make the script flatter.")

    def _if(self, node: nodes.If, scope: _Scope) -> None:
        inner = scope.inside()
        self._nested(node, "if", inner)
        for branch in (node, *node.elif_):
            self.expression(branch.test, scope)
            self.statements(branch.body, inner)
        self.statements(node.else_, inner)

    def _for(self, node: nodes.For, scope: _Scope) -> None:
        if node.recursive:
            raise self._wrong(node, "recursive", "A loop cannot be recursive. Write the loops inside each other.")
        if type(node.target) is not nodes.Name:
            raise self._wrong(node, "for", "A loop has one name, like {% for item in items %}.")
        name = node.target.name
        if name in scope.kinds or name == "loop":
            raise self._wrong(node, name, f"The name '{name}' is taken. Give the loop's item another name.")
        if type(node.iter) is not nodes.Name:
            raise self._wrong(node, "for", "A loop goes over a variable of type list, like {% for item in items %}.")
        if self._kind(node.iter, scope) != VariableType.list:
            name = node.iter.name
            raise self._wrong(node, name, f"'{name}' is not a list. Only a variable of type list can be looped over.")
        inner = scope.inside(**{name: "item", "loop": "loop"})
        self._nested(node, "for", inner)
        if node.test is not None:
            self.expression(node.test, scope.inside(**{name: "item"}))
        self.statements(node.body, inner)
        self.statements(node.else_, scope.inside())

    def _kind(self, node: nodes.Name, scope: _Scope) -> Kind:
        if node.ctx != "load":
            raise self._wrong(node, node.name, "A variable cannot be changed in a script.")
        if node.name not in scope.kinds:
            raise self._wrong(node, node.name, no_such_variable(node.name, scope.kinds))
        return scope.kinds[node.name]

    def expression(self, node: nodes.Node, scope: _Scope, depth: int = 0) -> None:
        if depth > EXPRESSION_DEPTH:
            raise self._wrong(node, "", f"This expression is more than {EXPRESSION_DEPTH} deep. Split it up.")
        for child in self._parts(node, scope):
            self.expression(child, scope, depth + 1)

    def _parts(self, node: nodes.Node, scope: _Scope) -> Iterator[nodes.Node]:
        """Checks this node alone; yields what is left to check."""
        if type(node) in _LOGIC:
            yield from node.iter_child_nodes()
            return
        match node:
            case nodes.Name():
                if self._kind(node, scope) == "loop":
                    raise self._wrong(node, "loop", "loop alone says nothing. Use loop.index, loop.first or loop.last.")
            case nodes.Const():
                self._const(node)
            case nodes.Getattr():
                self._getattr(node, scope)
            case nodes.Getitem():
                self._getitem(node, scope)
            case nodes.Filter():
                yield from self._filter(node)
            case nodes.Test():
                yield from self._test(node)
            case _:
                raise self._unlisted(node)

    def _const(self, node: nodes.Const) -> None:
        value = node.value
        if type(value) in (int, float) and not abs(value) < 10**12:
            raise self._wrong(node, "", "This number has more than 12 digits. Write it as text.")

    def _getattr(self, node: nodes.Getattr, scope: _Scope) -> None:
        if type(node.node) is not nodes.Name:
            raise self._wrong(node, node.attr, f"'.{node.attr}' works on a variable only.")
        kind = self._kind(node.node, scope)
        allowed = ATTRIBUTES.get(kind, frozenset())
        if node.attr not in allowed:
            has = f"It has: {', '.join(sorted(allowed))}." if allowed else "Use the variable by its name alone."
            raise self._wrong(node, node.attr, f"'{node.node.name}' has no '{node.attr}'. {has}")

    def _getitem(self, node: nodes.Getitem, scope: _Scope) -> None:
        if type(node.arg) is not nodes.Const or not _is_number(0, 49)(node.arg.value):
            raise self._wrong(node, "[", "Only a place in a list can stand in [ ], like items[0].")
        if type(node.node) is not nodes.Name or self._kind(node.node, scope) != VariableType.list:
            raise self._wrong(node, "[", "Only a variable of type list has places, like items[0].")

    def _filter(self, node: nodes.Filter) -> Iterator[nodes.Node]:
        if node.name not in FILTERS or node.node is None:
            raise self._wrong(node, node.name, f"There is no filter '{node.name}'. Use one of: {', '.join(FILTERS)}.")
        allowed = FILTERS[node.name]
        if node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None or len(node.args) > len(allowed):
            takes = allowed[0][1] if allowed else "nothing in brackets"
            raise self._wrong(node, node.name, f"The filter '{node.name}' takes {takes}.")
        for argument, (fits, takes) in zip(node.args, allowed, strict=False):
            if type(argument) is not nodes.Const or not fits(argument.value):
                raise self._wrong(node, node.name, f"The filter '{node.name}' takes {takes}.")
        yield node.node

    def _test(self, node: nodes.Test) -> Iterator[nodes.Node]:
        if node.name not in TESTS:
            known = ", ".join(sorted(TESTS))
            raise self._wrong(node, node.name, f"There is no test '{node.name}'. Use one of: {known}.")
        if node.args or node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
            raise self._wrong(node, node.name, f"The test '{node.name}' takes nothing in brackets.")
        yield node.node

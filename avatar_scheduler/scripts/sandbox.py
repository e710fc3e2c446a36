"""Runs one script. Only ever imported by `child`, inside the process that is killed when it is late."""

from collections.abc import Callable, Mapping
from types import TracebackType

from jinja2 import Template, TemplateError, TemplateSyntaxError
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.scripts import allow, values
from avatar_scheduler.scripts.source import Script, parse
from avatar_scheduler.scripts.spoken import Number, Series
from avatar_scheduler.scripts.text import check_source, clean, clean_line, wrong

# Never a person's choice: CVE-2024-56201 came in through the name of a template.
NAME = "script"
FILE = "<script>"


class ScriptEnvironment(ImmutableSandboxedEnvironment):
    """Should the allow-list ever let something through: no attribute but the listed ones, no call, no arithmetic."""

    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)
    intercepted_unops = frozenset(ImmutableSandboxedEnvironment.default_unop_table)

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        return attr in allow.ATTRIBUTE_NAMES

    def is_safe_callable(self, obj: object) -> bool:
        return False

    def call_binop(self, context: object, operator: str, left: object, right: object) -> object:
        raise SecurityError(f"{operator} is not available in a script")

    def call_unop(self, context: object, operator: str, arg: object) -> object:
        raise SecurityError(f"{operator} is not available in a script")


def environment() -> ScriptEnvironment:
    """Plain text, so nothing is escaped: whoever puts it into HTML, SSML or a command escapes it for that place."""
    # No trim_blocks: a sentence that ends in {% endif %} would be glued to the one on the next line.
    env = ScriptEnvironment(autoescape=False, cache_size=0)
    own: dict[str, Callable[..., object]] = {"round": _round, "join": _join}
    env.globals.clear()
    env.filters = {name: own.get(name, env.filters[name]) for name in allow.FILTERS}
    env.tests = {name: env.tests[name] for name in allow.TESTS}
    return env


def _round(value: object, places: int = 0) -> Number:
    if not isinstance(value, Number):
        raise TypeError("round needs a number")
    return value.rounded(places)


def _join(items: object, separator: str = "") -> str:
    """Of a list only: Jinja's own also joins the letters of a text, and three of those in a row fill the memory."""
    if not isinstance(items, Series):
        raise TypeError("join needs a list")
    return separator.join(items)


def validate(source: str) -> None:
    _compile(environment(), check_source(source))


def render(source: str, given: Mapping[str, str], *, output_bytes: int, examples: bool = False) -> str:
    source = check_source(source)
    env = environment()
    script, template = _compile(env, source)
    bound = values.bind(script, given, examples=examples)
    pieces, size = [], 0
    try:
        for piece in template.generate(bound):
            size += len(piece.encode("utf-8", "replace"))
            if size > output_bytes:
                raise Invalid(
                    f"The text grows longer than {output_bytes:,} bytes. Shorten the script or its lists.",
                    code="script_too_long",
                )
            pieces.append(piece)
    except (Invalid, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a template raises is about the template
        raise _failed(source, error) from None
    return clean("".join(pieces))


def _compile(env: ScriptEnvironment, source: str) -> tuple[Script, Template]:
    script = parse(source)
    values.check_described_values(script)
    try:
        tree = env.parse(source, NAME, FILE)
        allow.check(tree, {v.name: v.type for v in script.variables}, source)
        # The tree that was checked, not the source once more.
        code = env.compile(tree, NAME, FILE)
    except TemplateSyntaxError as error:
        raise _syntax(source, error) from None
    except (RecursionError, ValueError):  # thousands of brackets, or of digits in one number
        message = "The script is nested too deeply or has a number that is too long."
        raise Invalid(message, code="script_syntax") from None
    return script, Template.from_code(env, code, {})


_BRACKETS = {"end of print statement": "}}", "end of statement block": "%}"}


def _syntax(source: str, error: TemplateSyntaxError) -> Invalid:
    message = clean_line(error.message or "This is not readable").split(". ")[0].rstrip(".")
    quoted = message.split("'")
    found = _BRACKETS.get(quoted[-2], quoted[-2]) if len(quoted) > 2 else "{%"
    lines = source.split("\n")
    if 1 <= error.lineno <= len(lines) and found not in lines[error.lineno - 1]:
        # What Jinja missed is nowhere to be seen: the bracket that was opened last is where to look.
        line = lines[error.lineno - 1]
        found = max(("{{", "{%", "{#"), key=line.rfind)
    advice = "Check what stands between the brackets."
    return wrong(source, error.lineno, found, f"{message[:160]}. {advice}", code="script_syntax")


def _failed(source: str, error: Exception) -> Invalid:
    line = _line(error.__traceback__)
    if isinstance(error, TypeError):
        message = "Two values of different types meet here, or a filter does not fit its value."
    elif isinstance(error, UndefinedError):
        what = clean_line(error.message or "a value is missing")[:160]
        message = f"{what}. For an optional variable put {{% if name %}} ... {{% endif %}} around it."
    elif isinstance(error, TemplateError):
        message = f"{clean_line(error.message or 'This cannot be worked out')[:160]}."
    else:
        message = "This cannot be worked out. Write it in a simpler way."
    return wrong(source, line, "", message, code="script_failed")


def _line(traceback: TracebackType | None) -> int:
    """Jinja rewrites tracebacks so that frames of a template carry its file name and line."""
    line = 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == FILE:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line

"""Script and values in, plain text out. The Jinja part happens in a process of its own; see `child`."""

import json
from collections.abc import Mapping

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.scripts import jail
from avatar_scheduler.scripts.jail import Limits, Stop, StoppedError
from avatar_scheduler.scripts.source import Script, parse
from avatar_scheduler.scripts.text import check_source, clean, clean_line
from avatar_scheduler.scripts.values import VALUES_BYTES

LIMITS = Limits()

# Late is said with care: a script cannot wait for anything, but on a busy machine it may not be its own fault.
_WHY = {
    Stop.late: "The script was not ready in time and was stopped. Try again, or shorten its loops.",
    Stop.talkative: "The text grows too long and the script was stopped. Shorten its loops.",
    Stop.died: "The script made its process fail and was stopped. Write it in a simpler way.",
}


def render(source: str, values: Mapping[str, str], *, limits: Limits = LIMITS) -> str:
    """The text to speak. Takes about 0.1 s. Raises Invalid with one line for whoever wrote the script or the values."""
    return _ask("render", source, values, limits)


def preview(source: str, values: Mapping[str, str], *, limits: Limits = LIMITS) -> str:
    """Like `render`, with each missing value taken from its variable's example."""
    return _ask("preview", source, values, limits)


def validate(source: str, *, limits: Limits = LIMITS) -> Script:
    """Raises Invalid when the script could never be rendered, whatever the values."""
    _ask("validate", source, {}, limits)
    return parse(source)


def _ask(mode: str, source: str, values: Mapping[str, str], limits: Limits) -> str:
    # Before the process starts: what is too long is not worth one.
    source = check_source(source)
    given = dict(values)
    if sum(len(name) + len(value.encode("utf-8", "replace")) for name, value in given.items()) > VALUES_BYTES:
        raise Invalid(f"The values are longer than {VALUES_BYTES:,} bytes together. Shorten them.", code="script_value")
    request = json.dumps({"mode": mode, "source": source, "values": given}).encode()
    try:
        answer = jail.run(request, limits)
    except StoppedError as stopped:
        raise Invalid(_WHY[stopped.why], code="script_too_heavy") from None
    return _read(answer, limits)


def _read(answer: bytes, limits: Limits) -> str:
    """The child is not trusted either: had a script taken it over, this is where its words would come in."""
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError):
        raise Invalid(_WHY[Stop.died], code="script_too_heavy") from None
    match said:
        case {"text": str(text)}:
            text = clean(text)
            if len(text.encode("utf-8", "replace")) > limits.output_bytes:
                raise Invalid(_WHY[Stop.talkative], code="script_too_heavy")
            return text
        case {"error": str(message), "code": str(code)}:
            raise Invalid(clean_line(message)[:400], code=clean_line(code)[:40])
    raise Invalid(_WHY[Stop.died], code="script_too_heavy")

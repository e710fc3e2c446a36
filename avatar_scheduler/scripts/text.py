"""What may be in a script's text, and how to say where something is wrong."""

import re
import unicodedata

from avatar_scheduler.domain.errors import Invalid

SOURCE_BYTES = 20_000

# Joiners hold emoji families and Indic or Persian letters together, so they stay. Every other invisible character goes,
# silently: it comes along when people paste, it is never spoken, and it would let a reviewer read something other than
# what is published (bidi overrides turn words around, tag characters and selectors carry hidden text). Removing beats
# refusing because a person cannot see what to remove, and the reviewer approves the text as it is after this.
_JOINERS = "\u200c\u200d"
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co"})
_LINE_BREAKS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_BLANKS = re.compile("[ \t]+")


def clean(text: str) -> str:
    """Visible characters, single spaces, "\\n" between lines. No-break spaces stay: French needs them."""
    text = _LINE_BREAKS.sub("\n", text).replace("\t", " ")
    text = "".join(c for c in text if c == "\n" or not _hidden(c))
    lines = (_BLANKS.sub(" ", line).strip(" ") for line in text.split("\n"))
    return re.sub("\n{3,}", "\n\n", "\n".join(lines)).strip(" \n")


def clean_line(text: str) -> str:
    """One line. `clean` leaves it as it is, so a value comes out of a script exactly as it went in."""
    return _BLANKS.sub(" ", clean(text).replace("\n", " "))


def _hidden(c: str) -> bool:
    if c.isascii():
        return not c.isprintable()
    if c in _JOINERS:
        return False
    return unicodedata.category(c) in _INVISIBLE or "\U000e0100" <= c <= "\U000e01ef"


def check_source(source: str) -> str:
    """Without the differences between editors (line ends, byte order mark), so that line numbers agree everywhere."""
    source = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    size = len(source.encode("utf-8", "replace"))
    if size > SOURCE_BYTES:
        raise Invalid(
            f"The script is {size:,} bytes long and the limit is {SOURCE_BYTES:,}. Split it in two.",
            code="script_too_long",
        )
    return source


def wrong(source: str, line: int, found: str, message: str, *, code: str = "script_not_allowed") -> Invalid:
    """The error for `found` on `line`. Jinja knows lines only: the column is looked up, and left out if not found."""
    lines = source.split("\n")
    if not 1 <= line <= len(lines):
        return Invalid(message, code=code)
    column = _column(lines[line - 1], found)
    place = f"Line {line}, column {column}" if column else f"Line {line}"
    return Invalid(f"{place}: {message}", code=code)


def _column(line: str, found: str) -> int:
    if not found:
        return 0
    edge = r"(?<!\w){}(?!\w)" if found[0].isalnum() or found[0] == "_" else "{}"
    match = re.search(edge.format(re.escape(found)), line)
    return match.start() + 1 if match else 0

"""SVG pictures from strangers: what in them cannot be drawn, and a clean copy of what can.

Read by a parser that refuses entities, so nothing unfolds; what could make the drawing endless (circles of references,
clips in clips, deep nesting) is refused here, because skia follows them.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from xml.sax import SAXException
from xml.sax.handler import ContentHandler
from xml.sax.saxutils import XMLGenerator

from defusedxml import DefusedXmlException
from defusedxml import sax as defused

from avatar_scheduler.domain.errors import Invalid

MOST_ELEMENTS = 5000
DEEPEST = 40
_SHAPES = {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon"}
_PAINTS = {"linearGradient", "radialGradient", "stop"}
DRAWN = {"svg", "g", "defs", "clipPath", "title", "desc", "metadata"} | _SHAPES | _PAINTS
_UNDRAWN = {
    "filter": ("a filter", "Filters"),
    "mask": ("a mask", "Masks"),
    "style": ("a style sheet", "Style sheets"),
    "text": ("text", "Texts"),
    "use": ("a reference", "References"),
    "image": ("an embedded picture", "Embedded pictures"),
    "script": ("a script", "Scripts"),
    "pattern": ("a pattern", "Patterns"),
    "marker": ("a marker", "Markers"),
    "foreignObject": ("a foreign object", "Foreign objects"),
}
_OUTSIDE = re.compile(r"url\(\s*[\"']?\s*(?!#)[^\s]", re.IGNORECASE)
_LINKS = ("href", "xlink:href", "src", "xml:base")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)")


@dataclass
class Drawing:
    """What was found in one picture."""

    view: tuple[float, ...] = ()
    undrawn: dict[str, int] = field(default_factory=dict)
    """Tag to the line of the first one."""
    outside: bool = False
    endless: str = ""
    clean: str = ""


def read(name: str, data: bytes) -> Drawing:
    """Raises Invalid for a picture that cannot be read to its end."""
    found = Drawing()
    with _said_plainly(name):
        defused.parseString(data, _Reader(found))
    if not found.view:
        raise Invalid(f"{name} cannot be read: it is not a complete SVG picture with a viewBox.")
    return found


def problems(name: str, data: bytes, artboard: tuple[int, int] | None) -> list[str]:
    try:
        drawing = read(name, data)
    except Invalid as error:
        return [error.message]
    found = []
    x, y, width, height = drawing.view
    if artboard and (width, height) != artboard:
        found.append(f"{name} is {width:g}x{height:g}, the artboard is {artboard[0]}x{artboard[1]}.")
    if (x, y) != (0, 0):
        found.append(f"The viewBox of {name} begins at {x:g} {y:g}. Let it begin at 0 0.")
    for tag, line in drawing.undrawn.items():
        one, many = _UNDRAWN.get(tag, (f"<{tag[:20]}>", "Such parts"))
        found.append(f"{name} uses {one} (line {line}). {many} are not drawn.")
    if drawing.outside:
        found.append(f"{name} links to another address. A pack must be complete in itself.")
    if drawing.endless:
        found.append(f"{name} {drawing.endless}")
    return found


@contextmanager
def _said_plainly(name: str) -> Iterator[None]:
    try:
        yield
    except DefusedXmlException as error:
        raise Invalid(f"{name} defines entities. Save it again as a plain SVG picture.") from error
    except SAXException as error:
        # A SAXParseException knows its line, its base class does not.
        line = getattr(error, "getLineNumber", lambda: None)()
        place = f"line {line}: " if line else ""
        raise Invalid(f"{name} cannot be read: {place}{error.getMessage()}.") from error
    except (UnicodeDecodeError, LookupError, ValueError) as error:
        raise Invalid(f"{name} cannot be read: it is not text.") from error


class _Reader(ContentHandler):
    def __init__(self, found: Drawing) -> None:
        super().__init__()
        self._found = found
        self._out = io.StringIO()
        self._writer = XMLGenerator(self._out, short_empty_elements=True)
        self._open: list[str] = []
        self._foreign = 0
        """How many elements deep inside one that is not SVG: an editor's own notes, which are not copied."""
        self._elements = 0
        self._links: dict[str, str] = {}
        self._place: Any = None

    def setDocumentLocator(self, locator: Any) -> None:  # noqa: N802
        self._place = locator

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802 -- the parser calls it so
        self._elements += 1
        if self._elements > MOST_ELEMENTS or len(self._open) + self._foreign > DEEPEST:
            raise SAXException(f"it has more than {MOST_ELEMENTS} parts, or parts more than {DEEPEST} deep")
        if self._foreign or ":" in name or name == "metadata":
            self._foreign += 1
            return
        values = {key: str(attrs.getValue(key)) for key in attrs.getNames()}
        if not self._open and name == "svg":
            self._found.view = tuple(float(n) for n in _NUMBER.findall(values.get("viewBox", "")))
            self._found.view = self._found.view if len(self._found.view) == 4 else ()
        if name not in DRAWN:
            self._found.undrawn.setdefault(name, self._line())
        self._look(name, values)
        self._open.append(name)
        self._writer.startElement(name, _kept(values, root=len(self._open) == 1))

    def endElement(self, name: str) -> None:  # noqa: N802
        if self._foreign:
            self._foreign -= 1
            return
        self._open.pop()
        self._writer.endElement(name)

    def characters(self, content: str) -> None:
        """Only titles have text that belongs to the picture."""
        if not self._foreign and self._open and self._open[-1] in ("title", "desc"):
            self._writer.characters(content)

    def endDocument(self) -> None:  # noqa: N802
        if self._in_circles():
            self._found.endless = "has gradients that refer to each other in a circle."
        self._found.clean = self._out.getvalue() + "\n"

    def _look(self, name: str, values: dict[str, str]) -> None:
        for key, value in values.items():
            if (key in _LINKS and not value.strip().startswith("#")) or _OUTSIDE.search(value):
                self._found.outside = True
            if key.lower().startswith("on"):
                self._found.undrawn.setdefault("script", self._line())
        clipped = "clip-path" in values or "clip-path" in values.get("style", "")
        if clipped and (name == "clipPath" or "clipPath" in self._open):
            self._found.endless = "clips inside a clipPath. Clip the shapes themselves."
        if name in _PAINTS and values.get("id"):
            link = values.get("xlink:href", values.get("href", ""))
            self._links[values["id"]] = link.strip().removeprefix("#")

    def _line(self) -> int:
        return int(self._place.getLineNumber())

    def _in_circles(self) -> bool:
        for start in self._links:
            at, steps = self._links[start], 0
            while at in self._links and steps <= 8:
                at, steps = self._links[at], steps + 1
            if steps > 8:
                return True
        return False


def _kept(values: dict[str, str], *, root: bool) -> Any:
    kept = {key: value for key, value in sorted(values.items()) if ":" not in key and not key.startswith("xmlns")}
    if "xlink:href" in values:
        kept["xlink:href"] = values["xlink:href"]
    if root:
        kept = {"xmlns": "http://www.w3.org/2000/svg", "xmlns:xlink": "http://www.w3.org/1999/xlink", **kept}
    return kept

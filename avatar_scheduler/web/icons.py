"""Lucide icons as one inline sprite per page. The drawings come from the installed package, read once at start-up."""

import functools
from xml.etree import ElementTree as ET

import lucide
from markupsafe import Markup

# Kept as a list, so that a missing one fails at start-up: the package answers with a placeholder for unknown names.
NAMES = (
    "alarm-clock", "archive", "arrow-right", "badge-check", "calendar-check", "calendar-clock", "check", "chevron-left",
    "chevron-right", "circle-check", "circle-dot-dashed", "circle-question-mark", "circle-slash", "circle-x",
    "eye", "file-play",
    "git-compare", "hand", "keyboard", "languages", "layout-list", "link", "loader", "lock",
    "log-in", "log-out", "map-pin", "maximize", "message-square-reply", "octagon-x", "pause", "pen-line", "play",
    "rotate-ccw", "rss", "scan-line", "scroll-text", "send", "shield-check", "thumbs-up", "timer-off", "triangle-alert",
    "undo-2", "wifi-off", "x",
    "audio-lines", "film", "folder-open", "image", "mic", "shirt", "trash", "upload", "user-round",
    "hand-coins", "siren",
    "calendar-days", "users", "user-round-check", "user-plus", "octagon-pause", "menu", "key-round", "scan-face",
    "smartphone", "mail", "bell", "bell-off", "message-circle", "quote", "at-sign", "download", "refresh-cw",
    "arrow-up", "arrow-down", "arrow-left", "plus", "clock", "moon", "bot", "video", "globe", "ban",
    "circle-pause", "circle-play", "list-checks", "search", "settings", "move", "wifi", "share", "monitor-smartphone",
)  # fmt: skip

# The brand mark and everything an avatar made is hatched (ux.md, principle 1).
_HATCH = (
    '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="5" height="5" class="f-avs"/><rect width="2" height="5" class="f-avatar"/></pattern></defs>'
)


@functools.cache
def drawings() -> dict[str, str]:
    known = set(lucide.get_icon_list())
    absent = sorted(set(NAMES) - known)
    if absent:
        raise LookupError(f"Icons not in the installed python-lucide: {', '.join(absent)}")
    return {name: _inner(lucide.lucide_icon(name)) for name in NAMES}


def _inner(svg: str) -> str:
    """The shapes alone, without a namespace: the sprite's <symbol> is the frame."""
    shapes = []
    for shape in ET.fromstring(svg):  # noqa: S314 - from the installed package
        shape.tag, shape.tail = shape.tag.rpartition("}")[2], ""
        shapes.append(ET.tostring(shape, encoding="unicode"))
    return "".join(shapes)


class Icons:
    """Remembers what one page used."""

    def __init__(self) -> None:
        self._used: dict[str, None] = {}

    def __call__(self, name: str, cls: str = "") -> Markup:
        if name not in drawings():
            raise LookupError(f"No icon “{name}” in web/icons.py")
        self._used[name] = None
        return Markup('<svg class="{}" aria-hidden="true"><use href="#i-{}"/></svg>').format(f"i {cls}".strip(), name)

    def sprite(self) -> Markup:
        symbols = "".join(
            f'<symbol id="i-{name}" viewBox="0 0 24 24">{drawings()[name]}</symbol>' for name in sorted(self._used)
        )
        body = f'<svg width="0" height="0" class="vh" aria-hidden="true">{_HATCH}{symbols}</svg>'
        return Markup(body)  # noqa: S704 - package data and constants, nothing a user wrote

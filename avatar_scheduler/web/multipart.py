"""A form with one file, read as it arrives: fields first, then the file straight to disk, never whole in memory.

FastAPI's own forms are read before a route is asked. Here the route hears of the fields before the first byte of the
file, so a form without the session's token, or with a kind nobody knows, costs nothing.
"""

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Protocol

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from avatar_scheduler.domain.errors import Invalid, SchedulerError

_LONGEST_FIELD = 200
_MOST_PARTS = 8
_FILE = "file"


class Sink(Protocol):
    def write(self, chunk: bytes) -> None: ...


Begin = Callable[[Mapping[str, str], str], Sink]


class _Form:
    """`begin` is given the fields and the file's own name, and says where its bytes go."""

    def __init__(self, boundary: bytes, allowed: frozenset[str], begin: Begin) -> None:
        self.fields: dict[str, str] = {}
        self.sink: Sink | None = None
        self.ended = False
        self._allowed, self._begin = allowed, begin
        self._header, self._value, self._disposition = bytearray(), bytearray(), b""
        self._name, self._text, self._parts = "", bytearray(), 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_part_end": self._part_ends,
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        self._parser.write(chunk)

    def _part_begins(self) -> None:
        self._parts += 1
        self._disposition, self._name = b"", ""
        self._text.clear()
        if self._parts > _MOST_PARTS:
            raise _not_understood()

    def _header_ends(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_end(self) -> None:
        options = parse_options_header(self._disposition)[1]
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._name == _FILE and self.sink is None:
            given = options.get(b"filename", b"").decode("utf-8", "replace")
            self.sink = self._begin(self.fields, PurePath(given.replace("\\", "/")).name)
        elif self._name not in self._allowed or self._name in self.fields:
            raise Invalid(f"Check: {self._name[:40]}.", code="invalid")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name == _FILE and self.sink is not None:
            self.sink.write(data[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > _LONGEST_FIELD:
            raise Invalid(f"Check: {self._name[:40]}.", code="invalid")

    def _part_ends(self) -> None:
        if self._name != _FILE:
            self.fields[self._name] = self._text.decode("utf-8", "replace")

    def _end(self) -> None:
        self.ended = True


def _not_understood() -> Invalid:
    return Invalid("The form did not arrive whole. Reload the page and try again.", code="form")


async def receive(request: Request, allowed: frozenset[str], begin: Begin) -> None:
    """Raises Invalid for a form that is broken or cut off, and whatever `begin` and the sink raise."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
        raise _not_understood()
    form, refused = _Form(boundary, allowed, begin), None
    async for chunk in request.stream():
        if refused is None:
            try:
                form.feed(chunk)
            except SchedulerError as error:
                refused = error  # heard to the end all the same: a browser cut off while it sends shows no answer
            except FormParserError:
                refused = _not_understood()
    if refused is not None:
        raise refused
    if not form.ended or form.sink is None:
        raise _not_understood()

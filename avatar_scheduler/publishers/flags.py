"""A platform's own switches, read on the finished request as the platform will read it.

What cannot be read in one way only (a field twice, a body of an unknown type, JSON that is none) carries no flag.
"""

import io
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from avatar_scheduler.domain.disclosure import ON_REQUEST, RequiredMark

BODY_BYTES = 1024 * 1024
"""A request that publishes holds words and names. Media go up before it."""
FIELDS = 1000


class Unreadable(ValueError):
    """The message is the end of a sentence that begins "The request"."""


def lacking(required: Iterable[RequiredMark], body: bytes, content_type: str, query: str = "") -> list[str]:
    """What must be on the request and is not, one sentence each; marks that are measured elsewhere are passed over.

    A flag is there when its field equals the value, or is a list that holds it. Values keep their type: in JSON the
    word "true" is not true; in a form or a query, where everything is a word, it is.
    """
    flags = [mark for mark in required if mark.mark in ON_REQUEST]
    try:
        document = json_of(body) if _is_json(content_type) else None
        named = pairs_of(body if document is None else b"", content_type, query)
    except Unreadable as error:
        return [f"The request {error}, so nobody knows what the platform would read."] if flags else []
    return [reason for flag in flags if (reason := _lack(flag, document, named))]


def _lack(flag: RequiredMark, document: Any, named: Mapping[str, str]) -> str:
    wanted, asks = json.loads(flag.value), f"{flag.law} asks for {flag.value}."
    found, there = _at(document, flag.field), flag.field in named
    if found is _NOTHING and not there:
        return f"{flag.field} is not on the request. {asks}"
    if found is not _NOTHING and there:
        return f"{flag.field} is on the request twice. {asks}"
    right = _holds(named[flag.field], wanted) if there else same(found, wanted) or _among(found, wanted)
    return "" if right else f"{flag.field} says something else on the request. {asks}"


_NOTHING = object()


def _at(document: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(document, dict) or name not in document:
            return _NOTHING
        document = document[name]
    return document


def text_at(body: bytes, content_type: str, path: str) -> str | None:
    """The words under a dotted path of a JSON body, or under a name of a form; None when there are none."""
    try:
        if not _is_json(content_type):
            return pairs_of(body, content_type, "").get(path)
        found = _at(json_of(body), path)
    except Unreadable:
        return None
    return found if isinstance(found, str) else None


def same(one: Any, other: Any) -> bool:
    """Equal, and of equal types all the way down: Python takes True for 1."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def _among(found: Any, wanted: Any) -> bool:
    return isinstance(found, list) and any(same(item, wanted) for item in found)


def _holds(text: str, wanted: Any) -> bool:
    """What a form says: a plain word, or JSON."""
    if isinstance(wanted, str) and text == wanted:
        return True
    try:
        found = json_of(text.encode())
    except Unreadable:
        return False
    return same(found, wanted) or _among(found, wanted)


def json_of(body: bytes) -> Any:
    """Raises Unreadable for what two parsers could read differently."""
    if len(body) > BODY_BYTES:
        raise Unreadable(f"has more than {BODY_BYTES} bytes")
    try:
        return json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except Unreadable:
        raise
    except (ValueError, RecursionError):
        raise Unreadable("is no JSON") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _once(name for name, _ in pairs)
    return dict(pairs)


def _once(names: Iterable[str]) -> None:
    """Some servers do not tell capitals from small letters, and each has its own idea of which of two counts."""
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise Unreadable(f"says “{name[:60]}” twice")
        seen.add(name.casefold())


def _constant(name: str) -> None:
    raise Unreadable(f"says {name}, which is no JSON")


def pairs_of(body: bytes, content_type: str, query: str) -> dict[str, str]:
    """The fields of a form and of the query, each of which may be there once. Raises Unreadable."""
    if len(body) > BODY_BYTES:
        raise Unreadable(f"has more than {BODY_BYTES} bytes")
    pairs, kind = _words(query), _kind(content_type)
    if body and kind == "application/x-www-form-urlencoded":
        try:
            pairs += _words(body.decode("ascii"))
        except UnicodeDecodeError:
            raise Unreadable("is no form") from None
    elif body and kind == "multipart/form-data":
        pairs += _parts(body, content_type)
    elif body:
        raise Unreadable(f"has a body of the type “{kind or 'none'}”")
    _once(name for name, _ in pairs)
    return dict(pairs)


def _words(text: str) -> list[tuple[str, str]]:
    if not text:
        return []
    try:
        return parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=FIELDS)
    except ValueError:
        raise Unreadable("has fields that cannot be told apart") from None


def _parts(body: bytes, content_type: str) -> list[tuple[str, str]]:
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import Field, parse_form

    fields: list[Field] = []
    try:
        parse_form({"Content-Type": content_type.encode()}, io.BytesIO(body), fields.append, lambda _: None)
        pairs = [((field.field_name or b"").decode(), (field.value or b"").decode()) for field in fields]
    except (FormParserError, ValueError):
        raise Unreadable("is no form") from None
    if not body.rstrip().endswith(b"--"):
        raise Unreadable("is a form without an end")
    return pairs


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _is_json(content_type: str) -> bool:
    said = content_type.partition(";")[2].replace(" ", "").lower()
    if _kind(content_type) == "application/json" and said not in ("", "charset=utf-8"):
        raise Unreadable(f"is JSON written in “{said[:40]}”")
    return _kind(content_type) == "application/json"

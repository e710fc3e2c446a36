"""A frozen post: canonical JSON of everything the audience gets, and its SHA-256."""

import hashlib
import json
from typing import Any

Json = dict[str, Any]


def canonical(value: Json) -> str:
    """RFC 8785 text for the subset we allow: objects, lists, strings, integers below 2^53, booleans, null.

    Fractions are refused rather than formatted, so that no two machines can disagree about a digit.
    """
    _check(value, "$")
    return json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _sorted(value: Any) -> Any:
    """Keys in UTF-16 code unit order, as RFC 8785 asks; Python's own order differs beyond the basic plane."""
    if isinstance(value, dict):
        return {k: _sorted(value[k]) for k in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return value


def _check(value: Any, where: str) -> None:
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) >= 2**53:
            raise ValueError(f"{where}: integer too large for canonical JSON")
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"{where}: key {key!r} is not a string")
            _check(item, f"{where}.{key}")
        return
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check(item, f"{where}[{index}]")
        return
    raise ValueError(f"{where}: {type(value).__name__} has no canonical form")

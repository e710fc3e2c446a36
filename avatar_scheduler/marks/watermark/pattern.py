"""Which cell carries what: the public pattern that finds the grid, and each key's own way of spreading the id.

Everything is read from SHAKE-256 streams: a generator's numbers may change with a release of its library, and films
marked today must be readable in ten years.
"""

import hashlib
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.marks.watermark.message import CODE_BITS, Signs

NATIVE = 1080
"""Pixels along the shortest side of the pictures we make. In others cells grow and shrink with that side, so that a
picture marked small and one marked large and then scaled down look the same."""
CELL = 16
"""Native pixels along a cell of luma, and along one of chroma in its own plane, where it covers four of luma."""
SIDE = 1920
"""Native pixels along the grid, the longest side of a picture we make. It is anchored at the picture's top left."""
SYNC_OF_256 = 64
"""Cells that carry the public pattern, of 256."""
PLANES = ("luma", "chroma")
CELLS = {"luma": SIDE // CELL, "chroma": SIDE // CELL // 2}
"""Along a side of the grid."""
KEYS_KEPT = 64


class Public(NamedTuple):
    """[cells, cells] each: whether a cell is of the public pattern, and its sign."""

    sync: NDArray[np.bool_]
    signs: Signs


class Secret(NamedTuple):
    """[cells, cells] each: which code bit a cell carries, and the sign it is sent with."""

    bits: NDArray[np.intp]
    signs: Signs


@cache
def public(plane: str) -> Public:
    side = CELLS[plane]
    role = _stream(b"public v1", f"{plane} roles", np.uint8, side)
    return Public(role < SYNC_OF_256, _signs(b"public v1", f"{plane} signs", side))


@lru_cache(KEYS_KEPT * len(PLANES))
def secret(key: bytes, plane: str) -> Secret:
    """Every code bit has as many cells as any other, and they lie all over the grid."""
    side = CELLS[plane]
    order = np.argsort(_stream(key, f"{plane} order", np.uint64, side), axis=None, kind="stable")
    bits = np.empty(side * side, np.intp)
    bits[order] = np.arange(side * side) % CODE_BITS
    return Secret(bits.reshape(side, side), _signs(key, f"{plane} signs", side))


def chips(plane: str, code: Signs, key: bytes) -> Signs:
    """[cells, cells], what each cell carries of the code bits sent under the key."""
    shown, hidden = public(plane), secret(key, plane)
    return np.where(shown.sync, shown.signs, hidden.signs * code[hidden.bits])


def _signs(key: bytes, purpose: str, side: int) -> Signs:
    bit = _stream(key, purpose, np.uint8, side) & 1
    return (1 - 2 * bit.astype(np.int8)).astype(np.int8)


def _stream(key: bytes, purpose: str, kind: type[np.uint8] | type[np.uint64], side: int) -> NDArray[np.unsignedinteger]:
    numbers = np.dtype(kind).newbyteorder("<")
    seed = b"avatar-scheduler watermark v1\n" + purpose.encode() + b"\n" + key
    return np.frombuffer(hashlib.shake_256(seed).digest(side * side * numbers.itemsize), numbers).reshape(side, side)

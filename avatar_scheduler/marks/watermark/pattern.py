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
CELL = 32
"""Native pixels along a cell: four macroblocks of a codec, so that a cell is one flat block of chroma to it."""
CELLS = 60
"""Along a side of the grid, which reaches as far as the longest side of a picture we make. It is anchored at the top
left."""
SYNC_OF_256 = 64
"""Cells that carry the public pattern, of 256."""
KEYS_KEPT = 64


class Public(NamedTuple):
    """[CELLS, CELLS] each: whether a cell is of the public pattern, and its sign."""

    sync: NDArray[np.bool_]
    signs: Signs


class Secret(NamedTuple):
    """[CELLS, CELLS] each: which code bit a cell carries, and the sign it is sent with."""

    bits: NDArray[np.intp]
    signs: Signs


@cache
def public() -> Public:
    return Public(_stream(b"public", "roles", np.uint8) < SYNC_OF_256, _signs(b"public"))


@lru_cache(KEYS_KEPT)
def secret(key: bytes) -> Secret:
    """Every code bit has as many cells as any other, and they lie all over the grid."""
    order = np.argsort(_stream(key, "order", np.uint64), axis=None, kind="stable")
    bits = np.empty(order.size, np.intp)
    bits[order] = np.arange(order.size) % CODE_BITS
    return Secret(bits.reshape(CELLS, CELLS), _signs(key))


def chips(code: Signs, key: bytes) -> Signs:
    """[CELLS, CELLS], what each cell carries of the code bits sent under the key."""
    shown, hidden = public(), secret(key)
    return np.where(shown.sync, shown.signs, hidden.signs * code[hidden.bits])


def _signs(key: bytes) -> Signs:
    return np.where(_stream(key, "signs", np.uint8) & 1, -1, 1).astype(np.int8)


def _stream(key: bytes, purpose: str, kind: type[np.uint8] | type[np.uint64]) -> NDArray[np.unsignedinteger]:
    numbers = np.dtype(kind).newbyteorder("<")
    seed = f"avatar-scheduler watermark v1\n{purpose}\n".encode() + key
    return np.frombuffer(hashlib.shake_256(seed).digest(CELLS * CELLS * numbers.itemsize), numbers).reshape(CELLS, -1)

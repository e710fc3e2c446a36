"""The id as code bits and back: CRC-16, then a convolutional code of rate 1/3, K = 9 (557, 663, 711 octal).

The polynomials are those of the best known code of this length (Lin and Costello, "Error Control Coding", table 12.1).
"""

import re
from binascii import crc_hqx
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.domain.errors import Invalid

ID_BITS = 32
MESSAGE_BITS = ID_BITS + 16
MEMORY = 8
STATES = 1 << MEMORY
POLYNOMIALS = (0o557, 0o663, 0o711)
CODE_BITS = (MESSAGE_BITS + MEMORY) * len(POLYNOMIALS)
MARK_ID = re.compile(r"[0-9a-f]{8}")

Signs = NDArray[np.int8]
"""-1 and +1."""
Soft = NDArray[np.float32]


def encode(mark_id: str) -> Signs:
    """CODE_BITS signs, +1 for a zero. Raises Invalid when `mark_id` is not 8 hex digits in lower case."""
    if not MARK_ID.fullmatch(mark_id):
        raise Invalid(f"{mark_id!r} is no id of a watermark: it has 8 hex digits, in lower case.")
    return _signs(int(mark_id, 16))


def decode(soft: Soft) -> tuple[str, Signs]:
    """The id, empty where the checksum fails, and the signs that whole message would have had.

    `soft` holds one value per code bit: its sign is the guess, its size how sure that is.
    """
    message = _most_likely(soft)
    value = message >> 16
    right = crc_hqx(value.to_bytes(4, "big"), 0xFFFF) == message & 0xFFFF
    return f"{value:08x}" if right else "", _convolved(message)


def _signs(value: int) -> Signs:
    return _convolved(value << 16 | crc_hqx(value.to_bytes(4, "big"), 0xFFFF))


class _Trellis(NamedTuple):
    """Per state, of the two that lead to it: which they are, and the signs sent on the way. Newest bit highest."""

    before: tuple[NDArray[np.int64], NDArray[np.int64]]
    sent: tuple[Soft, Soft]


@cache
def _trellis() -> _Trellis:
    states = np.arange(STATES)
    entered = states >> (MEMORY - 1)
    before = (states << 1) & (STATES - 1)
    pair = (before, before | 1)
    sent = tuple(np.array([_sent(int(b) << MEMORY | int(s)) for b, s in zip(entered, p, strict=True)]) for p in pair)
    return _Trellis(pair, (sent[0].astype(np.float32), sent[1].astype(np.float32)))


def _sent(register: int) -> list[int]:
    return [1 - 2 * ((register & polynomial).bit_count() & 1) for polynomial in POLYNOMIALS]


def _convolved(message: int) -> Signs:
    """The register ends empty, so that the last bits are as well protected as the first."""
    padded, state, signs = message << MEMORY, 0, []
    for place in range(MESSAGE_BITS + MEMORY - 1, -1, -1):
        register = (padded >> place & 1) << MEMORY | state
        signs += _sent(register)
        state = register >> 1
    return np.array(signs, np.int8)


def _most_likely(soft: Soft) -> int:
    """Viterbi's algorithm."""
    trellis = _trellis()
    score = np.full(STATES, -np.inf, np.float32)
    score[0] = 0
    came: list[NDArray[np.bool_]] = []
    for step, values in enumerate(soft.reshape(-1, len(POLYNOMIALS))):
        first, second = (score[b] + sent @ values for b, sent in zip(trellis.before, trellis.sent, strict=True))
        came.append(second > first)
        score = np.maximum(first, second)
        if step >= MESSAGE_BITS:
            score[STATES // 2 :] = -np.inf
    state = message = 0
    for step in range(len(came) - 1, -1, -1):
        if step < MESSAGE_BITS:
            message |= (state >> (MEMORY - 1)) << (MESSAGE_BITS - 1 - step)
        state = (state << 1 & (STATES - 1)) | int(came[step][state])
    return message

"""A WebP's size and whether it moves, from its header: its decoder takes memory for the canvas before it says so."""

from typing import BinaryIO

from avatar_scheduler.domain.errors import Invalid

_MOVES = 0x02


def look(file: BinaryIO) -> tuple[int, int]:
    file.seek(0)
    head = file.read(34)
    file.seek(0)
    kind, body = head[12:16], head[20:]
    if kind == b"VP8X" and len(body) >= 10:
        if body[0] & _MOVES:
            raise Invalid("The picture moves. Bring a still one, or a film as a clip.", code="upload_animated")
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L" and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(body) >= 10:
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    raise Invalid("The picture is damaged or cut off. Export it again.", code="upload_damaged")

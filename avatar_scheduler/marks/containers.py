"""Where MP4, JPEG and PNG files keep an XMP packet and a C2PA manifest, and how to put a packet there without touching
anything else.

Sources: ISO 14496-12 (boxes), Adobe XMP part 3 (the uuid box, APP1 and iTXt), C2PA 2.4 appendix A (uuid box, APP11,
caBX).
"""

import os
import struct
import zlib
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple, Protocol

from avatar_scheduler.domain.errors import Invalid

XMP_BOX = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
C2PA_BOX = bytes.fromhex("D8FEC3D61B0E483C92975828877EC481")
APP1_NAME = b"http://ns.adobe.com/xap/1.0/\0"
APP1_ROOM = 0xFFFF - 2 - len(APP1_NAME)
ITXT_NAME = b"XML:com.adobe.xmp\0"
PNG_START = b"\x89PNG\r\n\x1a\n"
LARGEST_PACKET = 1 << 20
LARGEST_MANIFEST = 16 << 20


class Container(Protocol):
    @property
    def media_type(self) -> str: ...

    def packets(self, media: Path) -> list[bytes]:
        """Every XMP packet in the file. Raises Invalid when the file is damaged."""

    def put(self, media: Path, packet: bytes) -> None:
        """Makes `packet` the file's only one."""

    def manifest(self, media: Path) -> bytes:
        """The C2PA manifest store (a JUMBF box); empty when there is none. Raises Invalid when the file is damaged."""


def of(media: Path) -> Container:
    """By the file's first bytes, whatever its name says."""
    with media.open("rb") as file:
        start = file.read(12)
    if start[4:8] == b"ftyp":
        return Mp4()
    if start.startswith(b"\xff\xd8\xff"):
        return Jpeg()
    if start.startswith(PNG_START):
        return Png()
    raise Invalid("The file is not an MP4 video, a JPEG or a PNG image.")


class Box(NamedTuple):
    at: int
    size: int
    body: int
    """Where the content starts, after the header and the 16 bytes of a uuid box's name."""
    name: bytes
    """Four characters, or the 16 bytes of a uuid box's name."""

    @property
    def is_xmp(self) -> bool:
        return self.name == XMP_BOX


class Mp4:
    media_type = "video/mp4"

    def packets(self, media: Path) -> list[bytes]:
        found = []
        with media.open("rb") as file:
            for box in self.boxes(media):
                if box.is_xmp:
                    file.seek(box.body)
                    found.append(file.read(min(box.at + box.size - box.body, LARGEST_PACKET)))
        return found

    def put(self, media: Path, packet: bytes) -> None:
        """Appends: nothing before it moves, so no chunk offset in moov needs rewriting."""
        boxes = list(self.boxes(media))
        with media.open("r+b") as file:
            for box in boxes:
                if box.is_xmp:
                    file.seek(box.at + 4)
                    file.write(b"free")
            if boxes[-1].is_xmp:
                file.truncate(boxes[-1].at)
            file.seek(0, os.SEEK_END)
            file.write(struct.pack(">I4s", 24 + len(packet), b"uuid") + XMP_BOX + packet)

    def boxes(self, media: Path) -> Iterator[Box]:
        """Those at the top."""
        end, at = media.stat().st_size, 0
        with media.open("rb") as file:
            while at < end:
                file.seek(at)
                head = file.read(32)
                size, header = int.from_bytes(head[:4]), 8
                if size == 1:
                    size, header = int.from_bytes(head[8:16]), 16
                if size < header or at + size > end:
                    raise Invalid("The MP4 file is damaged or cut short.")
                named = head[4:8] == b"uuid"
                name = head[header : header + 16] if named else head[4:8]
                yield Box(at, size, at + header + (16 if named else 0), name)
                at += size

    def manifest(self, media: Path) -> bytes:
        """After 4 bytes of version and flags, a purpose that ends in zero, and 8 bytes of offset."""
        for box in self.boxes(media):
            if box.name == C2PA_BOX:
                with media.open("rb") as file:
                    file.seek(box.body + 4)
                    purpose, _, rest = file.read(min(box.at + box.size - box.body - 4, LARGEST_MANIFEST)).partition(
                        b"\0"
                    )
                if purpose == b"manifest":
                    return _jumbf(rest[8:])
        return b""


class Jpeg:
    media_type = "image/jpeg"

    def packets(self, media: Path) -> list[bytes]:
        segments, _ = self._split(media.read_bytes())
        return [segment[4 + len(APP1_NAME) :] for segment in segments if self._is_xmp(segment)]

    def put(self, media: Path, packet: bytes) -> None:
        """After the leading APP0 and APP1, which readers expect first."""
        if len(packet) > APP1_ROOM:
            raise Invalid("The image's XMP is larger than a JPEG segment holds. Remove metadata from it first.")
        segments, picture = self._split(media.read_bytes())
        others = [segment for segment in segments if not self._is_xmp(segment)]
        heads = len(list(takewhile(lambda segment: segment[1] in (0xE0, 0xE1), others)))
        body = APP1_NAME + packet
        ours = struct.pack(">HH", 0xFFE1, 2 + len(body)) + body
        _replace(media, b"\xff\xd8" + b"".join([*others[:heads], ours, *others[heads:]]) + picture)

    def manifest(self, media: Path) -> bytes:
        """Over APP11 segments of one number, each with the box's header again: JP, number, sequence, size and name."""
        segments, _ = self._split(media.read_bytes())
        pieces = [segment[4:] for segment in segments if segment[1] == 0xEB and segment[4:6] == b"JP"]
        ours = [piece for piece in pieces if piece[2:4] == pieces[0][2:4]]
        ours.sort(key=lambda piece: piece[4:8])
        return _jumbf(b"".join(piece[16 if number else 8 :] for number, piece in enumerate(ours)))

    def _is_xmp(self, segment: bytes) -> bool:
        return segment[1] == 0xE1 and segment[4:].startswith(APP1_NAME)

    def _split(self, data: bytes) -> tuple[list[bytes], bytes]:
        """The segments before the scan, and everything from the scan on."""
        segments, at = [], 2
        while data[at : at + 2] != b"\xff\xda":
            size = 2 + int.from_bytes(data[at + 2 : at + 4])
            if data[at : at + 1] != b"\xff" or size < 4 or at + size > len(data):
                raise Invalid("The JPEG file is damaged or cut short.")
            segments.append(data[at : at + size])
            at += size
        return segments, data[at:]


class Png:
    media_type = "image/png"

    def packets(self, media: Path) -> list[bytes]:
        """Uncompressed only, as the XMP specification asks."""
        found = []
        for chunk in self._chunks(media.read_bytes()):
            if self._is_xmp(chunk):
                language_and_text = chunk[8 + len(ITXT_NAME) + 2 : -4]
                found.append(language_and_text.split(b"\0", 2)[-1])
        return found

    def put(self, media: Path, packet: bytes) -> None:
        header, *others = [chunk for chunk in self._chunks(media.read_bytes()) if not self._is_xmp(chunk)]
        body = b"iTXt" + ITXT_NAME + b"\0\0\0\0" + packet
        ours = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        _replace(media, PNG_START + b"".join([header, ours, *others]))

    def manifest(self, media: Path) -> bytes:
        chunks = [chunk for chunk in self._chunks(media.read_bytes()) if chunk[4:8] == b"caBX"]
        return _jumbf(chunks[0][8:-4]) if chunks else b""

    def _is_xmp(self, chunk: bytes) -> bool:
        return chunk[4:8] == b"iTXt" and chunk[8:].startswith(ITXT_NAME)

    def _chunks(self, data: bytes) -> Iterator[bytes]:
        at = len(PNG_START)
        while at < len(data):
            size = 12 + int.from_bytes(data[at : at + 4])
            if at + size > len(data):
                raise Invalid("The PNG file is damaged or cut short.")
            yield data[at : at + size]
            at += size


def _jumbf(data: bytes) -> bytes:
    """The one box at the start, without what fills up the space behind it."""
    size = int.from_bytes(data[:4])
    if data and (data[4:8] != b"jumb" or not 8 <= size <= len(data)):
        raise Invalid("The file's Content Credentials are damaged or cut short.")
    return data[:size]


def _replace(media: Path, data: bytes) -> None:
    """Whole or not at all."""
    fresh = media.with_name(media.name + ".new")
    fresh.write_bytes(data)
    fresh.replace(media)

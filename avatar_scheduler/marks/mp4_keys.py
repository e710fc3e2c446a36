"""Named texts in an MP4 (`moov/meta` with `keys` and `ilst`): what ffprobe and exiftool show beside the film.

Sources: QuickTime File Format, "Metadata"; ISO 14496-12 for the chunk offsets that move when the index grows.
"""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import containers

TEXT = 1
HANDLER = struct.pack(">I4sII4s13x", 33, b"hdlr", 0, 0, b"mdta")
TO_OFFSETS = (b"trak", b"mdia", b"minf", b"stbl")
LARGEST_INDEX = 64 << 20
COPY_BYTES = 1 << 20
DAMAGED = "The MP4 file's index is damaged."


def read(media: Path) -> dict[str, str]:
    """Empty when it names nothing. Raises Invalid when the index is damaged or cannot be read."""
    return _split(_moov(media)[1])[0]


def write(media: Path, texts: Mapping[str, str]) -> None:
    """Beside what it names already. Whole or not at all; the picture is not touched."""
    box, moov = _moov(media)
    named, rest = _split(moov)
    grown = bytearray(_box(b"moov", rest + _meta({**named, **texts})))
    tops = list(containers.Mp4().boxes(media))
    if any(top.name == b"moof" for top in tops):
        raise Invalid("The MP4 file is in fragments. Only whole files can be marked.")
    if any(top.name == b"mdat" and top.at > box.at for top in tops):
        _move(grown, 8, len(grown), len(grown) - box.size, TO_OFFSETS)
    fresh = media.with_name(media.name + ".new")
    with media.open("rb") as old, fresh.open("wb") as new:
        new.write(old.read(box.at))
        new.write(grown)
        old.seek(box.at + box.size)
        while piece := old.read(COPY_BYTES):
            new.write(piece)
    fresh.replace(media)


def _moov(media: Path) -> tuple[containers.Box, bytes]:
    """The index, with an 8-byte header."""
    for box in containers.Mp4().boxes(media):
        if box.name == b"moov" and box.size <= LARGEST_INDEX:
            with media.open("rb") as file:
                file.seek(box.body)
                return box, _box(b"moov", file.read(box.at + box.size - box.body))
    raise Invalid("The MP4 file has no index, or a larger one than any film needs.")


def _split(moov: bytes) -> tuple[dict[str, str], bytes]:
    """The named texts, and the rest of the index. Some writers keep them one level down, and players read one place."""
    named: dict[str, str] = {}

    def without(start: int, end: int) -> Iterator[bytes]:
        for name, at, stop in _boxes(moov, start, end):
            if name == b"meta" and b"mdta" in moov[at : at + 32]:
                named.update(_texts(moov[at:stop]))
            elif name == b"udta":
                yield _box(name, b"".join(without(at, stop)))
            else:
                yield moov[at - 8 : stop]

    rest = b"".join(without(8, len(moov)))
    return named, rest


def _boxes(data: bytes | bytearray, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each content. Inside an index sizes of 64 bits do not occur; four zeros may end a list."""
    while at < end and not (end - at == 4 and data[at:end] == bytes(4)):
        size, name = struct.unpack_from(">I4s", data, at) if at + 8 <= end else (0, b"")
        if size < 8 or at + size > end:
            raise Invalid(DAMAGED)
        yield name, at + 8, at + size
        at += size


def _move(data: bytearray, start: int, end: int, by: int, path: tuple[bytes, ...]) -> None:
    """Adds `by` to every chunk offset below."""
    for name, at, stop in _boxes(data, start, end):
        if path and name == path[0]:
            _move(data, at, stop, by, path[1:])
        elif not path and name in (b"stco", b"co64"):
            width = "I" if name == b"stco" else "Q"
            try:
                (count,) = struct.unpack_from(">4xI", data, at)
                offsets = struct.unpack_from(f">{count}{width}", data, at + 8)
                struct.pack_into(f">{count}{width}", data, at + 8, *(offset + by for offset in offsets))
            except struct.error as why:
                raise Invalid(DAMAGED) from why


def _meta(texts: Mapping[str, str]) -> bytes:
    names = b"".join(_box(b"mdta", name.encode()) for name in texts)
    keys = _box(b"keys", struct.pack(">II", 0, len(texts)) + names)
    values = (_box(b"data", struct.pack(">II", TEXT, 0) + text.encode()) for text in texts.values())
    items = b"".join(_box(struct.pack(">I", number), value) for number, value in enumerate(values, 1))
    return _box(b"meta", HANDLER + keys + _box(b"ilst", items))


def _texts(meta: bytes) -> dict[str, str]:
    """Of a `meta` box, which begins with 4 bytes of version and flags in ISO files and without them in QuickTime's."""
    parts = {name: meta[at:end] for name, at, end in _boxes(meta, 0 if meta[4:8] == b"hdlr" else 4, len(meta))}
    if b"keys" not in parts or b"ilst" not in parts:
        return {}
    keys, values = parts[b"keys"], parts[b"ilst"]
    names = [keys[at:end].decode(errors="replace") for _, at, end in _boxes(keys, 8, len(keys))]
    found = {}
    for number, at, end in _boxes(values, 0, len(values)):
        index = int.from_bytes(number) - 1
        for name, begin, stop in _boxes(values, at, end):
            if name == b"data" and 0 <= index < len(names) and values[begin : begin + 4] == struct.pack(">I", TEXT):
                found[names[index]] = values[begin + 8 : stop].decode(errors="replace")
    return found


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content

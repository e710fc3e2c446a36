"""What a file is, by its content. A name proves nothing; a name that lies is a reason to refuse."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.uploads.kinds import Kind

HEAD, TAIL = 4096, 65_536


@dataclass(frozen=True)
class Found:
    family: str
    """"picture", "sound", "mp4", "matroska" or "zip"; empty for what we never open."""
    name: str
    """For people."""
    opener: str = ""
    """What Pillow or FFmpeg call it: nothing else is tried on the file."""


_NAMES: dict[str, frozenset[str]] = {
    "JPEG": frozenset({"jpg", "jpeg", "jpe", "jfif"}),
    "PNG": frozenset({"png"}),
    "WEBP": frozenset({"webp"}),
    "wav": frozenset({"wav"}),
    "flac": frozenset({"flac"}),
    "mp3": frozenset({"mp3"}),
    "ogg": frozenset({"ogg", "oga", "opus"}),
    "mov": frozenset({"mp4", "m4v", "mov", "m4a"}),
    "matroska": frozenset({"webm", "mkv", "mka", "weba"}),
    "zip": frozenset({"zip"}),
}

# (offset, bytes, what it is). The first row that fits wins.
_MAGIC: tuple[tuple[int, bytes, Found], ...] = (
    (0, b"\xff\xd8\xff", Found("picture", "a JPEG picture", "JPEG")),
    (0, b"\x89PNG\r\n\x1a\n", Found("picture", "a PNG picture", "PNG")),
    (8, b"WEBP", Found("picture", "a WebP picture", "WEBP")),
    (8, b"WAVE", Found("sound", "a WAV sound", "wav")),
    (8, b"AVI ", Found("", "an AVI film")),
    (0, b"fLaC", Found("sound", "a FLAC sound", "flac")),
    (0, b"OggS", Found("sound", "an Ogg sound", "ogg")),
    (0, b"ID3", Found("sound", "an MP3 sound", "mp3")),
    (0, b"\x1a\x45\xdf\xa3", Found("matroska", "a Matroska or WebM film", "matroska")),
    (4, b"ftypheic", Found("", "a HEIC picture")),
    (4, b"ftypmif1", Found("", "a HEIF picture")),
    (4, b"ftypavif", Found("", "an AVIF picture")),
    (4, b"ftyp", Found("mp4", "an MP4 or MOV film", "mov")),
    (4, b"moov", Found("mp4", "an MP4 or MOV film", "mov")),
    (4, b"mdat", Found("mp4", "an MP4 or MOV film", "mov")),
    (4, b"wide", Found("mp4", "an MP4 or MOV film", "mov")),
    (0, b"PK\x03\x04", Found("zip", "a ZIP archive", "zip")),
    (0, b"PK\x05\x06", Found("zip", "an empty ZIP archive", "zip")),
    (0, b"GIF8", Found("", "a GIF picture")),
    (0, b"BM", Found("", "a BMP picture")),
    (0, b"II*\x00", Found("", "a TIFF picture")),
    (0, b"MM\x00*", Found("", "a TIFF picture")),
    (0, b"8BPS", Found("", "a Photoshop file")),
    (0, b"%PDF-", Found("", "a PDF document")),
    (0, b"%!PS", Found("", "a PostScript file")),
    (0, b"\x1f\x8b", Found("", "a gzip archive")),
    (0, b"BZh", Found("", "a bzip2 archive")),
    (0, b"\xfd7zXZ", Found("", "an xz archive")),
    (0, b"\x28\xb5\x2f\xfd", Found("", "a zstd archive")),
    (0, b"7z\xbc\xaf", Found("", "a 7-Zip archive")),
    (0, b"Rar!", Found("", "a RAR archive")),
    (257, b"ustar", Found("", "a tar archive")),
    (0, b"\x7fELF", Found("", "a program")),
    (0, b"MZ", Found("", "a program")),
    (0, b"FLV", Found("", "a Flash film")),
    (0, b"FORM", Found("", "an AIFF sound")),
)  # fmt: skip
_WORDS: tuple[tuple[str, str], ...] = (
    (r"#extm3u", "an HLS playlist"),
    (r"ffconcat version", "an FFmpeg script"),
    (r"(?:v=0\r?\n|o=- )", "an SDP description"),
    (r"<mpd\b", "a DASH playlist"),
    (r"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?(?:<!doctype svg.*?)?<svg\b", "an SVG drawing"),
    (r"<!doctype svg", "an SVG drawing"),
    (r"(?:<!doctype html|<html|<head|<body|<script)", "an HTML page"),
    (r"<\?xml", "an XML document"),
    (r"#!", "a script"),
)
# Inside a picture or a film these mean a second file for another reader. XMP and comments never contain them.
_SECOND = (
    (rb"<!doctype\s+html|<html[\s>]|<script[\s>]", "an HTML page"),
    (rb"%PDF-\d", "a PDF document"),
    (rb"<\?php", "a script"),
)
_ARCHIVE = (b"PK\x01\x02", b"PK\x05\x06")
"""A ZIP's list of files and its end, also when something was written behind it."""
_MP3 = re.compile(rb"\xff[\xe2-\xff]")


def sniff(file: BinaryIO, length: int) -> Found:
    if not length:
        raise Invalid("The file is empty.", code="upload_empty")
    file.seek(0)
    head = file.read(HEAD)
    found = _by_magic(head) or _by_words(head)
    if found.family and found.family != "zip":
        _second_face(file, head, length, found)
    file.seek(0)
    return found


def _by_magic(head: bytes) -> Found | None:
    for offset, magic, found in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return found
    if _MP3.match(head) and head[1] & 0x06:  # a frame header whose layer is not the reserved one
        return Found("sound", "an MP3 sound", "mp3")
    return None


def _by_words(head: bytes) -> Found:
    text = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n").lower()
    for pattern, name in _WORDS:
        if re.match(pattern, text, re.DOTALL):
            return Found("", name)
    if b"\x00" not in head and "\ufffd" not in text:
        return Found("", "a text")
    return Found("", "of no kind we know")


def _second_face(file: BinaryIO, head: bytes, length: int, found: Found) -> None:
    """Two files in one pass as harmless here and are read as the other one elsewhere."""
    file.seek(max(0, length - TAIL))
    tail = file.read(TAIL)
    for pattern, name in _SECOND:
        if re.search(pattern, head, re.IGNORECASE) or re.search(pattern, tail, re.IGNORECASE):
            raise _two(found.name, name)
    if zipfile.is_zipfile(file) or all(sign in tail for sign in _ARCHIVE):
        raise _two(found.name, "a ZIP archive")


def _two(one: str, other: str) -> Invalid:
    return Invalid(
        f"The file is {one} and {other} at once. Export it again from where it was made.",
        code="upload_two_faces",
    )


def check(found: Found, kind_name: str, kind: Kind, filename: str) -> None:
    """Refuses what we never open, what is of another kind, and a name that claims something else."""
    if found.family not in kind.families:
        raise Invalid(f"The file is {found.name}. For {kind_name}, bring {kind.ways}.", code="upload_type")
    ending = PurePath(filename).suffix.lower().lstrip(".")
    if ending and ending not in _NAMES[found.opener]:
        raise Invalid(
            f"The name ends in .{_plain(ending)}, but the file is {found.name}. Give it its right ending.",
            code="upload_name_lies",
        )


def _plain(ending: str) -> str:
    return "".join(c for c in ending if c.isprintable())[:12]

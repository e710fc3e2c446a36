"""Packs as zip files: safe to open, and one canonical form whose SHA-256 is the pack's identity.

The canonical zip holds our own writing only: pictures drawn again or parsed and written anew, a table without comments,
names in order, no times, nothing compressed twice. So nothing a stranger hid in a file goes on with the pack.
"""

import re
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from PIL import Image

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.avatar import pack_check, pack_pictures, pack_svg, pack_table, pngtuber
from avatar_scheduler.studio.avatar.pack import refuse

_MOST_ENTRIES = 4 * pack_pictures.MOST_FILES
"""Folders and an archiver's own notes count too, so a little more than pictures."""
_HIGHEST_RATIO = 200
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.()-]{0,80}")
_NOTES = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def canonical(source: Path, target: Path) -> list[str]:
    """Writes the zip of a folder or zip, whatever its form, and returns warnings. Raises Invalid with all problems."""
    with tempfile.TemporaryDirectory(prefix="pack-") as room:
        folder = _as_folder(source, Path(room))
        if pngtuber.is_one(folder):
            warnings = pngtuber.convert(folder, made := Path(room) / "converted", name=_title(source))
            folder = made
            pack_check.check(folder)
        else:
            warnings = pack_check.check(folder)[1]
        clean = Path(room) / "clean"
        clean.mkdir()
        _rewrite(folder, clean)
        pack(clean, target)
    return warnings


def extract(source: Path, folder: Path) -> None:
    """Into an empty or new folder. Raises Invalid, and leaves nothing, for a zip that is not plainly a pack."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _extract(source, folder)
    except (Invalid, OSError):
        shutil.rmtree(folder)
        raise


def _as_folder(source: Path, room: Path) -> Path:
    if source.is_dir():
        return source
    extract(source, room / "given")
    return room / "given"


def _title(source: Path) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", " ", source.stem if source.is_file() else source.name).strip()
    return words[:60].title() or "Figure"


def _extract(source: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
            if len(entries) > _MOST_ENTRIES:
                raise Invalid(f"{source.name} has {len(entries)} entries. A pack has at most 80 files.")
            files = {entry: _name(entry) for entry in entries if not entry.is_dir() and not _is_note(entry)}
            names = _without_common_folder(files)
            refuse(_entry_problems(names))
            left = pack_pictures.LARGEST_PACK
            for entry, name in names.items():
                left -= _unpack(archive, entry, folder / name, left)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise Invalid(f"{source.name} is not a zip file that can be opened. Pack the folder again.") from error
    except OSError as error:
        raise Invalid(f"{source.name} cannot be read: {error.strerror or error}.") from error


def _is_note(entry: zipfile.ZipInfo) -> bool:
    return any(part in _NOTES or part.startswith("._") for part in PurePosixPath(entry.filename).parts)


def _name(entry: zipfile.ZipInfo) -> PurePosixPath:
    path = PurePosixPath(entry.filename)
    plain = all(_PLAIN.fullmatch(part) for part in path.parts)
    if not plain or not path.parts or path.is_absolute() or "\\" in entry.filename or "\0" in entry.orig_filename:
        shown = "".join(c if c.isprintable() else "?" for c in entry.filename)[:80]
        raise Invalid(f'"{shown}" is not a file name.')
    return path


def _without_common_folder(files: dict[zipfile.ZipInfo, PurePosixPath]) -> dict[zipfile.ZipInfo, str]:
    """Most archivers put the folder itself into the zip."""
    tops = {path.parts[0] for path in files.values() if len(path.parts) > 1}
    inside = len(tops) == 1 and all(len(path.parts) == 2 for path in files.values())
    return {entry: "/".join(path.parts[1:] if inside else path.parts) for entry, path in files.items()}


def _entry_problems(names: dict[zipfile.ZipInfo, str]) -> list[str]:
    found = [f"{name} lies in a folder of its own. Put all files of a pack side by side." for name in names.values()
             if "/" in name]  # fmt: skip
    if len(names) > pack_pictures.MOST_FILES:
        found.append(f"The pack has {len(names)} files, the limit is {pack_pictures.MOST_FILES}.")
    folded = [name.lower() for name in names.values()]
    found += [f"{name} is in the zip twice." for name in sorted({n for n in folded if folded.count(n) > 1})]
    for entry, name in names.items():
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            found.append(f"{name} is a link, not a file.")
        if entry.flag_bits & 1:
            found.append(f"{name} is locked with a password.")
        if entry.file_size > pack_pictures.LARGEST_FILE:
            found.append(f"{name} is {entry.file_size / 1_000_000:.1f} MB, the limit is 1 MB.")
        if entry.file_size > _HIGHEST_RATIO * max(1, entry.compress_size):
            found.append(f"{name} unpacks to over {_HIGHEST_RATIO} times its size.")
    return found


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int) -> int:
    """What the header says of a size is not believed: reading stops one byte past the limit."""
    most = min(pack_pictures.LARGEST_FILE, left)
    with archive.open(entry) as packed:
        data = packed.read(most + 1)
    if len(data) > most:
        raise Invalid(f"{target.name} is larger than a pack may be: 1 MB for a file, 20 MB for all.")
    target.write_bytes(data)
    return len(data)


def _rewrite(folder: Path, clean: Path) -> None:
    table = pack_table.read(folder)
    pack_table.write(table, clean)
    files = pack_pictures.used(pack_pictures.find(folder), [layer["part"] for layer in table["layer"]])
    for part, path in files.items():
        if path.suffix == ".svg":
            clean_svg = pack_svg.read(path.name, path.read_bytes()).clean
            (clean / f"{part}.svg").write_text(clean_svg, "utf-8")
        else:
            with Image.open(path, formats=["PNG"]) as picture:
                write_png(picture.convert("RGBA"), clean / f"{part}.png")


def write_png(picture: Image.Image, path: Path) -> None:
    """Pixels only: no notes, no colour profile."""
    bare = Image.frombytes("RGBA", picture.size, picture.tobytes())
    bare.save(path, "PNG")


def pack(folder: Path, target: Path) -> None:
    """The files as they are."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            entry = zipfile.ZipInfo(path.name, _EPOCH)
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, path.read_bytes())

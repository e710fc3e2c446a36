"""Avatar packs: a ZIP that the studio rewrites in its own form, inside a folder that is all this process can see."""

import importlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.uploads.handed import Files, Task

Canonical = Callable[[Path, Path], object]


def prepare(options: Mapping[str, Any]) -> Task:
    """`canonical` is named, not imported: which studio rewrites a pack is for the services to say."""
    module, _, name = str(options["canonical"]).partition(":")
    canonical: Canonical = getattr(importlib.import_module(module), name)
    folder = Path(options["folder"])
    tempfile.tempdir = str(folder)
    Image.preinit()

    def convert(files: Files, _options: object, _tell: object) -> dict[str, Any]:
        given, made = folder / options["named"], folder / "made.zip"
        with given.open("wb") as copy:
            shutil.copyfileobj(files.source, copy)
        try:
            canonical(given, made)
            with made.open("rb") as result:
                shutil.copyfileobj(result, files.target)
        except (zipfile.BadZipFile, Image.DecompressionBombError, SyntaxError, ValueError, EOFError):
            raise Invalid("The pack is damaged. Pack the folder again.", code="upload_damaged") from None
        return {"mime": "application/zip", "width": 0, "height": 0, "duration_ms": 0}

    return convert

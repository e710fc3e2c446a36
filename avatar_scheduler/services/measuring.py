"""Measuring finished files again, in the measuring process: whatever a file does to a decoder, it does it there."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.marks import timestamps
from avatar_scheduler.marks.watermark import keys as watermark_keys
from avatar_scheduler.renderers import process
from avatar_scheduler.renderers.base import MADE, Order
from avatar_scheduler.services import versions

SECONDS = 120


def measure(
    order: Order,
    files: Mapping[str, Path],
    human_ms: list[list[int]],
    root_pem: str,
    keys: Path | None = None,
    time_roots: str = "",
) -> tuple[Evidence, ...]:
    """Kind of file ("video", or "image1" and on) -> file. Raises Refused when it cannot be measured.

    `keys` is the folder of the credentials, with its own roots of time stamps. Without it, as on a machine that made
    nothing, what the watermark says cannot be read, and there is no evidence of it either way.
    """
    with tempfile.TemporaryDirectory(prefix="avs-verify-") as name:
        folder = Path(name)
        trusted = folder / "keys"
        trusted.mkdir(mode=0o700)
        (trusted / "root.pem").write_text(root_pem)
        if time_roots:
            (trusted / timestamps.ROOTS).write_text(time_roots)
        if keys is not None and (keys / watermark_keys.FILE).is_file():
            for path in keys.iterdir():
                if path.is_file() and path.name != "root.pem":
                    (trusted / path.name).symlink_to(path.resolve())
        else:
            keys = None
            watermark_keys.make_key(trusted)  # nobody's: only so that everything else is measured
        (folder / "order.json").write_text(json.dumps(asdict(order)))
        (folder / MADE).write_text(json.dumps({"human_ms": human_ms}))
        for kind, path in files.items():
            shutil.copyfile(path, folder / ("signed.mp4" if kind == "video" else f"{kind}.jpg"))
        told = process.run("measure", folder, trusted, lambda percent, step: None, SECONDS)
    found = tuple(versions.evidence_of(e) for e in told["evidence"])
    return found if keys else tuple(e for e in found if e.mark is not Mark.watermark)

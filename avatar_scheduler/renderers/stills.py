"""Posts of pictures, with the same two steps as a film: made in one process, measured in another."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from avatar_scheduler.domain import slides
from avatar_scheduler.domain.staging import OWN_FORMAT
from avatar_scheduler.renderers.base import Order

_PICTURE = re.compile(r"image([1-9][0-9]?)\.jpg")


def described(order: Order) -> tuple[slides.Slide, ...]:
    """The slides, each with its words for those who cannot see it. Raises Invalid for what cannot be drawn."""
    return slides.read(order.text, name=order.label_words)


def staged(order: Order) -> Order:
    """With the format of stills where the settings name none."""
    return replace(order, staging=json.dumps({"format": OWN_FORMAT["stills"], **json.loads(order.staging)}))


def make(order: Order, folder: Path, keys: Path) -> dict[str, Any]:
    """Slides to signed pictures: the label is drawn in, then XMP, then credentials last."""
    from avatar_scheduler.marks import source_types
    from avatar_scheduler.renderers import builtin, marking
    from avatar_scheduler.studio.stills import check, draw

    job = builtin.job_of(staged(order), folder, watermark=marking.watermark(order, keys))
    shown = described(order)
    check.check(job, shown)
    raw = folder / "raw"
    raw.mkdir()
    pictures, signings = [], []
    for path, slide in zip(draw.draw(job, shown, raw, order.label_words), shown, strict=True):
        signed = folder / path.name
        said = marking.sign(order, path, signed, keys, source_types.TRAINED)
        signings.append({"kind": path.stem, **said})
        pictures.append({"file": signed.name, "width": job.width, "height": job.height, "alt": slide.alt})
    return {"pictures": pictures, "signed": signings}


def measure(order: Order, folder: Path, keys: Path) -> dict[str, Any]:
    """Evidence on every picture in the folder. Which of them are needed is asked when the version is frozen."""
    from avatar_scheduler.domain import staging
    from avatar_scheduler.marks.stills import inspect_stills
    from avatar_scheduler.renderers import marking
    from avatar_scheduler.renderers.builtin import evidence

    size = staging.read(json.loads(staged(order).staging)).size
    numbered = {int(name[1]): path for path in folder.iterdir() if (name := _PICTURE.fullmatch(path.name))}
    pictures = [numbered[number] for number in sorted(numbered)]
    found = inspect_stills(pictures, marking.expected(order, keys, size))
    return {"evidence": [evidence(e) for e in found], "prints": marking.prints({p.stem: p for p in pictures})}

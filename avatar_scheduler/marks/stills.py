"""All the marks each picture of a still post must carry, measured on its final bytes."""

from collections.abc import Iterable
from pathlib import Path

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import digest
from avatar_scheduler.marks.inspect import Expected, of_caption, of_file
from avatar_scheduler.marks.label import PLATE_SEEN, LabelArt

TOOL = "label check 2"
FORMATS = ("JPEG", "PNG")
UPRIGHT = 1
ORIENTATION = 0x0112


def inspect_stills(pictures: Iterable[Path], expected: Expected) -> list[Evidence]:
    """One of each mark for each picture, and those of the caption they share. Never raises for bad media."""
    found = of_caption(expected)
    for picture in pictures:
        subject = digest.of_file(picture)
        found += measure_plates(picture, expected.label, subject=subject)
        found += of_file(picture, expected, subject)
    return found


def measure_label(picture: Path, art: LabelArt, *, subject: str | None = None) -> Evidence:
    """The AI plate alone, as `measure_plates` finds it."""
    return measure_plates(picture, art.plate, subject=subject)[0]


def measure_plates(picture: Path, art: LabelArt, *, subject: str | None = None) -> list[Evidence]:
    """Whether the AI plate, and the one for what is paid for where there is one, is where it belongs, as every viewer
    shows the file."""
    import PIL

    subject = digest.of_file(picture) if subject is None else subject
    tool = f"{TOOL}, Pillow {PIL.__version__}"
    plates = {Mark.label: art.plate, **({Mark.sponsor_label: art.sponsor} if art.sponsor else {})}
    try:
        pixels, size = _pixels(picture, art)
    except Invalid as problem:
        return [Evidence(mark, False, problem.message, tool, subject) for mark in plates]
    found = []
    for mark, plate in plates.items():
        first = (plate.y - art.y) * art.width * 3
        part = pixels[first : first + plate.height * plate.width * 3]
        found.append(_judged(mark, plate, part, size, tool, subject))
    return found


def _judged(mark: Mark, plate: LabelArt, pixels: bytes, size: tuple[int, int], tool: str, subject: str) -> Evidence:
    import numpy as np

    from avatar_scheduler.marks.footage import luma_of
    from avatar_scheduler.marks.likeness import Template

    shortest = min(size)
    rgb = np.frombuffer(pixels, np.uint8).reshape(plate.height, plate.width, 3)
    seen = Template(plate, shortest).compare(luma_of(rgb.astype(np.float32)))
    thousandths = plate.height * 1000 // shortest
    measured: dict[str, str | int | bool] = {
        "match": seen.match, "patch": seen.patch, "height_thousandths": thousandths, "width": size[0], "height": size[1]
    }  # fmt: skip
    if not seen.ok:
        summary = "altered" if seen.match >= PLATE_SEEN else "gone"
        return Evidence(mark, False, summary, tool, subject, measured)
    summary = f"in the picture, {thousandths / 10:.1f} % of its shortest side"
    return Evidence(mark, True, summary, tool, subject, measured | {"text": plate.text})


def _pixels(picture: Path, art: LabelArt) -> tuple[bytes, tuple[int, int]]:
    """The label's place as RGB bytes. Raises Invalid where two viewers could show the file differently."""
    from PIL import Image

    try:
        with Image.open(picture, formats=FORMATS) as image:
            if image.mode != "RGB":
                raise Invalid(f"The picture is {image.mode}, it must be plain RGB without transparency.")
            if getattr(image, "n_frames", 1) != 1:
                raise Invalid("The file holds more than one picture.")
            if image.getexif().get(ORIENTATION, UPRIGHT) != UPRIGHT or "icc_profile" in image.info:
                raise Invalid("The file asks viewers to turn or recolour the picture. Save it upright, in sRGB.")
            if art.x + art.width > image.width or art.y + art.height > image.height:
                raise Invalid(f"The picture is {image.width}x{image.height}, too small for the label drawn for it.")
            box = (art.x, art.y, art.x + art.width, art.y + art.height)
            return image.crop(box).tobytes(), image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as problem:
        raise Invalid("The picture cannot be read. Render it again.") from problem

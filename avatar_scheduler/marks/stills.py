"""All the marks each picture of a still post must carry, measured on its final bytes."""

from collections.abc import Iterable
from pathlib import Path

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import caption, credentials, digest, xmp
from avatar_scheduler.marks.inspect import Expected
from avatar_scheduler.marks.label import PLATE_SEEN, LabelArt

TOOL = "label check 1"
FORMATS = ("JPEG", "PNG")
UPRIGHT = 1
ORIENTATION = 0x0112


def inspect_stills(pictures: Iterable[Path], expected: Expected) -> list[Evidence]:
    """One of each mark for each picture, and one for the caption they share. Never raises for bad media."""
    found = [caption.measure(expected.caption, expected.caption_line)]
    for picture in pictures:
        subject = digest.of_file(picture)
        found += [
            measure_label(picture, expected.label, subject=subject),
            xmp.measure(picture, subject=subject),
            credentials.measure(picture, expected.root_pem, subject=subject),
        ]
    return found


def measure_label(picture: Path, art: LabelArt, *, subject: str | None = None) -> Evidence:
    """Whether the label is where it belongs, as every viewer shows the file."""
    import numpy as np
    import PIL

    from avatar_scheduler.marks.footage import luma_of
    from avatar_scheduler.marks.likeness import Template

    subject = digest.of_file(picture) if subject is None else subject
    tool = f"{TOOL}, Pillow {PIL.__version__}"
    try:
        pixels, (width, height) = _pixels(picture, art)
    except Invalid as problem:
        return Evidence(Mark.label, False, problem.message, tool, subject)
    shortest = min(width, height)
    seen = Template(art, shortest).compare(
        luma_of(np.frombuffer(pixels, np.uint8).reshape(art.height, art.width, 3).astype(np.float32))
    )
    thousandths = art.height * 1000 // shortest
    measured: dict[str, str | int | bool] = {
        "match": seen.match, "patch": seen.patch, "height_thousandths": thousandths, "width": width, "height": height
    }  # fmt: skip
    summary = f"in the picture, {thousandths / 10:.1f} % of its shortest side"
    if not seen.ok:
        summary = "altered" if seen.match >= PLATE_SEEN else "gone"
    return Evidence(Mark.label, seen.ok, summary, tool, subject, measured)


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

"""Photos and images: opened, turned upright, brought to sRGB, made smaller, and written anew without metadata."""

import io
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, BinaryIO

from PIL import (
    Image,
    ImageCms,
    ImageOps,
    JpegImagePlugin,  # noqa: F401  (these register themselves, and later no file can be read)
    MpoImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.uploads import kinds, webp
from avatar_scheduler.uploads.handed import Files, Task

_QUALITY = 92
_SRGB = ImageCms.createProfile("sRGB")
Image.MAX_IMAGE_PIXELS = None  # our own cap is smaller, and says what to do


def prepare(options: Mapping[str, Any]) -> Task:
    tiny = io.BytesIO()
    Image.new("RGB", (2, 2)).save(tiny, "JPEG", exif=Image.Exif())
    with Image.open(tiny) as image:
        ImageOps.exif_transpose(image).save(io.BytesIO(), "PNG")
    return convert


def convert(files: Files, options: Mapping[str, Any], tell: object) -> dict[str, Any]:
    made = opened(files.source, options["opener"])
    kind = "PNG" if made.mode in ("RGBA", "LA") or options["opener"] == "PNG" else "JPEG"
    made.save(files.target, kind, **({"quality": _QUALITY, "subsampling": 0} if kind == "JPEG" else {}))
    files.show(made)
    return {"mime": f"image/{kind.lower()}", "width": made.width, "height": made.height, "duration_ms": 0}


def opened(source: BinaryIO, opener: str) -> Image.Image:
    """Upright, in sRGB, at most `KEPT_SIDE` on the longer side. Raises Invalid with what is wrong with the file."""
    if opener == "WEBP":
        _check_size(*webp.look(source))
    try:
        # A JPEG with a second picture inside calls itself MPO.
        with Image.open(source, formats=[opener, "MPO"] if opener == "JPEG" else [opener]) as image:
            _check_size(*image.size)
            _check_extras(image)
            image.draft("RGB", (kinds.KEPT_SIDE, kinds.KEPT_SIDE))
            image.load()
            return _clean(image)
    except (UnidentifiedImageError, SyntaxError, ValueError, EOFError, KeyError, IndexError, OverflowError):
        raise _damaged() from None
    except OSError as error:
        if error.errno:
            raise
        raise _damaged() from None


def _damaged() -> Invalid:
    return Invalid("The picture is damaged or cut off. Export it again.", code="upload_damaged")


def _check_size(width: int, height: int) -> None:
    if min(width, height) < kinds.SHORTEST_SIDE:
        raise Invalid(f"The picture has {width}x{height} pixels; that is too small to show.", code="upload_small")
    if width * height > kinds.MOST_PIXELS or max(width, height) > kinds.LONGEST_SIDE:
        most = kinds.MOST_PIXELS // 1_000_000
        raise Invalid(
            f"The picture has {width}x{height} pixels. Bring one of at most {most} million.", code="upload_pixels"
        )


def _check_extras(image: Image.Image) -> None:
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise moving()
    if len(image.info.get("exif") or b"") > kinds.MOST_METADATA:
        raise Invalid("The picture carries more than 1 MB of metadata. Export it without.", code="upload_metadata")


def moving() -> Invalid:
    return Invalid("The picture moves. Bring a still one, or a film as a clip.", code="upload_animated")


def _clean(image: Image.Image) -> Image.Image:
    """In as few copies as can be: one of fifty million pixels takes 200 MB."""
    profile, mode = image.info.get("icc_profile"), "RGBA" if image.has_transparency_data else "RGB"
    if image.mode not in (mode, "CMYK"):
        image = image.convert(mode)
    image.thumbnail((kinds.KEPT_SIDE, kinds.KEPT_SIDE), Image.Resampling.LANCZOS)
    ImageOps.exif_transpose(image, in_place=True)
    if profile:
        # A broken profile is as good as none: the picture is then taken as sRGB, as browsers do.
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, theirs, _SRGB, outputMode=mode) or image
    bare = Image.new(mode, image.size)
    bare.paste(image if image.mode == mode else image.convert(mode))
    return bare

"""What the locked-in process is handed, and what is asked of it."""

from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple

from PIL import Image

THUMBNAIL = (480, 480)


class Files(NamedTuple):
    source: BinaryIO
    target: BinaryIO
    small: BinaryIO
    """For a thumbnail, where there is something to see."""

    def show(self, picture: Image.Image) -> None:
        small = picture.copy() if picture.mode == "RGB" else _on_grey(picture)
        small.thumbnail(THUMBNAIL)
        small.save(self.small, "JPEG", quality=80)


Tell = Callable[[int], None]
Task = Callable[[Files, Mapping[str, Any], Tell], dict[str, Any]]


def _on_grey(picture: Image.Image) -> Image.Image:
    seen = Image.new("RGB", picture.size, "#808080")
    seen.paste(picture, mask=picture.getchannel("A"))
    return seen

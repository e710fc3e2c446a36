"""What can be told of a stranger's file: its pixels as numbers, its prints, what its Content Credentials claim.

Runs in the process that can do nothing else, and is started by name. The first call opens the file and knows no
secret; the second knows the keys of the watermarks and sees nothing but the first one's pixels.
"""

import io
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple, Protocol

import av
import c2pa
import cv2
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import prints, reading, statement
from avatar_scheduler.marks.watermark import detect
from avatar_scheduler.marks.watermark.picture import Blue

Plane = NDArray[np.uint8]
MOMENTS = tuple((number + 0.5) / 45 for number in range(45))
"""Of a film's length: as many as the hidden mark asks for. Every ninth, from the fifth, is one of `prints.MOMENTS`."""
SHOWN = (0, 22, 44)
"""Of MOMENTS: the frames whose label is looked at."""
LONGEST_SIDE = 1920
_TYPES = {"mov": "video/mp4", "JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_SAID = b"DigitalSourceType"
_ENDS = 1 << 20


class Files(Protocol):
    @property
    def source(self) -> BinaryIO: ...
    @property
    def target(self) -> BinaryIO: ...
    @property
    def small(self) -> BinaryIO: ...


class Size(NamedTuple):
    width: int
    height: int

    @property
    def half(self) -> "Size":
        return Size(self.width // 2, self.height // 2)


def opened(options: Mapping[str, Any]) -> "Opened":
    return Opened(str(options["root_pem"]), str(options["time_roots"]), str(options["opener"]))


def traced(_options: Mapping[str, Any]) -> "Traced":
    cv2.setNumThreads(0)
    return Traced()


class Opened:
    """Writes to the target, as raw rows: blue against luma, averaged (float32, half size), then luma frames (bytes)."""

    def __init__(self, root_pem: str, time_roots: str, opener: str) -> None:
        cv2.setNumThreads(0)
        self.type = _TYPES.get(opener, "")
        self.context = c2pa.Context(settings=c2pa.Settings.from_dict(reading.settings(root_pem, time_roots)))
        # NumPy loads some of itself late, c2pa's callbacks need memory for code: neither can be had once locked in.
        prints.of_still(np.zeros((64, 64), np.uint8))
        self._claims(io.BytesIO(bytes(64)))

    def film(self, container: InputContainer, stream: VideoStream, files: Files) -> dict[str, Any]:
        total: Blue | None = None
        marks, shown, size = [], [], Size(0, 0)
        for number, frame in enumerate(prints.moments(container, stream, MOMENTS)):
            size = _fitted(frame.width, frame.height)
            blue = _blue(frame, size)
            if total is not None and blue.shape != total.shape:
                raise Invalid("The picture changes its size on the way.", code="upload_damaged")
            total = blue if total is None else total + blue
            if number % 9 == 4:
                marks.append(prints.of_plane(prints.luma(frame)))
            if number in SHOWN:
                shown.append(cv2.resize(prints.luma(frame), size, interpolation=cv2.INTER_AREA))
        if total is None:
            raise Invalid("There is no picture in the film.", code="upload_damaged")
        _write(files.target, total / np.float32(len(MOMENTS)), shown)
        length = round(float((stream.duration or 0) * (stream.time_base or 0)) * 1000)
        return self._told(files, (frame.width, frame.height), size, marks, len(shown), length or _ms(container))

    def picture(self, image: Image.Image, files: Files) -> dict[str, Any]:
        size = _fitted(*image.size)
        grey: Plane = np.asarray(image.convert("L"))
        rgb = cv2.resize(np.asarray(image.convert("RGB")), size, interpolation=cv2.INTER_AREA).astype(np.float32)
        blue = (rgb[..., 2] - rgb @ np.array([0.2126, 0.7152, 0.0722], np.float32)) / np.float32(1.8556)
        half = cv2.resize(blue, size.half, interpolation=cv2.INTER_AREA).astype(np.float32)
        _write(files.target, half, [cv2.resize(grey, size, interpolation=cv2.INTER_AREA)])
        return self._told(files, image.size, size, prints.of_still(grey), 1, 0)

    def _told(
        self, files: Files, found: tuple[int, int], size: Size, marks: list[str], shown: int, length: int
    ) -> dict[str, Any]:
        return {
            "width": found[0],
            "height": found[1],
            "duration_ms": length,
            "size": size,
            "shown": shown,
            "prints": marks,
            "claims": self._claims(files.source),
            "source_type": _says_source(files.source),
        }

    def _claims(self, file: BinaryIO) -> dict[str, str]:
        """State and watermark of the file's own manifest. A lead, not yet a proof."""
        file.seek(0)
        try:
            with c2pa.Reader(self.type or "video/mp4", file, context=self.context) as reader:
                store = json.loads(reader.json())
        except c2pa.C2paError:
            return {"state": "none", "mark_id": ""}
        manifest = store["manifests"][store["active_manifest"]]
        bound = [a["data"] for a in manifest["assertions"] if a["label"].startswith(statement.SOFT_BINDING)]
        ours = [block for data in bound if data.get("alg") == statement.WATERMARK for block in data.get("blocks", [])]
        named = str(ours[0].get("value", "")) if len(ours) == 1 else ""
        return {"state": str(store["validation_state"]).lower(), "mark_id": named}


class Traced:
    """The watermark in pixels, under the keys in the small file (JSON: organization -> hexadecimal)."""

    def __init__(self) -> None:
        np.fft.rfft2(np.zeros((8, 8), np.float32))  # loaded late, as all that reading a blank picture asks for
        detect.read(np.zeros((128, 128), np.float32), {"": bytes(32)}, search=False)

    def pixels(self, files: Files) -> dict[str, Any]:
        asked = json.load(files.small)
        size = Size(*asked["size"]).half
        blue = np.frombuffer(files.source.read(4 * size.width * size.height), "<f4").reshape(size.height, size.width)
        keys = {organization: bytes.fromhex(key) for organization, key in asked["keys"].items()}
        found = detect.read(blue.astype(np.float32), keys, search=asked["search"])
        return {"mark": {"organization": found.organization, "mark_id": found.mark_id} if found else None}


def _fitted(width: int, height: int) -> Size:
    """Even, and no larger than any picture we make."""
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    return Size(max(16, round(width * scale / 2) * 2), max(16, round(height * scale / 2) * 2))


def _blue(frame: av.VideoFrame, size: Size) -> Blue:
    plane = frame.reformat(size.width, size.height, "yuv420p", dst_colorspace=1, threads=1).planes[1]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width].astype(np.float32)


def _write(target: BinaryIO, blue: Blue, shown: Sequence[NDArray[Any]]) -> None:
    target.write(blue.astype("<f4").tobytes())
    target.writelines(grey.astype(np.uint8).tobytes() for grey in shown)


def _ms(container: InputContainer) -> int:
    return (container.duration or 0) // 1000


def _says_source(file: BinaryIO) -> bool:
    """Whether the words of the source type still stand near either end of the file, where metadata is kept."""
    file.seek(0)
    if _SAID in file.read(_ENDS):
        return True
    with suppress(OSError):
        file.seek(-_ENDS, io.SEEK_END)
        return _SAID in file.read(_ENDS)
    return False

"""The still ground of a film and full-screen pictures, as opaque RGBA of the frame's size."""

import numpy as np
import skia
from PIL import Image, ImageOps

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.staging import Background
from avatar_scheduler.studio import planes
from avatar_scheduler.studio.avatar.sprites import draw_svg
from avatar_scheduler.studio.job import SCENES, Material, StudioJob
from avatar_scheduler.studio.seeds import stream

_SCENE_SIZE = (1080, 1920)
_BEHIND_FILM = (20, 24, 28)
"""Under a moving background, until its first frame is laid."""


def backdrop(job: StudioJob) -> planes.Pixels:
    background = job.staging.background
    if background.kind == "image":
        return picture(background.value, job.materials[background.value], (job.width, job.height))
    if background.kind == "video":
        return plain(_BEHIND_FILM, job)
    if background.kind == "color":
        return plain(_rgb(background.value), job)
    if background.kind == "gradient":
        top, bottom = (np.array(_rgb(part), np.float32) for part in background.value.split())
        share = np.linspace(0, 1, job.height, dtype=np.float32)[:, None, None]
        return _dithered(np.broadcast_to(top * (1 - share) + bottom * share, (job.height, job.width, 3)), job.seed)
    return _scene(background, job)


def picture(name: str, material: Material, size: tuple[int, int]) -> planes.Pixels:
    """Cut to the frame from its middle, never stretched."""
    try:
        with Image.open(material.path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise Invalid(f"The picture “{name}” cannot be read. Upload it again.", code="material_unreadable") from error
    ground = Image.new("RGBA", upright.size, (255, 255, 255, 255))
    fitted = ImageOps.fit(Image.alpha_composite(ground, upright), size, Image.Resampling.LANCZOS)
    return np.asarray(fitted, np.uint8)


def plain(color: tuple[int, int, int], job: StudioJob) -> planes.Pixels:
    return np.full((job.height, job.width, 4), (*color, 255), np.uint8)


def _scene(background: Background, job: StudioJob) -> planes.Pixels:
    floats = np.zeros((job.height, job.width, 4), np.float16)
    info = skia.ImageInfo.Make(job.width, job.height, skia.kRGBA_F16_ColorType, skia.kPremul_AlphaType)
    surface = skia.Surface.MakeRasterDirect(info, floats, job.width * floats.itemsize * 4)
    canvas = surface.getCanvas()
    cover = max(job.width / _SCENE_SIZE[0], job.height / _SCENE_SIZE[1])
    canvas.translate((job.width - _SCENE_SIZE[0] * cover) / 2, (job.height - _SCENE_SIZE[1] * cover) / 2)
    canvas.scale(cover, cover)
    draw_svg(SCENES / f"{background.value or job.scene}.svg", canvas, *_SCENE_SIZE)
    return _dithered(floats[..., :3] * np.float32(255), job.seed)


def _dithered(rgb: np.typing.NDArray[np.float32], seed: str) -> planes.Pixels:
    """Rounded with noise: eight bits alone show bands in a soft gradient."""
    height, width = rgb.shape[:2]
    noisy = rgb + stream(seed, "dither").random((height, width, 1), dtype=np.float32)
    rgba = np.full((height, width, 4), 255, np.uint8)
    rgba[..., :3] = np.minimum(noisy, 255, out=noisy)
    return rgba


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)

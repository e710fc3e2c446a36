"""What platforms make of a file: encoded again, smaller, without its metadata."""

from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image
from sqlmodel import select

from avatar_scheduler.db.tables import Asset, Render, Signing, Version
from avatar_scheduler.services import signings
from avatar_scheduler.storage import Blobs
from tests.world import Film, World

Box = tuple[int, int, int, int]


def of_film(source: Path, target: Path, crf: int = 28, scale: float = 0.5, cover: Box | None = None) -> Path:
    """`cover` is a box of the original that is painted over: x, y, width and height."""
    with av.open(source) as given, av.open(target, "w") as made:
        film = given.streams.video[0]
        out = made.add_stream("libx264", rate=30, options={"crf": str(crf), "preset": "veryfast"})
        out.width, out.height = (round(side * scale / 2) * 2 for side in (film.width, film.height))
        out.pix_fmt = "yuv420p"
        for frame in given.decode(film):
            pixels = frame.to_ndarray(format="yuv420p")
            if cover:
                x, y, width, height = cover
                pixels[y : y + height, x : x + width] = 90
            covered = av.VideoFrame.from_ndarray(pixels, format="yuv420p")
            small = covered.reformat(out.width, out.height, interpolation="BICUBIC")
            small.pts, small.time_base = frame.pts, frame.time_base
            made.mux(out.encode(small))
        made.mux(out.encode(None))
    return target


def of_picture(source: Path, target: Path, quality: int = 70, scale: float = 0.5) -> Path:
    with Image.open(source) as image:
        size = (round(image.width * scale), round(image.height * scale))
        image.resize(size, Image.Resampling.LANCZOS).save(target, "JPEG", quality=quality)
    return target


def stranger(target: Path, seconds: float = 2.0) -> Path:
    """A film nobody here made: patches of colour that wander over a gradient."""
    rng, (width, height) = np.random.default_rng(7), (540, 960)
    ground = cv2.resize(rng.integers(0, 255, (8, 5, 3), np.uint8), (width, height)).astype(np.uint8)
    with av.open(target, "w") as made:
        out = made.add_stream("libx264", rate=30, options={"crf": "26", "preset": "veryfast"})
        out.width, out.height, out.pix_fmt = width, height, "yuv420p"
        for number in range(round(30 * seconds)):
            frame = ground.copy()
            cv2.circle(frame, (100 + 5 * number, 300 + 3 * number), 90, (200, 40, 60), -1)
            made.mux(out.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        made.mux(out.encode(None))
    return target


def signed(world: World, version: Version, film: Film) -> list[Signing]:
    """The rows a render leaves behind, for a version the world froze from the session's film."""
    with world.write() as session:
        render = session.exec(select(Render).where(Render.post_id == version.post_id)).one()
        assets = list(session.exec(select(Asset).where(Asset.render_id == render.id)))
        kept = signings.keep(Blobs(world.settings.blobs), film.folder, film.made["signed"])
        signings.record(session, render, assets, kept, film.prints, world.now)
    with world.read() as session:
        return list(session.exec(select(Signing).where(Signing.render_id == render.id)))

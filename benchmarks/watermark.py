"""How well the hidden mark holds, and that nothing is read where nothing was hidden; `watermark_cost` is its price.

    python -m benchmarks.watermark [--ids 50] [--others-ids 2] [--windows 20000] [--searched 40] [--photos FOLDER]
                                   [--json FILE]

Every film is encoded as the product encodes, then again as a platform would, and read from that copy: short films of
ten frames, which are harder to read than long ones, for fewer frames are averaged. `--photos` adds a camera drifting
over each picture of a folder. Unmarked windows are random cuts, scales and mirror images of all those pictures.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from avatar_scheduler.marks.watermark import detect, embed, picture, scores, search
from avatar_scheduler.marks.watermark.scores import Reader
from avatar_scheduler.studio import encode
from benchmarks.watermark_clips import Clip, Planes, copied, looks, others, to_frame

COPIES = {
    "crf 21, as made": (None, "", 1.0),
    "crf 28, 720p": (720, "28", 1.0),
    "crf 32, 540p": (540, "32", 1.0),
    "crop 5 %, crf 28": (None, "28", 0.95),
}
"""Shortest side, crf, and what is left of each side."""


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ids", type=int, default=50, help="for each built-in look")
    parser.add_argument("--others-ids", type=int, default=2, help="for each other clip")
    parser.add_argument("--windows", type=int, default=20_000)
    parser.add_argument("--searched", type=int, default=40)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    ours, rest = looks(), list(others(options.photos))
    result: dict[str, Any] = {
        "looks": survival(ours, options.ids),
        "others": survival(rest, options.others_ids),
        "unmarked": unmarked([*ours, *rest], options.windows),
        "unmarked_searched": unmarked_searched([*ours, *rest], options.searched),
        "psnr_db": {clip.name: _psnr(clip.frames[0]) for clip in [*ours, *rest]},
    }
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    _print(result)


def survival(clips: list[Clip], ids: int) -> dict[str, Any]:
    """Per copy: tried, recovered, wrong, the lowest and the middle decoder score, and the clips where it failed."""
    chance = np.random.default_rng(22)
    tried: dict[str, list[tuple[str, bool, bool, float]]] = {copy: [] for copy in COPIES}
    for clip in clips:
        for _ in range(ids):
            mark_id, key = f"{chance.integers(1 << 32):08x}", chance.bytes(32)
            for copy, blue in _copies(clip, mark_id, key):
                reading = detect.read(blue, {"": key}, search=COPIES[copy][2] < 1)
                read = reading.mark_id if reading else ""
                tried[copy].append((clip.name, read == mark_id, read not in ("", mark_id), _decoder(reading)))
                print(copy, *tried[copy][-1], sep="\t", file=sys.stderr)
    return {copy: _summary(each) for copy, each in tried.items()}


def _decoder(reading: detect.Reading | None) -> float:
    return round(reading.decoder, 1) if reading else 0.0


def _summary(tried: list[tuple[str, bool, bool, float]]) -> dict[str, Any]:
    return {
        "tried": len(tried),
        "recovered": sum(right for _, right, _, _ in tried),
        "wrong": sum(wrong for _, _, wrong, _ in tried),
        "decoder_lowest": min((score for _, right, _, score in tried if right), default=0.0),
        "decoder_median": statistics.median([score for _, _, _, score in tried] or [0.0]),
        "failed": dict(Counter(name for name, right, _, _ in tried if not right)),
    }


def _copies(clip: Clip, mark_id: str, key: bytes) -> Iterator[tuple[str, picture.Blue]]:
    """What the detector sees of each copy."""
    with tempfile.TemporaryDirectory() as name:
        made = Path(name) / "made.mp4"
        _encode(made, _marked(clip, mark_id, key), clip.size)
        for copy, (shortest, crf, left) in COPIES.items():
            path = made
            if crf:
                path = Path(name) / "copy.mp4"
                scale = (shortest or min(clip.size)) / min(clip.size)
                width, height = (round(side * scale * left / 2) * 2 for side in clip.size)
                _encode(path, _cut(made, left), (width, height), crf)
            yield copy, picture.of_film(path)


def _marked(clip: Clip, mark_id: str, key: bytes) -> Iterator[Planes]:
    field = embed.field(clip.frames[0][0], mark_id, key)
    for y, u, v in clip.frames:
        blue = u.copy()
        field.add(blue)
        yield y, blue, v


def _cut(path: Path, left: float) -> Iterator[Planes]:
    """The frames of a film without their edges, not the same on both sides."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            y, u, v = copied(frame)
            if left < 1:
                height, width = (round(side * left / 2) * 2 for side in y.shape)
                top, start = ((side - kept) // 6 * 2 for side, kept in zip(y.shape, (height, width), strict=True))
                y = y[top : top + height, start : start + width]
                u, v = (c[top // 2 : (top + height) // 2, start // 2 : (start + width) // 2] for c in (u, v))
            yield y, u, v


def _encode(path: Path, frames: Iterable[Planes], size: tuple[int, int], crf: str = "") -> None:
    """Without a crf as the product does it."""
    with av.open(str(path), "w") as container:
        if crf:
            stream = container.add_stream("libx264", rate=30, options={"crf": crf, "preset": "veryfast"})
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        else:
            stream = encode.video_stream(container, *size, 30)
        for number, planes in enumerate(frames):
            frame = to_frame(planes)
            if (frame.width, frame.height) != size:
                frame = frame.reformat(*size)
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def unmarked(clips: list[Clip], windows: int) -> dict[str, Any]:
    """Both scores of the fast path where there is nothing to read, each window under a key of its own."""
    chance = np.random.default_rng(7)
    syncs, decoders, valid, accepted = [], [], 0, 0
    for number in range(windows):
        blue = _window(clips[number % len(clips)], chance)
        soft = Reader(blue).soft(detect.as_made(blue))
        sync, (mark_id, decoder) = scores.sync(soft), scores.best(soft, chance.bytes(32))
        syncs.append(sync)
        decoders.append(decoder)
        valid += bool(mark_id)
        accepted += bool(mark_id) and sync >= detect.AS_MADE.sync and decoder >= detect.AS_MADE.decoder
    return {
        "windows": windows,
        "accepted": accepted,
        "checksum_valid": valid,
        "sync": _spread(syncs) | {"reached": sum(score >= detect.AS_MADE.sync for score in syncs)},
        "decoder": _spread(decoders) | {"reached": sum(score >= detect.AS_MADE.decoder for score in decoders)},
    }


def unmarked_searched(clips: list[Clip], windows: int) -> dict[str, Any]:
    chance = np.random.default_rng(8)
    best, accepted, began = [], 0, time.process_time()
    for number in range(windows):
        blue = _window(clips[number % len(clips)], chance)
        reader = Reader(blue)
        near = [search.refined(reader, geometry) for geometry in search.candidates(blue)]
        best.append(max(scores.sync(reader.soft(geometry)) for geometry in near))
        accepted += detect.read(blue, {"": chance.bytes(32)}, search=True) is not None
    spent = time.process_time() - began
    return {"windows": windows, "accepted": accepted, "best_sync": _spread(best), "cpu_seconds": round(spent, 1)}


def _window(clip: Clip, chance: np.random.Generator) -> picture.Blue:
    """Half to all of a frame's sides, in one of a player's sizes, mirrored or not."""
    blue = clip.frames[int(chance.integers(len(clip.frames)))][1]
    height, width = (round(side * chance.uniform(0.5, 1)) for side in blue.shape)
    top, left = (int(chance.integers(side - kept + 1)) for side, kept in zip(blue.shape, (height, width), strict=True))
    cut = blue[top : top + height, left : left + width].astype(np.float32)[:, :: chance.choice([-1, 1])]
    scale = chance.choice([270, 360, 540]) / min(width, height)
    return picture.resized(np.ascontiguousarray(cut), (round(width * scale), round(height * scale)))


def _spread(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    cuts = {f"p{share}": float(np.percentile(values, share)) for share in (50, 99, 99.9)}
    numbers = {"mean": float(np.mean(values)), "deviation": float(np.std(values)), **cuts, "highest": max(values)}
    return {name: round(value, 2) for name, value in numbers.items()}


def _psnr(planes: Planes) -> float:
    """Of the RGB a viewer sees."""
    marked = next(_marked(Clip("", [planes]), "1badcafe", bytes(32)))
    before, after = (to_frame(each).to_ndarray(format="rgb24").astype(np.float32) for each in (planes, marked))
    return round(float(10 * np.log10(255**2 / max(1e-9, np.mean((after - before) ** 2)))), 1)


def _print(result: dict[str, Any]) -> None:
    print(f"{'':22}{'tried':>6}{'read':>6}{'%':>7}{'wrong':>7}{'lowest':>8}{'median':>8}   failed")
    for group in ("looks", "others"):
        for copy, each in result[group].items():
            share = 100 * each["recovered"] / max(1, each["tried"])
            scored = f"{each['decoder_lowest']:8}{each['decoder_median']:8}"
            print(
                f"{group:7}{copy:18}{each['tried']:3}{each['recovered']:6}{share:7.1f}{each['wrong']:7}{scored}"
                f"   {', '.join(f'{name} {count}' for name, count in each['failed'].items())}"
            )
    for name in ("unmarked", "unmarked_searched"):
        print(name, json.dumps(result[name]))
    psnr = result["psnr_db"]
    print(f"PSNR: lowest {min(psnr.values())} dB, median {statistics.median(psnr.values())} dB")


if __name__ == "__main__":
    cv2.setNumThreads(1)
    main(sys.argv[1:])

"""MoviePy's side of benchmarks.render; runs in the environment with MoviePy, in the folder `rivals.prepare` filled.

python moviepy_film.py SECONDS
"""

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from moviepy import AudioFileClip, CompositeVideoClip, ImageClip, TextClip


def main(seconds: float) -> None:
    plan = json.loads(Path("plan.json").read_text())
    places = plan["places"]

    def bobbing(name: str, begin: float = 0.0) -> Callable[[float], tuple[float, float]]:
        x, y = places[name]
        return lambda t: (x, y + plan["bob"] * math.sin(2 * math.pi * (t + begin) / plan["bob_seconds"]))

    clips: list[Any] = [ImageClip("ground.png").with_duration(seconds)]
    clips.append(ImageClip("head.png").with_duration(seconds).with_position(bobbing("head")))
    for slot in ("mouth", "eyes"):
        for start, end, part in plan["runs"][slot]:
            if start < seconds:
                clip = ImageClip(f"{part}.png").with_start(start).with_duration(min(end, seconds) - start)
                clips.append(clip.with_position(bobbing(slot, start)))
    clips.append(ImageClip("label.png").with_duration(seconds).with_position(tuple(places["label"])))
    for words in plan["captions"]:
        for word, start, end in words:
            if start < seconds:
                clips += _words(" ".join(text for text, _, _ in words), word, start, min(end, seconds), plan)
    sound = AudioFileClip("voice.wav").subclipped(0, seconds)
    film = CompositeVideoClip(clips, size=tuple(plan["size"])).with_audio(sound).with_duration(seconds)
    film.write_videofile(
        "moviepy.mp4",
        fps=plan["fps"],
        codec="libx264",
        preset="veryfast",
        audio_codec="aac",
        threads=2,
        ffmpeg_params=["-crf", "21"],
        logger=None,
    )


def _words(line: str, word: str, start: float, end: float, plan: dict[str, Any]) -> list[Any]:
    """The line in white and the word being heard in amber above it: less than we draw."""
    lines = TextClip(
        plan["font"], line, font_size=74, color="white", method="caption", size=(840, None), text_align="center"
    )
    heard = TextClip(plan["font"], word, font_size=74, color="#FFC53D")
    height = plan["size"][1]
    return [
        clip.with_start(start).with_duration(end - start).with_position(("center", y))
        for clip, y in ((lines, round(height * 0.7)), (heard, round(height * 0.64)))
    ]


if __name__ == "__main__":
    main(float(sys.argv[1]))

"""Whether a post fits a platform, as far as the platform's facts say. Each problem is a sentence that counts."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from avatar_scheduler.rules import graphemes
from avatar_scheduler.rules.platforms import Platform


class Part(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def duration_ms(self) -> int: ...


def text_problems(platform: Platform, text: str) -> Iterator[str]:
    counted = {"graphemes": ("characters", graphemes.count(text)), "bytes": ("bytes", len(text.encode()))}
    for fact, (words, count) in counted.items():
        if f"text_{fact}" in platform.facts and count > (most := platform.number(f"text_{fact}")):
            yield f"The text has {count} {words}, {count - most} more than the {most} allowed."


def media_problems(platform: Platform, media: Sequence[Part]) -> Iterator[str]:
    kinds = [part.kind for part in media]
    for kind in ("video", "image"):
        if kinds.count(kind) > (most := platform.number(f"{kind}s")):
            yield f"It has {kinds.count(kind)} {kind}s, {most} allowed."
    if not {*kinds} <= {"video", "image"} or len({*kinds}) > 1:
        yield "It takes videos or images, not both and nothing else."
    for part in media:
        if f"{part.kind}_bytes" in platform.facts and part.size > (most := platform.number(f"{part.kind}_bytes")):
            yield f"One {part.kind} has {part.size} bytes, {most} are allowed."
        if f"{part.kind}_seconds" in platform.facts:
            most = platform.number(f"{part.kind}_seconds")
            if part.duration_ms > 1000 * most:
                yield f"One {part.kind} lasts {part.duration_ms / 1000:.1f} seconds, {most} are allowed."

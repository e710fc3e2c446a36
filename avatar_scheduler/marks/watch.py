"""Watching a video for its label."""

from collections.abc import Sequence
from pathlib import Path

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import footage
from avatar_scheduler.marks.label import LabelArt, Sightings
from avatar_scheduler.marks.likeness import Template


def watch(video: Path, plates: Sequence[LabelArt], *, closely: bool = False) -> tuple[footage.Survey, list[Sightings]]:
    """What is seen of each plate in the frames the film is built from, both ends included; in every single frame when
    one of those fails, or to look `closely`. The film is decoded once for all plates.

    Raises Invalid when the file is not whole or cannot be decoded.
    """
    survey = footage.survey(video)
    if any(art.x + art.width > survey.width or art.y + art.height > survey.height for art in plates):
        raise Invalid(f"The picture is {survey.width}x{survey.height}, smaller than the one the label was drawn for.")
    regions = [footage.Region(art.x, art.y, art.width, art.height) for art in plates]
    templates = [Template(art, min(survey.width, survey.height)) for art in plates]

    def look(*, every_frame: bool) -> list[Sightings]:
        seen: list[Sightings] = [[] for _ in plates]
        for at, parts in footage.look(video, regions, survey.first_pts, every_frame=every_frame):
            for sightings, template, luma in zip(seen, templates, parts, strict=True):
                sightings.append((at, template.compare(luma)))
        return seen

    seen = [] if closely else look(every_frame=False)
    times = [at for at, _ in seen[0]] if seen else []
    hits = [sum(likeness.ok for _, likeness in sightings) for sightings in seen]
    if any(0 < count < len(times) for count in hits) or not footage.covers(times, survey):
        seen = look(every_frame=True)
        if len(seen[0]) < len(survey.frames_ms):
            raise Invalid(f"The picture is damaged: {len(seen[0])} of {len(survey.frames_ms)} frames can be read.")
    return survey, seen

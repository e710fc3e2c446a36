"""Watching a video for its label."""

from pathlib import Path

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import footage
from avatar_scheduler.marks.label import LabelArt, Sightings
from avatar_scheduler.marks.likeness import Template


def watch(video: Path, art: LabelArt, *, closely: bool = False) -> tuple[footage.Survey, Sightings]:
    """Every reference frame, both ends included; every single frame when one of them fails, or to look `closely`.

    Raises Invalid when the file is not whole or cannot be decoded.
    """
    survey = footage.survey(video)
    if art.x + art.width > survey.width or art.y + art.height > survey.height:
        raise Invalid(f"The picture is {survey.width}x{survey.height}, smaller than the one the label was drawn for.")
    region = footage.Region(art.x, art.y, art.width, art.height)
    template = Template(art, min(survey.width, survey.height))

    def look(*, every_frame: bool) -> Sightings:
        frames = footage.look(video, region, survey.first_pts, every_frame=every_frame)
        return [(at, template.compare(luma)) for at, luma in frames]

    seen = [] if closely else look(every_frame=False)
    hits = sum(likeness.ok for _, likeness in seen)
    if 0 < hits < len(seen) or not footage.covers([at for at, _ in seen], survey):
        seen = look(every_frame=True)
        if len(seen) < len(survey.frames_ms):
            raise Invalid(f"The picture is damaged: {len(seen)} of {len(survey.frames_ms)} frames can be read.")
    return survey, seen

"""Whether slides can be drawn: light enough for a web process to import."""

from collections.abc import Iterable

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.slides import Slide
from avatar_scheduler.studio import job as jobs
from avatar_scheduler.studio.job import StudioJob

PICTURES = ("image", "photo")
"""Kinds of material a still can stand in front of."""


def check(job: StudioJob, slides: Iterable[Slide]) -> None:
    """Raises Invalid for a look, a place or a picture that is not there."""
    if job.pack is None and job.avatar not in jobs.avatars():
        known = ", ".join(jobs.avatars())
        raise Invalid(f"There is no avatar “{job.avatar}”. Choose one of: {known}.", code="unknown_avatar")
    for number, slide in enumerate(slides, 1):
        background = slide.background or job.staging.background
        if background.kind == "video":
            raise Invalid(f"Slide {number}: a film cannot be its background. Name an image.", code="slide_background")
        if background.kind == "scene" and (background.value or job.scene) not in jobs.scenes():
            known = ", ".join(jobs.scenes())
            raise Invalid(
                f"Slide {number}: there is no scene “{background.value or job.scene}”. Use one of: {known}.",
                code="unknown_scene",
            )
        if background.kind == "image" and _kind(job, background.value) not in PICTURES:
            raise Invalid(
                f"Slide {number}: “{background.value}” is no picture of this creator. Run: avatar-scheduler upload add",
                code="slide_background",
            )


def _kind(job: StudioJob, name: str) -> str:
    material = job.materials.get(name)
    return material.kind if material else ""

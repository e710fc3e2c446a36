"""A script in, a film out: video.mp4, captions.vtt and poster.jpg in a folder."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
from PIL import Image

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.studio import audio, encode
from avatar_scheduler.studio import job as jobs
from avatar_scheduler.studio.avatar import motion
from avatar_scheduler.studio.avatar import pack as packs
from avatar_scheduler.studio.avatar.compositor import Compositor
from avatar_scheduler.studio.avatar.sprites import Figure
from avatar_scheduler.studio.captions import Caption, captions, on_screen, styled, vtt
from avatar_scheduler.studio.job import Rendered, StudioJob
from avatar_scheduler.studio.speech.speak import perform
from avatar_scheduler.studio.timed import Speech

Progress = Callable[[int, str], None]

_SPOKEN, _DRAWN, _ENCODED = 15, 20, 97
_POSTER_QUALITY = 88


@dataclass(frozen=True)
class Film:
    """Everything decided, nothing encoded: what each frame shows and what is heard."""

    compositor: Compositor
    looks: list[motion.Look]
    shown: list[Caption]
    on_screen: list[tuple[int, int] | None]

    def frames(self) -> Iterator[av.VideoFrame]:
        """One frame, drawn over again for each picture."""
        for look, caption in zip(self.looks, self.on_screen, strict=True):
            yield self.compositor.show(look, caption)


def render(job: StudioJob, folder: Path, progress: Progress) -> Rendered:
    """Raises Invalid for a job that cannot be drawn, Refused for a full disk; then nothing is left in the folder."""
    report = _monotonic(progress)
    jobs.check(job)
    report(0, "Speaking")
    speech = perform(job, lambda share: report(int(share * _SPOKEN), "Speaking"))
    return film(job, speech, folder, report)


def film(job: StudioJob, speech: Speech, folder: Path, progress: Progress) -> Rendered:
    """The part after the voice: draw, encode, and write captions and poster."""
    progress(_SPOKEN, "Drawing")
    planned = plan(job, packs.load(jobs.PACKS / job.avatar), speech)
    done = Rendered(
        video=folder / "video.mp4",
        captions=folder / "captions.vtt",
        poster=folder / "poster.jpg",
        duration_ms=round(1000 * len(planned.looks) / job.fps),
        width=job.width,
        height=job.height,
    )
    with _all_or_nothing(done.video, done.captions, done.poster):
        _write(job, planned, speech, done, progress)
    progress(100, "Done")
    return done


def plan(job: StudioJob, pack: packs.Pack, speech: Speech) -> Film:
    figure = Figure(pack, job.width, job.height)
    looks = motion.plan(pack, speech, scale=figure.scale, fps=job.fps, seed=job.seed)
    style = job.staging.captions
    shown = styled(speech.words, job.language, style)
    return Film(Compositor(job, pack, figure, shown), looks, shown, on_screen(shown, len(looks), job.fps, style))


def _write(job: StudioJob, planned: Film, speech: Speech, done: Rendered, progress: Progress) -> None:
    done.captions.write_text(vtt(captions(speech.words, job.language)), "utf-8")
    progress(_DRAWN, "Encoding")
    total = len(planned.looks)
    encode.write_mp4(
        done.video,
        planned.frames(),
        audio.master(speech.samples, speech.rate),
        size=(job.width, job.height),
        fps=job.fps,
        on_frame=lambda number: progress(_DRAWN + (_ENCODED - _DRAWN) * (number + 1) // total, "Encoding"),
    )
    _write_poster(planned, done.poster)


def _write_poster(planned: Film, path: Path) -> None:
    """The face at rest, eyes open and smiling, with the words of the first caption."""
    compositor = planned.compositor
    frame = compositor.show(compositor.rest, (0, 0) if planned.shown else None)
    Image.fromarray(frame.to_ndarray(format="rgb24")).save(path, "JPEG", quality=_POSTER_QUALITY)


@contextmanager
def _all_or_nothing(*paths: Path) -> Iterator[None]:
    kept = False
    try:
        yield
        kept = True
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = "The disk is full. Free some space and render again; nothing was kept."
            raise Refused(message, code="disk_full") from error
        raise
    finally:
        if not kept:
            for path in paths:
                path.unlink(missing_ok=True)


def _monotonic(progress: Progress) -> Progress:
    """Passes on each step once and never a smaller one."""
    highest = -1

    def report(percent: int, stage: str) -> None:
        nonlocal highest
        if percent > highest:
            highest = percent
            progress(percent, stage)

    return report

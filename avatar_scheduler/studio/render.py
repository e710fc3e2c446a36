"""A script in, a film out: video.mp4, captions.vtt and poster.jpg in a folder."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.studio import audio, encode
from avatar_scheduler.studio import job as jobs
from avatar_scheduler.studio.avatar import pack as packs
from avatar_scheduler.studio.captions import vtt
from avatar_scheduler.studio.job import Rendered, StudioJob
from avatar_scheduler.studio.scene import timeline
from avatar_scheduler.studio.scene.moving import Moving
from avatar_scheduler.studio.scene.reel import Reel
from avatar_scheduler.studio.scene.timeline import HUMAN, Timeline
from avatar_scheduler.studio.speech.speak import perform
from avatar_scheduler.studio.timed import Speech

Progress = Callable[[int, str], None]

_SPOKEN, _DRAWN, _ENCODED = 15, 20, 97
_POSTER_QUALITY = 88


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
    reel = plan(job, packs.load(job.pack or jobs.PACKS / job.avatar), speech)
    timeline.check(reel.timeline)
    done = Rendered(
        video=folder / "video.mp4",
        captions=folder / "captions.vtt",
        poster=folder / "poster.jpg",
        duration_ms=reel.timeline.ms(reel.timeline.frames),
        width=job.width,
        height=job.height,
        human_ms=reel.timeline.human_ms,
    )
    with _all_or_nothing(done.video, done.captions, done.poster):
        _write(job, reel, done, progress)
    progress(100, "Done")
    return done


def plan(job: StudioJob, pack: packs.Pack, speech: Speech) -> Reel:
    moving = _moving(job)
    return Reel(job, pack, _timeline(job, speech, moving), moving)


def human_spans(job: StudioJob, speech: Speech) -> tuple[tuple[int, int], ...]:
    """Milliseconds in which a person is shown instead of the avatar, exact to the frame."""
    return _timeline(job, speech, _moving(job)).human_ms


def _timeline(job: StudioJob, speech: Speech, moving: dict[str, Moving]) -> Timeline:
    lengths = {name: clip.frames(job.fps) for name, clip in moving.items()}
    return timeline.lay_out(speech, job.staging, lengths, job.fps)


def _moving(job: StudioJob) -> dict[str, Moving]:
    return {name: Moving(name, material) for name, material in job.materials.items() if material.kind == "clip"}


def _write(job: StudioJob, reel: Reel, done: Rendered, progress: Progress) -> None:
    done.captions.write_text(vtt(reel.captions), "utf-8")
    progress(_DRAWN, "Encoding")
    total = reel.timeline.frames
    encode.write_mp4(
        done.video,
        reel.frames(),
        sound(job, reel.timeline),
        size=(job.width, job.height),
        fps=job.fps,
        on_frame=lambda number: progress(_DRAWN + (_ENCODED - _DRAWN) * (number + 1) // total, "Encoding"),
    )
    Image.fromarray(reel.poster().to_ndarray(format="rgb24")).save(done.poster, "JPEG", quality=_POSTER_QUALITY)


def sound(job: StudioJob, laid_out: Timeline) -> audio.Sound:
    speech, music = laid_out.speech, job.staging.music
    clips = [
        (shot.first / laid_out.fps, job.materials[shot.name].path) for shot in laid_out.shots if shot.kind == HUMAN
    ]
    return audio.mix(
        speech.samples,
        speech.rate,
        seconds=laid_out.frames / laid_out.fps,
        music=job.materials[music.material].path if music else None,
        below_db=music.below if music else 0,
        clips=clips,
        names={material.path: name for name, material in job.materials.items()},
    )


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

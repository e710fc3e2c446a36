"""The time line of a film: the speech, parted where a clip is spliced in, with cards before and after."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil

import numpy as np

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.staging import Staging
from avatar_scheduler.studio.speech import cues
from avatar_scheduler.studio.timed import Cue, Speech, Timed

AVATAR, INSERT, CARD, HUMAN = "avatar", "insert", "card", "human"
_STILL_SECONDS = 3.0
"""How long an inserted picture stays when the script does not say."""
_GLIMPSE_SECONDS = 0.4
"""The avatar is not shown for less than this between two other pictures: it would only flicker."""


@dataclass(frozen=True)
class Shot:
    """What fills the frame, from one film frame to before another."""

    kind: str
    first: int
    end: int
    name: str = ""
    """The material, or "intro" or "outro"."""


@dataclass(frozen=True)
class Timeline:
    speech: Speech
    """In the film's own time: silent where a card or a clip is shown."""
    shots: tuple[Shot, ...]
    """One after the other, without a gap."""
    fps: int

    @property
    def frames(self) -> int:
        return self.shots[-1].end

    @property
    def human_ms(self) -> tuple[tuple[int, int], ...]:
        """Where a person is shown instead of the avatar: from the first frame to the first that is not."""
        return tuple((self.ms(s.first), self.ms(s.end)) for s in self.shots if s.kind == HUMAN)

    def ms(self, frame: int) -> int:
        return round(1000 * frame / self.fps)


def lay_out(speech: Speech, staging: Staging, lengths: Mapping[str, int], fps: int) -> Timeline:
    """`lengths` are the frames of each moving material."""
    intro, outro = (round(card.seconds * fps) if card else 0 for card in (staging.intro, staging.outro))
    frames = ceil(speech.seconds * fps)
    clips = [(_frame(cue, fps, frames), cue.value) for cue in speech.cues if cue.verb == "clip"]
    inserts = _inserts(speech.cues, lengths, fps, frames)
    shots = _joined(_shots(clips, inserts, lengths, frames), intro, outro)
    return Timeline(_film_time(speech, clips, lengths, (intro, outro), fps), tuple(shots), fps)


def _frame(cue: Cue, fps: int, frames: int) -> int:
    """Rounded down: the word after a cue never loses its beginning."""
    return min(int(cue.at * fps + 1e-6), frames)


def _inserts(
    directions: Iterable[Cue], lengths: Mapping[str, int], fps: int, frames: int
) -> list[tuple[int, int, str]]:
    """First and last frame of the speech, and what is shown. The next insert or clip ends one."""
    standing = [cue for cue in directions if cue.verb in ("show", "clip")]
    starts = [_frame(cue, fps, frames) for cue in standing]
    found: list[tuple[int, int, str]] = []
    for cue, start, following in zip(standing, starts, [*starts, frames][1:], strict=True):
        if cue.verb == "show":
            name, seconds = cues.shown(cue.value)
            asked = round((seconds or 0) * fps)
            end = start + (asked or lengths.get(name) or round(_STILL_SECONDS * fps))
            found.append((start, end if end < following - _GLIMPSE_SECONDS * fps else following, name))
    return [insert for insert in found if insert[1] > insert[0]]


def _shots(
    clips: list[tuple[int, str]], inserts: list[tuple[int, int, str]], lengths: Mapping[str, int], frames: int
) -> list[tuple[str, int, str]]:
    """Kind, frames and name of each shot, in order."""
    edges = sorted({0, frames, *(at for at, _ in clips), *(end for start, to, _ in inserts for end in (start, to))})
    shots: list[tuple[str, int, str]] = []
    for start, end in [*pairwise(edges), (frames, frames)]:
        shots += [(HUMAN, lengths[name], name) for at, name in clips if at == start]
        shown = [name for first, to, name in inserts if first <= start < to]
        shots.append((INSERT, end - start, shown[-1]) if shown else (AVATAR, end - start, ""))
    return shots


def _joined(parts: list[tuple[str, int, str]], intro: int, outro: int) -> list[Shot]:
    shots: list[Shot] = []
    at = 0
    for kind, length, name in [(CARD, intro, "intro"), *parts, (CARD, outro, "outro")]:
        if length:
            shots.append(Shot(kind, at, at + length, name))
            at += length
    return shots


def _film_time(
    speech: Speech, clips: list[tuple[int, str]], lengths: Mapping[str, int], around: tuple[int, int], fps: int
) -> Speech:
    """The same speech with silence where it waits. Nothing is moved by less than whole frames."""

    def samples(frames: int) -> int:
        return round(frames * speech.rate / fps)

    def later(second: float) -> float:
        waits = sum(lengths[name] for at, name in clips if at / fps <= second + 1e-6)
        return second + (around[0] + waits) / fps

    whole = np.zeros(samples(ceil(speech.seconds * fps)), np.float32)
    whole[: len(speech.samples)] = speech.samples[: len(whole)]
    parts = [np.zeros(samples(around[0]), np.float32)]
    done = 0
    for at, name in clips:
        parts += [whole[done : samples(at)], np.zeros(samples(lengths[name]), np.float32)]
        done = samples(at)
    parts += [whole[done:], np.zeros(samples(around[1]), np.float32)]

    def moved(timed: Timed) -> Timed:
        start = later(timed.start)
        return Timed(timed.text, start, start + timed.end - timed.start)

    return replace(
        speech,
        samples=np.concatenate(parts),
        words=tuple(moved(word) for word in speech.words),
        phonemes=tuple(moved(phoneme) for phoneme in speech.phonemes),
        cues=tuple(replace(cue, at=later(cue.at)) for cue in speech.cues),
    )


def check(timeline: Timeline) -> None:
    """Raises Invalid for human clips at an end or too long: the label must be there first, last and half the time."""
    spans, whole = timeline.human_ms, timeline.ms(timeline.frames)
    if not spans:
        return
    names = ", ".join(f"“{shot.name}”" for shot in timeline.shots if shot.kind == HUMAN)
    if spans[0][0] < 1000 or spans[-1][1] > whole - 1000:
        raise Invalid(
            f"The clip {names} stands in the first or last second. Let the avatar say a sentence before and after.",
            code="clip_at_end",
        )
    human = sum(end - start for start, end in spans)
    if 2 * human > whole:
        raise Invalid(
            f"The clips {names} fill {human / 1000:.0f} of {whole / 1000:.0f} seconds. Half of a film is the most: "
            "shorten them, or let the avatar say more.",
            code="clips_too_long",
        )

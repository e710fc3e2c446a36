"""What the face does in each frame: pose, mouth, eyes and brows. A pure plan; nothing is drawn here."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from math import pi, sin

from avatar_scheduler.studio.avatar import moods, sway
from avatar_scheduler.studio.avatar.pack import Motion, Pack
from avatar_scheduler.studio.avatar.visemes import REST, mouths
from avatar_scheduler.studio.seeds import stream
from avatar_scheduler.studio.timed import Speech

POSES = 40
"""Places on a closed figure of eight, so that a long film needs no more pictures than a short one."""
_TILT_SHARE = 0.7
_SMILE_PAUSE_SECONDS = 0.3
_UNBLINKING = 0.8
"""Seconds at the start of a surprise."""


@dataclass(frozen=True)
class Pose:
    dy: int
    """Frame pixels, even: half the chroma rows move with it."""
    tilt: float
    """Degrees about the pack's pivot."""


@dataclass(frozen=True)
class Look:
    pose: Pose
    mouth: str
    eyes: str
    brows: str


def pose(motion: Motion, scale: float, step: int) -> Pose:
    angle = 2 * pi * (step % POSES) / POSES
    dy = 2 * round(motion.bob * scale * sin(2 * angle) / 2)
    return Pose(dy, round(motion.tilt * _TILT_SHARE * sin(angle), 3))


def rest(pack: Pack) -> Look:
    return Look(Pose(0, 0.0), pack.mouth(REST, smiling=True), pack.eyes("open"), pack.brows("neutral"))


def plan(pack: Pack, speech: Speech, *, scale: float, fps: int, seed: str) -> list[Look]:
    """One look for each frame of the speech."""
    letters = mouths(speech, fps)
    steps = sway.steps([letter == REST for letter in letters], fps, POSES, stream(seed, "pose"))
    mood = _filled("", moods.cued(speech, *moods.EXPRESSIONS), len(letters), fps)
    smiles = _smiles(speech, letters, mood, fps, seed)
    eyes = _eyes(pack, speech, smiles, mood, letters, fps, seed)
    brows = _brows(pack, speech, mood, fps, seed)
    return [
        Look(pose(pack.motion, scale, steps[f]), pack.mouth(letters[f], smiling=smiles[f]), eyes[f], brows[f])
        for f in range(len(letters))
    ]


def _filled(empty: str, spans: Iterable[moods.Span], count: int, fps: int) -> list[str]:
    """What holds in each frame; a later span wins."""
    frames = [empty] * count
    for span in spans:
        _fill(frames, span.what, span.start, span.end - span.start, fps)
    return frames


def _smiles(speech: Speech, letters: list[str], mood: list[str], fps: int, seed: str) -> list[bool]:
    """As cued; else at rest between sentences and where the words are cheerful."""
    cheerful = _filled("", moods.cheers(speech, stream(seed, "smile")), len(letters), fps)
    resting = _long_rests(letters, fps)
    wanted = [
        m == "smile" if m else bool(c) or rest for m, c, rest in zip(mood, cheerful, resting, strict=True)
    ]  # fmt: skip
    return _with_the_lips(wanted, letters)


def _long_rests(letters: list[str], fps: int) -> list[bool]:
    frames: list[bool] = []
    for letter, run in groupby(letters):
        length = len(list(run))
        long = letter == REST and (length >= _SMILE_PAUSE_SECONDS * fps or not frames)
        frames += [long] * length
    return frames


def _with_the_lips(wanted: list[bool], letters: list[str]) -> list[bool]:
    """A mouth that is being shown does not change its smile: that would be a flicker, and one more frame to encode."""
    frames: list[bool] = []
    for letter, run in groupby(letters):
        part = wanted[len(frames) : len(frames) + len(list(run))]
        if letter == REST and len(part) > 3:
            frames += [part[1], *part[1:-1], part[-2]]
        else:
            frames += part[:1] * len(part)
    return frames


def _eyes(
    pack: Pack, speech: Speech, smiles: list[bool], mood: list[str], letters: list[str], fps: int, seed: str
) -> list[str]:
    count = len(letters)
    glances = _filled("", moods.glances(speech, stream(seed, "gaze")), count, fps)
    cued = _filled("", moods.cued(speech, "look"), count, fps)
    eyes = []
    for frame in range(count):
        side = cued[frame] or ("" if mood[frame] == "surprised" else glances[frame])
        smiling = smiles[frame] and letters[frame] != REST
        eyes.append(pack.eyes(side if side in ("left", "right") else "smile" if smiling else "open"))
    startled = [span.start for span in moods.cued(speech, *moods.EXPRESSIONS) if span.what == "surprised"]
    for at in moods.blinks(speech, pack.blink.every, stream(seed, "blink")):
        if not any(start - 0.2 <= at < start + _UNBLINKING for start in startled):
            _blink(eyes, pack, at, fps)
    return eyes


def _blink(eyes: list[str], pack: Pack, at: float, fps: int) -> None:
    """Half, closed, half. A pack without a half picture blinks at once."""
    half, closed = pack.blink.half / 1000, pack.blink.closed / 1000
    if "eyes_half" in pack.files:
        _fill(eyes, "eyes_half", at, 2 * half + closed, fps)
    _fill(eyes, "eyes_closed", at + half, closed, fps)


def _brows(pack: Pack, speech: Speech, mood: list[str], fps: int, seed: str) -> list[str]:
    raised = _filled("neutral", moods.raises(speech, stream(seed, "brows")), len(mood), fps)
    states = {"neutral": "neutral", "worried": "worried", "surprised": "up"}
    return [pack.brows(states.get(m, r)) for m, r in zip(mood, raised, strict=True)]


def _fill(frames: list[str], part: str, start: float, seconds: float, fps: int) -> None:
    first = max(0, round(start * fps))
    last = min(len(frames), first + max(1, round(seconds * fps)))
    frames[first:last] = [part] * max(0, last - first)

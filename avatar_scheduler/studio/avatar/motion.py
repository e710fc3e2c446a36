"""What the face does in each frame: pose, mouth, eyes and brows. A pure plan; nothing is drawn here."""

from dataclasses import dataclass
from math import pi, sin

import numpy as np

from avatar_scheduler.studio.avatar.pack import Motion, Pack
from avatar_scheduler.studio.avatar.visemes import REST, mouths
from avatar_scheduler.studio.seeds import stream
from avatar_scheduler.studio.timed import Speech, Timed

POSES = 40
"""The head travels one closed figure of eight, so that a long film needs no more pictures than a short one."""
_TILT_SHARE = 0.7
_TURN_SECONDS = 5.4
_RESTING_TURN_SECONDS = 9.0
_SMILE_PAUSE_SECONDS = 0.3
_CHEER_SECONDS = 0.9


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
    steps = _steps(letters, fps, stream(seed, "pose"))
    smiles = _smiles(speech, letters, fps)
    eyes = _eyes(pack, smiles, letters, fps, seed)
    brows = _brows(pack, speech, len(letters), fps, stream(seed, "brows"))
    return [
        Look(pose(pack.motion, scale, steps[f]), pack.mouth(letters[f], smiling=smiles[f]), eyes[f], brows[f])
        for f in range(len(letters))
    ]


def _steps(letters: list[str], fps: int, rng: np.random.Generator) -> list[int]:
    """Position on the figure of eight: quicker while speaking, calmer at rest, never stopping."""
    turn = 0.0
    pace = 1.0
    steps: list[int] = []
    for frame, letter in enumerate(letters):
        if frame % fps == 0:
            pace = float(rng.uniform(0.75, 1.25))
        turn += pace / fps / (_RESTING_TURN_SECONDS if letter == REST else _TURN_SECONDS)
        steps.append(int(turn * POSES) % POSES)
    return steps


def _smiles(speech: Speech, letters: list[str], fps: int) -> list[bool]:
    """Smiling at rest between sentences, and through the end of one that closes with "!"."""
    smiles = [False] * len(letters)
    run = 0
    for frame in range(len(letters) + 1):
        if frame < len(letters) and letters[frame] == REST:
            run += 1
            continue
        if run >= _SMILE_PAUSE_SECONDS * fps or run == frame:
            smiles[frame - run : frame] = [True] * run
        run = 0
    for word in speech.words:
        if word.text.rstrip("\"'”’)").endswith("!"):
            first, last = round(max(word.start, word.end - _CHEER_SECONDS) * fps), round(word.end * fps) + 1
            smiles[first:last] = [True] * len(smiles[first:last])
    return smiles


def _eyes(pack: Pack, smiles: list[bool], letters: list[str], fps: int, seed: str) -> list[str]:
    count = len(letters)
    eyes = [pack.eyes("smile" if smiles[f] and letters[f] != REST else "open") for f in range(count)]
    rng = stream(seed, "gaze")
    at = float(rng.uniform(1.8, 3.2))
    while at * fps < count - fps:
        length = float(rng.uniform(0.35, 0.8))
        side = "left" if rng.random() < 0.5 else "right"
        _fill(eyes, pack.eyes(side), at, length, fps)
        at += length + float(rng.uniform(2.4, 5.0))
    _blink(eyes, pack, fps, stream(seed, "blink"))
    return eyes


def _blink(eyes: list[str], pack: Pack, fps: int, rng: np.random.Generator) -> None:
    """Half, closed, half. A pack without a half picture blinks at once."""
    half, closed = pack.blink.half / 1000, pack.blink.closed / 1000
    earliest, latest = pack.blink.every
    at = float(rng.uniform(0.7, 1.4))
    while at * fps < len(eyes) - fps / 2:
        if "eyes_half" in pack.files:
            _fill(eyes, "eyes_half", at, 2 * half + closed, fps)
        _fill(eyes, "eyes_closed", at + half, closed, fps)
        at += float(rng.uniform(earliest, latest)) / 1000


def _brows(pack: Pack, speech: Speech, count: int, fps: int, rng: np.random.Generator) -> list[str]:
    """Up on the last word of a question or a cheer, and now and then on a long word."""
    brows = [pack.brows("neutral")] * count
    quiet_until = 0.0
    for word in speech.words:
        if not _raises(word, rng) or word.start < quiet_until:
            continue
        length = max(0.3, word.end - word.start)
        _fill(brows, pack.brows("up"), word.start - 0.05, length, fps)
        quiet_until = word.start + length + 1.2
    return brows


def _raises(word: Timed, rng: np.random.Generator) -> bool:
    chance = float(rng.random())
    if word.text.rstrip("\"'”’)").endswith(("?", "!")):
        return True
    return len(word.text) >= 7 and chance < 0.45


def _fill(frames: list[str], part: str, start: float, seconds: float, fps: int) -> None:
    first = max(0, round(start * fps))
    last = min(len(frames), first + max(1, round(seconds * fps)))
    frames[first:last] = [part] * (last - first)

"""Text to speech, with the times of every word, phoneme and cue."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio import voices
from avatar_scheduler.studio.job import LONGEST_SECONDS, StudioJob, too_long
from avatar_scheduler.studio.speech import cues, engines, opening, script, sentences
from avatar_scheduler.studio.speech.reading import read
from avatar_scheduler.studio.speech.script import Unit
from avatar_scheduler.studio.speech.utterance import Utterance, later
from avatar_scheduler.studio.timed import Cue, Speech, Timed
from avatar_scheduler.studio.voices import Voice

LEAD_SECONDS = 0.2
"""The voice adds about as much of its own. The face rests and the label can be read before the first word."""
PAUSE_SECONDS = {"hibari": 0.08, "kokoro": 0.08, "piper": 0.25, "espeak": 0.25}
"""After a sentence; each voice adds its own."""
TAIL_SECONDS = 0.5
ENGLISH = "en"

_BEFORE_A_SIGN = re.compile(r" (?=[!?:;»…)](?:[ !?…]|$))")
_AFTER_A_SIGN = re.compile(r"(?<=[«(]) ")

Progress = Callable[[float], None]


def perform(
    job: StudioJob, progress: Progress = lambda share: None, clips: Mapping[str, float] | None = None
) -> Speech:
    """What is heard in a job: the notice that opens it, then the avatar's voice or the recording of a person.

    `clips` gives their seconds, to leave as much silence; without, a film parts the speech there by itself.
    """
    told = _told(job, progress, clips or {})
    if not job.spoken:
        return told
    voice = "" if job.staging.recording else job.staging.voice
    return opening.before(notice(job.spoken, job.language, voice=voice, kept=job.sentences), told)


def notice(text: str, language: str, *, voice: str = "", kept: Path | None = None) -> Speech:
    """The sentence that says what this is, the same wherever it is said: at the voice's own speed, read as it is
    written whatever pronunciations a creator chose. The first line is in `language`, each other one in English.

    Raises Invalid for an unknown or missing voice.
    """
    first, *others = [line for line in text.splitlines() if line.strip()]
    said = speak(first, language, voice=voice, kept=kept)
    for line in others:
        said = opening.before(said, speak(line, ENGLISH, kept=kept))
    return said


def _told(job: StudioJob, progress: Progress, clips: Mapping[str, float]) -> Speech:
    if recording := job.staging.recording:
        from avatar_scheduler.studio.speech.recording import recorded

        return recorded(job.materials[recording].path, job.text, job.language, clips)
    return speak(
        job.text,
        job.language,
        progress,
        voice=job.staging.voice,
        speed=job.staging.speed,
        pronunciations=job.pronunciations,
        kept=job.sentences,
        clips=clips,
    )


def speak(
    text: str,
    language: str,
    progress: Progress = lambda share: None,
    *,
    voice: str = "",
    speed: float = 1.0,
    pronunciations: Mapping[str, str] | None = None,
    kept: Path | None = None,
    clips: Mapping[str, float] | None = None,
) -> Speech:
    """`progress` gets the share done, 0 to 1. Invalid for an unknown or missing voice, or a text it cannot read."""
    speaker = _Speaker(voices.check(language, voice), voices.base(language), speed, kept)
    track = _Track(PAUSE_SECONDS[speaker.voice.engine], clips or {})
    parts = script.pieces(text)
    for index, piece in enumerate(parts):
        if piece.words or piece.marks:
            units = read(piece.words, speaker.language, pronunciations or {}) if piece.words else []
            track.add(units, speaker.say(spoken(units, piece.cut)), piece.marks)
        for cue in piece.after:
            track.wait(cue)
        progress((index + 1) / len(parts))
    return track.finish(speaker.language)


def spoken(units: list[Unit], cut: bool = False) -> str:
    """What is cut by a pause stays in the air, as before a comma."""
    text = " ".join(unit.spoken for unit in units if unit.spoken)
    text = _BEFORE_A_SIGN.sub("", _AFTER_A_SIGN.sub("", text))
    return f"{text}," if cut and text and text[-1].isalnum() else text


@dataclass
class _Speaker:
    voice: Voice
    language: str
    speed: float
    kept: Path | None
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        self.fingerprint = engines.fingerprint(self.voice, self.language)

    def say(self, text: str) -> Utterance | None:
        """None when there is nothing to say. What was kept loads no model."""
        if not any(sign.isalnum() for sign in text):
            return None
        store = sentences.Kept(self.kept) if self.kept else None
        name = sentences.key(self.fingerprint, self.speed, text)
        if store and (known := store.get(name)):
            return known
        said = engines.of(self.voice, self.language).say(text, self.speed)
        if store:
            store.put(name, said)
        return said


class _Track:
    """Sentences laid one after the other on one time line."""

    def __init__(self, pause: float, clips: Mapping[str, float]) -> None:
        self._pause = pause
        self._clips = clips
        self._rate = 0
        self._alphabet = ""
        self._samples: list[NDArray[np.float32]] = []
        self._length = 0
        self._waiting = LEAD_SECONDS
        """Seconds of silence to come before the next sound."""
        self._words: list[Timed] = []
        self._phonemes: list[Timed] = []
        self._cues: list[Cue] = []
        self._unspoken: list[Unit] = []

    def add(self, units: list[Unit], said: Utterance | None, marks: list[script.Mark]) -> None:
        words = script.as_written(self._unspoken + units, said.words) if said else []
        if said is None or not words:
            self._keep_unspoken(units)
            self._cues += [Cue(mark.cue.verb, mark.cue.value, self._now) for mark in marks]
            return
        self._rate, self._alphabet = said.rate, said.alphabet
        self._lay_silence()
        start = self._length / self._rate
        words = [later(word, start) for word in words]
        self._words += words
        self._phonemes += [later(phoneme, start) for phoneme in said.phonemes]
        self._mark(marks, words)
        self._unspoken = []
        self._lay(said.samples)
        self._waiting = self._pause
        if self._length > LONGEST_SECONDS * self._rate:
            raise too_long()

    def wait(self, cue: cues.Direction) -> None:
        if cue.verb == "pause":
            self._waiting += cues.seconds(cue.value)
            return
        self._cues.append(Cue(cue.verb, cue.value, self._now))
        self._waiting += self._clips.get(cue.value, 0.0)

    def finish(self, language: str) -> Speech:
        if not self._words:
            raise Invalid(f'Nothing in the script can be spoken in "{language}".', code="script_unspeakable")
        self._waiting += TAIL_SECONDS - self._pause
        self._lay_silence()
        found = tuple(sorted(self._cues, key=lambda cue: cue.at))
        words, phonemes = tuple(self._words), tuple(self._phonemes)
        return Speech(np.concatenate(self._samples), self._rate, words, phonemes, self._alphabet, found)

    @property
    def _now(self) -> float:
        return (self._length / self._rate if self._rate else 0.0) + self._waiting

    def _mark(self, marks: list[script.Mark], words: list[Timed]) -> None:
        """A cue stands where the word after it begins, or where the last one ends."""
        carried = sum(len(unit.written.split()) for unit in self._unspoken)
        counts = np.cumsum([len(word.text.split()) for word in words]) - carried
        for mark in marks:
            starts = (word.start for word, count in zip(words, counts, strict=True) if count > mark.before)
            self._cues.append(Cue(mark.cue.verb, mark.cue.value, next(starts, words[-1].end)))

    def _keep_unspoken(self, units: list[Unit]) -> None:
        """A sentence of signs only is shown with the word before it, or with the first word to come."""
        if not self._words:
            self._unspoken += units
            return
        last = self._words[-1]
        self._words[-1] = Timed(" ".join([last.text, *(unit.written for unit in units)]), last.start, last.end)

    def _lay(self, samples: NDArray[np.float32]) -> None:
        self._samples.append(samples)
        self._length += len(samples)

    def _lay_silence(self) -> None:
        self._lay(np.zeros(round(self._waiting * self._rate), np.float32))
        self._waiting = 0.0

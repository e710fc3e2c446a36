"""Asks the espeak-ng program how a text sounds: phonemes by word, their times, and the sound if wanted."""

import atexit
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import IO, Any, cast

from avatar_scheduler.domain.errors import Refused

PROGRAM = "avatar_scheduler.studio.speech.espeak_program"
PACE = 165
"""Words a minute at speed 1."""
_SECONDS = 10.0
_SECONDS_A_LETTER = 0.02
_VOICES = {"en": "en-us", "pt": "pt-br", "fr-fr": "fr"}


@dataclass(frozen=True)
class Sound:
    """One phoneme as espeak writes it in IPA, stress mark included."""

    ipa: str
    start: float
    position: int
    """Where its word starts in the text."""


@dataclass(frozen=True)
class Answer:
    sounds: list[Sound]
    """A pause has no IPA."""
    rate: int
    pcm: bytes


class Espeak:
    """One program for the whole process. A late or dead one is replaced, and asked once more."""

    def __init__(self, command: tuple[str, ...] = (sys.executable, "-I", "-m", PROGRAM)) -> None:
        self._command = command
        self._running: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._lock = threading.Lock()

    def ask(self, text: str, language: str, speed: float = 1.0, *, sound: bool = False) -> Answer:
        """Raises Refused when espeak-ng is missing or gives no answer, twice."""
        voice = _VOICES.get(language, language)
        request = {"text": text, "voice": voice, "pace": round(PACE * speed), "sound": sound}
        with self._lock:
            for _ in range(2):
                try:
                    return self._ask(request, _SECONDS + _SECONDS_A_LETTER * len(text))
                except (OSError, EOFError, TimeoutError, ValueError):
                    self.stop()
        raise Refused("espeak-ng gave no answer, twice. Try again, or choose a voice without it.", code="espeak")

    def stop(self) -> None:
        if self._running is not None and self._owner == os.getpid():
            self._running.kill()
            self._running.communicate()
        self._running = None

    def _ask(self, request: dict[str, Any], seconds: float) -> Answer:
        deadline = time.monotonic() + seconds
        program = self._program()
        into, out = cast(IO[bytes], program.stdin), cast(IO[bytes], program.stdout)
        into.write(json.dumps(request).encode() + b"\n")
        head, rest = _line(out, deadline)
        answer = json.loads(head)
        if "error" in answer:
            raise Refused(f"{answer['error']}. Choose another language or voice.", code="espeak")
        pcm = rest + _bytes(out, answer["bytes"] - len(rest), deadline)
        return Answer(_sounds(answer["events"]), answer["rate"], pcm)

    def _program(self) -> subprocess.Popen[bytes]:
        # A fork of this process must not talk into the same pipes.
        if self._running is None or self._owner != os.getpid() or self._running.poll() is not None:
            self._owner = os.getpid()
            self._running = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
            )
        return self._running


@cache
def shared() -> Espeak:
    program = Espeak()
    atexit.register(program.stop)
    return program


def _sounds(events: list[list[Any]]) -> list[Sound]:
    return [Sound(ipa, milliseconds / 1000, position) for ipa, milliseconds, position in events]


def _line(stream: IO[bytes], deadline: float) -> tuple[bytes, bytes]:
    read = b""
    while b"\n" not in read:
        read += _some(stream, deadline)
    head, _, rest = read.partition(b"\n")
    return head, rest


def _bytes(stream: IO[bytes], count: int, deadline: float) -> bytes:
    read = b""
    while len(read) < count:
        read += _some(stream, deadline)
    return read


def _some(stream: IO[bytes], deadline: float) -> bytes:
    # Not select(): it refuses file numbers above 1023, which a process with many connections has.
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        if not selector.select(max(0, deadline - time.monotonic())):
            raise TimeoutError
    if not (read := os.read(stream.fileno(), 1 << 16)):
        raise EOFError
    return read

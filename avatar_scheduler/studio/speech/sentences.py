"""Spoken sentences kept between renders: what was said once is not worked out again."""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from avatar_scheduler.studio.speech.utterance import Utterance
from avatar_scheduler.studio.timed import Timed

MOST_BYTES = 256 << 20
_FORM = 2
"""Raised when the same words are read or cut differently than before."""


def key(fingerprint: str, speed: float, text: str) -> str:
    return hashlib.sha256(json.dumps([_FORM, fingerprint, round(speed, 3), text]).encode()).hexdigest()


class Kept:
    """A folder of sentences. The ones longest unused go when it grows over its size."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most = most_bytes

    def get(self, name: str) -> Utterance | None:
        """None for what was never said, or what can no longer be read."""
        path = self._path(name)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                told = json.loads(str(stored["told"]))
                samples = stored["samples"]
            os.utime(path)
            words, phonemes = ([Timed(*one) for one in told[part]] for part in ("words", "phonemes"))
            return Utterance(samples, told["rate"], words, phonemes, told["alphabet"])
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return None

    def put(self, name: str, said: Utterance) -> None:
        """All or nothing. A full disk costs only the time to say it again."""
        told = json.dumps(
            {
                "rate": said.rate,
                "alphabet": said.alphabet,
                "words": [(one.text, one.start, one.end) for one in said.words],
                "phonemes": [(one.text, one.start, one.end) for one in said.phonemes],
            }
        )
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".part", delete=False) as part:
                try:
                    np.savez(part, samples=said.samples, told=np.array(told))
                    part.flush()
                    Path(part.name).replace(self._path(name))
                except OSError:
                    Path(part.name).unlink(missing_ok=True)
            self._tidy()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.npz"

    def _tidy(self) -> None:
        newest_first = sorted(self._sizes(), reverse=True)
        total = 0
        for _, size, path in newest_first:
            total += size
            if total > self._most:
                path.unlink(missing_ok=True)

    def _sizes(self) -> Iterator[tuple[float, int, Path]]:
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                status = path.stat()
                yield status.st_mtime, status.st_size, path

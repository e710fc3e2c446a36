"""Speech as a WAV file, for ears and recognisers."""

import wave
from pathlib import Path

import numpy as np

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.studio.timed import Speech


def write(path: Path, speech: Speech) -> None:
    try:
        with path.open("wb") as file, wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(speech.rate)
            out.writeframes((np.clip(speech.samples, -1, 1) * 32767).astype("<i2").tobytes())
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error

"""espeak-ng as a program of its own: a line of JSON in, a line of JSON and sound out.

The library is GPL-3, so nothing else of this project runs in this process, and nothing else imports this module.
Started with `python -m avatar_scheduler.studio.speech.espeak_program`; ends when its input does.
"""

import ctypes
import json
import sys
from typing import Any, cast

import espeakng_loader

_SYNCHRONOUS = 2
_PHONEME_EVENTS_IN_IPA = 0b11
_CHARACTERS = 1
_UTF8 = 1
_PHONEME = 7
_RATE, _SOFTEST = 1, 80


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique", ctypes.c_uint),
        ("position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("id", _Id),
    )


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Program:
    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self.rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, _PHONEME_EVENTS_IN_IPA))
        self._sound = bytearray()
        self._events: list[list[Any]] = []
        # Kept: the library calls it for as long as it lives.
        self._callback = _CALLBACK(self._hear)
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: str, words_a_minute: int) -> tuple[list[list[Any]], bytes]:
        """Phonemes as [IPA or "" for a pause, milliseconds, position of the word in the text], and 16-bit sound."""
        self._sound, self._events = bytearray(), []
        if self._library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"espeak-ng has no voice {voice}")
        self._library.espeak_SetParameter(_RATE, max(words_a_minute, _SOFTEST), 0)
        encoded = text.encode()
        self._library.espeak_Synth(encoded, len(encoded) + 1, 0, _CHARACTERS, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        return self._events, bytes(self._sound)

    def _hear(self, samples: Any, count: int, events: Any) -> int:
        if samples and count:
            self._sound += ctypes.string_at(samples, count * 2)
        index = 0
        while (event := events[index]).type:
            if event.type == _PHONEME:
                ipa = event.id.string.decode("utf-8", "ignore")
                self._events.append([ipa, event.milliseconds, event.position - 1])
            index += 1
        return 0


def main() -> None:
    program = Program()
    out = cast(Any, sys.stdout.buffer)
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        try:
            events, sound = program.say(asked["text"], asked["voice"], asked["pace"])
            answer: dict[str, Any] = {"events": events, "rate": program.rate}
        except ValueError as error:
            answer, sound = {"error": str(error)}, b""
        sound = sound if asked["sound"] else b""
        out.write(json.dumps({**answer, "bytes": len(sound)}).encode() + b"\n" + sound)
        out.flush()


if __name__ == "__main__":
    main()

"""Which engine speaks for a voice, loaded when first needed and kept for the process."""

import hashlib
from functools import cache
from importlib.metadata import version

from avatar_scheduler.studio import voices
from avatar_scheduler.studio.speech import ipa
from avatar_scheduler.studio.speech.utterance import Engine
from avatar_scheduler.studio.voices import Voice


@cache
def of(voice: Voice, language: str) -> Engine:
    if voice.engine == "hibari":
        from avatar_scheduler.studio.speech.hibari_voice import HibariVoice

        return HibariVoice()
    if voice.engine == "kokoro":
        from avatar_scheduler.studio.speech.kokoro_voice import KokoroVoice

        return KokoroVoice(voice, language)
    if voice.engine == "piper":
        from avatar_scheduler.studio.speech.piper_voice import PiperVoice

        return PiperVoice(voice)
    from avatar_scheduler.studio.speech.espeak_voice import EspeakVoice

    return EspeakVoice(language)


def fingerprint(voice: Voice, language: str) -> str:
    """Of all that decides how a text sounds, without loading a model."""
    parts = [voice.engine, voice.id, voice.sha256, language]
    if voice.engine == "hibari" or language == "en":
        parts.append(version("hibari-tts"))
    if voice.engine == "kokoro":
        parts.append(voices.rules()["kokoro"]["model_sha256"])
    if voice.engine == "piper":
        parts += [hashlib.sha256(path.read_bytes()).hexdigest() for path in (voice.file, voices.config(voice))]
    if voice.engine != "hibari":
        parts += [version("espeakng-loader") if language != "en" else "", _table()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@cache
def _table() -> str:
    return hashlib.sha256(ipa.RULES.read_bytes()).hexdigest()

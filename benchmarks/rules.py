"""What one decision about the marks of a post costs, at its worst, and reading the whole book.

    python -m benchmarks.rules [--json FILE]

Every question the book can answer is asked, for an audience nobody knows (every rule of every jurisdiction holds), once
to find the one with most rules; that one is then asked again and again. No answer is kept between two questions.
"""

import argparse
import json
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from avatar_scheduler import rules
from avatar_scheduler.domain.disclosure import SPONSORED, Blocked, Content, Place
from avatar_scheduler.domain.rulebook import RuleBook, decide
from avatar_scheduler.rules import books

TARGET_US = 50.0
LATER = datetime(2027, 3, 1, tzinfo=UTC)
"""Every rule has begun."""
ROUNDS, ASKED = 50, 1000


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    result = measure()
    print(
        f"decide: {result['median_us']} µs median, {result['slowest_us']} µs slowest of {ROUNDS} rounds (target ≤ "
        f"{TARGET_US:.0f}), {result['marks']} marks; {result['rules']} rules read in {result['read_ms']} ms"
    )
    text = json.dumps(result, indent=2, ensure_ascii=False)
    if options.json:
        options.json.write_text(text + "\n", "utf-8")
    print(text)


def measure() -> dict[str, object]:
    books.floor.cache_clear()
    began = time.perf_counter()
    book = rules.book()
    read = time.perf_counter() - began
    content, place, marks = _worst(book)
    unknown: frozenset[str] = frozenset()
    rounds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(ASKED):
            decide(content, place, unknown, LATER, book)
        rounds.append((time.perf_counter() - began) / ASKED * 1e6)
    return {
        "worst": f"{content.media} by {content.performer}, {content.sponsored}, on {place.platform} {place.surface}",
        "marks": marks,
        "rules": len(book.rules),
        "median_us": round(statistics.median(rounds), 1),
        "slowest_us": round(max(rounds), 1),
        "target_us": TARGET_US,
        "read_ms": round(read * 1000, 1),
    }


def _worst(book: RuleBook) -> tuple[Content, Place, int]:
    worst, most = None, 0
    for place, taken in book.ways.items():
        for content in (Content(m, p, s, "fr") for m in taken for p in book.performers for s in SPONSORED):
            said = decide(content, place, frozenset(), LATER, book)
            if not isinstance(said, Blocked) and len(said) > most:
                worst, most = (content, place), len(said)
    if worst is None:
        raise SystemExit("The book lets nothing through. Run: avatar-scheduler rules check")
    return (*worst, most)


if __name__ == "__main__":
    main(sys.argv[1:])

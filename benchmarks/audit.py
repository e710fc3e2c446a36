"""What the log costs: appending entries, and recomputing all of them.

    python -m benchmarks.audit [--entries 200000] [--json FILE]

On SQLite in a new folder, as `init` makes it. Entries are like those of a delivery: ids, a few words of data.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from avatar_scheduler.clock import utc_now
from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits, schema
from avatar_scheduler.db.engine import engine_for, read_scope, write_scope

APPEND_TARGET, VERIFY_TARGET = 2000, 5.0
"""Entries a second; seconds for 200,000 entries."""
SAMPLE, ORGANIZATIONS = 10_000, 50


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="avs-audit-") as folder:
        settings = Settings(data=Path(folder))
        schema.upgrade(settings)
        result = measure(settings, options.entries)
        engine_for(settings).dispose()
    print("what                                    figure        target")
    print(f"append, one transaction           {result['append_one']:>9,.0f} /s   ≥ {APPEND_TARGET:,} /s")
    print(f"append, a commit for each 100     {result['append_100']:>9,.0f} /s   ≥ {APPEND_TARGET:,} /s")
    print(
        f"verify {result['entries']:>9,} entries         {result['verify_s']:>9.2f} s    ≤ {VERIFY_TARGET} s of 200,000"
    )
    print(f"what the log says of one noun     {result['said_ms']:>9.2f} ms   of 50 entries")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


def measure(settings: Settings, entries: int) -> dict[str, float]:
    one = _timed(lambda: _append(settings, SAMPLE, SAMPLE))
    hundred = _timed(lambda: _append(settings, SAMPLE, 100))
    _append(settings, max(entries - 2 * SAMPLE, 0), 20_000)
    with read_scope(settings) as session:
        began = time.perf_counter()
        verdict = audits.check(session, None)
        verified = time.perf_counter() - began
        if not verdict.ok:
            raise SystemExit(verdict.problem)
        said = min(_timed(lambda: audits.said(session, "delivery", "0" * 32)) for _ in range(20))
    return {
        "append_one": SAMPLE / one,
        "append_100": SAMPLE / hundred,
        "entries": verdict.entries,
        "verify_s": verified,
        "said_ms": said * 1000,
    }


def _append(settings: Settings, count: int, each: int) -> None:
    now = utc_now()
    for begun in range(0, count, each):
        with write_scope(settings) as session:
            for number in range(begun, min(begun + each, count)):
                audits.append(
                    session, at=now, organization=f"{number % ORGANIZATIONS:032x}", actor="publish",
                    action="delivery.published", noun="delivery", noun_id=f"{number % (SAMPLE // 50):032x}",
                    data={"try": "1", "url": f"https://example.org/posts/{number}", "sha256": "ab" * 32},
                )  # fmt: skip


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main(sys.argv[1:])

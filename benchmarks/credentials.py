"""Content Credentials on a film of 30 seconds: what signing and checking cost, with and without a time stamp."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from avatar_scheduler.marks import aigc, credentials, source_types, timestamps, xmp
from avatar_scheduler.outbound import Outbound
from tests.marks.conftest import film
from tests.peers import tsa

SECONDS, SIZE = 30, (1080, 1920)
RUNS = 15
TARGET_MS = 150


def main(argv: list[str]) -> None:
    runs = int(argv[0]) if argv else RUNS
    with tempfile.TemporaryDirectory() as name, tsa.running(folder := Path(name)) as authority:
        keys, now = folder / "keys", datetime.now(UTC)
        credentials.make_chain(keys, "Studio", now)
        (keys / timestamps.ROOTS).write_text(authority.root_pem)
        source = film(folder / "film.mp4", None, seconds=SECONDS, size=SIZE, options={"crf": "23"})
        print(f"  {SECONDS} s, {SIZE[0]}x{SIZE[1]}, {source.stat().st_size / 1e6:.0f} MB, {runs} runs")
        show("XMP and AIGC tag", runs, lambda: mark(source))
        root, target = credentials.read_root(keys), folder / "signed.mp4"
        local = Outbound(private_hosts={"127.0.0.1": ("127.0.0.0/8",)})
        for words, url in (("", ""), (", time stamp", authority.url)):

            def sign(url: str = url) -> None:
                credentials.sign(
                    source, target, folder=keys, title="film.mp4", software="0.1.0", when=now, mark_id="0a1b2c3d",
                    timestamp_authority=url, outbound=local,
                )  # fmt: skip

            def verify() -> None:
                report = credentials.report(target, root, authority.root_pem)
                assert not report.problem, report

            signing = show(f"sign{words}", runs, sign)
            checking = show(f"verify{words}", runs, verify)
            print(f"  {f'sign + verify{words}':<32}{signing + checking:7.0f} ms   (target <= {TARGET_MS} ms)")


def mark(source: Path) -> None:
    xmp.write(source, source_types.TRAINED)
    aigc.write(source, producer="Studio", produce_id="0a1b2c3d")


def show(words: str, runs: int, work: Callable[[], object]) -> float:
    """Median milliseconds of the wall clock, after one run to warm up; CPU is this process's own."""
    walls, cpus = [], []
    for _ in range(runs + 1):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append((time.perf_counter() - wall) * 1e3)
        cpus.append((time.process_time() - cpu) * 1e3)
    middle, cpu = statistics.median(walls[1:]), statistics.median(cpus[1:])
    print(f"  {words:<32}{middle:7.0f} ms   ({min(walls[1:]):.0f} to {max(walls[1:]):.0f}; CPU {cpu:.0f})")
    return middle


if __name__ == "__main__":
    main(sys.argv[1:])

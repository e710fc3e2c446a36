"""What `up` costs while nothing happens: CPU of one core, and memory, of all processes together."""

import sys
import time

import psutil

from benchmarks.installation import members, running

SETTLE_SECONDS = 15
SECONDS = 60


def main(argv: list[str]) -> None:
    with running() as tree:
        time.sleep(SETTLE_SECONDS)  # what is measured is doing nothing
        found = members(tree)
        before = {p.pid: cpu(p) for p in found}
        began = time.monotonic()
        time.sleep(SECONDS)  # the same
        took = time.monotonic() - began
        total_cpu = total_memory = 0.0
        for p in found:
            share, memory = (cpu(p) - before[p.pid]) / took * 100, p.memory_full_info().pss / 1e6
            total_cpu, total_memory = total_cpu + share, total_memory + memory
            print(f"  {name(p):<12}{share:5.2f} % of a core{memory:8.0f} MB")
        print(f"  {'all':<12}{total_cpu:5.2f} % of a core{total_memory:8.0f} MB   (target < 3 %, < 600 MB)")


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def name(process: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    tags = {"supervisord": "supervisor", "cli.run web": "web", "workers.clock": "clock", "-n render": "render"}
    tags |= {"-n publish": "publish", "redis.sock": "redis"}
    return next((word for tag, word in tags.items() if tag in line), "other")


if __name__ == "__main__":
    main(sys.argv[1:])

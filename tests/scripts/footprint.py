"""What this process pays for somebody else's script."""

import os
import resource
from pathlib import Path

SLACK = 8 * 2**20


def resident() -> int:
    """Bytes of this process in memory, as Linux counts them."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def spent_on_children() -> float:
    """Seconds of processor: unlike the clock they do not grow when the machine is busy with something else."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def left_a_zombie() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False

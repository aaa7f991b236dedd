"""What other processes use: of a database server all that it started as well."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def cpu(pid: int) -> float:
    """Return the seconds of processor that a process and all below it have used, those that ended included."""
    return sum(_own_cpu(found) for found in [pid, *below(pid)])


def below(pid: int) -> list[int]:
    """Return the processes that it started, and those that they did."""
    children = [int(child) for task in (PROC / str(pid) / "task").iterdir() for child in _children(task)]
    return [found for child in children for found in (child, *below(child))]


def memory(pid: int) -> float:
    """Return how many bytes of memory a process has in use."""
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1]) * 1024
    raise RuntimeError(f"{pid} has ended")


def _children(task: Path) -> list[str]:
    try:
        return (task / "children").read_text().split()
    except FileNotFoundError:  # it ended just now
        return []


def _own_cpu(pid: int) -> float:
    try:
        after_name = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(int(ticks) for ticks in after_name[11:15]) / TICKS  # its own, and its ended children's

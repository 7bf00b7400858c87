"""What running processes have used, from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time so far; a process that has ended counts nothing."""
    files = [Path(f"/proc/{pid}/stat") for pid in pids]
    fields = [file.read_text().rpartition(")")[2].split() for file in files if file.exists()]
    return sum(int(field[11]) + int(field[12]) for field in fields) / _TICK


def busy_seconds() -> float:
    """CPU time of all that runs on this machine, without what waits or rests."""
    fields = Path("/proc/stat").read_text().split()[1:9]
    return sum(int(field) for number, field in enumerate(fields) if number not in (3, 4)) / _TICK


def rss_mib(pids: Iterable[int], what: str = "VmHWM") -> float:
    """Resident memory, the highest so far or (`VmRSS`) now."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024

"""How much memory and processor time a tree of processes uses, and how many tasks it has (Linux)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """Use of a tree of processes: bytes, processes and threads, seconds."""

    memory_bytes: int = 0
    tasks: int = 0
    cpu_seconds: float = 0.0


def tree(root: int) -> list[int]:
    """`root` and its descendants."""
    found = [root]
    for pid in found:  # grows while it is walked
        try:
            threads = os.listdir(f"/proc/{pid}/task")
            for thread in threads:
                found += [int(child) for child in _read(f"/proc/{pid}/task/{thread}/children").split()]
        except OSError:
            continue
    return found


def count_processes() -> int:
    """Count the processes of this PID namespace."""
    return sum(name.isdigit() for name in os.listdir("/proc"))


def usage(root: int, *, exact: bool = False) -> Usage:
    """Use of the tree under `root`.

    Parameters
    ----------
    root : int
        A process of this PID namespace.
    exact : bool
        False counts a page that forks share once for each of them: quick, and never too little. True reads
        the proportional set size.
    """
    memory = tasks = ticks = 0
    for pid in tree(root):
        try:
            stat = _read(f"/proc/{pid}/stat")
            fields = stat[stat.rindex(")") + 2 :].split()  # proc(5), from field 3 on
            ticks += sum(int(fields[i]) for i in (11, 12, 13, 14))
            tasks += int(fields[17])
            memory += _proportional(pid) + _nameless(pid) if exact else _resident(pid) + _nameless(pid)
        except (OSError, ValueError):
            continue  # it has just ended
    return Usage(memory, tasks, ticks / TICK)


def _read(path: str) -> str:
    return Path(path).read_text()


def _sum(path: str, *names: str) -> int:
    lines = (line.split() for line in _read(path).splitlines() if line.startswith(names))
    return 1024 * sum(int(line[1]) for line in lines)


def _resident(pid: int) -> int:
    return _sum(f"/proc/{pid}/status", "RssAnon:", "RssShmem:")


def _proportional(pid: int) -> int:
    return _sum(f"/proc/{pid}/smaps_rollup", "Pss_Anon:", "Pss_Shmem:")


def _nameless(pid: int) -> int:
    """Bytes of memory files (memfd_create) and deleted files that a process holds open."""
    total = 0
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        try:
            status = os.stat(f"/proc/{pid}/fd/{descriptor}")
        except OSError:
            continue
        if status.st_nlink == 0:
            total += status.st_blocks * 512
    return total

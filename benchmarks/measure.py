"""Processes measured: wall time, processor time, and the most memory that they and their children held."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians of several runs: `wall` and `cpu` in seconds, `memory` (the most that one process held) in MB."""

    wall: float
    cpu: float
    memory: float
    runs: int


def cost(command: Sequence[str], *, folder: Path, runs: int = 3, statuses: Sequence[int] = (0, 1)) -> Cost:
    """What a command costs; raises RuntimeError where it ends with a status that says that it failed."""
    measured = [_once(command, folder, statuses) for _ in range(runs)]
    walls, cpus, memories = zip(*measured, strict=True)
    return Cost(statistics.median(walls), statistics.median(cpus), max(memories), runs)


def _once(command: Sequence[str], folder: Path, statuses: Sequence[int]) -> tuple[float, float, float]:
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in statuses:
        raise RuntimeError(f"{command[0]} ended with status {process.returncode}: {' '.join(command)}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024

"""The process that lints: it takes projects from a pipe and gives records back, and can be ended at any time.

It imports neither Ray nor pyarrow. The limits on what one project may cost are the operating system's: a signal
ends the process when its processor time is up, whatever it is doing, and memory past the limit is not given.
"""

from __future__ import annotations

import resource
import signal
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from loss_lint.corpus.records import record

if TYPE_CHECKING:
    from loss_lint.corpus.records import Record

# What is linted in one process before another takes over: what a run leaves behind in memory ends with it.
MAX_BYTES = 64 * 2**20


def serve(connection: Connection, seconds: float, memory: int) -> None:
    """Lint what comes until there is no more; `seconds` are of processor time for each project."""
    _limit(memory)
    served = 0
    while served < MAX_BYTES:
        try:
            files, select, ignore = connection.recv()
        except EOFError:
            return
        started = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            records = _linted(connection, files, select, ignore)
        except Exception as error:  # noqa: BLE001 - the outermost edge of a process: the other one reports it
            answer: tuple[str, object, float] = (
                "failed",
                f"{type(error).__name__}: {error}",
                _since(started),
            )
        else:
            answer = ("linted", records, _since(started))
        signal.setitimer(signal.ITIMER_PROF, 0)
        served += sum(map(len, files.values()))
        connection.send((*answer, served < MAX_BYTES))
        del files


def _linted(
    connection: Connection, files: dict[str, bytes], select: tuple[str, ...] | None, ignore: tuple[str, ...]
) -> list[Record]:
    from loss_lint.library import lint_project
    from loss_lint.syntax.noqa import Suppressions
    from loss_lint.syntax.sources import Memory, snapshot

    def begins(path: str) -> None:
        connection.send(("begins", path))

    findings = lint_project(files, select=select, ignore=ignore, begins=begins)
    suppressions = Suppressions(snapshot(Memory(files)))
    return [record(finding, suppressions.row(finding.place)) for finding in findings]


def _since(started: float) -> float:
    return time.process_time() - started


def _limit(memory: int) -> None:
    with suppress(ValueError, OSError):  # where there is a lower limit already, or none can be set (macOS)
        resource.setrlimit(resource.RLIMIT_AS, (memory, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Whoever started this process ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])), float(sys.argv[2]), int(sys.argv[3]))

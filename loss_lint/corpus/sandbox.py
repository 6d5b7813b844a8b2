"""A process of its own for what may take too long, too much memory, or the process with it."""

from __future__ import annotations

import atexit
import multiprocessing
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection

    from loss_lint.corpus.records import Record
    from loss_lint.corpus.settings import Settings

# Processor time is what is limited. A process that does not get any, or waits for ever, ends by the clock.
_CLOCK_FACTOR, _CLOCK_SECONDS = 10.0, 60.0


@dataclass(frozen=True, slots=True)
class Linted:
    """The records of a project's findings, and the processor time that they took, in seconds."""

    records: list[Record]
    seconds: float


@dataclass(frozen=True, slots=True)
class Ended:
    """Why there is no result, and the file that was looked at when it happened, where that is known."""

    reason: str
    path: str | None
    seconds: float = 0.0


class Sandbox:
    """Lints projects in another process, which is started when there is something to lint."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None

    def lint(self, files: Mapping[str, bytes]) -> Linted | Ended:
        """The findings of a project, or why it could not be linted."""
        connection = self._started()
        settings = self._settings
        deadline = time.monotonic() + _CLOCK_SECONDS + _CLOCK_FACTOR * settings.seconds
        path: str | None = None
        try:
            connection.send((dict(files), settings.select, settings.ignore))
            while True:
                if not connection.poll(max(0.0, deadline - time.monotonic())):
                    self.close()
                    return Ended("its process was ended, as it did not come to an end", path)
                match connection.recv():
                    case ("begins", begun):
                        path = begun
                    case ("linted", records, seconds, goes_on):
                        self._went_on(goes_on)
                        return Linted(records, seconds)
                    case ("failed", message, seconds, goes_on):
                        self._went_on(goes_on)
                        return Ended(message, None, seconds)
                    case unexpected:
                        raise AssertionError(unexpected)
        except (EOFError, OSError):
            return Ended(self._death(), path)

    def close(self) -> None:
        """End the process, if there is one."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._connection = None

    def _went_on(self, goes_on: bool) -> None:
        if not goes_on:
            self.close()

    def _started(self) -> Connection[Any, Any]:
        if self._connection is None:
            ours, theirs = multiprocessing.Pipe()
            limits = (str(self._settings.seconds), str(self._settings.memory))
            self._process = subprocess.Popen(  # noqa: S603 - this very interpreter
                [sys.executable, "-P", "-m", "loss_lint.corpus.child", str(theirs.fileno()), *limits],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
            theirs.close()
            self._connection = ours
        return self._connection

    def _death(self) -> str:
        """How the process ended."""
        status = 0
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            status = self._process.returncode or 0
        self.close()
        if status == -signal.SIGPROF:
            return f"it took more than {self._settings.seconds:g} s of processor time"
        if status < 0:
            return f"its process was ended by {signal.Signals(-status).name}"
        return f"its process ended with status {status}"


@cache
def sandbox(settings: Settings) -> Sandbox:
    """The sandbox that this process has for a scan; it lasts as long as the process."""
    made = Sandbox(settings)
    atexit.register(made.close)
    return made

"""What the commands say on the terminal beside their output: colour, warnings, errors."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

CLEAN, FOUND, FAILED = 0, 1, 2


def is_coloured(when: str, stream: TextIO | None = None) -> bool:
    """Whether to colour what is written, as ruff decides it."""
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream or sys.stdout).isatty()


def terminal_width(stream: TextIO) -> int | None:
    """The columns of the terminal that a stream goes to; None where it goes elsewhere."""
    import shutil

    return shutil.get_terminal_size().columns if stream.isatty() else None


def complain(level: str, messages: Sequence[str]) -> None:
    """Write messages to standard error, each behind its level (`error`, `warning`, `info`, ...)."""
    from loss_lint.report.paths import printable

    for message in messages:
        sys.stderr.write(f"{level}: {printable(message)}\n")


def stamped(message: str) -> str:
    """A message behind the time of day."""
    return f"[{time.strftime('%H:%M:%S')}] {message}"


def fail(message: str) -> int:
    """Say why the run cannot do its work; gives the exit status."""
    complain("error", [message])
    return FAILED

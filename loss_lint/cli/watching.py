"""`check --watch`: a run, and another one whenever a file that it followed from changes.

Files are asked for their time of change in turn, as notifications of the system do not arrive from network drives
and containers, and their library would be needed by everyone who installs loss-lint. A thousand files cost a few
milliseconds each time; where they cost more, they are asked less often.
"""

from __future__ import annotations

import gc
import os
import stat
import sys
import time
from typing import TYPE_CHECKING

from loss_lint.cli.check import run_once
from loss_lint.cli.console import fail, stamped
from loss_lint.cli.inputs import reads_stdin
from loss_lint.discover import EXCLUDED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    # Of a file when it was changed last, how long it is and which one it is; of a folder the names in it.
    Stamp = tuple[int, int, int] | frozenset[str] | None

# Seconds between two looks, and how many times as long as a look itself that is at least.
_PERIOD = 0.3
_SHARE = 10
# Moves to the top of a terminal, empties it and forgets what has been scrolled out of it.
_CLEAR = "\x1b[H\x1b[2J\x1b[3J"
_CONFIGURATIONS = ("pyproject.toml", "loss-lint.toml", ".gitignore", ".ignore")


def watch(options: argparse.Namespace) -> int:
    """Check again and again, until the keyboard ends it (KeyboardInterrupt)."""
    if reads_stdin(options):
        return fail("`--watch` needs files or folders, not standard input")
    message = "Starting linter in watch mode..."
    looked_at: frozenset[str] = frozenset()
    while True:
        _announce(message)
        # From before the run, so that what changes while it goes on is seen after it.
        started = time.time_ns()
        known = {path: _stamp(path) for path in _watched(options.paths, looked_at)}
        checked = run_once(options)
        sys.stdout.flush()
        looked_at = checked.looked_at
        for path in _watched(options.paths, looked_at):
            if path in checked.written:
                known[path] = _stamp(path)
            elif path not in known:
                known[path] = _stamp_until(started, path)
        gc.unfreeze()  # a run is made to end its process
        gc.collect()
        _wait(known)
        message = "File change detected..."


def _announce(message: str) -> None:
    clear = _CLEAR if sys.stdout.isatty() else ""
    sys.stdout.write(f"{clear}{stamped(message)}\n\n")
    sys.stdout.flush()


def _wait(known: Mapping[str, Stamp]) -> None:
    """Until something is no longer what it was."""
    while True:
        started = time.perf_counter()
        if any(_stamp(path) != stamp for path, stamp in known.items()):
            return
        time.sleep(max(_PERIOD, _SHARE * (time.perf_counter() - started)))


def _watched(paths: Sequence[str], looked_at: Iterable[str]) -> set[str]:
    """The files and folders below what was asked for, what the run looked at besides, and the configuration."""
    watched = {os.path.abspath(path) for path in paths}
    for path in list(watched):
        watched.update(_below(path))
    watched.update(looked_at)
    for path in {os.path.dirname(one) for one in watched}:
        watched.update(os.path.join(path, name) for name in _CONFIGURATIONS)
    for path in paths:
        folder = os.path.abspath(path)
        while folder != (folder := os.path.dirname(folder)):
            watched.update(os.path.join(folder, name) for name in _CONFIGURATIONS)
    return watched


def _below(root: str) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in EXCLUDED]
        yield folder
        yield from (os.path.join(folder, name) for name in names if name.endswith((".py", ".ipynb")))


def _stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)
        if not stat.S_ISDIR(found.st_mode):
            return (found.st_mtime_ns, found.st_size, found.st_ino)
        return frozenset(name for name in os.listdir(path) if _matters(name))
    except (OSError, ValueError):
        return None


def _stamp_until(time_ns: int, path: str) -> Stamp:
    """The stamp of a file that was not changed after a time; else none that it could have."""
    stamp = _stamp(path)
    return None if isinstance(stamp, tuple) and stamp[0] > time_ns else stamp


def _matters(name: str) -> bool:
    """Whether a name in a folder may be a file to look at, or a folder of such."""
    return name.endswith((".py", ".ipynb")) or ("." not in name and name not in EXCLUDED)

"""How the cache stays small: what no run has used for long goes, and beyond a size what was used the longest ago.

A file's time of change tells when its entry was last used, to the hour, so that a run which only reads costs no more.
What is taken away is linted anew when it is asked for; no result depends on when that happens.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import NamedTuple

# What entries may take together, in bytes; 141,000 lines of Python take 1 MB.
MAX_BYTES = 100_000_000
# Unused for so long, in seconds, an entry is of a file that is gone, or of a project that nobody works on.
MAX_AGE = 30 * 24 * 3600
# Uses are told apart to so many seconds; entries are looked through at most once in as many,
_HOUR = 3600
# or after a run that has added so many.
_MANY = 100
# File systems give each file whole blocks.
_BLOCK = 4096

# What the cache writes: other files in its folder are not its own to delete. A run that was killed leaves the second.
_ENTRY = re.compile(r"[0-9a-f]{40}\.json")
_UNFINISHED = re.compile(r"\.new-[a-z0-9_]{8}")


class _Entry(NamedTuple):
    age: float
    name: str
    size: int
    changed: int


def mark_used(path: str) -> None:
    """Note that an entry is of use."""
    if abs(time.time() - os.stat(path).st_mtime) > _HOUR:
        with suppress(OSError):
            os.utime(path)


def evict(folder: str, stamp: str, used: AbstractSet[str], added: int) -> None:
    """Take entries out of `folder` that are too old or too many, but none that is `used`.

    `stamp` is the file whose time of change says when this was done last, `added` how many entries have been added.
    """
    with suppress(OSError):
        if added < _MANY and abs(time.time() - os.stat(stamp).st_mtime) < _HOUR:
            return
        os.utime(stamp)
        entries = sorted(_entries(folder))
        size = sum(entry.size for entry in entries)
        for entry in reversed(entries):
            if entry.name in used or (entry.age < MAX_AGE and size <= MAX_BYTES):
                continue
            if _is_deleted(folder, entry):
                size -= entry.size


def _entries(folder: str) -> Iterator[_Entry]:
    now = time.time()
    with os.scandir(folder) as files:
        for file in files:
            is_unfinished = _UNFINISHED.fullmatch(file.name) is not None
            if not is_unfinished and not _ENTRY.fullmatch(file.name):
                continue
            with suppress(OSError):  # another run may have taken it away
                if not file.is_file(follow_symlinks=False):
                    continue
                state = file.stat(follow_symlinks=False)
                # A clock that was wrong must not make an entry eternal.
                age = abs(now - state.st_mtime)
                if is_unfinished:
                    age = MAX_AGE if age > _HOUR else 0.0
                yield _Entry(age, file.name, -(-state.st_size // _BLOCK) * _BLOCK, state.st_mtime_ns)


def _is_deleted(folder: str, entry: _Entry) -> bool:
    """Delete an entry, unless another run has used or renewed it meanwhile."""
    path = os.path.join(folder, entry.name)
    with suppress(OSError):
        if os.stat(path, follow_symlinks=False).st_mtime_ns == entry.changed:
            os.unlink(path)
            return True
    return False

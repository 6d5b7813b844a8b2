"""One scan at a time writes to a folder: a lock that the operating system drops with the process, however that ends."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyarrow import fs

from loss_lint.corpus.plan import Unusable

if TYPE_CHECKING:
    from loss_lint.corpus.store import Store

LOCK = "_scan/lock"

_IS_TAKEN = (errno.EACCES, errno.EAGAIN)


@contextmanager
def alone(output: Store) -> Iterator[None]:
    """Keep other scans out of the output folder; raises Unusable where one is at work.

    Without effect in an object store, and on a file system that has no locks.
    """
    if not isinstance(output.filesystem, fs.LocalFileSystem):
        yield
        return
    path = output.path(LOCK)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # A process that this one starts does not inherit the file, and so cannot outlive it with the lock.
    with open(path, "a+", encoding="utf-8") as file:
        if not _is_locked(file.fileno()):
            file.seek(0)
            other = file.read(200).strip() or "it is not known which"
            raise Unusable(f"{output.root}: another scan is writing to this folder ({other})")
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield


def _is_locked(file: int) -> bool:
    """Whether the lock is ours now, or there can be none."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _IS_TAKEN
    return True

"""Files replaced on disk: whole or not at all, and as what they were."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass


class Unwritten(Exception):
    """A file that could not be replaced; `path` names it, the message says why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Change:
    """What a file held when it was looked at, and what it is to hold."""

    before: bytes
    after: bytes


def obstacle(path: str) -> str | None:
    """Why a file should not be replaced, as far as that can be told beforehand."""
    target = os.path.realpath(path)
    try:
        mode = os.stat(target).st_mode
    except OSError as error:
        return _reason(error)
    if not stat.S_ISREG(mode):
        return "Not a regular file"
    if not os.access(target, os.W_OK):
        return "Read-only file"
    if not os.access(os.path.dirname(target), os.W_OK | os.X_OK):
        return "Read-only folder"
    return None


def replace_all(changes: Mapping[str, Change]) -> None:
    """Replace the files, by path, all or none; raises Unwritten.

    Every new text is on disk before the first file is exchanged, each under another name beside the file that it
    replaces, so that whoever looks, be it after a crash, finds the old text or the new one. A symbolic link
    stays and its target is replaced. Other hard links keep the old text: package managers share files by them.
    """
    staged: list[tuple[str, str, str]] = []
    try:
        for path, change in sorted(changes.items()):
            target = os.path.realpath(path)
            staged.append((path, target, _staged(path, target, change)))
        _exchange(staged, changes)
    finally:
        for _, _, temporary in staged:
            with suppress(OSError):
                os.unlink(temporary)


def has_other_names(path: str) -> bool:
    """Whether a file has further hard links."""
    try:
        return os.stat(path).st_nlink > 1
    except OSError:
        return False


def _staged(path: str, target: str, change: Change) -> str:
    """The new text beside its file, safe on disk and with the file's permissions, owner and attributes."""
    temporary = ""
    try:
        before = os.stat(target)
        handle, temporary = tempfile.mkstemp(
            prefix=f".{os.path.basename(target)[:100]}.", dir=os.path.dirname(target)
        )
        with os.fdopen(handle, "wb") as file:
            file.write(change.after)
            file.flush()
            _resemble(temporary, target, before)
            os.fsync(file.fileno())
    except BaseException as error:
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)
        if isinstance(error, OSError):
            raise Unwritten(path, _reason(error)) from None
        raise
    return temporary


def _resemble(temporary: str, target: str, before: os.stat_result) -> None:
    made = os.stat(temporary)
    if hasattr(os, "chown") and (made.st_uid, made.st_gid) != (before.st_uid, before.st_gid):
        try:
            os.chown(temporary, before.st_uid, before.st_gid)
        except PermissionError:
            raise PermissionError(1, "Its owner would change") from None
    shutil.copystat(target, temporary)  # permissions, extended attributes, access lists
    os.utime(temporary)  # but not its age: whoever watches the file is to see the change


def _exchange(staged: list[tuple[str, str, str]], changes: Mapping[str, Change]) -> None:
    for path, target, _ in staged:
        if _read(path, target) != changes[path].before:
            raise Unwritten(path, "It has been changed meanwhile")
    done: list[tuple[str, str]] = []
    for path, target, temporary in staged:
        try:
            os.replace(temporary, target)
        except OSError as error:
            for earlier, place in done:
                _take_back(earlier, place, changes[earlier])
            raise Unwritten(path, _reason(error)) from None
        done.append((path, target))
    for folder in {os.path.dirname(target) for _, target in done}:
        _sync_folder(folder)


def _take_back(path: str, target: str, change: Change) -> None:
    with suppress(OSError):
        os.replace(_staged(path, target, Change(change.after, change.before)), target)


def _read(path: str, target: str) -> bytes:
    try:
        with open(target, "rb") as file:
            return file.read()
    except OSError as error:
        raise Unwritten(path, _reason(error)) from None


def _sync_folder(folder: str) -> None:
    """Make an exchange of names last; without effect where a folder cannot be opened."""
    with suppress(OSError, AttributeError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)

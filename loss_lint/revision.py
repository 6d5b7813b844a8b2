"""A project as a git revision has it: its files read from git, without touching the work tree."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from functools import cached_property

from loss_lint.syntax.sources import Folder, Memory, Sources

# What `git ls-tree` says of a plain file; links and submodules have no text of their own.
_FILES = (b"100644", b"100755")


class RevisionError(Exception):
    """A revision that cannot be looked at; the message says why."""


class Revision:
    """The files of a repository at a revision; outside of the repository, those of the work tree are as good.

    `top` is the repository's folder, which the revision's paths start from.
    """

    def __init__(self, top: str, name: str) -> None:
        self.top = top
        self.name = name
        self._commit = _commit(top, name)
        self._reader: tuple[int, subprocess.Popen[bytes]] | None = None

    def __getstate__(self) -> tuple[str, str, str]:
        return self.top, self.name, self._commit

    def __setstate__(self, state: tuple[str, str, str]) -> None:
        self.top, self.name, self._commit = state
        self._reader = None

    def read(self, path: str) -> bytes:
        """The bytes of `path` then; raises OSError where there was no such file."""
        relative = self._within(path)
        if relative is None:
            return Folder().read(path)
        blob = self._blobs.get(relative)
        if blob is None:
            raise FileNotFoundError(2, f"No such file in {self.name}", path)
        return self._content(blob)

    def listing(self, folder: str) -> frozenset[str]:
        """The names in `folder` then, and where git itself is: its folder belongs to no revision."""
        if self._within(folder) is None:
            return Folder().listing(folder)
        names = self._tree.listing(folder)
        return names | {".git"} if folder == self.top else names

    def files(self, root: str, limit: int) -> Sequence[str]:
        """The Python files below `root` then."""
        if self._within(root) is None:
            return Folder().files(root, limit)
        return self._tree.files(root, limit)

    def renamed(self) -> dict[str, str]:
        """The absolute paths of the work tree's files that had another one then, with that one."""
        found = _git(
            self.top, "diff", "--no-ext-diff", "--name-status", "-M", "--diff-filter=R", "-z", self._commit
        )
        parts = found.split(b"\0")
        return {
            self._absolute(parts[at + 2]): self._absolute(parts[at + 1]) for at in range(0, len(parts) - 2, 3)
        }

    def is_changed(self) -> bool:
        """Whether the work tree differs from the revision, files that git does not know yet included."""
        if _git(self.top, "diff", "--no-ext-diff", "--name-only", "-z", self._commit):
            return True
        return bool(_git(self.top, "ls-files", "--others", "--exclude-standard", "-z"))

    def _within(self, path: str) -> str | None:
        if path == self.top:
            return ""
        start = self.top.rstrip(os.sep) + os.sep
        return path.removeprefix(start) if path.startswith(start) else None

    def _absolute(self, relative: bytes) -> str:
        return os.path.join(self.top, os.fsdecode(relative))

    @cached_property
    def _blobs(self) -> dict[str, str]:
        """The object of each file by its path from `top`."""
        found: dict[str, str] = {}
        for line in _git(self.top, "ls-tree", "-r", "-z", "--full-tree", self._commit).split(b"\0"):
            about, _, path = line.partition(b"\t")
            mode, _, rest = about.partition(b" ")
            if mode in _FILES:
                found[os.fsdecode(path)] = rest.split()[-1].decode()
        return found

    @cached_property
    def _tree(self) -> Sources:
        return Memory(dict.fromkeys((os.path.join(self.top, path) for path in self._blobs), b""))

    def _content(self, blob: str) -> bytes:
        reader = self._reading
        assert reader.stdin is not None
        assert reader.stdout is not None
        reader.stdin.write(f"{blob}\n".encode())
        reader.stdin.flush()
        head = reader.stdout.readline().split()
        if len(head) != 3:
            raise FileNotFoundError(2, "git does not have the object", blob)
        data = reader.stdout.read(int(head[2]) + 1)
        return data[:-1]

    @property
    def _reading(self) -> subprocess.Popen[bytes]:
        """The process that reads objects: one for each of ours, as a fork shares its pipes."""
        if self._reader is None or self._reader[0] != os.getpid():
            process = subprocess.Popen(
                ["git", "cat-file", "--batch"],  # noqa: S607
                cwd=self.top,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self._reader = (os.getpid(), process)
        return self._reader[1]

    def close(self) -> None:
        """End the process that reads objects."""
        if self._reader is not None and self._reader[0] == os.getpid():
            process = self._reader[1]
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            process.stdout.close()
            process.wait()
        self._reader = None


def _commit(top: str, name: str) -> str:
    try:
        found = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except RevisionError as error:
        if str(error) != "":
            raise
        raise RevisionError(f"unknown revision `{name}` in {top}") from None
    return found.strip().decode()


def _git(folder: str, *arguments: str) -> bytes:
    """What a git command says; raises RevisionError with git's own words."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607
            cwd=folder,
            env=environment,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise RevisionError("git is not installed, or not on the path") from None
    except OSError as error:
        raise RevisionError(f"git cannot be run: {error.strerror}") from None
    if done.returncode:
        words = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise RevisionError(f"git: {words}" if words else "")
    return done.stdout

"""Which files a run covers."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from loss_lint.ignored import ignores_above

# Folders that hold no source of the project itself; ruff's list, and our own cache.
EXCLUDED = frozenset(
    {
        ".bzr",
        ".direnv",
        ".eggs",
        ".git",
        ".git-rewrite",
        ".hg",
        ".ipynb_checkpoints",
        ".loss_lint_cache",
        ".mypy_cache",
        ".nox",
        ".pants.d",
        ".pyenv",
        ".pytest_cache",
        ".pytype",
        ".ruff_cache",
        ".svn",
        ".tox",
        ".venv",
        ".vscode",
        "__pycache__",
        "__pypackages__",
        "_build",
        "buck-out",
        "build",
        "dist",
        "node_modules",
        "site-packages",
        "venv",
    }
)


class Excluded(Protocol):
    """What of a folder's content is left out."""

    def matches(self, path: str, name: str) -> bool: ...


class Boundaries(Protocol):
    """What a configuration says of which files are covered."""

    @property
    def respects_gitignore(self) -> bool: ...

    @property
    def forces_exclusion(self) -> bool:
        """Whether what is excluded is left out even if it is named."""

    def excluded_in(self, folder: str, names: Container[str]) -> Excluded:
        """What is left out of a folder that holds `names`; outer folders are asked for first."""

    def excludes(self, path: str) -> bool:
        """Whether a path is left out, or lies in a folder that is."""


class _Names:
    def matches(self, path: str, name: str) -> bool:  # noqa: ARG002 - as the protocol has it
        return name in EXCLUDED


class Usual:
    """The boundaries without a configuration."""

    respects_gitignore = True
    forces_exclusion = False

    def excluded_in(self, folder: str, names: Container[str]) -> Excluded:  # noqa: ARG002
        return _Names()

    def excludes(self, path: str) -> bool:
        return not EXCLUDED.isdisjoint(path.split(os.sep))


@dataclass(frozen=True, slots=True)
class Discovery:
    """The files to lint, sorted absolute paths, and what could not be looked at, as messages."""

    files: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass
class _Walk:
    boundaries: Boundaries
    files: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def folder(self, root: str) -> None:
        ignores = ignores_above(root) if self.boundaries.respects_gitignore else None
        pending = [(root, ignores)]
        while pending:
            folder, ignores = pending.pop()
            try:
                entries = _entries(folder)
            except OSError as error:
                self.problems.append(f"{folder}: {error.strerror}")
                continue
            names = {entry.name for entry in entries}
            if ignores is not None:
                ignores = ignores.within(folder, names)
            excluded = self.boundaries.excluded_in(folder, names)
            for entry, is_folder in _children(entries):
                if excluded.matches(entry.path, entry.name):
                    continue
                if ignores is None or not ignores.cover(entry.path, is_folder=is_folder):
                    if is_folder:
                        pending.append((entry.path, ignores))
                    else:
                        self.files.add(entry.path)


def discover(paths: Sequence[str], boundaries: Boundaries | None = None) -> Discovery:
    """The Python files and notebooks in `paths`: files as they are, folders with all that is below them.

    What is named explicitly is covered even where an exclusion or a `.gitignore` speaks against it, unless the
    boundaries force exclusions. Folders are not followed through symbolic links, so that no loop can arise.
    """
    walk = _Walk(Usual() if boundaries is None else boundaries)
    for path in paths:
        absolute = os.path.abspath(path)
        if walk.boundaries.forces_exclusion and walk.boundaries.excludes(absolute):
            continue
        if os.path.isdir(absolute):
            walk.folder(absolute)
        elif os.path.isfile(absolute):
            walk.files.add(absolute)
        elif os.path.exists(absolute):
            # Reading a pipe would wait for ever, and it could be read only once.
            walk.problems.append(f"{path}: Not a regular file")
        else:
            walk.problems.append(f"{path}: No such file or directory")
    return Discovery(tuple(sorted(walk.files)), tuple(walk.problems))


# How far below the working directory a file still belongs to the project there.
MAX_LEVELS = 5


def import_roots(paths: Sequence[str]) -> tuple[str, ...]:
    """The folders in which the projects of `paths` begin where no file marks that: those that were named.

    For a file, that is the working directory if the file lies not far below it.
    """
    roots = {os.path.abspath(path) for path in paths if os.path.isdir(path)}
    here = os.getcwd()
    if here not in (os.path.abspath(os.sep), os.path.expanduser("~")):
        for path in paths:
            below = os.path.relpath(os.path.abspath(path), here).split(os.sep)
            if not os.path.isdir(path) and below[0] != os.pardir and len(below) <= MAX_LEVELS:
                roots.add(here)
    return tuple(sorted(roots))


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _children(entries: Sequence[os.DirEntry[str]]) -> Iterator[tuple[os.DirEntry[str], bool]]:
    """The folders, Python files and notebooks of a folder, with whether each is a folder."""
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield entry, True
        elif entry.name.endswith((".py", ".ipynb")) and _is_file(entry):
            yield entry, False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a loop of symbolic links
        return False


def repository(folder: str) -> str | None:
    """The git work tree that `folder` lies in."""
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder

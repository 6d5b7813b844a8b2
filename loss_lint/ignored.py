"""What `.gitignore` and `.ignore` files, a repository's own list and the user's leave out, as ruff has it.

An `.ignore` file counts everywhere and comes before all of git's; within a work tree, the nearest `.gitignore` comes
before `.git/info/exclude`, and that before the file of `core.excludesFile`. A work tree within another one has only
what is its own of git's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from loss_lint.syntax.sources import read_file

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# The files that say what is left out, by what they are called in a project.
OWN, GIT = ".ignore", ".gitignore"

_EXCLUDES_FILE = re.compile(
    rb'^[ \t]*excludesfile[ \t]*=[ \t]*(?:"([^"\n]*)"|([^\s"#;][^"#;\n]*?))[ \t]*(?:[#;].*)?$',
    re.IGNORECASE | re.MULTILINE,
)


class _Patterns(NamedTuple):
    """The patterns of one file, and the folder that they speak of, with a separator at its end."""

    start: str
    spec: GitIgnoreSpec


@dataclass(frozen=True, slots=True)
class Ignores:
    """What is in force in a folder: `.ignore` files and `.gitignore` files, the innermost first, then the other two."""

    own: tuple[_Patterns, ...] = ()
    git: tuple[_Patterns, ...] = ()
    others: tuple[_Patterns, ...] = ()
    is_tracked: bool = False

    def within(self, folder: str, names: Container[str] | None = None) -> Ignores:
        """What is in force within `folder`, which holds `names`; it is asked where they are not given."""
        if names is not None and not any(name in names for name in (".git", OWN, GIT)):
            return self
        git, others, is_tracked = self.git, self.others, self.is_tracked
        if ".git" in names if names is not None else os.path.exists(os.path.join(folder, ".git")):
            git, others, is_tracked = (), _of_work_tree(folder), True
        own = _in_folder(folder, OWN, names) + self.own
        if is_tracked:
            git = _in_folder(folder, GIT, names) + git
        return Ignores(own, git, others, is_tracked)

    def cover(self, path: str, *, is_folder: bool) -> bool:
        """Whether what lies at `path`, in this folder, is left out."""
        for start, spec in self.own + self.git + self.others:
            relative = path[len(start) :].replace(os.sep, "/")
            verdict = spec.check_file(relative + "/" if is_folder else relative).include
            if verdict is not None:
                return verdict
        return False


def ignores_above(root: str) -> Ignores:
    """What is in force in the folder that holds `root`, an absolute path; nothing where that leaves it out.

    Whoever names an ignored folder wants what is in it.
    """
    ignores = Ignores()
    folder, parts = os.path.splitdrive(root)[0] + os.sep, root.split(os.sep)[1:]
    for part in filter(None, parts):
        ignores = ignores.within(folder)
        folder = os.path.join(folder, part)
        if ignores.cover(folder, is_folder=True):
            ignores = Ignores(is_tracked=ignores.is_tracked)
    return ignores


def _in_folder(folder: str, name: str, names: Container[str] | None) -> tuple[_Patterns, ...]:
    if names is not None and name not in names:
        return ()
    return _patterns(os.path.join(folder, name), folder)


def _of_work_tree(folder: str) -> tuple[_Patterns, ...]:
    """What git leaves out of the work tree in `folder` though no file in it says so."""
    found = _patterns(
        os.path.join(_common_directory(os.path.join(folder, ".git")), "info", "exclude"), folder
    )
    users = _users_file()
    return found if users is None else found + _patterns(users, folder)


def _common_directory(git: str) -> str:
    """Git's folder for a work tree. `.git` is a file in a work tree that was added, and in a submodule."""
    with suppress(OSError, ValueError):
        if os.path.isfile(git):
            target = os.fsdecode(read_file(git)).strip().removeprefix("gitdir:").strip()
            git = os.path.join(os.path.dirname(git), target)
            return os.path.join(git, os.fsdecode(read_file(os.path.join(git, "commondir"))).strip())
    return git


def _users_file() -> str | None:
    """The file with what the user has git leave out of all work trees, there or not."""
    home = os.path.expanduser("~")
    settings = os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "git")
    for path in (os.path.join(home, ".gitconfig"), os.path.join(settings, "config")):
        with suppress(OSError, ValueError):
            found = _EXCLUDES_FILE.findall(read_file(path))
            if found:
                return os.path.expanduser(os.fsdecode(found[-1][0] or found[-1][1])) or None
    return os.path.join(settings, "ignore")


def _patterns(path: str, folder: str) -> tuple[_Patterns, ...]:
    """The patterns of a file, if it can be read and has any."""
    try:
        lines = read_file(path).decode("utf-8", "surrogateescape").splitlines()
    except (OSError, ValueError):
        return ()
    if all(not line.strip() or line.startswith("#") for line in lines):
        return ()
    from pathspec import GitIgnoreSpec

    return (_Patterns(os.path.join(folder, ""), _spec(GitIgnoreSpec, lines)),)


def _spec(build: type[GitIgnoreSpec], lines: Sequence[str]) -> GitIgnoreSpec:
    """The patterns that can be understood; git, too, passes over a malformed line."""
    try:
        return build.from_lines(lines)
    except ValueError:
        usable = []
        for line in lines:
            try:
                build.from_lines([line])
            except ValueError:
                continue
            usable.append(line)
        return build.from_lines(usable)

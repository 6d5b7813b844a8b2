"""What a run of `check` reads: files and folders, or standard input."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loss_lint.config import ConfigError
from loss_lint.discover import discover, import_roots
from loss_lint.syntax.sources import Folder, Overlay, Snapshot, read_to_end

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from loss_lint.discover import Boundaries

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Input:
    """What a run reads: its files, where their text comes from, and what could not be looked at."""

    files: tuple[str, ...]
    sources: Snapshot
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    from_stdin: bool = False
    # Where the projects of the files begin if nothing in them says so.
    roots: tuple[str, ...] = ()

    @property
    def folders(self) -> list[str]:
        """The folders that hold the files, sorted."""
        return sorted({os.path.dirname(os.path.abspath(path)) for path in self.files})


def given(options: argparse.Namespace, boundaries: Boundaries) -> Input:
    """What the arguments ask for; raises ConfigError where standard input cannot be read."""
    if reads_stdin(options):
        return _standard_input(options, boundaries)
    return _files(options.paths, boundaries)


def reads_stdin(options: argparse.Namespace) -> bool:
    return options.paths == [STANDARD_INPUT] or options.stdin_filename is not None


def _files(paths: Sequence[str], boundaries: Boundaries) -> Input:
    found = discover(paths, boundaries)
    empty = not found.files and not found.problems
    warnings = ("no Python files found under the given paths",) if empty else ()
    return Input(found.files, Snapshot(Folder()), found.problems, warnings, roots=import_roots(paths))


def _standard_input(options: argparse.Namespace, boundaries: Boundaries) -> Input:
    name = options.stdin_filename
    path = STANDARD_INPUT if name is None else os.path.abspath(name)
    others = [one for one in options.paths if one not in (STANDARD_INPUT, ".")]
    warnings = tuple(f"ignoring {other} in favor of standard input" for other in others)
    try:
        data = read_to_end(sys.stdin.buffer, "standard input")
    except OSError as error:
        raise ConfigError(f"standard input: {error.strerror}") from None
    sources = Snapshot(Overlay(Folder(), {path: data}))
    roots = () if name is None else import_roots([path])
    excluded = name is not None and boundaries.forces_exclusion and boundaries.excludes(path)
    return Input(() if excluded else (path,), sources, warnings=warnings, from_stdin=True, roots=roots)

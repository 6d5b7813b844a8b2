"""One file in, findings out: the pure middle of the tool, without configuration, `noqa` or output."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loss_lint.findings import Finding, Place
from loss_lint.syntax.module import SourceModule, Unparsable, parse
from loss_lint.syntax.screen import is_python_of_torch, is_relevant
from loss_lint.syntax.sources import Sources

if TYPE_CHECKING:
    from loss_lint.rules.engine import Engine
    from loss_lint.symbolic.machine import Machine
    from loss_lint.syntax.project import Project

# Expressions nest deeper in real code than Python's default limit lets us follow.
RECURSION_LIMIT = 8_000

# Whether values are followed into other files of the project.
CROSS_FILES = False


@dataclass(frozen=True, slots=True)
class Result:
    """What one file yields: sorted findings, and the other files that they depend on."""

    findings: tuple[Finding, ...]
    dependencies: tuple[str, ...] = ()


class Linter:
    """Lints files of one project. What several of them need is read and evaluated once.

    `roots` are the folders that a run was asked for: a project is taken to lie inside one of them.
    """

    def __init__(
        self, sources: Sources, roots: Sequence[str] = (), *, cross_files: bool = CROSS_FILES
    ) -> None:
        self._sources = sources
        self._roots = tuple(roots)
        self._cross_files = cross_files
        self._started: tuple[Machine, Engine, Project] | None = None

    def _parts(self) -> tuple[Machine, Engine, Project]:
        """The evaluator, made when a first file needs it."""
        if self._started is None:
            from loss_lint.rules.engine import Engine
            from loss_lint.symbolic.machine import Machine
            from loss_lint.syntax.project import Project

            machine = Machine(self._sources, cross_files=self._cross_files)
            self._started = (machine, Engine(machine), Project(self._sources, self._roots))
        return self._started

    def _forget(self) -> None:
        """Drop all that was evaluated: no other file needs it."""
        from loss_lint.symbolic.graph import forget_contents
        from loss_lint.symbolic.guards import forget_conditions

        self._started = None
        forget_contents()
        forget_conditions()

    def lint(self, path: str) -> Result:
        """The findings of the file at `path`; a file that cannot be read or parsed is one (LOS000)."""
        try:
            data = self._sources.read(path)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            return Result((_unreadable(path, f"the file cannot be read: {reason}", 1, 1),))
        if not is_python_of_torch(data):
            return Result(())
        try:
            module = parse(path, data)
        except Unparsable as error:
            return Result((_unreadable(path, error.message, error.line, error.column),))
        return self._evaluated(path, module) if is_relevant(data) else Result(())

    def _evaluated(self, path: str, module: SourceModule) -> Result:
        from loss_lint.fixes import repaired

        machine, engine, project = self._parts()
        with _deep_recursion():
            machine.module(path, module)
            callers = project.callers(path) if self._cross_files else ()
            findings = tuple(repaired(finding, machine) for finding in engine.lint(path, callers))
        if not self._cross_files:
            self._forget()
        return Result(findings, project.closure((path, *callers)) if self._cross_files else ())


def lint(path: str, sources: Sources, roots: Sequence[str] = ()) -> Result:
    """The findings of one file on its own."""
    return Linter(sources, roots).lint(path)


@contextmanager
def _deep_recursion() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _unreadable(path: str, message: str, line: int, column: int) -> Finding:
    return Finding("LOS000", "unreadable-file", message, Place(path, line, column, line, column + 1))

"""One file in, findings out: the pure middle of the tool, without configuration, `noqa` or output."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from loss_lint.findings import Finding, Place
from loss_lint.syntax.module import Unparsable, parse
from loss_lint.syntax.screen import is_python_of_torch, is_relevant
from loss_lint.syntax.sources import Sources

# Expressions nest deeper in real code than Python's default limit lets us follow.
RECURSION_LIMIT = 8_000


@dataclass(frozen=True, slots=True)
class Result:
    """What one file yields: sorted findings, and the other files that they depend on."""

    findings: tuple[Finding, ...]
    dependencies: tuple[str, ...] = ()


def lint(path: str, sources: Sources) -> Result:
    """The findings of the file at `path`; a file that cannot be read or parsed is one (LOS000)."""
    try:
        data = sources.read(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Result((_unreadable(path, f"the file cannot be read: {reason}", 1, 1),))
    if not is_python_of_torch(data):
        return Result(())
    try:
        module = parse(path, data)
    except Unparsable as error:
        return Result((_unreadable(path, error.message, error.line, error.column),))
    if not is_relevant(data):
        return Result(())
    from loss_lint.fixes import repaired
    from loss_lint.rules.engine import lint_module
    from loss_lint.symbolic.graph import forget_contents
    from loss_lint.symbolic.machine import Machine

    machine = Machine(sources)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
    try:
        machine.module(path, module)
        findings = tuple(repaired(finding, machine) for finding in lint_module(machine, path))
    finally:
        sys.setrecursionlimit(limit)
        forget_contents()
    return Result(findings, tuple(sorted(other for other in machine.modules if other != path)))


def _unreadable(path: str, message: str, line: int, column: int) -> Finding:
    return Finding("LOS000", "unreadable-file", message, Place(path, line, column, line, column + 1))

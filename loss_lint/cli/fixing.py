"""`check --fix`, `--fix-only` and `--diff`: what fixes make of the files, and where that goes."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from loss_lint.cli.console import complain, is_coloured
from loss_lint.cli.inputs import STANDARD_INPUT
from loss_lint.discover import discover
from loss_lint.repair.files import Change, Unwritten, has_other_names, obstacle, replace_all
from loss_lint.repair.rounds import Repair, Workshop, edited_paths, repair
from loss_lint.report.palette import Palette
from loss_lint.report.patch import cells_patch, patch
from loss_lint.report.paths import shown_path, shown_position
from loss_lint.report.summary import Fixing
from loss_lint.syntax.project import Project
from loss_lint.syntax.sources import is_notebook

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from loss_lint.cli.inputs import Input
    from loss_lint.findings import Finding
    from loss_lint.syntax.sources import Snapshot

    Look = Callable[[Snapshot], Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class Fixed:
    """What is left to report and the text that it is in; what became of the fixes, and of the files."""

    findings: Sequence[Finding]
    sources: Snapshot
    fixing: Fixing
    failures: tuple[str, ...] = ()
    written: frozenset[str] = frozenset()


def fixed(
    options: argparse.Namespace,
    given: Input,
    findings: Sequence[Finding],
    look: Look,
) -> Fixed:
    """Fix what can be fixed: on disk, or on standard output where the text is from standard input.

    With `--diff` nothing is changed, and standard output gets the difference.
    """
    reach = _Reach(given, is_dry=options.diff)
    workshop = Workshop(given.sources, look, lambda finding: _wants(options, finding), reach.obstacle)
    result = repair(findings, workshop)
    if not options.quiet:
        complain("warning", [_left_out(finding, reason) for finding, reason in result.left_out])
    failures: tuple[str, ...] = ()
    if options.diff:
        _show(options, result)
    elif given.from_stdin:
        _pass_on(given, result)
    else:
        result, failures = _written(result, workshop, quiet=options.quiet)
    fixing = Fixing(result.applied, is_applied=not options.diff, hints=options.unsafe_fixes is None)
    written = frozenset() if options.diff or given.from_stdin else frozenset(result.after)
    return Fixed(result.findings, workshop.over(result.after), fixing, failures, written)


def _wants(options: argparse.Namespace, finding: Finding) -> bool:
    fix = finding.fix
    return fix is not None and (fix.applicability == "safe" or bool(options.unsafe_fixes))


@dataclass
class _Reach:
    """Which files a fix may edit: those that were given, and others of their projects that are not excluded."""

    given: Input
    is_dry: bool

    def obstacle(self, path: str) -> str | None:
        if self.given.from_stdin:
            return None if path in self.given.files else f"it edits another file, {_shown(path)}"
        if path not in self._given and not self._is_of_the_project(path):
            return f"it edits {_shown(path)}, which is not the project's"
        reason = None if self.is_dry else self._reason(path)
        return None if reason is None else f"{_shown(path)} cannot be written: {reason}"

    def _reason(self, path: str) -> str | None:
        if path not in self._reasons:
            self._reasons[path] = obstacle(path)
        return self._reasons[path]

    def _is_of_the_project(self, path: str) -> bool:
        root = self._project.root(path)
        if root not in {self._project.root(one) for one in self.given.files}:
            return False
        if root not in self._covered:
            self._covered[root] = frozenset(discover([root]).files)
        return path in self._covered[root]

    @cached_property
    def _given(self) -> frozenset[str]:
        return frozenset(self.given.files)

    @cached_property
    def _project(self) -> Project:
        return Project(self.given.sources, self.given.roots)

    @cached_property
    def _covered(self) -> dict[str, frozenset[str]]:
        return {}

    @cached_property
    def _reasons(self) -> dict[str, str | None]:
        return {}


def _written(result: Repair, workshop: Workshop, *, quiet: bool) -> tuple[Repair, tuple[str, ...]]:
    """What is on disk then, and the files that could not be written."""
    failed: set[str] = set()
    for group in result.groups():
        linked = [path for path in sorted(group) if has_other_names(path)]
        try:
            replace_all({path: Change(result.before[path], result.after[path]) for path in group})
        except Unwritten as error:
            complain("error", [f"{_shown(error.path)} cannot be written: {error.reason}"])
            failed |= group
            continue
        if not quiet:
            complain(
                "warning", [f"{_shown(path)} has other hard links: they keep the old text" for path in linked]
            )
    if not failed:
        return result, ()
    after = {path: data for path, data in result.after.items() if path not in failed}
    applied = tuple(finding for finding in result.applied if not edited_paths(finding) & failed)
    findings = tuple(workshop.look(workshop.over(after)))
    return replace(result, findings=findings, after=after, applied=applied), tuple(sorted(failed))


def _show(options: argparse.Namespace, result: Repair) -> None:
    palette = Palette(is_coloured(options.color))
    for path, after in result.after.items():
        if is_notebook(path):
            _write(cells_patch(_shown(path), result.before[path], after, palette))
        else:
            shown = None if path == STANDARD_INPUT else _shown(path)
            _write(patch(shown, result.before[path], after, palette))


def _pass_on(given: Input, result: Repair) -> None:
    """The text of standard input, fixed or not: whoever pipes a buffer through puts back what comes out."""
    for path in given.files:
        _write(result.after[path] if path in result.after else given.sources.file(path))


def _write(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _left_out(finding: Finding, reason: str) -> str:
    return f"{shown_position(finding.place, os.getcwd())}: the fix of {finding.code} is left out: {reason}"


def _shown(path: str) -> str:
    return shown_path(path, os.getcwd())

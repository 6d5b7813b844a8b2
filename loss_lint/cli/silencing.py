"""`check --add-noqa`: comments that silence what is found now."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from loss_lint.cli.console import CLEAN, FAILED, complain
from loss_lint.repair.directives import silenced
from loss_lint.repair.files import Change, Unwritten, obstacle, replace_all
from loss_lint.repair.text import Unfit
from loss_lint.report.paths import shown_path
from loss_lint.selection import INTERNAL_ERROR, UNPARSABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loss_lint.cli.inputs import Input
    from loss_lint.findings import Finding, Place


def silence(given: Input, findings: Sequence[Finding], reason: str, *, quiet: bool) -> int:
    """Write the comments, each with a reason, which may be empty; gives the exit status.

    Standard input is left alone, as by ruff.
    """
    if given.from_stdin:
        return CLEAN
    wanted: dict[str, list[tuple[str, int]]] = {}
    for finding in findings:
        place = _place(finding, given)
        if place is not None:
            wanted.setdefault(place.path, []).append((finding.code, place.line))
    count, status = 0, CLEAN
    for path, lines in sorted(wanted.items()):
        try:
            count += _write(path, given, lines, reason)
        except Unfit as error:
            complain("warning", [f"{shown_path(path, os.getcwd())}: left as it is: {error}"])
        except Unwritten as error:
            complain("error", [f"{shown_path(path, os.getcwd())} cannot be written: {error.reason}"])
            status = FAILED
    if count and not quiet:
        sys.stderr.write(f"Added {count} noqa directive{'' if count == 1 else 's'}.\n")
    return status


def _place(finding: Finding, given: Input) -> Place | None:
    """Where a comment silences a finding: in a file that was given, at its place or at the call that explains it."""
    if finding.code in (UNPARSABLE, INTERNAL_ERROR):
        return None
    return next((place for place in (finding.place, *finding.also) if place.path in given.files), None)


def _write(path: str, given: Input, wanted: Sequence[tuple[str, int]], why: str) -> int:
    before = given.sources.file(path)
    after, count = silenced(path, before, wanted, why)
    if count:
        reason = obstacle(path)
        if reason is not None:
            raise Unwritten(path, reason)
        replace_all({path: Change(before, after)})
    return count

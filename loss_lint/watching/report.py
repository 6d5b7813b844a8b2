"""What a watch writes: a line for each finding, as `check` writes it, and what else there is to say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from loss_lint.report import concise
from loss_lint.report.palette import Palette

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loss_lint.findings import Finding


def line(finding: Finding) -> str:
    """One finding as one line."""
    fix = finding.fix
    return concise.line(
        finding, os.getcwd(), Palette(), is_fixable=fix is not None and fix.applicability == "safe"
    )


def render(findings: Sequence[Finding], notes: Sequence[str], calls: int) -> str:
    """The whole report; nothing where there is nothing to say."""
    return "".join(f"{line(finding)}\n" for finding in findings) + ending(findings, notes, calls)


def ending(findings: Sequence[Finding], notes: Sequence[str], calls: int) -> str:
    """What follows the findings."""
    text = "".join(f"note: {note}\n" for note in notes)
    return text + summary(len(findings), calls) if findings or text else ""


def summary(count: int, calls: int) -> str:
    r"""The last line.

    >>> summary(1, 200)
    'Found 1 error in 200 calls of losses.\n'
    """
    losses = f"{calls} call{'s' * (calls != 1)} of losses"
    return f"Found {count} error{'s' * (count != 1)} in {losses}.\n"

"""What a watch writes: a line for each finding, as `check` writes it, and what else there is to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.report import concise
from loss_lint.report.palette import Palette

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loss_lint.findings import Finding


def line(finding: Finding) -> str:
    """One finding as one line."""
    (text,) = concise.render([finding], Palette())
    return text.rstrip("\n")


def render(
    findings: Sequence[Finding], notes: Sequence[str], calls: int, palette: Palette | None = None
) -> str:
    """The whole report; nothing where there is nothing to say."""
    if not findings and not notes:
        return ""
    return "".join(concise.render(findings, palette or Palette())) + ending(findings, notes, calls)


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

"""What is said of a finding, in one line or in several; the same words in every format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.report.paths import printable, shown_position

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loss_lint.findings import Finding


def sentence(finding: Finding) -> str:
    """The message, and the measured numbers where there are any, as one line."""
    said = evidence(finding)
    return f"{printable(finding.message)} ({said})" if said else printable(finding.message)


def evidence(finding: Finding) -> str:
    """The measured numbers as one line; "" where nothing was measured."""
    if finding.evidence is None:
        return ""
    from loss_lint.report.evidence import evidence_line

    return printable(evidence_line(finding.evidence))


def paragraph(finding: Finding, folder: str) -> Iterator[str]:
    """Message, trace, evidence and fix, a line each, for readers that show several."""
    yield printable(finding.message)
    if finding.trace:
        yield "trace:"
    for number, step in enumerate(finding.trace, 1):
        yield f"  {number}. {shown_position(step.place, folder)}: {printable(step.message)}"
    said = evidence(finding)
    if said:
        yield f"evidence: {said}"
    if finding.fix is not None:
        yield f"help: {printable(finding.fix.message)}"

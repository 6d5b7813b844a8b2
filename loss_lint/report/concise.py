"""One line for each finding."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from loss_lint.report.paths import position_parts, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from loss_lint.findings import Finding
    from loss_lint.report.palette import Palette


def render(findings: Iterable[Finding], palette: Palette) -> Iterator[str]:
    """`path:row:col: CODE [*] message`, and the measured numbers where there are any."""
    folder = os.getcwd()
    colon = palette.separator(":")
    for finding in findings:
        path, *within = position_parts(finding.place, folder)
        safe = finding.fix is not None and finding.fix.applicability == "safe"
        marker = f" [{palette.separator('*')}]" if safe else ""
        text = f"{printable(finding.message)}{_evidence(finding)}"
        position = colon.join([palette.strong(path), *within, ""])
        yield f"{position} {palette.code(finding.code)}{marker} {text}\n"


def _evidence(finding: Finding) -> str:
    if finding.evidence is None:
        return ""
    from loss_lint.report.evidence import evidence_line

    return f" ({printable(evidence_line(finding.evidence))})"

"""Findings under the names of their files, a line each."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from loss_lint.report.concise import headline
from loss_lint.report.paths import position_parts, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loss_lint.findings import Finding
    from loss_lint.report.material import Material


def render(material: Material) -> Iterator[str]:
    """One text for each file, ending in an empty line."""
    for path, findings in groupby(material.findings, key=lambda finding: finding.place.path):
        name = material.palette.underlined(shown_path(path, material.folder))
        yield "\n".join([f"{name}:", *_lines(list(findings), material), "", ""])


def _lines(findings: Sequence[Finding], material: Material) -> Iterator[str]:
    """Rows to the right and columns to the left of one line of colons."""
    palette = material.palette
    positions = [position_parts(finding.place, material.folder)[1:] for finding in findings]
    before = max(len(":".join(parts[:-1])) for parts in positions)
    after = max(len(parts[-1]) for parts in positions)
    colon = palette.separator(":")
    for finding, (*rows, column) in zip(findings, positions, strict=True):
        left = " " * (before - len(":".join(rows))) + colon.join(rows)
        text = headline(finding, palette, is_fixable=material.is_fixable(finding))
        yield f"  {left}{colon}{column:<{after}} {text}"

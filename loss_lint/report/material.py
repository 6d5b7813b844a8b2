"""What every output format is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loss_lint.report.palette import Palette

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loss_lint.findings import Finding
    from loss_lint.report.source import SourceLines
    from loss_lint.syntax.noqa import Suppressions


@dataclass(frozen=True, slots=True)
class Material:
    """Sorted findings, and what there is to write them with.

    Paths are shown as seen from `folder`, the working directory; `root` is the folder that services which keep
    reports count paths from, the repository's. `width` is that of the terminal in columns, None where there is
    none. With `unsafe_fixes`, `--fix` applies unsafe fixes too.
    """

    findings: Sequence[Finding]
    lines: SourceLines
    suppressions: Suppressions
    folder: str
    root: str = ""
    width: int | None = None
    palette: Palette = field(default_factory=Palette)
    unsafe_fixes: bool = False

    def is_fixable(self, finding: Finding) -> bool:
        """Whether `--fix`, with what else is set, repairs the finding."""
        fix = finding.fix
        return fix is not None and (self.unsafe_fixes or fix.applicability == "safe")

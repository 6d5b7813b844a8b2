"""One line for each finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.report.palette import Palette
from loss_lint.report.paths import position_parts
from loss_lint.report.wording import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loss_lint.findings import Finding
    from loss_lint.report.material import Material


def render(material: Material) -> Iterator[str]:
    """`path:row:col: CODE [*] message`, and the measured numbers where there are any."""
    for finding in material.findings:
        fixable = material.is_fixable(finding)
        yield line(finding, material.folder, material.palette, is_fixable=fixable) + "\n"


def line(finding: Finding, folder: str, palette: Palette, *, is_fixable: bool = False) -> str:
    """One finding, without the line's end."""
    path, *within = position_parts(finding.place, folder)
    position = palette.separator(":").join([palette.strong(path), *within, ""])
    return f"{position} {headline(finding, palette, is_fixable=is_fixable)}"


def headline(finding: Finding, palette: Palette, *, is_fixable: bool) -> str:
    """What stands behind the position."""
    return f"{palette.code(finding.code)} {marker(palette) if is_fixable else ''}{sentence(finding)}"


def marker(palette: Palette) -> str:
    """What says that `--fix` repairs a finding."""
    return f"[{palette.separator('*')}] "

"""Pylint's `parseable` lines, for readers that know those."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.report.paths import position_parts
from loss_lint.report.wording import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loss_lint.report.material import Material


def render(material: Material) -> Iterator[str]:
    """`path:row: [CODE] message`."""
    for finding in material.findings:
        row = ":".join(position_parts(material.lines.in_file(finding.place), material.folder)[:-1])
        yield f"{row}: [{finding.code}] {sentence(finding)}\n"

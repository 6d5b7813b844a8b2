"""Workflow commands, which GitHub Actions shows as annotations of the changed lines.

What has to be escaped in them is what the runner takes back: percent signs and line ends everywhere, colons and
commas in properties (actions/toolkit, `packages/core/src/command.ts`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.report.paths import absolute_path, encodable, shown_position
from loss_lint.report.wording import paragraph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loss_lint.findings import Finding
    from loss_lint.report.material import Material
    from loss_lint.report.source import SourceLines


def render(material: Material) -> Iterator[str]:
    """One command for each finding; its text has several lines."""
    for finding in material.findings:
        properties = ",".join(
            f"{key}={_property(value)}" for key, value in _properties(finding, material.lines)
        )
        yield f"::error {properties}::{_data(_text(finding, material.folder))}\n"


def _properties(finding: Finding, lines: SourceLines) -> Iterator[tuple[str, str]]:
    place = lines.in_file(finding.place)
    yield "title", f"loss-lint ({finding.code})"
    yield "file", encodable(absolute_path(place.path))
    yield "line", str(place.line)
    if place.end_line == place.line:  # GitHub refuses columns of a range over several lines
        yield "col", str(place.column)
    yield "endLine", str(place.end_line)
    if place.end_line == place.line:
        yield "endColumn", str(place.end_column)


def _text(finding: Finding, folder: str) -> str:
    first, *others = paragraph(finding, folder)
    start = f"{shown_position(finding.place, folder)}: {finding.code} {first}"
    return "\n  ".join([start, *others])


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

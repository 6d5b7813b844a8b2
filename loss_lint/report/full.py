"""The default format: each finding with its source, its trace, its evidence and its repair."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from loss_lint.report.concise import marker
from loss_lint.report.diff import fix_diff
from loss_lint.report.evidence import evidence_line
from loss_lint.report.frame import frame, gutter_width
from loss_lint.report.paths import printable, shown_position
from loss_lint.report.source import shown_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loss_lint.findings import Finding, Fix, Place, Step
    from loss_lint.report.material import Material
    from loss_lint.report.palette import Palette
    from loss_lint.report.source import SourceLines

_WIDTH = 80


def render(material: Material) -> Iterator[str]:
    """One text for each finding, ending in an empty line."""
    for finding in material.findings:
        yield "\n".join([*_lines(finding, material), "", ""])


def _lines(finding: Finding, material: Material) -> Iterator[str]:
    source, palette = material.lines, material.palette
    mark = marker(palette) if material.is_fixable(finding) else ""
    yield f"{palette.code(finding.code)} {mark}{palette.strong(finding.name)}"
    yield from _wrapped(finding.message, "  ")
    lines = source.of(finding.place.path, finding.place.cell)
    arrow = " " * gutter_width(finding.place, lines) + "-->"
    yield f"{palette.frame(arrow)} {shown_position(finding.place, material.folder)}"
    yield from frame(finding.place, lines, palette)
    if finding.guards:
        conditions = " and ".join(f"`{guard}`" for guard in finding.guards)
        verb = "is" if len(finding.guards) == 1 else "are"
        yield from _labelled("when", f"{conditions} {verb} true", palette)
    yield from _trace(finding.trace, material)
    if finding.evidence is not None:
        # Not wrapped: it is one line in every format.
        yield f"{palette.hint('evidence')}: {printable(evidence_line(finding.evidence))}"
    if finding.fix is not None:
        yield from _fix(finding.fix, finding.place, material)


def _trace(steps: tuple[Step, ...], material: Material) -> Iterator[str]:
    if not steps:
        return
    source, palette = material.lines, material.palette
    yield f"{palette.hint('trace')}:"
    width = len(str(len(steps)))
    for number, step in enumerate(steps, 1):
        indent = " " * (width + 4)
        head = f"  {number:>{width}}. "
        yield from _wrapped(f"{shown_position(step.place, material.folder)}: {step.message}", indent, head)
        line = _source_line(step.place, source)
        if line:
            yield f"{indent}{palette.frame(f'{step.place.line} |')} {line}"


def _source_line(place: Place, source: SourceLines) -> str:
    return shown_line(source.at(place), place.column).text.strip()


def _fix(fix: Fix, home: Place, material: Material) -> Iterator[str]:
    palette = material.palette
    yield from _labelled("help", fix.message, palette)
    yield from fix_diff(fix, home, material)
    if fix.applicability == "unsafe":
        yield from _labelled("note", "this changes the numbers that the program computes", palette)


def _labelled(label: str, text: str, palette: Palette) -> Iterator[str]:
    first, *rest = _wrapped(text, "  ", f"{label}: ")
    yield palette.hint(label) + first.removeprefix(label)
    yield from rest


def _wrapped(text: str, indent: str, first: str | None = None) -> list[str]:
    return textwrap.wrap(
        printable(text),
        _WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first or ""]

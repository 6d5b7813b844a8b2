"""The default format: each finding with its source, its trace, its evidence and its repair."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from loss_lint.report.concise import marker
from loss_lint.report.diff import fix_diff
from loss_lint.report.evidence import evidence_line
from loss_lint.report.frame import frame, gutter_width
from loss_lint.report.paths import printable, shown_position
from loss_lint.report.source import room_beside, shown_line, view_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loss_lint.findings import Finding, Fix, Place
    from loss_lint.report.material import Material
    from loss_lint.report.palette import Palette

_WIDTH = 80
_ENDLESS = 10_000


def render(material: Material) -> Iterator[str]:
    """One text for each finding, ending in an empty line."""
    for finding in material.findings:
        yield "\n".join([*_lines(finding, material), "", ""])


def _lines(finding: Finding, material: Material) -> Iterator[str]:
    source, palette, width = material.lines, material.palette, _text_width(material)
    mark = marker(palette) if material.is_fixable(finding) else ""
    yield f"{palette.code(finding.code)} {mark}{palette.strong(finding.name)}"
    yield from _wrapped(finding.message, "  ", width=width)
    lines = source.of(finding.place.path, finding.place.cell)
    arrow = " " * gutter_width(finding.place, lines) + "-->"
    yield f"{palette.frame(arrow)} {shown_position(finding.place, material.folder)}"
    yield from frame(finding.place, lines, palette, material.width)
    if not all(guard in finding.message for guard in finding.guards):
        conditions = " and ".join(f"`{guard}`" for guard in finding.guards)
        verb = "is" if len(finding.guards) == 1 else "are"
        yield from _labelled("when", f"{conditions} {verb} true", palette, width)
    yield from _trace(finding, material)
    if finding.evidence is not None:
        # One line in every format, unless a terminal would break it within a word.
        yield from _labelled("evidence", evidence_line(finding.evidence), palette, material.width or _ENDLESS)
    if finding.fix is not None:
        yield from _fix(finding.fix, finding.place, material)


def _trace(finding: Finding, material: Material) -> Iterator[str]:
    if not finding.trace:
        return
    palette = material.palette
    yield f"{palette.hint('trace')}:"
    digits = len(str(len(finding.trace)))
    indent = " " * (digits + 4)
    for number, step in enumerate(finding.trace, 1):
        position = shown_position(step.place, material.folder)
        head = f"  {number:>{digits}}. "
        first, *others = _wrapped(f"{position}: {step.message}", indent, head, width=_text_width(material))
        yield first.replace(position, palette.separator(position), 1)
        yield from others
        if _line_of(step.place) != _line_of(finding.place):
            yield from _source_line(step.place, indent, material)


def _line_of(place: Place) -> tuple[str, int, int]:
    return place.path, place.cell, place.line


def _source_line(place: Place, indent: str, material: Material) -> Iterator[str]:
    """The line of a step, without its indentation; that of the finding stands in the frame already."""
    whole = material.lines.at(place)
    line = whole.strip()
    if not line:
        return
    label = f"{place.line} |"
    room = room_beside(len(indent) + len(label) + 1, material.width)
    shift = len(whole) - len(whole.lstrip())
    end = place.end_column if place.end_line == place.line else len(whole) + 1
    view = view_of(line, max(place.column - shift, 1), end - shift, room)
    yield f"{indent}{material.palette.frame(label)} {shown_line(line, view).text}"


def _fix(fix: Fix, home: Place, material: Material) -> Iterator[str]:
    palette = material.palette
    width = _text_width(material)
    yield from _labelled("help", fix.message, palette, width)
    yield from fix_diff(fix, home, material)
    if fix.applicability == "unsafe":
        yield from _labelled("note", "this changes the numbers that the program computes", palette, width)


def _text_width(material: Material) -> int:
    return _WIDTH if material.width is None else min(_WIDTH, material.width)


def _labelled(label: str, text: str, palette: Palette, width: int) -> Iterator[str]:
    first, *rest = _wrapped(text, "  ", f"{label}: ", width=width)
    yield palette.hint(label) + first.removeprefix(label)
    yield from rest


def _wrapped(text: str, indent: str, first: str | None = None, *, width: int) -> list[str]:
    return textwrap.wrap(
        printable(text),
        width,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first or ""]

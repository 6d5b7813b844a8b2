"""A place shown in its source, underlined; laid out as ruff and rustc do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.report.source import View, room_beside, shown_line, view_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loss_lint.findings import Place
    from loss_lint.report.palette import Palette

_CONTEXT = 2
# Of a place that spans more lines than this, the middle is left out.
_HEAD, _TAIL = 6, 3


def gutter_width(place: Place, lines: Sequence[str]) -> int:
    """The width of the line numbers beside a frame."""
    return len(str(_shown_rows(place, lines)[-1])) if _in_source(place, lines) else len(str(place.line))


def frame(place: Place, lines: Sequence[str], palette: Palette, columns: int | None = None) -> list[str]:
    """The lines around `place` with what it spans underlined; nothing if the file has no such place.

    They fit into a terminal of `columns`.
    """
    if not _in_source(place, lines):
        return []
    rows = _shown_rows(place, lines)
    width = len(str(rows[-1]))
    margin = palette.frame(" " * width + " |")
    room = room_beside(width + 3, columns)
    spell = _one_line if place.end_line == place.line else _many_lines
    body = spell(place, lines, rows, room)
    framed = [margin]
    for number, bar, text, mark in body:
        label = "..." if number == 0 else f"{number:>{width}} |" if number else ""
        left = palette.frame(label) if label else margin
        shown = text if mark else text.rstrip()
        framed.append(f"{left} {palette.code(bar)}{shown}{palette.code(mark)}".rstrip())
    return [*framed, margin]


# A line of a frame: its number (None: an underline, 0: what is left out), the bar before it, its text, marks after it.
_Row = tuple[int | None, str, str, str]


def _one_line(place: Place, lines: Sequence[str], rows: Sequence[int], room: int) -> list[_Row]:
    body: list[_Row] = []
    view = view_of(lines[place.line - 1], place.column, place.end_column, room)
    for row in rows:
        line = shown_line(lines[row - 1], view)
        body.append((row, "", line.text, ""))
        if row == place.line:
            start = line.column(place.column)
            length = line.column(place.end_column) - start
            body.append((None, "", " " * start, "^" * max(length, 1)))
    return body


def _many_lines(place: Place, lines: Sequence[str], rows: Sequence[int], room: int) -> list[_Row]:
    """A bar on the left joins the first and the last line of the place."""
    body: list[_Row] = []
    previous = rows[0] - 1
    view = View(0, room - 2)
    for row in rows:
        if row != previous + 1:
            body.append((0, "", "", ""))
        previous = row
        line = shown_line(lines[row - 1], view)
        if row == place.line:
            start = line.column(place.column)
            if line.text[:start].strip():
                body.append((row, "", "  " + line.text, ""))
                body.append((None, "", " ", "_" * (start + 1) + "^"))
            else:
                body.append((row, "/", " " + line.text, ""))
        elif place.line < row <= place.end_line:
            body.append((row, "|", " " + line.text, ""))
            if row == place.end_line:
                end = max(line.column(place.end_column) - 1, 0)
                body.append((None, "", "", "|" + "_" * (end + 1) + "^"))
        else:
            body.append((row, "", "  " + line.text, ""))
    return body


def _shown_rows(place: Place, lines: Sequence[str]) -> list[int]:
    first, last = max(1, place.line - _CONTEXT), min(len(lines), place.end_line + _CONTEXT)
    while first < place.line and not lines[first - 1].strip():
        first += 1
    while last > place.end_line and not lines[last - 1].strip():
        last -= 1
    inside = range(place.line, place.end_line + 1)
    if len(inside) > _HEAD + _TAIL + 1:
        return [*range(first, inside[_HEAD]), *range(inside[-_TAIL], last + 1)]
    return list(range(first, last + 1))


def _in_source(place: Place, lines: Sequence[str]) -> bool:
    """Whether the file, which may have changed since it was linted, has the place at all."""
    if not 1 <= place.line <= place.end_line <= len(lines):
        return False
    return place.column <= len(lines[place.line - 1]) + 1

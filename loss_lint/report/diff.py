"""A fix as the difference that it makes."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from loss_lint.report.paths import shown_text
from loss_lint.report.source import LINE_END, room_beside, shown_line, view_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loss_lint.findings import Edit, Fix, Place
    from loss_lint.report.material import Material

_CONTEXT = 1
# Edits whose lines are closer than this are shown together.
_NEAR = 2 * _CONTEXT + 1


def fix_diff(fix: Fix, home: Place, material: Material) -> list[str]:
    """The lines that a fix changes; nothing if an edit does not fit its file, which may have changed.

    `home` is where the finding stands; edits that leave its file, or its cell of a notebook, are headed by theirs.
    """
    palette = material.palette
    by_text = [(where, list(edits)) for where, edits in groupby(sorted(fix.edits, key=_order), key=_text_of)]
    if not all(_fits(edit, material.lines.of(*_text_of(edit))) for edit in fix.edits):
        return []
    diffs = [(where, list(_changes(edits, material.lines.of(*where)))) for where, edits in by_text]
    numbers = (row.number for _, hunks in diffs for _, rows in hunks for row in rows if row.number)
    width = len(str(max(numbers, default=1)))
    margin = palette.frame(" " * width + " |")
    shown: list[str] = []
    for where, hunks in diffs:
        if [where for where, _ in diffs] != [(home.path, home.cell)]:
            shown.append(f"{palette.frame(' ' * width + '-->')} {shown_text(*where, material.folder)}")
        shown.append(margin)
        for index, (first, rows) in enumerate(hunks):
            if index:
                shown.append(palette.frame("..."))
            shown.extend(_painted(first, rows, width, material))
        shown.append(margin)
    return shown


class _Row(NamedTuple):
    """A line of a diff: its number after the fix (0: it is gone), what is said of it (` `, `-` or `+`), its text."""

    number: int
    sign: str
    text: str


def _text_of(edit: Edit) -> tuple[str, int]:
    return edit.place.path, edit.place.cell


def _order(edit: Edit) -> tuple[tuple[str, int], Edit]:
    return _text_of(edit), edit


def _hunks(edits: list[Edit]) -> Iterator[list[Edit]]:
    hunk: list[Edit] = []
    for edit in edits:
        if hunk and edit.place.line - hunk[-1].place.end_line > _NEAR:
            yield hunk
            hunk = []
        hunk.append(edit)
    yield hunk


def _fits(edit: Edit, lines: Sequence[str]) -> bool:
    place = edit.place
    if not 1 <= place.line <= place.end_line <= len(lines):
        return False
    return (
        place.column <= len(lines[place.line - 1]) + 1
        and place.end_column <= len(lines[place.end_line - 1]) + 1
    )


def _changes(edits: list[Edit], lines: Sequence[str]) -> Iterator[tuple[Place, list[_Row]]]:
    """The lines of each hunk, and the first place that it changes."""
    moved = 0  # by so many lines what follows a hunk
    for hunk in _hunks(edits):
        first = max(1, hunk[0].place.line - _CONTEXT)
        last = min(len(lines), _last_line(hunk[-1].place) + _CONTEXT)
        if last == len(lines) > hunk[-1].place.end_line and not lines[-1]:
            last -= 1  # what follows the last line's end is no line
        before = list(lines[first - 1 : last])
        after = _edited(hunk, before, first)
        yield hunk[0].place, list(_rows(before, after, first + moved))
        moved += len(after) - len(before)


def _rows(before: Sequence[str], after: Sequence[str], first: int) -> Iterator[_Row]:
    for tag, old, old_end, new, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            yield from (_Row(0, "-", line) for line in before[old:old_end])
        for number, line in enumerate(after[new:new_end], first + new):
            yield _Row(number, " " if tag == "equal" else "+", line)


def _painted(place: Place, rows: Sequence[_Row], width: int, material: Material) -> Iterator[str]:
    """The rows as they are shown, with the first place that they change in view."""
    palette = material.palette
    end = place.end_column if place.end_line == place.line else place.column
    view = view_of(material.lines.at(place), place.column, end, room_beside(width + 3, material.width))
    for number, sign, line in rows:
        text = shown_line(line, view).text
        if sign == " ":
            yield f"{palette.frame(f'{number:>{width}} |')} {text}".rstrip()
        elif sign == "-":
            yield f"{' ' * width} {palette.removed(f'- {text}'.rstrip())}"
        else:
            yield f"{palette.frame(f'{number:>{width}}')} {palette.added(f'+ {text}'.rstrip())}"


def _last_line(place: Place) -> int:
    """The last line that an edit of the place changes: one that ends before a line's first character leaves it."""
    return place.end_line - (place.end_column == 1 and place.end_line > place.line)


def _edited(hunk: Sequence[Edit], lines: Sequence[str], first: int) -> list[str]:
    """The lines, of which the first has the number `first`, after the edits."""
    edited = list(lines)
    for edit in sorted(hunk, reverse=True):
        place = edit.place
        start, end = place.line - first, place.end_line - first
        text = edited[start][: place.column - 1] + edit.content + edited[end][place.end_column - 1 :]
        parts = LINE_END.split(text)
        edited[start : end + 1] = parts[:-1] if len(parts) > 1 and not parts[-1] else parts
    return edited

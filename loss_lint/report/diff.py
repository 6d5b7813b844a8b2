"""A fix as the difference that it makes."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import groupby
from typing import TYPE_CHECKING

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
    width = max((len(str(edit.place.end_line + _CONTEXT)) for edit in fix.edits), default=1)
    margin = palette.frame(" " * width + " |")
    shown: list[str] = []
    for where, edits in by_text:
        if [where for where, _ in by_text] != [(home.path, home.cell)]:
            shown.append(f"{palette.frame(' ' * width + '-->')} {shown_text(*where, material.folder)}")
        shown.append(margin)
        moved = 0  # by so many lines what follows a hunk
        for index, hunk in enumerate(_hunks(edits)):
            if index:
                shown.append(palette.frame("..."))
            lines, further = _hunk_lines(hunk, width, moved, material)
            shown.extend(lines)
            moved += further
        shown.append(margin)
    return shown


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


def _hunk_lines(hunk: Sequence[Edit], width: int, moved: int, material: Material) -> tuple[list[str], int]:
    """The lines of a hunk, numbered as they are after the fix, and by how many it moves those that follow."""
    palette, place = material.palette, hunk[0].place
    lines = material.lines.of(place.path, place.cell)
    end = place.end_column if place.end_line == place.line else place.column
    view = view_of(lines[place.line - 1], place.column, end, room_beside(width + 3, material.width))
    first = max(1, place.line - _CONTEXT)
    last = min(len(lines), _last_line(hunk[-1].place) + _CONTEXT)
    if last == len(lines) > hunk[-1].place.end_line and not lines[-1]:
        last -= 1  # what follows the last line's end is no line
    before = list(lines[first - 1 : last])
    after = _edited(hunk, before, first)
    shown: list[str] = []
    for tag, old, old_end, new, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            for line in before[old:old_end]:
                text = f"- {shown_line(line, view).text}".rstrip()
                shown.append(f"{' ' * width} {palette.removed(text)}")
        for number, line in enumerate(after[new:new_end], first + moved + new):
            text = shown_line(line, view).text
            if tag == "equal":
                shown.append(f"{palette.frame(f'{number:>{width}} |')} {text}".rstrip())
            else:
                shown.append(f"{palette.frame(f'{number:>{width}}')} {palette.added(f'+ {text}'.rstrip())}")
    return shown, len(after) - len(before)


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

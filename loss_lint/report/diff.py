"""A fix as the difference that it makes."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import groupby
from typing import TYPE_CHECKING

from loss_lint.report.paths import shown_text
from loss_lint.report.source import shown_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loss_lint.findings import Edit, Fix, Place
    from loss_lint.report.material import Material
    from loss_lint.report.palette import Palette

_CONTEXT = 1
# Edits whose lines are closer than this are shown together.
_NEAR = 2 * _CONTEXT + 1


def fix_diff(fix: Fix, home: Place, material: Material) -> list[str]:
    """The lines that a fix changes; nothing if an edit does not fit its file, which may have changed.

    `home` is where the finding stands; edits that leave its file, or its cell of a notebook, are headed by theirs.
    """
    palette = material.palette
    shown: list[str] = []
    at_home = {_text_of(edit) for edit in fix.edits} == {(home.path, home.cell)}
    for (path, cell), edits in groupby(sorted(fix.edits, key=_order), key=_text_of):
        lines = material.lines.of(path, cell)
        hunks = list(_hunks(list(edits)))
        if not all(_fits(edit, lines) for hunk in hunks for edit in hunk):
            return []
        width = len(str(hunks[-1][-1].place.end_line + _CONTEXT))
        if not at_home:
            shown.append(f"{palette.frame(' ' * width + '-->')} {shown_text(path, cell, material.folder)}")
        margin = palette.frame(" " * width + " |")
        shown.append(margin)
        for index, hunk in enumerate(hunks):
            if index:
                shown.append(palette.frame("..."))
            shown.extend(_hunk_lines(hunk, lines, width, palette))
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


def _hunk_lines(hunk: Sequence[Edit], lines: Sequence[str], width: int, palette: Palette) -> Iterator[str]:
    first = max(1, hunk[0].place.line - _CONTEXT)
    last = min(len(lines), hunk[-1].place.end_line + _CONTEXT)
    if last == len(lines) > hunk[-1].place.end_line and not lines[-1]:
        last -= 1  # what follows the last line's end is no line
    before = list(lines[first - 1 : last])
    after = _edited(hunk, before, first)
    for tag, old, old_end, new, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            for number, line in enumerate(after[new:new_end], first + new):
                yield f"{palette.frame(f'{number:>{width}} |')} {shown_line(line).text}".rstrip()
            continue
        for line in before[old:old_end]:
            yield f"{' ' * width} {palette.removed(f'- {shown_line(line).text}'.rstrip())}"
        for number, line in enumerate(after[new:new_end], first + new):
            label = palette.frame(f"{number:>{width}}")
            yield f"{label} {palette.added(f'+ {shown_line(line).text}'.rstrip())}"


def _edited(hunk: Sequence[Edit], lines: Sequence[str], first: int) -> list[str]:
    """The lines, of which the first has the number `first`, after the edits."""
    edited = list(lines)
    for edit in sorted(hunk, reverse=True):
        place = edit.place
        start, end = place.line - first, place.end_line - first
        text = edited[start][: place.column - 1] + edit.content + edited[end][place.end_column - 1 :]
        edited[start : end + 1] = text.splitlines() or [""]
    return edited

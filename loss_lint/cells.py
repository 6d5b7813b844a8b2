"""Findings of notebooks as their readers see them: places in cells, where the module over all cells has lines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from loss_lint.syntax.sources import is_notebook

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loss_lint.findings import Finding, Fix, Place
    from loss_lint.syntax.sources import Snapshot


def in_cells(findings: Iterable[Finding], sources: Snapshot) -> list[Finding]:
    """The findings with each place of a notebook as one of its cell."""
    return [_placed(finding, sources) for finding in findings]


def _placed(finding: Finding, sources: Snapshot) -> Finding:
    if not any(is_notebook(place.path) for place in _places(finding)):
        return finding
    return replace(
        finding,
        place=place_in_cell(finding.place, sources),
        trace=tuple(replace(step, place=place_in_cell(step.place, sources)) for step in finding.trace),
        fix=finding.fix and _placed_fix(finding.fix, sources),
        also=tuple(place_in_cell(place, sources) for place in finding.also),
    )


def _places(finding: Finding) -> Iterable[Place]:
    yield finding.place
    yield from (step.place for step in finding.trace)
    yield from finding.also
    yield from (edit.place for edit in (finding.fix.edits if finding.fix else ()))


def _placed_fix(fix: Fix, sources: Snapshot) -> Fix:
    edits = (replace(edit, place=place_in_cell(edit.place, sources)) for edit in fix.edits)
    return replace(fix, edits=tuple(edits))


def place_in_cell(place: Place, sources: Snapshot) -> Place:
    """A place as one of a notebook's cell; the same where it is one already, or lies in no cell."""
    notebook = sources.notebook(place.path) if place.cell == 0 else None
    if notebook is None:
        return place
    cell, row = notebook.cell_and_row(place.line)
    end_row, end_column = row + place.end_line - place.line, place.end_column
    lines = notebook.lines(cell)
    if end_row > len(lines):  # the start of the line behind the last one: here the cell ends
        end_row, end_column = len(lines), len(lines[-1]) + 1
    return replace(place, line=row, end_line=end_row, end_column=end_column, cell=cell)

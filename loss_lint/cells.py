"""What is said of notebooks as readers see them: places in cells, where the module over all cells has lines."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from operator import is_
from typing import TYPE_CHECKING, Any, TypeVar

from loss_lint.findings import Finding, Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loss_lint.syntax.sources import Snapshot

_Data = TypeVar("_Data")


def in_cells(findings: Iterable[Finding], sources: Snapshot) -> list[Finding]:
    """The findings with each place of a notebook as one of its cell."""
    return [placed(finding, sources) for finding in findings]


def placed(data: _Data, sources: Snapshot) -> _Data:
    """Plain frozen data with each place of a notebook in it as one of its cell."""
    return _placed(data, sources)  # type: ignore[no-any-return]


def _placed(data: Any, sources: Snapshot) -> Any:
    match data:
        case Place():
            return place_in_cell(data, sources)
        case tuple():
            parts = tuple(_placed(part, sources) for part in data)
            return data if all(map(is_, parts, data)) else parts
    if not is_dataclass(data) or isinstance(data, type):
        return data
    known = {
        field.name: getattr(data, field.name) for field in fields(data) if field.compare
    }  # but the graph
    changed = {name: _placed(value, sources) for name, value in known.items()}
    return data if all(map(is_, changed.values(), known.values())) else replace(data, **changed)


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

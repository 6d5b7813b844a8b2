"""Where places stand in the editor's documents: a notebook's in those of its cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol.types import Location, OptionalVersionedTextDocumentIdentifier, Position, Range

from loss_lint.server.line_changes import end_of
from loss_lint.server.positions import range_of, units
from loss_lint.syntax.site import NotebookPath

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loss_lint.findings import Place
    from loss_lint.server.notebooks import Cell, OpenNotebook


@dataclass(frozen=True, slots=True)
class Locator:
    """Finds places: `uri` gives the address of a path, `versions` are those of the documents that were linted.

    `notebook` is the one that was linted, if one was; `starts` are the number and the first line of each of its cells
    in the module that they make.
    """

    encoding: str
    uri: Callable[[str], str]
    versions: Mapping[str, int | None]
    notebook: OpenNotebook | None = None
    starts: Sequence[tuple[int, int]] = ()

    def location(self, place: Place, lines: Mapping[tuple[str, int], str]) -> Location:
        """Where a place is, given the texts of the lines that it begins and ends in."""
        span = range_of(place, lines, self.encoding)
        if self.notebook is None or place.path != self.notebook.path or not self.notebook.cells:
            return Location(self.uri(place.path), span)
        number, row = NotebookPath(place.path, self.starts).cell_and_row(place.line)
        cell = self.notebook.cells[max(number, 1) - 1]
        before = place.line - row if number else 0
        return Location(cell.uri, Range(self._in(cell, span.start, before), self._in(cell, span.end, before)))

    def _in(self, cell: Cell, position: Position, before: int) -> Position:
        """A position of the module in a cell, at the cell's end where it lies behind that."""
        last, text = end_of(cell.text)
        line = position.line - before
        return (
            Position(line, position.character) if line <= last else Position(last, units(text, self.encoding))
        )

    def document(self, uri: str, path: str) -> OptionalVersionedTextDocumentIdentifier:
        """A document and its version."""
        version = self.versions.get(path)
        if self.notebook is not None and path == self.notebook.path:
            version = next((cell.version for cell in self.notebook.cells if cell.uri == uri), None)
        return OptionalVersionedTextDocumentIdentifier(uri, version)

    def module_line(self, uri: str, row: int) -> int | None:
        """The line of the module that a line (from one) of a cell is; None where the cell has no Python."""
        cells = () if self.notebook is None else self.notebook.cells
        number = next((index for index, cell in enumerate(cells, 1) if cell.uri == uri), 0)
        return next((first + row - 1 for one, first in self.starts if one == number), None)

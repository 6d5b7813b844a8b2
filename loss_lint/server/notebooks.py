"""Notebooks that are open in the editor, which knows a notebook by its cells: each of them is a document of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from lsprotocol.types import NotebookCellKind

from loss_lint.server.documents import line_in
from loss_lint.syntax.sources import is_notebook

if TYPE_CHECKING:
    from collections.abc import Callable

    from lsprotocol.types import NotebookDocument
    from pygls.workspace import TextDocument

# What code cells of Python call their language; the others are passed over.
_PYTHON = frozenset({"python", "", None})


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell at one version, of any kind."""

    uri: str
    version: int | None
    text: str
    is_python: bool

    def line(self, number: int) -> str:
        """The text of a 1-based line."""
        return line_in(self.text, number)


@dataclass(frozen=True, slots=True)
class OpenNotebook:
    """A notebook at one version."""

    path: str
    version: int | None
    cells: tuple[Cell, ...]

    @property
    def text(self) -> str:
        """The notebook as its file would have it, as far as it matters to what is found."""
        cells: list[dict[str, object]] = [
            {"cell_type": "code" if cell.is_python else "raw", "metadata": {}, "source": cell.text}
            for cell in self.cells
        ]
        return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


class Notebooks:
    """The open notebooks by their paths."""

    def __init__(self) -> None:
        self._open: dict[str, OpenNotebook] = {}
        self._cells: dict[str, tuple[str, str]] = {}

    def put(
        self, path: str, document: NotebookDocument, cell_text: Callable[[str], TextDocument | None]
    ) -> OpenNotebook | None:
        """A notebook that was opened, or has changed; None for one of another kind than Jupyter's."""
        if not is_notebook(path):
            return None
        self.drop(path)
        cells: list[Cell] = []
        for one in document.cells:
            held = cell_text(one.document)
            text, language = ("", "") if held is None else (held.source, held.language_id)
            is_python = one.kind == NotebookCellKind.Code and language in _PYTHON
            cells.append(Cell(one.document, None if held is None else held.version, text, is_python))
            self._cells[unquote(one.document)] = (path, one.document)
        self._open[path] = OpenNotebook(path, document.version, tuple(cells))
        return self._open[path]

    def drop(self, path: str) -> tuple[str, ...]:
        """Forget a notebook; gives the addresses of its cells."""
        known = self._open.pop(path, None)
        uris = () if known is None else tuple(cell.uri for cell in known.cells)
        for uri in uris:
            self._cells.pop(unquote(uri), None)
        return uris

    def at(self, path: str) -> OpenNotebook | None:
        return self._open.get(path)

    def of_cell(self, uri: str) -> tuple[str, str] | None:
        """The path of the notebook that a cell is in, and the cell's address as its editor spelled it."""
        return self._cells.get(unquote(uri))

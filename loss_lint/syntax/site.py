"""Where something is written."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple, Self


class Site(NamedTuple):
    """A range of source text, in `ast`'s terms: 1-based lines, 0-based columns in UTF-8 bytes."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


class NotebookPath(str):
    """The path of a notebook, which knows in which cell a line of its module stands.

    `starts` are the number and the first line of each cell that is in the module.
    """

    __slots__ = ("starts",)
    starts: Sequence[tuple[int, int]]

    def __new__(cls, path: str, starts: Sequence[tuple[int, int]]) -> Self:
        self = super().__new__(cls, path)
        self.starts = starts
        return self

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """In another process, where all that is said of the notebook has been said, it is a path."""
        return str, (str(self),)

    def cell_and_row(self, line: int) -> tuple[int, int]:
        """The cell, counted from one over cells of all kinds, and the line in it; cell 0 where there is none."""
        index = bisect_right(self.starts, line, key=itemgetter(1))
        if not self.starts:
            return 0, line
        number, first = self.starts[max(0, index - 1)]
        return number, line - first + 1


def line_of(site: Site, seen_from: Site | None = None) -> str:
    """A site's line in words: `line 18`, or `line 3 of cell 5` in a notebook, seen from another cell of it."""
    if not isinstance(site.path, NotebookPath):
        return f"line {site.line}"
    cell, row = site.path.cell_and_row(site.line)
    seen = None if seen_from is None else site.path.cell_and_row(seen_from.line)[0]
    return f"line {row}" if cell == seen else f"line {row} of cell {cell}"


def short(site: Site) -> str:
    """A site in few words: `net.py:18`, or `net.ipynb:cell 5:3`."""
    name = os.path.basename(site.path)
    if not isinstance(site.path, NotebookPath):
        return f"{name}:{site.line}"
    cell, row = site.path.cell_and_row(site.line)
    return f"{name}:cell {cell}:{row}"

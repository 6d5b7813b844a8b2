"""Source lines as they appear in a report."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loss_lint.syntax.module import decode
from loss_lint.syntax.sources import snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loss_lint.findings import Place
    from loss_lint.syntax.sources import Sources

_LINE_END = re.compile(r"\r\n|\n|\r")
_TAB = "    "
# Generated code has lines of many thousand characters; of those, what surrounds the finding is shown.
_LONGEST = 200
_BEFORE = 60


class SourceLines:
    """The lines of a project's files, read when first asked for; none for a file that is gone."""

    def __init__(self, sources: Sources) -> None:
        self._sources = snapshot(sources)
        self._files: dict[str, Sequence[str]] = {}

    def of(self, path: str, cell: int = 0) -> Sequence[str]:
        """The lines of a file, or of a cell of a notebook."""
        if cell and (notebook := self._sources.notebook(path)) is not None:
            return notebook.lines(cell)
        lines = self._files.get(path)
        if lines is None:
            text = self._text(path)
            lines = self._files[path] = _LINE_END.split(text) if text else []
        return lines

    def at(self, place: Place) -> str:
        """The first line of a place; "" if the file, which may have changed, has no such line."""
        lines = self.of(place.path, place.cell)
        return lines[place.line - 1] if 1 <= place.line <= len(lines) else ""

    def in_file(self, place: Place) -> Place:
        """A place for readers that know no cells: in a notebook, where its source stands in the file."""
        return self._sources.place_in_file(place)

    def _text(self, path: str) -> str:
        try:
            data = self._sources.read(path)
        except (OSError, ValueError):
            return ""
        try:
            return decode(data)
        except (SyntaxError, UnicodeError, LookupError):
            return data.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line as displayed, with the terminal column of each of its characters (and of its end)."""

    text: str
    columns: tuple[int, ...]

    def column(self, column: int) -> int:
        """The 0-based terminal column of a 1-based source column."""
        return self.columns[min(max(column - 1, 0), len(self.columns) - 1)]


def shown_line(line: str, focus: int = 1) -> ShownLine:
    """A source line for a terminal: tabs as four spaces, what cannot be printed as a picture of it.

    Of a very long line only the part around the column `focus` is shown.
    """
    first, last = _window(line, focus)
    prefix, suffix = "..." if first else "", "..." if last < len(line) else ""
    shown = [prefix]
    columns = [len(prefix)] * first
    width = len(prefix)
    for char in line[first:last]:
        columns.append(width)
        text = _picture(char)
        shown.append(text)
        width += sum(map(_width, text))
    columns.extend([width] * (len(line) - last + 1))
    return ShownLine("".join([*shown, suffix]), tuple(columns))


def _window(line: str, focus: int) -> tuple[int, int]:
    if len(line) <= _LONGEST:
        return 0, len(line)
    first = max(0, min(focus - 1 - _BEFORE, len(line) - _LONGEST))
    return first, first + _LONGEST


def _picture(char: str) -> str:
    if char == "\t":
        return _TAB
    if char < " ":
        return chr(0x2400 + ord(char))
    return char if char.isprintable() or unicodedata.category(char) == "Zs" else "\N{REPLACEMENT CHARACTER}"


def _width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1

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

LINE_END = re.compile(r"\r\n|\n|\r")
_TAB = "    "
_CUT = "..."
# Generated code has lines of many thousand characters: as many columns are shown where no terminal says how wide it is.
LONGEST = 200
# Source text has as much room on the narrowest of terminals.
_NARROWEST = 30


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
            lines = self._files[path] = LINE_END.split(text) if text else []
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


@dataclass(frozen=True, slots=True)
class View:
    """What is shown of lines that are too long: `room` columns, from the character `first` (from 0) on."""

    first: int = 0
    room: int = LONGEST


def room_beside(gutter: int, width: int | None) -> int:
    """The columns for source text behind a gutter, on a terminal of this width, or on none."""
    return LONGEST if width is None else max(width - gutter, _NARROWEST)


def view_of(line: str, column: int, end_column: int, room: int) -> View:
    """A view in which what stands between two 1-based columns of the line is seen, and something before it."""
    start, end = column - 1, max(end_column - 1, column)
    if len(line) <= room and _columns(line) <= room:
        return View(0, room)
    if end <= room and _columns(line[:end]) <= room - len(_CUT):
        return View(0, room)
    taken = _columns(line[start : min(end, start + room)])
    before = min(room // 3, room - 2 * len(_CUT) - taken)
    first = start
    while first > 0 and (before := before - _columns(line[first - 1])) >= 0:
        first -= 1
    return View(first, room)


def shown_line(line: str, view: View | None = None) -> ShownLine:
    """A source line for a terminal: tabs as four spaces, what cannot be printed as a picture of it.

    Of a line that is too long only the part in `view` is shown.
    """
    view = view or View()
    shown = [_CUT if line.strip() else ""] if view.first else [""]
    columns = [len(shown[0])] * min(view.first + 1, len(line) + 1)
    for char in line[view.first :]:
        text = _picture(char)
        if columns[-1] + sum(map(_width, text)) > view.room:
            while len(shown) > 1 and columns[-1] > view.room - len(_CUT):
                shown.pop()
                columns.pop()
            columns.extend([columns[-1]] * (len(line) + 1 - len(columns)))
            shown.append(_CUT)
            break
        shown.append(text)
        columns.append(columns[-1] + sum(map(_width, text)))
    return ShownLine("".join(shown), tuple(columns))


def _columns(text: str) -> int:
    return sum(_width(shown) for char in text for shown in _picture(char))


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

"""Edits and places of a notebook's module in the notebook's JSON: every byte outside the edited lines stays."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from loss_lint.syntax.cells import BOM, CodeCell, Piece, decoded
from loss_lint.syntax.notebook import notebook

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loss_lint.findings import Edit, Place
    from loss_lint.syntax.notebook import Notebook

# What stands for one character in a JSON string.
_UNIT = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL
)
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(slots=True)
class _String:
    """A JSON string of a source as it is written, without its quotes, what it says, and what separates it."""

    written: str
    text: str
    before: str = ""

    def cut(self, at: int) -> tuple[_String, _String]:
        """What stands before and behind a number of characters."""
        units = _UNIT.findall(self.written)
        return (
            _String("".join(units[:at]), self.text[:at]),
            _String("".join(units[at:]), self.text[at:]),
        )


def edited_notebook(data: bytes, edits: Iterable[Edit]) -> bytes:
    """A notebook's file after edits of its module, whose places are those of the module or of cells.

    Raises ValueError where an edit does not fit: it lies in no cell, in several, or in the way of another one.
    """
    text = decoded(data)
    read = notebook(data)
    by_cell: dict[int, list[tuple[int, int, str]]] = {}
    for edit in edits:
        number, start, end = _range(read, edit.place)
        by_cell.setdefault(number, []).append((start, end, edit.content))
    is_ascii = text.removeprefix(BOM).isascii() and "\\u" in text
    pieces: list[str] = []
    at = 0
    for number, changes in sorted(by_cell.items()):
        cell = read.cell(number)
        pieces += [text[at : cell.start], _edited(text, cell, changes, is_ascii=is_ascii)]
        at = cell.end
    return "".join([*pieces, text[at:]]).encode("utf-8")


def place_in_file(data: bytes, place: Place) -> Place:
    """Where the source at a place of a cell (or of the module) stands in the notebook's JSON, as lines of the file.

    Raises ValueError where it lies in no cell or in several.
    """
    text, read = _read(data)
    number, start, end = _range(read, place)
    cell = read.cell(number)
    begins = [0, *accumulate(len(piece.text) for piece in cell.pieces)]
    first = max(index for index in range(len(cell.pieces)) if begins[index] <= start)
    last = max(first, next(index for index in range(len(cell.pieces)) if end <= begins[index + 1]))
    line, column = _position(text, cell.pieces[first], start - begins[first])
    end_line, end_column = _position(text, cell.pieces[last], end - begins[last])
    return replace(place, line=line, column=column, end_line=end_line, end_column=end_column, cell=0)


@lru_cache(maxsize=1)
def _read(data: bytes) -> tuple[str, Notebook]:
    """A notebook's text and its cells; several places of one file are asked for one after the other."""
    return decoded(data), notebook(data)


def _position(text: str, piece: Piece, at: int) -> tuple[int, int]:
    """The 1-based line and column in the file of a character of a string."""
    written = text[piece.start + 1 : piece.end - 1]
    offset = piece.start + 1 + len("".join(_UNIT.findall(written)[:at]))
    line_start = text.rfind("\n", 0, offset) + 1
    column = offset - max(line_start, 1 if text.startswith(BOM) else 0) + 1
    return text.count("\n", 0, offset) + 1, column


def _range(read: Notebook, place: Place) -> tuple[int, int, int]:
    """The cell in which a place lies, and where it starts and ends in that cell's source."""
    number, row = (place.cell, place.line) if place.cell else read.cell_and_row(place.line)
    if not number:
        raise ValueError("there are no cells")
    source = read.cell(number).source
    starts = [0, *(found.end() for found in _LINE_END.finditer(source))]
    end_row = row + place.end_line - place.line
    start = starts[row - 1] + place.column - 1 if row <= len(starts) else len(source)
    if end_row <= len(starts):
        end = starts[end_row - 1] + place.end_column - 1
    elif end_row == len(starts) + 1 and place.end_column == 1:
        end = len(source)  # the line behind the last one begins where the cell ends
    else:
        raise ValueError("an edit does not lie in one cell")
    if not 0 <= start <= end <= len(source):
        raise ValueError("an edit does not lie in its cell")
    return number, start, end


def _edited(text: str, cell: CodeCell, changes: list[tuple[int, int, str]], *, is_ascii: bool) -> str:
    """The JSON of a cell's source after changes of ranges of it."""
    changes = sorted(changes)
    for (_, end, _), (start, _, _) in pairwise(changes):
        if start < end:
            raise ValueError("edits overlap")
    spans = [(piece.start, piece.end) for piece in cell.pieces]
    strings = [
        _String(text[start + 1 : end - 1], piece.text)
        for (start, end), piece in zip(spans, cell.pieces, strict=True)
    ]
    # What stands before each string: a new one gets what separates the others.
    for index, ((_, end), (start, _)) in enumerate(pairwise(spans), 1):
        strings[index].before = text[end:start]
    for start, end, content in reversed(changes):
        _change(strings, start, end, content, is_list=cell.is_list, is_ascii=is_ascii)
    if not cell.is_list:
        return f'"{strings[0].written}"'
    if not strings:
        return "[]"
    opening = text[cell.start : spans[0][0]] if spans else "["
    separator = text[spans[0][1] : spans[1][0]] if len(spans) > 1 else f",{opening[1:] or ' '}"
    closing = text[spans[-1][1] : cell.end] if spans else "]"
    rest = "".join(f'{one.before or separator}"{one.written}"' for one in strings[1:])
    return f'{opening}"{strings[0].written}"{rest}{closing}'


def _change(
    strings: list[_String], start: int, end: int, content: str, *, is_list: bool, is_ascii: bool
) -> None:
    """Replace a range of the source that `strings` make up."""
    source = "".join(one.text for one in strings)
    if not content and start < end == len(source) and source[:start].endswith("\n") and source[-1] != "\n":
        # The last line goes: the one before it becomes the last, which has no end.
        start -= 2 if source[:start].endswith("\r\n") else 1
    if not strings:
        strings.append(_String("", ""))
    begins = [0, *accumulate(len(one.text) for one in strings)]
    first = max(index for index in range(len(strings)) if begins[index] <= start)
    last = max(first, next(index for index in range(len(strings)) if end <= begins[index + 1]))
    head = strings[first].cut(start - begins[first])[0]
    tail = strings[last].cut(end - begins[last])[1]
    is_open = not (head.text + content).endswith("\n") and not tail.text and (head.text or content)
    if is_list and is_open and last + 1 < len(strings):  # the next line goes on where this one ended
        last += 1
        tail = strings[last]
    lines = content.split("\n") if is_list else [content]
    written = [
        _String(json.dumps(line, ensure_ascii=is_ascii)[1:-1], line)
        for line in (*(f"{line}\n" for line in lines[:-1]), lines[-1])
    ]
    written[-1] = _joined(written[-1], tail)
    if is_list and head.text.endswith("\n"):
        written.insert(0, head)
    else:
        written[0] = _joined(head, written[0])
    written[0].before = strings[first].before
    strings[first : last + 1] = [one for one in written if one.text or not is_list]


def _joined(one: _String, other: _String) -> _String:
    return _String(one.written + other.written, one.text + other.text)

"""The code cells in a notebook's JSON, with the places of their sources in it: nothing else of it is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
BOM = "\ufeff"

# Reads the value that begins at a place; gives it and where it ends.
_Reader = Callable[[str, int], tuple[Any, int]]


class NotANotebook(ValueError):
    """The bytes are no notebook: why, and the 1-based place in the file where that shows."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Piece:
    """A JSON string that holds a source or a part of it, and where it begins and ends, its quotes included."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class CodeCell:
    """A code cell: its number, counted from one over cells of all kinds, and where its source stands in the JSON.

    `pieces` are the strings that make up the source, one in each line as notebooks are written, within a list that
    begins at `start` and ends at `end`; `is_list` is false where a single string is the source.
    """

    number: int
    pieces: tuple[Piece, ...]
    start: int
    end: int
    is_list: bool

    @cached_property
    def source(self) -> str:
        return "".join(piece.text for piece in self.pieces)


def decoded(data: bytes) -> str:
    """The text of a notebook's file with its byte order mark; raises NotANotebook."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NotANotebook(f"cannot be decoded: {error.reason}", line) from None


def code_cells(data: bytes) -> list[CodeCell]:
    """The code cells of a notebook; raises NotANotebook. None of one in another language than Python."""
    text = decoded(data)
    try:
        found, end = _notebook(text, _space(text, 1 if text.startswith(BOM) else 0))
        if (rest := _space(text, end)) != len(text):
            raise json.JSONDecodeError("Extra data", text, rest)
    except json.JSONDecodeError as error:
        message = f"this file is not a Jupyter notebook, as it is not valid JSON: {error.msg}"
        raise NotANotebook(message, error.lineno, error.colno) from None
    except RecursionError:
        raise NotANotebook("this file is too deeply nested to be a Jupyter notebook") from None
    sheets = found.get("worksheets")  # until version 3 of the format
    holders = sheets if isinstance(sheets, list) and sheets else [found]
    given = [holder.get("cells") for holder in holders]
    cells = [some for some in given if isinstance(some, _Cells)]
    if len(cells) < len(given):
        raise NotANotebook("this file is not a Jupyter notebook: it has no list of cells")
    if not _is_python(_language(found.get("metadata"))):
        return []
    every = [cell for some in cells for cell in some]
    return [
        CodeCell(number, source.pieces, source.start, source.end, source.is_list)
        for number, cell in enumerate(every, 1)
        if (source := _source_of(cell)) is not None
    ]


@dataclass(frozen=True, slots=True)
class _Source:
    pieces: tuple[Piece, ...]
    start: int
    end: int
    is_list: bool


class _Cells(list[Any]):
    """The cells of a notebook or a worksheet."""


def _source_of(cell: Any) -> _Source | None:
    """The source of a cell if it is Python's."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return None
    if not _is_python(cell.get("language")) or not _is_python(_in(cell, "metadata", "vscode", "languageId")):
        return None
    source = cell.get("source", cell.get("input"))
    return source if isinstance(source, _Source) else None


def _language(metadata: Any) -> Any:
    return _in(metadata, "language_info", "name") or _in(metadata, "kernelspec", "language")


def _in(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _is_python(language: Any) -> bool:
    """Whether a language is Python, or none is named."""
    return not isinstance(language, str) or language.lower().startswith(("python", "ipython", "pyspark"))


# Reading with places. Values that nobody asks for are read by the library.


def _space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


def _plain(text: str, at: int) -> tuple[Any, int]:
    return _DECODER.raw_decode(text, at)


def _object(readers: Mapping[str, _Reader]) -> _Reader:
    """Reads an object's values by these readers, each by its key; anything else is read as it is."""

    def read(text: str, at: int) -> tuple[Any, int]:
        if text[at : at + 1] != "{":
            return _plain(text, at)
        found: dict[str, Any] = {}
        at = _space(text, at + 1)
        if text[at : at + 1] == "}":
            return found, at + 1
        while True:
            if text[at : at + 1] != '"':
                raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
            key, at = _plain(text, at)
            at = _space(text, at)
            if text[at : at + 1] != ":":
                raise json.JSONDecodeError("Expecting ':' delimiter", text, at)
            found[key], at = readers.get(key, _plain)(text, _space(text, at + 1))
            at = _space(text, at)
            sign = text[at : at + 1]
            if sign == "}":
                return found, at + 1
            if sign != ",":
                raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
            at = _space(text, at + 1)

    return read


def _array(text: str, at: int, item: _Reader) -> tuple[list[Any], int]:
    """The items of the array that begins at a place."""
    found: list[Any] = []
    at = _space(text, at + 1)
    if text[at : at + 1] == "]":
        return found, at + 1
    while True:
        value, at = item(text, at)
        found.append(value)
        at = _space(text, at)
        sign = text[at : at + 1]
        if sign == "]":
            return found, at + 1
        if sign != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
        at = _space(text, at + 1)


def _piece(text: str, at: int) -> tuple[Any, int]:
    value, end = _plain(text, at)
    return (Piece(value, at, end) if isinstance(value, str) else value), end


def _source(text: str, at: int) -> tuple[Any, int]:
    if text[at : at + 1] != "[":
        value, end = _piece(text, at)
        return (_Source((value,), at, end, is_list=False) if isinstance(value, Piece) else value), end
    items, end = _array(text, at, _piece)
    if all(isinstance(item, Piece) for item in items):
        return _Source(tuple(items), at, end, is_list=True), end
    return items, end


_cell = _object({"source": _source, "input": _source})


def _cells(text: str, at: int) -> tuple[Any, int]:
    if text[at : at + 1] != "[":
        return _plain(text, at)
    items, end = _array(text, at, _cell)
    return _Cells(items), end


_worksheet = _object({"cells": _cells})


def _worksheets(text: str, at: int) -> tuple[Any, int]:
    if text[at : at + 1] != "[":
        return _plain(text, at)
    items, end = _array(text, at, _worksheet)
    return [item if isinstance(item, dict) else {} for item in items], end


_top = _object({"cells": _cells, "worksheets": _worksheets})


def _notebook(text: str, at: int) -> tuple[dict[str, Any], int]:
    found, end = _top(text, at)
    return (found if isinstance(found, dict) else {}), end

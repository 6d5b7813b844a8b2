"""Places in source text as the protocol writes them: lines from zero, columns in units that were agreed on.

A place counts characters; the protocol counts UTF-16 units by default, bytes of UTF-8 or characters if the client
likes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol.types import Position, PositionEncodingKind, Range

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loss_lint.findings import Place


def units(text: str, encoding: str) -> int:
    """How many units of the encoding a text has."""
    if encoding == PositionEncodingKind.Utf32:
        return len(text)
    if encoding == PositionEncodingKind.Utf8:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text) + sum(char > "\uffff" for char in text)


def characters(text: str, count: int, encoding: str) -> int:
    """How many characters of a text lie within its first `count` units."""
    if encoding == PositionEncodingKind.Utf32:
        return min(count, len(text))
    passed = 0
    for index, char in enumerate(text):
        if passed >= count:
            return index
        passed += units(char, encoding)
    return len(text)


def range_of(place: Place, lines: Mapping[tuple[str, int], str], encoding: str) -> Range:
    """The range of a place, given the texts of the lines that it begins and ends in."""
    return Range(
        _position(place.path, place.line, place.column, lines, encoding),
        _position(place.path, place.end_line, place.end_column, lines, encoding),
    )


def _position(
    path: str, line: int, column: int, lines: Mapping[tuple[str, int], str], encoding: str
) -> Position:
    text = lines.get((path, line), "")
    return Position(max(line - 1, 0), units(text[: column - 1], encoding))

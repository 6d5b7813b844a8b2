"""Columns of places in the units of the protocol."""

from __future__ import annotations

import pytest

pytest.importorskip("lsprotocol")

from loss_lint.findings import Place
from loss_lint.server.positions import characters, range_of, units

ENCODINGS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
LINES = ["", "plain", "äß😋😋x", "\t\u2028\x0c'é'", "e\u0301", "\udcff?"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("line", LINES)
def test_units_are_what_the_encoding_makes_of_the_text_and_lead_back(encoding: str, line: str) -> None:
    name, size = ENCODINGS[encoding]
    for end in range(len(line) + 1):
        count = units(line[:end], encoding)
        assert count == len(line[:end].encode(name, "surrogatepass")) // size
        assert characters(line, count, encoding) == end
    assert characters(line, 1_000, encoding) == len(line)


def test_a_range_ends_with_its_line_and_a_line_that_is_unknown_begins_at_zero() -> None:
    place = Place("a.py", 2, 3, 9, 40)
    span = range_of(place, {("a.py", 2): "😋😋😋", ("a.py", 9): "short"}, "utf-16")
    assert (span.start.line, span.start.character) == (1, 4)
    assert (span.end.line, span.end.character) == (8, 5)
    assert range_of(place, {}, "utf-16").start.character == 0

"""Edits of notebooks: the source is what the edits make of it, and the file what Jupyter would write."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loss_lint.findings import Edit, Place
from loss_lint.syntax.notebook_edits import edited_notebook

INDENTED: list[dict[str, Any]] = [
    {"indent": 1, "ensure_ascii": False},
    {"indent": 1},
    {"indent": 4, "sort_keys": True},
]
COMPACT: list[dict[str, Any]] = [{}, {"separators": (",", ":"), "ensure_ascii": False}]


def written(sources: list[Any], style: dict[str, Any]) -> bytes:
    cells: list[dict[str, Any]] = []
    for number, source in enumerate(sources):
        cells.append({"cell_type": "markdown", "metadata": {}, "source": 'Zelle "é"'})
        cells.append(
            {"id": f"c{number}", "cell_type": "code", "metadata": {}, "outputs": [], "source": source}
        )
    content = {"metadata": {}, "cells": cells, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(content, **style) + "\n").encode()


def in_lines(source: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", source)


def place(text: str, start: int, end: int, cell: int) -> Place:
    span = [
        number
        for offset in (start, end)
        for number in (text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
    ]
    return Place("n.ipynb", *span, cell)


SOURCE = st.text(alphabet='aé\n"\\😀\t b', max_size=12).map(lambda text: f"x{text}")
CONTENT = st.sampled_from(["", "z", "z\ny", "é\n", "\n", '"'])


def edited(source: str, start: int, end: int, content: str) -> str:
    """The text after an edit; one that takes the last line away takes the end of the line before it as well."""
    if not content and start < end == len(source) and source[:start].endswith("\n") and source[-1] != "\n":
        start -= 1
    return source[:start] + content + source[end:]


@given(SOURCE, SOURCE, st.data(), CONTENT, st.sampled_from(INDENTED))
def test_lines_are_written_as_jupyter_writes_them(
    one: str, other: str, data: st.DataObject, content: str, style: dict[str, Any]
) -> None:
    start = data.draw(st.integers(0, len(other)))
    end = data.draw(st.integers(start, len(other)))
    before = written([in_lines(one), in_lines(other)], style)
    after = edited_notebook(before, [Edit(place(other, start, end, 4), content)])
    assert after == written([in_lines(one), in_lines(edited(other, start, end, content))], style)


@given(SOURCE, SOURCE, st.data(), CONTENT, st.sampled_from(INDENTED + COMPACT))
def test_a_source_in_one_string_stays_one(
    one: str, other: str, data: st.DataObject, content: str, style: dict[str, Any]
) -> None:
    start = data.draw(st.integers(0, len(one)))
    end = data.draw(st.integers(start, len(one)))
    before = written([one, other], style)
    after = edited_notebook(before, [Edit(place(one, start, end, 2), content)])
    assert after == written([edited(one, start, end, content), other], style)


def test_several_edits_in_places_of_the_module() -> None:
    """Lines are those of the module; the last edit takes a cell's last line away, as it would in a file."""
    before = written([["%time a\n", "b = 1"], ["!ls\n", "c(d, e)\n", "f()"]], {"indent": 1})
    edits = [
        Edit(Place("n.ipynb", 4, 3, 4, 4), "d.float()"),
        Edit(Place("n.ipynb", 2, 5, 2, 6), "2"),
        Edit(Place("n.ipynb", 4, 6, 4, 7), "e.long()"),
        Edit(Place("n.ipynb", 5, 1, 6, 1), ""),
    ]
    expected = [["%time a\n", "b = 2"], ["!ls\n", "c(d.float(), e.long())"]]
    assert edited_notebook(before, edits) == written(expected, {"indent": 1})


def test_every_other_byte_stays() -> None:
    before = (
        b'\xef\xbb\xbf{"nbformat_minor" : 5,\r\n "cells":[ {"source" :["x = \\u0066(\\/a\\/, b) # \\u00e9\\n" ,'
        b'"y" ], "cell_type":"code","outputs":[{"data":{"image\\/png":"AA\\/+\\u003d="}}] } ],"a":1.50e+2,"a":NaN }'
    )
    after = edited_notebook(before, [Edit(Place("n.ipynb", 1, 12, 1, 13, 1), "ö")])
    assert after == before.replace(b", b)", b", \\u00f6)")


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param([Edit(Place("n.ipynb", 1, 1, 3, 2), "")], id="over two cells"),
        pytest.param([Edit(Place("n.ipynb", 1, 1, 1, 9), "")], id="behind the end"),
        pytest.param(
            [Edit(Place("n.ipynb", 1, 1, 1, 3), ""), Edit(Place("n.ipynb", 1, 2, 1, 4), "")], id="overlapping"
        ),
    ],
)
def test_edits_that_do_not_fit(edits: list[Edit]) -> None:
    with pytest.raises(ValueError, match="edit"):
        edited_notebook(written([["abc\n", "d"], ["ef"]], {}), edits)

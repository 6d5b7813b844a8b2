"""`# noqa` means what it means to flake8."""

from __future__ import annotations

import argparse
import io

import pytest
from flake8.processor import FileProcessor
from flake8.violation import Violation
from hypothesis import example, given
from hypothesis import strategies as st

from loss_lint.findings import Finding, Place
from loss_lint.syntax.noqa import NoqaComments, Suppressions
from loss_lint.syntax.sources import Memory

LINES = [
    "x = 1\n",
    "x = 1  # noqa\n",
    "x = 1  # NoQA : LOS201\n",
    "x = 1  # noqa: LOS201\n",
    "x = 1  # noqa:LOS2,E501 and so on\n",
    "x = 1  # noqa: los201\n",
    "x = 1  # noqa: LOS\n",
    "x = 1  # noqa : E501\n",
    "x = 1  # noqa: E501 LOS201\n",
    "x = 1  # noqa: E501,\n",
    "x = '''a  # noqa: LOS201\n",
    "b''' # noqa: LOS1\n",
    "x = f'''{1}\n",
    "y = '''\n",
    "'''\n",
    "x = (1,\n",
    "2)  # noqa: LOS201\n",
    "x = 1 + \\\n",
    "2  # noqa\n",
    "\n",
    "# noqa\n",
    "if x:\n",
    "    y = 2  # noqa: LOS201\n",
    "  z = 3\n",
    "# flake8: noqa\n",
    "# flake8: noqa: E501\n",
    "x = 1  # flake8: noqa\n",
    "\x0cx = 1\n",
    "x = 1  # noqa",
]


def silenced_by_flake8(lines: list[str], code: str, row: int) -> bool:
    options = argparse.Namespace(
        hang_closing=False,
        indent_size=4,
        max_line_length=79,
        max_doc_length=None,
        verbose=0,
        disable_noqa=False,
    )
    processor = FileProcessor("nowhere.py", options, list(lines))
    if processor.should_ignore_file():
        return True
    joined = processor.noqa_line_for(row)
    # Where flake8 has no joined line it reads the physical one from the file.
    line = lines[row - 1] if joined is None else joined
    return Violation(code, "nowhere.py", row, 1, "", line).is_inline_ignored(disable_noqa=False)


@given(
    st.lists(st.sampled_from(LINES), min_size=1, max_size=8), st.sampled_from(["LOS201", "LOS101", "LOS000"])
)
@example(["x = '''a\n", "'''  # noqa: LOS201\n"], "LOS201")
@example(["x = 1 + \\\n", "2  # noqa\n"], "LOS101")
def test_agrees_with_flake8(chosen: list[str], code: str) -> None:
    lines = io.StringIO("".join(chosen)).readlines()
    comments = NoqaComments(lines)
    for row in range(1, len(lines) + 1):
        assert comments.silences(code, row) == silenced_by_flake8(lines, code, row)


@pytest.mark.parametrize(
    ("text", "row", "expected"),
    [
        ("x = 1\ny = 2\n", 1, 1),
        ("x = '''\n\n'''\ny = 2\n", 1, 3),
        ("x = (1,\n2)\n", 1, 1),
        ("x = (\n", 7, 7),
    ],
)
def test_row_is_where_a_comment_would_work(text: str, row: int, expected: int) -> None:
    assert NoqaComments(io.StringIO(text).readlines()).row(row) == expected


def finding(path: str, row: int, *also: Place) -> Finding:
    return Finding("LOS201", "name", "message", Place(path, row, 1, row, 2), also=also)


def test_a_comment_at_the_call_that_brought_the_parts_together_counts() -> None:
    sources = Memory({"a.py": "x\n", "b.py": "train(net, loss)  # noqa: LOS201\n"})
    assert Suppressions(sources).silences(finding("a.py", 1, Place("b.py", 1, 1, 1, 5)))
    assert not Suppressions(sources).silences(finding("a.py", 1))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"# coding: latin-1\nx = '\xe9'  # noqa\n", id="latin-1"),
        pytest.param(b"\xef\xbb\xbf\nx = 1  # noqa\n", id="BOM"),
        pytest.param(b"\rx = 1  # noqa\r", id="old Mac line ends"),
        pytest.param(b"\r\nx = 1  # noqa\r\n", id="Windows line ends"),
        pytest.param(b"\n\xff = 1  # noqa\n", id="not decodable"),
        pytest.param(b"# coding: nonsense\nx = 1  # noqa\n", id="unknown encoding"),
    ],
)
def test_files_of_every_encoding_can_hold_comments(data: bytes) -> None:
    assert Suppressions(Memory({"a.py": data})).silences(finding("a.py", 2))


def test_a_file_that_is_gone_silences_nothing() -> None:
    assert not Suppressions(Memory({})).silences(finding("a.py", 1))

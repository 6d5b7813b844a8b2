"""`# noqa` comments that are written for the user."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loss_lint.repair.directives import silenced
from loss_lint.repair.text import Unfit

A, B = "LOS201", "LOS101"


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        pytest.param("x\n", [(A, 1)], "x  # noqa: LOS201\n", id="one code"),
        pytest.param("x\n", [(A, 1), (B, 1), (A, 1)], "x  # noqa: LOS101, LOS201\n", id="codes are sorted"),
        pytest.param("x", [(A, 1)], "x  # noqa: LOS201", id="a last line without an end"),
        pytest.param("x\r\ny\r\n", [(A, 2)], "x\r\ny  # noqa: LOS201\r\n", id="other ends of lines"),
        pytest.param("x  \t\n", [(A, 1)], "x  # noqa: LOS201\n", id="blanks at the end go"),
        pytest.param("x  # why\n", [(A, 1)], "x  # why  # noqa: LOS201\n", id="behind a comment"),
        pytest.param("x  # noqa: E501\n", [(A, 1)], "x  # noqa: E501, LOS201\n", id="other tools' codes"),
        pytest.param("x  # noqa:F1,E5\n", [(A, 1)], "x  # noqa: E5, F1, LOS201\n", id="codes without blanks"),
        pytest.param(
            "x  # noqa: E5 since # pylint: disable=all\n",
            [(A, 1)],
            "x  # noqa: E5, LOS201 since # pylint: disable=all\n",
            id="what else the comment says stays",
        ),
        pytest.param(
            "x  # type: ignore # noqa: E5\n",
            [(A, 1)],
            "x  # type: ignore # noqa: E5, LOS201\n",
            id="the second of two",
        ),
        pytest.param("f(x,\n  y)\n", [(A, 1)], "f(x,  # noqa: LOS201\n  y)\n", id="a line of a call"),
        pytest.param("x = \\\n  y\n", [(A, 1)], "x = \\\n  y  # noqa: LOS201\n", id="joined by a backslash"),
        pytest.param(
            'x = """\n"""\n', [(A, 1)], 'x = """\n"""  # noqa: LOS201\n', id="a string of several lines"
        ),
        pytest.param(
            'f(x, """\n""",\n  y)\n',
            [(A, 1)],
            'f(x, """\n""",  # noqa: LOS201\n  y)\n',
            id="a string in a call",
        ),
        pytest.param("x = '#'\n", [(A, 1)], "x = '#'  # noqa: LOS201\n", id="no comment but a string"),
    ],
)
def test_where_comments_go(before: str, wanted: list[tuple[str, int]], after: str) -> None:
    written, count = silenced("a.py", before.encode(), wanted)
    assert (written.decode(), count) == (after, 1)
    assert silenced("a.py", written, wanted) == (written, 0)


@pytest.mark.parametrize(
    ("before", "reason", "after"),
    [
        ("x\n", "legacy code", "x  # noqa: LOS201 legacy code\n"),
        ("x  # noqa:F1\n", "legacy code", "x  # noqa: F1, LOS201 legacy code\n"),
        ("x  # noqa:F1 why\n", "legacy code", "x  # noqa: F1, LOS201 legacy code why\n"),
        ("x  # noqa:F1 legacy code\n", "legacy code", "x  # noqa: F1, LOS201 legacy code\n"),
    ],
)
def test_a_reason_stands_behind_the_codes(before: str, reason: str, after: str) -> None:
    written, _ = silenced("a.py", before.encode(), [(A, 1)], reason)
    assert written.decode() == after
    assert silenced("a.py", written, [(A, 1)], reason) == (written, 0)


@pytest.mark.parametrize(
    "text",
    [
        "x  # noqa\n",
        "x  # NOQA:LOS201\n",
        "x  # noqa: LOS\n",
        "# flake8: noqa\nx\n",
        'x = """\n"""  # noqa\n',
    ],
)
def test_what_is_silent_already(text: str) -> None:
    assert silenced("a.py", text.encode(), [(A, 1)]) == (text.encode(), 0)


def test_the_count_is_of_lines() -> None:
    assert silenced("a.py", b"x\ny\nz\n", [(A, 1), (B, 1), (A, 3)])[1] == 2


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'x = """\n# noqa: E5\n"""\n', id="flake8 takes the string for the comment"),
        pytest.param(b"# coding: nonsense\nx\n", id="an unknown encoding"),
        pytest.param(b"x = '''\n", id="no Python"),
    ],
)
def test_where_no_comment_helps(data: bytes) -> None:
    with pytest.raises(Unfit):
        silenced("a.py", data, [(A, 1)])


def test_in_a_notebook() -> None:
    cells = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": ["import torch\n", "x"]},
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": ["y\n", "z"]},
    ]
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    written, count = silenced("a.ipynb", json.dumps(book, indent=1).encode(), [(A, 4)])
    assert count == 1
    cells[1]["source"] = ["y\n", "z  # noqa: LOS201"]
    assert written == json.dumps(book, indent=1).encode()


STATEMENTS = st.sampled_from(
    [
        "x",
        "x  # why ",
        "x  # noqa: E5,F1 why",
        "",
        "f(x,\n  y)",
        "f('\\\n', # noqa: F1\n  y)",
        "x = \\\n  y  # noqa:LOS2",
        '"""\n# noqa: E5\n"""',
        'f("""\n""", y,\n)',
        "\x0cx",
        "# noqa",
    ]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STATEMENTS, min_size=1, max_size=6), st.sets(st.integers(1, 12)))
def test_a_second_time_adds_nothing(statements: list[str], rows: set[int]) -> None:
    data = "\n".join([*statements, ""]).encode()
    wanted = [(A, row) for row in sorted(rows) if row <= data.count(b"\n")]
    try:
        written, _ = silenced("a.py", data, wanted)
    except Unfit:
        return
    assert silenced("a.py", written, wanted) == (written, 0)

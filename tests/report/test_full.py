"""The default format on a terminal: what fits beside what, and what is said once."""

from __future__ import annotations

import inspect
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reported import CASES, EVIDENCE, HERE, NET, TRAIN, WHOLE, at, every_case, finding, material

from loss_lint.findings import Edit, Finding, Fix, Step
from loss_lint.report import full
from loss_lint.report.evidence import evidence_line
from loss_lint.report.frame import frame
from loss_lint.report.palette import Palette

LONG = "x = f(" + "a, " * 60 + "bad(1), " + "b, " * 60 + ")\n"


def shown(one: Finding, files: dict[str, str] | None = None, width: int | None = None) -> str:
    return "".join(full.render(material([one], files, width=width)))


def block(text: str) -> str:
    return inspect.cleandoc(text) + "\n\n"


def columns(text: str) -> int:
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


@every_case
@pytest.mark.parametrize("width", [60, 80, 100])
def test_nothing_is_wider_than_the_terminal(width: int, findings: list[Finding]) -> None:
    for one in findings:
        for line in shown(one, width=width).splitlines():
            assert columns(line) <= width or " " not in line.strip()


LINES = st.text(st.sampled_from("ab_(). \t日本語é\u0301\x0c"), min_size=1, max_size=400)


@given(LINES, LINES, st.integers(0, 399), st.integers(0, 400), st.integers(40, 120))
def test_the_underline_begins_below_the_place(
    line: str, before: str, start: int, length: int, width: int
) -> None:
    line = "".join(char for char in line if not unicodedata.combining(char)) + "!"
    start = min(start, len(line) - 1)
    line = line[:start] + "B" + line[start + 1 :]
    end = min(start + 1 + length, len(line))
    place = at("a.py", 2, start + 1, 2, end + 1)
    rows = frame(place, [before, line], Palette(), width)
    assert all(columns(row) <= width for row in rows)
    source, marks = next((row, below) for row, below in pairwise(rows) if row.startswith("2 |"))
    assert marks.lstrip(" |").strip("^") == ""
    assert columns(source[: source.index("B")]) == marks.index("^")
    assert columns(marks) <= max(columns(source), marks.index("^") + 1)


def test_a_line_that_is_too_long_is_cut_around_the_place() -> None:
    place = at(NET, 1, LONG.index("bad") + 1, 1, LONG.index("bad") + 7)
    change = Edit(at(NET, 1, LONG.index("bad") + 1, 1, LONG.index("bad") + 4), "good")
    one = finding(place, fix=Fix("safe", "Do it", (change,)))
    output = shown(one, {NET: LONG}, 60)
    assert output[output.index("1 | ") :] == block(
        """
        1 | ...a, a, a, a, a, a, bad(1), b, b, b, b, b, b, b, b, ...
          |                      ^^^^^^
          |
        help: Do it
          |
          - ...a, a, a, a, a, a, bad(1), b, b, b, b, b, b, b, b, ...
        1 + ...a, a, a, a, a, a, good(1), b, b, b, b, b, b, b, b,...
          |
        """
    )


def test_without_a_terminal_lines_of_usual_length_are_whole() -> None:
    line = "x" * 190
    one = finding(at(NET, 1, 1, 1, 2), trace=(Step(at(TRAIN, 1, 1, 1, 2), "here"),), evidence=EVIDENCE)
    output = shown(one, {NET: line, TRAIN: line})
    assert output.count(line) == 2
    assert f"\nevidence: {evidence_line(EVIDENCE)}\n" in output


def test_on_a_terminal_no_word_of_the_evidence_is_broken() -> None:
    lines = shown(WHOLE, width=60).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("evidence: "))
    said = " ".join(line.strip() for line in lines[first : first + 3])
    assert said.startswith(f"evidence: {evidence_line(EVIDENCE)}")


def test_the_line_of_the_finding_stands_there_once() -> None:
    here, there = at(TRAIN, 1, 1, 1, 2), at(NET, 5, 12, 5, 31)
    output = shown(finding(here, trace=(Step(here, "one"), Step(there, "two"))))
    assert output.count("x = '日本'") == 1
    assert "  2. net.py:5:12: two\n     5 | return torch.softmax(x, 1)\n" in output


def test_conditions_are_said_once() -> None:
    assert "when:" not in shown(WHOLE)
    assert "\nwhen: `use_softmax` is true\n" in shown(finding(at(NET, 1, 1, 1, 2), guards=("use_softmax",)))


def test_a_fix_shows_every_file_and_its_lines_as_they_will_be() -> None:
    other = f"{HERE}/other.py"
    files = {NET: "".join(f"line{number}\n" for number in range(1, 15)), other: "a\nb\nc\n"}
    edits = (
        Edit(at(NET, 2, 1, 4, 1), ""),
        Edit(at(NET, 11, 1, 11, 7), "new\nlines"),
        Edit(at(other, 2, 1, 2, 2), "B"),
    )
    one = finding(at(NET, 1, 1, 1, 2), fix=Fix("unsafe", "Do it", edits))
    output = shown(one, files)
    assert output[output.index("help:") :] == block(
        """
        help: Do it
          --> net.py
           |
         1 | line1
           - line2
           - line3
         2 | line4
        ...
         8 | line10
           - line11
         9 + new
        10 + lines
        11 | line12
           |
          --> other.py
           |
         1 | a
           - b
         2 + B
         3 | c
           |
        note: this changes the numbers that the program computes
        """
    )


def test_what_cannot_be_shown_is_left_out() -> None:
    for one in CASES["internal error"]:
        assert shown(one, {}).splitlines()[1:] == ["  failed", " --> net.py:1:1", ""]

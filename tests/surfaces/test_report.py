"""What each format shows."""

from __future__ import annotations

import inspect
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loss_lint.findings import Comparison, Edit, Evidence, Finding, Fix, Place, Step
from loss_lint.report import concise, full
from loss_lint.report import json as json_report
from loss_lint.report.evidence import evidence_line
from loss_lint.report.frame import frame
from loss_lint.report.material import Material
from loss_lint.report.palette import Palette
from loss_lint.report.source import SourceLines, shown_line, view_of
from loss_lint.syntax.noqa import Suppressions
from loss_lint.syntax.sources import Memory

PLAIN = Palette()


def at(row: int, column: int, length: int, path: str = "net.py") -> Place:
    return Place(path, row, column, row, column + length)


def finding(place: Place, message: str = "Bad.", **more: object) -> Finding:
    return Finding("LOS201", "softmax-into-cross-entropy", message, place, **more)  # type: ignore[arg-type]


def shown(one: Finding, **files: str | bytes) -> str:
    return "".join(full.render(material([one], {f"{name}.py": text for name, text in files.items()})))


def material(findings: list[Finding], files: dict[str, str | bytes] | None = None) -> Material:
    sources = Memory(files or {})
    return Material(findings, SourceLines(sources), Suppressions(sources), os.getcwd())


def text(block: str) -> str:
    return inspect.cleandoc(block) + "\n\n"


EVIDENCE = Evidence(
    "value+gradient",
    Comparison(1.8912, 1.6123),
    Comparison(0.3391, 0.0633),
    0.9134,
    shapes=(("logits", (8, 5)), ("target", (8,))),
    torch="2",
)


def test_full_shows_everything() -> None:
    net = "import torch\n\n\ndef probabilities(x):\n    return torch.softmax(x, 1)\n"
    train = (
        "def step(x, y):\n    p = net.probabilities(x)\n    loss = F.cross_entropy(p, y)\n    return loss\n"
    )
    everything = finding(
        at(3, 12, 21, "train.py"),
        "cross_entropy gets probabilities: softmax at net.py:5 has been applied already; loss and gradient "
        "change. Pass the logits.",
        trace=(
            Step(at(5, 12, 19, "net.py"), "softmax over dim 1"),
            Step(at(2, 9, 20, "train.py"), "returned by `probabilities`"),
        ),
        guards=("use_softmax", "not legacy"),
        evidence=EVIDENCE,
        fix=Fix(
            "unsafe",
            "Pass the logits.",
            (Edit(at(5, 12, 19, "net.py"), "x"), Edit(at(2, 9, 3, "train.py"), "n")),
        ),
    )
    assert shown(everything, net=net, train=train) == text(
        """
        LOS201 softmax-into-cross-entropy
          cross_entropy gets probabilities: softmax at net.py:5 has been applied
          already; loss and gradient change. Pass the logits.
         --> train.py:3:12
          |
        1 | def step(x, y):
        2 |     p = net.probabilities(x)
        3 |     loss = F.cross_entropy(p, y)
          |            ^^^^^^^^^^^^^^^^^^^^^
        4 |     return loss
          |
        when: `use_softmax` and `not legacy` are true
        trace:
          1. net.py:5:12: softmax over dim 1
             5 | return torch.softmax(x, 1)
          2. train.py:2:9: returned by `probabilities`
             2 | p = net.probabilities(x)
        evidence: loss 1.89 -> 1.61, gradient 0.339 -> 0.0633 (cosine 0.91), measured with torch 2 on 8x5 logits
        help: Pass the logits.
         --> net.py
          |
        4 | def probabilities(x):
          -     return torch.softmax(x, 1)
        5 +     return x
          |
         --> train.py
          |
        1 | def step(x, y):
          -     p = net.probabilities(x)
        2 +     p = n.probabilities(x)
        3 |     loss = F.cross_entropy(p, y)
          |
        note: this changes the numbers that the program computes
        """
    )


def test_a_place_over_several_lines() -> None:
    source = "def f():\n    return g(\n        1,\n        2,\n    )\n"
    assert shown(finding(Place("net.py", 2, 12, 5, 6)), net=source) == text(
        """
        LOS201 softmax-into-cross-entropy
          Bad.
         --> net.py:2:12
          |
        1 |   def f():
        2 |       return g(
          |  ____________^
        3 | |         1,
        4 | |         2,
        5 | |     )
          | |_____^
          |
        """
    )


def test_a_statement_over_several_lines() -> None:
    assert shown(finding(Place("net.py", 1, 1, 2, 4)), net="assert (1,\n 2)\nx\n") == text(
        """
        LOS201 softmax-into-cross-entropy
          Bad.
         --> net.py:1:1
          |
        1 | / assert (1,
        2 | |  2)
          | |___^
        3 |   x
          |
        """
    )


def test_the_middle_of_a_long_place_is_left_out() -> None:
    lines = ["f(", *(f"    {number}," for number in range(50)), ")"]
    framed = frame(Place("net.py", 1, 1, 52, 2), lines, PLAIN)
    assert framed[7:9] == ["...", "50 | |     48,"]
    assert len(framed) < 15


def test_wide_characters_and_tabs_keep_the_underline_in_place() -> None:
    assert shown(finding(at(1, 12, 3)), net="\tx = '日本'; bad()\n").splitlines()[3:6] == [
        "  |",
        "1 |     x = '日本'; bad()",
        "  |                 ^^^",
    ]


def test_what_a_terminal_would_act_on_is_shown_as_a_picture() -> None:
    assert "\x1b" not in shown(finding(at(1, 1, 1), "a\x1b[31mb"), net="x = '\x1b[31m\x07'\n")
    assert shown_line("a\x1bb\u202ec").text == "a␛b\ufffdc"


def test_of_a_very_long_line_the_finding_is_shown() -> None:
    line = "x = [" + "1, " * 100_000 + "bad()" + ", 1" * 100_000 + "]"
    output = shown(finding(at(1, line.index("bad") + 1, 5)), net=line)
    assert len(output) < 1000
    source, marks = output.splitlines()[4:6]
    assert source[marks.index("^") :].startswith("bad()")


@pytest.mark.parametrize("content", [None, "", "x\n", "\n\n\nshort\n"])
def test_a_file_may_change_meanwhile(content: str | None) -> None:
    place = at(4, 30, 5)
    one = finding(place, trace=(Step(place, "here"),), fix=Fix("safe", "Do it.", (Edit(place, "x"),)))
    output = shown(one, **({} if content is None else {"net": content}))
    assert output.startswith("LOS201 [*] softmax-into-cross-entropy\n  Bad.\n --> net.py:4:30\n")
    assert "help: Do it.\n" in output
    assert "+ " not in output


@given(st.text(max_size=300), st.integers(1, 300), st.integers(0, 300))
def test_every_line_can_be_shown(line: str, column: int, length: int) -> None:
    place = at(1, column, length)
    for row in frame(place, [line.replace("\n", " ")], Palette(enabled=True)):
        assert "\n" not in row
    view = view_of(line, column, column + length, 100)
    shown_line(line, view).column(column + length)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (
            EVIDENCE,
            "loss 1.89 -> 1.61, gradient 0.339 -> 0.0633 (cosine 0.91), measured with torch 2 on 8x5 logits",
        ),
        (
            Evidence("raises", error="expected Long\n  but got Float", torch="2.13.0"),
            "torch raises: expected Long but got Float, measured with torch 2.13.0",
        ),
        (Evidence("unmeasured", error="no shape fits"), "not measured: no shape fits"),
        (
            Evidence("none", Comparison(1.0, 1.0), torch="2", shapes=(("logits", ()),)),
            "the numbers are equal, loss 1 -> 1, measured with torch 2 on a scalar logits",
        ),
        (
            Evidence("unstable", Comparison(float("inf"), 1.23), torch="2"),
            "loss inf -> 1.23, measured with torch 2",
        ),
        (
            Evidence("value", Comparison(1.2345, 1.2346), torch="2"),
            "loss 1.2345 -> 1.2346, measured with torch 2",
        ),
        (
            Evidence("none", Comparison(1.23456789, 1.23456788), torch="2"),
            "the numbers are equal, loss 1.23 -> 1.23, measured with torch 2",
        ),
    ],
)
def test_evidence_in_words(evidence: Evidence, expected: str) -> None:
    assert evidence_line(evidence) == expected


def test_concise_is_a_line_each() -> None:
    safe = Fix("safe", "Drop it.", (Edit(at(1, 1, 1), ""),))
    findings = [
        finding(at(3, 12, 5), "One\nmessage."),
        finding(at(4, 1, 5), fix=safe),
        finding(at(5, 1, 5), evidence=Evidence("unmeasured", error="none fits")),
    ]
    assert list(concise.render(material(findings))) == [
        "net.py:3:12: LOS201 One\\nmessage.\n",
        "net.py:4:1: LOS201 [*] Bad.\n",
        "net.py:5:1: LOS201 Bad. (not measured: none fits)\n",
    ]


def test_json_has_ruffs_keys_and_ours(project: Path) -> None:
    place = Place(str(project / "net.py"), 1, 5, 2, 4)
    one = finding(
        place,
        claim=("value",),
        trace=(Step(place, "softmax"),),
        guards=("use_softmax",),
        fix=Fix("safe", "Do it.", (Edit(place, "x"),)),
        evidence=Evidence(
            "unstable", Comparison(float("inf"), 1.0), torch="2.13.0", shapes=(("logits", (2, 3)),)
        ),
    )
    span = {"location": {"row": 1, "column": 5}, "end_location": {"row": 2, "column": 4}}
    filename = str(project / "net.py")
    rendered = "".join(json_report.render(material([one], {filename: "x = '''\n'''\n"})))
    assert json.loads(rendered) == [
        {
            "cell": None,
            "claim": ["value"],
            "code": "LOS201",
            "evidence": {
                "error": None,
                "grad_cosine": None,
                "grad_norm": None,
                "loss": {"flagged": "inf", "fixed": 1.0},
                "seed": 0,
                "shapes": {"logits": [2, 3]},
                "summary": "loss inf -> 1, measured with torch 2.13.0 on 2x3 logits",
                "torch": "2.13.0",
                "verdict": "unstable",
            },
            "filename": filename,
            "fix": {
                "applicability": "safe",
                "edits": [{"content": "x", "filename": filename, **span}],
                "message": "Do it.",
            },
            "guards": ["use_softmax"],
            "message": "Bad.",
            "name": "softmax-into-cross-entropy",
            "noqa_row": 2,
            "severity": "error",
            "trace": [{"filename": filename, "message": "softmax", **span}],
            "url": None,
            **span,
        }
    ]


def test_json_of_nothing() -> None:
    assert list(json_report.render(material([]))) == ["[]\n"]

"""Findings that are hard to write down, and the files that they stand in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from loss_lint.findings import Comparison, Edit, Evidence, Finding, Fix, Place, Step
from loss_lint.report import formats
from loss_lint.report.material import Material
from loss_lint.report.source import SourceLines
from loss_lint.syntax.noqa import Suppressions
from loss_lint.syntax.sources import Memory

ROOT = "/work tree"
HERE = f"{ROOT}/sub"
NET, TRAIN = f"{HERE}/net.py", f"{HERE}/train.py"
ODD = f"{HERE}/é,%3A:日本 100%.py"
NOT_UNICODE = f"{HERE}/caf\udce9.py"
FILES = {
    NET: "import torch\n\n\ndef f(x):\n    return torch.softmax(x, 1)\n",
    TRAIN: "x = '日本'; loss = F.cross_entropy(p, y)\nloss = (\n    loss / n\n)\n",
    ODD: "bad()\nbad(); bad()\n",
}
EVIDENCE = Evidence(
    "value+gradient",
    Comparison(1.8912, 1.6123),
    Comparison(0.3391, 0.0633),
    0.9134,
    shapes=(("logits", (8, 5)),),
    torch="2.13.0",
)
RAISES = Evidence("raises", error='expected "Long"\n  & got <Float>', torch="2.13.0")
INFINITE = Evidence("unstable", Comparison(float("inf"), 1.0), Comparison(float("nan"), 1.0), torch="2.13.0")


def finding(place: Place, message: str = "Bad.", code: str = "LOS201", **more: Any) -> Finding:
    return Finding(code, "softmax-into-cross-entropy", message, place, ("value",), **more)


def at(path: str, row: int, column: int, end_row: int, end_column: int) -> Place:
    return Place(path, row, column, end_row, end_column)


SINK, SOFTMAX = at(TRAIN, 1, 18, 1, 41), at(NET, 5, 12, 5, 31)
WHOLE = finding(
    SINK,
    "cross_entropy gets probabilities: softmax at net.py:5. Pass the logits (when use_softmax).",
    trace=(Step(SOFTMAX, "softmax makes probabilities"), Step(at(TRAIN, 1, 5, 1, 9), "called here")),
    guards=("use_softmax",),
    fix=Fix("unsafe", "Pass the logits", (Edit(SOFTMAX, "x"), Edit(at(TRAIN, 1, 34, 1, 35), "q"))),
    evidence=EVIDENCE,
)
HERE_ALONE = finding(
    at(TRAIN, 2, 1, 4, 2),
    "A mean, divided.",
    code="LOS101",
    fix=Fix("safe", "Drop it", (Edit(at(TRAIN, 1, 18, 1, 19), "G"), Edit(at(TRAIN, 3, 9, 3, 13), ""))),
    evidence=RAISES,
)
CASES = {
    "nothing": [],
    "everything": [WHOLE],
    "a range over lines, and edits in one file": [HERE_ALONE],
    "no fix, no trace": [finding(SINK)],
    "a fix without edits": [finding(SINK, fix=Fix("safe", "Nothing to do", ()))],
    "infinite numbers": [finding(SINK, evidence=INFINITE)],
    "not measured": [finding(SINK, evidence=Evidence("unmeasured", error="no shape fits"))],
    "odd path": [finding(at(ODD, 1, 1, 1, 6), trace=(Step(at(ODD, 2, 1, 2, 6), "here"),))],
    "a path that is no Unicode": [finding(at(NOT_UNICODE, 1, 1, 1, 2), f"see {NOT_UNICODE}:1")],
    "outside": [finding(at("/elsewhere/a.py", 1, 1, 1, 2))],
    "standard input": [finding(at("-", 1, 1, 1, 2))],
    "unreadable": [finding(at(NET, 1, 1, 1, 2), "invalid syntax", code="LOS000")],
    "internal error": [finding(at(NET, 1, 1, 1, 1), "failed", code="LOS999")],
    "what only a run shows": [finding(SINK, code="LOSW01")],
    "control characters": [finding(SINK, "a\x00\x1b[31m\r\n%0A]]>&<'\" \ufffe\udcff::error::x")],
    "alike": [finding(at(ODD, 2, 1, 2, 6)), finding(at(ODD, 2, 8, 2, 13)), finding(at(ODD, 2, 8, 2, 13))],
}


def material(findings: Sequence[Finding], files: dict[str, str] | None = None, **more: Any) -> Material:
    sources = Memory(FILES if files is None else files)
    return Material(findings, SourceLines(sources), Suppressions(sources), HERE, ROOT, **more)


def rendered(name: str, findings: Sequence[Finding], files: dict[str, str] | None = None, **more: Any) -> str:
    text = "".join(formats.render(name, material(findings, files, **more)))
    text.encode()  # what is written has an encoding
    return text


def lower(place: Place, rows: int) -> Place:
    return replace(place, line=place.line + rows, end_line=place.end_line + rows)


def every_case(test: Callable[..., None]) -> Callable[..., None]:
    return pytest.mark.parametrize("findings", CASES.values(), ids=CASES.keys())(test)

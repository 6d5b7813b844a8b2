"""The fixes of each rule's programs: what they leave parses, converges, and shows nothing that was not there before."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from loss_lint.findings import Edit, Finding
from loss_lint.linter import lint
from loss_lint.rules import all_rules
from loss_lint.syntax.sources import Memory

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "rules"
FOLDERS = sorted(folder.name for folder in FIXTURES.iterdir() if (folder / "bad.py").is_file())
RULES = {rule.name: rule for rule in all_rules()}
ROUNDS = 4

# Rules whose common programs nothing can be written for with certainty: what is missing is for the author to add.
HALF = {"focal-of-mean", "label-map-refitted", "masked-elements-counted", "softmax-dim"}
# What a fix uncovers, a second defect that the first one hid.
UNCOVERED = {("loss-cut-from-graph", "LOS502")}


@pytest.mark.parametrize("folder", FOLDERS)
def test_fixes_leave_nothing_new(folder: str) -> None:
    path = "/p/" + folder.replace("-", "_") + ".py"
    text = (FIXTURES / folder / "bad.py").read_text(encoding="utf-8")
    off = {rule.code for rule in RULES.values() if not rule.default and rule.name != folder}
    expected = {code for name, code in UNCOVERED if name == folder}
    found = _found(path, text, off)
    for _ in range(ROUNDS):
        text, count = _fixed(text, [one for one in found if one.name == folder])
        if not any(count.values()):
            return
        ast.parse(text)
        after = _found(path, text, off)
        left = Counter(one.code for one in found) - count
        new = Counter(one.code for one in after) - left
        assert {code: number for code, number in new.items() if code not in expected} == {}, text
        found = after
    raise AssertionError("the fixes do not come to an end")


@pytest.mark.parametrize("folder", FOLDERS)
def test_most_of_a_rules_programs_have_a_fix(folder: str) -> None:
    findings = [one for one in lint(str(FIXTURES / folder / "bad.py"), _disk()) if one.name == folder]
    fixes = [one.fix for one in findings if one.fix is not None]
    if RULES[folder].fix == "none":
        assert fixes == []
    else:
        assert fixes
        assert len(fixes) >= len(findings) / 2 or folder in HALF
        assert RULES[folder].fix == "safe" or {fix.applicability for fix in fixes} == {"unsafe"}


def _disk() -> Memory:
    return Memory({str(path): path.read_text(encoding="utf-8") for path in FIXTURES.glob("*/bad.py")})


def _found(path: str, text: str, off: set[str]) -> list[Finding]:
    return [one for one in lint(path, Memory({path: text})) if one.code not in off]


def _fixed(text: str, findings: list[Finding]) -> tuple[str, Counter[str]]:
    """The text after those fixes that do not meet one another, and of how many findings of each code they are."""
    edits: dict[Edit, None] = {}
    count: Counter[str] = Counter()
    for finding in findings:
        own = () if finding.fix is None else finding.fix.edits
        if own and not any(_meet(one, other) for one in own for other in edits):
            edits |= dict.fromkeys(own)
            count[finding.code] += 1
    lines = text.splitlines(keepends=True)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]
    for edit in sorted(edits, reverse=True):
        place = edit.place
        start, end = (
            starts[place.line - 1] + place.column - 1,
            starts[place.end_line - 1] + place.end_column - 1,
        )
        text = text[:start] + edit.content + text[end:]
    return text, count


def _meet(one: Edit, other: Edit) -> bool:
    first, second = one.place, other.place
    return one != other and (
        (first.line, first.column) < (second.end_line, second.end_column)
        and (second.line, second.column) < (first.end_line, first.end_column)
    )

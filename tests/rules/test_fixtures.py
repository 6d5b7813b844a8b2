"""Each rule's programs: the bad ones yield exactly the marked findings, the right ones none."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from loss_lint.linter import lint
from loss_lint.rules import all_rules, documentation
from loss_lint.rules.rule import Rule
from loss_lint.syntax.sources import Folder, Memory

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "rules"
FOLDERS = sorted(folder.name for folder in FIXTURES.iterdir() if not folder.name.startswith("."))
RULES = [rule for rule in all_rules() if rule.code != "LOS000"]
RIGHT_PROGRAMS = 10  # what a rule that claims harm is tried on, at least

_MARK = re.compile(r"#((?: LOS\d{3})+)$")


def marked(path: Path) -> set[tuple[int, str]]:
    """The findings that a file's trailing comments announce: `# LOS201`, `# LOS205 LOS202`."""
    return {
        (number, code)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (mark := _MARK.search(line))
        for code in mark[1].split()
    }


def found(path: Path) -> set[tuple[int, str]]:
    """The findings in a file; what is off by default only in that rule's own programs."""
    off = {rule.code for rule in RULES if not rule.default and rule.name != path.parent.name}
    return {
        (finding.place.line, finding.code) for finding in lint(str(path), Folder()) if finding.code not in off
    }


def codes(text: str) -> set[str]:
    return {finding.code for finding in lint("example.py", Memory({"example.py": text}))}


@pytest.mark.parametrize("folder", FOLDERS)
def test_bad_programs_yield_the_marked_findings(folder: str) -> None:
    path = FIXTURES / folder / "bad.py"
    expected = marked(path)
    assert expected, f"{path} marks no finding"
    assert sorted(found(path)) == sorted(expected)


@pytest.mark.parametrize("name", ["good.py", "fixed.py"])
@pytest.mark.parametrize("folder", FOLDERS)
def test_right_programs_yield_nothing(folder: str, name: str) -> None:
    path = FIXTURES / folder / name
    assert not marked(path), f"{path} marks findings"
    assert sorted(found(path)) == []


def test_folders_are_rules() -> None:
    assert set(FOLDERS) <= {rule.name for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_has_fixtures(rule: Rule) -> None:
    folder = FIXTURES / rule.name
    assert (folder / "bad.py").is_file()
    assert (folder / "fixed.py").is_file()
    assert rule.code in {code for _, code in marked(folder / "bad.py")}
    tree = ast.parse((folder / "good.py").read_text(encoding="utf-8"))
    programs = [
        node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    if set(rule.claim) != {"none"}:
        assert len(programs) >= RIGHT_PROGRAMS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_example_of_a_rules_page_is_true(rule: Rule) -> None:
    _, _, section = documentation(rule).partition("## Example\n")
    section, _, _ = section.partition("\n## ")
    before, instead, after = section.partition("Use instead:")
    assert rule.code in codes(_first_block(before))
    if instead:
        assert codes(_first_block(after)) == set()


def _first_block(text: str) -> str:
    block = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert block is not None, f"no python block in {text!r}"
    return block[1]

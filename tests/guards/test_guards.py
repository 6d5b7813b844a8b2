"""What guards the project beside its tests: types, style, the import contract, and documents that are true."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


@pytest.mark.parametrize(
    "command",
    [
        pytest.param((sys.executable, "-m", "mypy", "--strict", "-p", "loss_lint"), id="mypy"),
        pytest.param((tool("ruff"), "check", "."), id="ruff-check"),
        pytest.param((tool("ruff"), "format", "--check", "."), id="ruff-format"),
        pytest.param((tool("lint-imports"), "--no-cache"), id="import-contract"),
        pytest.param((sys.executable, "docs/build.py", "--check"), id="documentation-is-fresh"),
    ],
)
def test_guard(command: tuple[str, ...]) -> None:
    done = run(*command)
    assert done.returncode == 0, done.stdout + done.stderr


def imported_names(path: Path) -> set[str]:
    """The top-level packages that a file imports anywhere."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    absolute = {
        (node.module or "").partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and not node.level
    }
    return plain | absolute


# What needs torch; nothing else imports it, so that the linter works without.
OF_TORCH = frozenset({"harness", "watching"})


def test_only_what_measures_and_watches_imports_torch() -> None:
    package = ROOT / "loss_lint"
    offenders = [
        str(path.relative_to(package))
        for path in sorted(package.rglob("*.py"))
        if path.relative_to(package).parts[0] not in OF_TORCH and "torch" in imported_names(path)
    ]
    assert offenders == []


def test_only_corpora_import_ray_and_pyarrow() -> None:
    package = ROOT / "loss_lint"
    offenders = [
        (str(path.relative_to(package)), name)
        for path in sorted(package.rglob("*.py"))
        for name in imported_names(path) & {"ray", "pyarrow"}
        if path.parent.name != "corpus" or (name == "ray" and path.name != "engine.py")
    ]
    assert offenders == []


def test_the_changelog_names_every_rule() -> None:
    from loss_lint.rules import all_rules

    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert [rule.code for rule in all_rules() if rule.code not in text] == []

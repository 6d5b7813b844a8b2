"""Programs as people write them, watched while they run: each finding where its mark is, and none in what is right."""

from __future__ import annotations

import re
import runpy
import warnings
from pathlib import Path

import pytest

import loss_lint
from loss_lint.selection import known_codes
from loss_lint.watching.kinds import SEEN

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "watch"


def scripts(kind: str) -> list[Path]:
    return sorted((FIXTURES / kind).glob("*.py"))


def marks(path: Path) -> set[tuple[str, int]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {(code, row) for row, line in enumerate(lines, 1) for code in re.findall(r"# (LOSW?\d+)", line)}


def watched(path: Path) -> set[tuple[str, int]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with loss_lint.watch(on_finding="collect", check=False, isolated=True) as watch:
            runpy.run_path(str(path), run_name="__main__")
    assert watch.notes == ()
    assert {finding.place.path for finding in watch.findings} <= {str(path)}
    return {(finding.code, finding.place.line) for finding in watch.findings}


def test_there_is_something_to_watch() -> None:
    assert len(scripts("bad")) >= 20
    assert len(scripts("good")) >= 30
    assert all(marks(path) for path in (*scripts("bad"), *scripts("raising")))


@pytest.mark.parametrize("path", scripts("bad"), ids=lambda path: path.stem)
def test_a_bug_is_found_at_its_line(path: Path) -> None:
    assert watched(path) == marks(path)


@pytest.mark.parametrize("path", scripts("raising"), ids=lambda path: path.stem)
def test_what_torch_raises_is_explained(path: Path) -> None:
    watch = loss_lint.watch(on_finding="collect", check=False, isolated=True)
    with pytest.raises((RuntimeError, IndexError, ValueError)), watch:
        runpy.run_path(str(path), run_name="__main__")
    assert watch.notes == ()
    assert {(finding.code, finding.place.line) for finding in watch.findings} == marks(path)


@pytest.mark.parametrize("path", scripts("good"), ids=lambda path: path.stem)
def test_nothing_is_found_in_what_is_right(path: Path) -> None:
    assert watched(path) == set()


def test_each_kind_is_shown_by_a_program() -> None:
    shown = {code for kind in ("bad", "raising") for path in scripts(kind) for code, _ in marks(path)}
    assert shown == set(SEEN)
    assert set(SEEN) <= {rule.code for rule in known_codes()}

"""Losses that want something of their own: right uses yield nothing, wrong ones what is marked and torch shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loss_lint.catalogue import LOSSES, operation
from loss_lint.harness.confirm import confirm_all
from loss_lint.linter import lint
from loss_lint.syntax.sources import Folder

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "losses"
# Whose uses the rules' own fixtures show.
USUAL = {
    "cross_entropy",
    "nll_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "kl_div",
    "mse_loss",
}


def marked(path: Path) -> set[tuple[int, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {
        (row, mark[1]) for row, line in enumerate(lines, 1) if (mark := re.search(r"# (LOS\d{3})$", line))
    }


def test_right_uses_yield_nothing() -> None:
    assert lint(str(FOLDER / "good.py"), Folder()) == ()


def test_wrong_uses_yield_what_is_marked_and_torch_agrees() -> None:
    path = FOLDER / "bad.py"
    findings = confirm_all(lint(str(path), Folder()))
    assert {(finding.place.line, finding.code) for finding in findings} == marked(path)
    for finding in findings:
        assert finding.evidence is not None
        assert finding.evidence.verdict in finding.claim, finding


@pytest.mark.parametrize("name", sorted({loss.name for loss in LOSSES} - USUAL))
def test_every_other_loss_is_used_rightly(name: str) -> None:
    text = (FOLDER / "good.py").read_text(encoding="utf-8")
    entry = operation(name)
    spellings = [spelling.rpartition(".")[2] for spelling, _ in (*entry.functions, *entry.modules)]
    assert any(re.search(rf"\b{spelling}\(", text) for spelling in spellings)

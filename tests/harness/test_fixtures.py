"""Every finding on the rules' bad fixtures shows what it claims."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from loss_lint.findings import Finding
from loss_lint.harness import confirm_all
from loss_lint.linter import lint
from loss_lint.rules import all_rules
from loss_lint.syntax.sources import Folder

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "rules"
BAD = sorted(FOLDER.glob("*/bad*.py"))
CLAIMS = {rule.code: set(rule.claim) for rule in all_rules()}


@cache
def confirmed(path: Path) -> tuple[Finding, ...]:
    findings = lint(str(path), Folder())
    return confirm_all([finding for finding in findings if finding.claim])


@pytest.mark.parametrize("path", BAD, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_findings_show_what_they_claim(path: Path) -> None:
    wrong = [
        f"{finding.place.line}: {finding.code} claims {', '.join(finding.claim)}, measured {finding.evidence}"
        for finding in confirmed(path)
        if finding.evidence is None or finding.evidence.verdict not in finding.claim
    ]
    assert wrong == []


@pytest.mark.parametrize("path", BAD, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_findings_claim_no_more_than_their_rule(path: Path) -> None:
    assert [one for one in confirmed(path) if not set(one.claim) <= CLAIMS[one.code]] == []

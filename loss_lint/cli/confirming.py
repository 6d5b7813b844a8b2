"""`check --confirm`: findings measured in torch, and apart from them those that torch refutes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from loss_lint.cli.inputs import Input
    from loss_lint.conventions import Conventions
    from loss_lint.findings import Finding


def confirmed(
    findings: Sequence[Finding], given: Input, conventions: Callable[[str], Conventions]
) -> tuple[list[Finding], list[Finding]]:
    """The findings with their evidence, and apart those that torch refutes; raises ImportError without torch."""
    from loss_lint.harness import confirm_all, contradicts
    from loss_lint.linter import Linter
    from loss_lint.runner import witnessed

    # A file that cannot be read claims nothing of numbers.
    silent = [finding for finding in findings if not finding.claim]
    speaking = [finding for finding in findings if finding.claim]
    alike: dict[Conventions, list[Finding]] = {}
    for finding in speaking:
        alike.setdefault(conventions(finding.place.path), []).append(finding)
    measured = confirm_all(
        found
        for meant, group in alike.items()
        for found in witnessed(group, Linter(given.sources, given.roots, meant))
    )
    ordered = sorted([*silent, *measured], key=lambda finding: finding.sort_key())
    refuted = [finding for finding in ordered if contradicts(finding)]
    return [finding for finding in ordered if not contradicts(finding)], refuted


def defect(finding: Finding) -> str:
    """What is said of a finding that torch refutes."""
    from loss_lint.report.evidence import evidence_line
    from loss_lint.report.paths import shown_position

    assert finding.evidence is not None
    return (
        f"{shown_position(finding.place, os.getcwd())}: {finding.code} claims "
        f"{' or '.join(finding.claim)}, torch shows {finding.evidence.verdict} "
        f"({evidence_line(finding.evidence)}); it is not reported. Please report this, with the file if you can."
    )

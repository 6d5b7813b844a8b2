"""Evidence for findings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from loss_lint.findings import Evidence, Finding, Verdict
from loss_lint.harness.missing import require_torch
from loss_lint.symbolic.edits import Witness


def confirm(finding: Finding) -> Evidence:
    """What torch computes for a finding's expression, as flagged and as fixed.

    Raises TorchMissing (an ImportError) without torch. A finding whose expression cannot be run has the
    verdict `unmeasured`, with the reason in `error`.
    """
    (confirmed,) = confirm_all([finding])
    assert confirmed.evidence is not None
    return confirmed.evidence


def confirm_all(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings with their evidence; equal expressions are measured once."""
    require_torch()
    from loss_lint.harness.execute import settled

    known: dict[object, Evidence] = {}
    with settled():
        return tuple(
            replace(finding, evidence=_evidence(finding.witness, finding.claim, known))
            for finding in findings
        )


def contradicts(finding: Finding) -> bool:
    """Whether torch showed something else than a finding claims: a defect of its rule, or of the harness."""
    evidence = finding.evidence
    return evidence is not None and evidence.verdict != "unmeasured" and evidence.verdict not in finding.claim


def _evidence(witness: Witness | None, claim: tuple[Verdict, ...], known: dict[object, Evidence]) -> Evidence:
    from loss_lint.harness.lowering import Unrunnable
    from loss_lint.harness.measure import measure, unmeasured
    from loss_lint.harness.plan import plans

    if witness is None:
        return unmeasured("the finding comes without an expression to run")
    raised: Evidence | None = None
    reason = "the corrected expression runs on none of the shapes tried"
    try:
        for plan in plans(witness):
            key = (plan.key, claim)
            if key not in known:
                measured = measure(plan, claim)
                if measured is None:
                    continue
                known[key] = measured
            evidence = known[key]
            if evidence.verdict != "raises" or "raises" in claim:
                return evidence
            raised = raised or evidence
    except Unrunnable as error:
        reason = str(error)
    return raised or unmeasured(reason)

"""Every rule's claim, measured now on the rule's own example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loss_lint.findings import Evidence, Finding, Verdict
from loss_lint.harness.confirm import confirm_all
from loss_lint.harness.examples import example
from loss_lint.harness.missing import require_torch
from loss_lint.rules import all_rules, docstring
from loss_lint.rules.rule import Rule

if TYPE_CHECKING:
    from loss_lint.harness.picture import Panel

_PATH = "example.py"


@dataclass(frozen=True, slots=True)
class Proof:
    """What a rule claims, and what torch showed: `example` is the source text that was linted and measured."""

    code: str
    name: str
    example: str
    claim: tuple[Verdict, ...]
    evidence: Evidence
    holds: bool


def prove(codes: Sequence[str] = ()) -> list[Proof]:
    """A proof for each rule (of `codes`, if any are given) that claims something of the numbers.

    Raises TorchMissing (an ImportError) without torch.
    """
    require_torch()
    proofs = (_prove(rule) for rule in all_rules() if not codes or rule.code in codes)
    return [proof for proof in proofs if proof is not None]


def _prove(rule: Rule) -> Proof | None:
    shown = example(docstring(rule))
    if not rule.claim or shown is None:
        return None
    confirmed = confirm_all(_flagged(shown.bad, rule))
    if not confirmed:
        missed = Evidence("unmeasured", error="the rule does not flag its own example")
        return Proof(rule.code, rule.name, shown.bad, rule.claim, missed, holds=False)
    failing = [finding for finding in confirmed if not holds(finding, rule)]
    decisive = (failing or confirmed)[0]
    assert decisive.evidence is not None
    return Proof(rule.code, rule.name, shown.bad, decisive.claim, decisive.evidence, holds=not failing)


class UnknownExample(ValueError):
    """A rule's page shows no example that the rule flags."""


def training(code: str) -> Panel:
    """What a network learns with a rule's own example, as flagged and as fixed.

    Raises Untrainable where nothing can be trained with it, UnknownExample where there is no example.
    """
    from loss_lint.harness.picture import Panel
    from loss_lint.harness.training import trained

    rule = next(rule for rule in all_rules() if rule.code == code)
    shown = example(docstring(rule))
    found = _flagged(shown.bad, rule) if shown is not None else []
    if shown is None or not found:
        raise UnknownExample("it has no example")
    return Panel(rule.code, rule.name, shown.bad, shown.good, trained(found[0]))


def holds(finding: Finding, rule: Rule) -> bool:
    """Whether a measured finding shows what it claims, and claims no more than its rule."""
    evidence = finding.evidence
    return (
        evidence is not None and evidence.verdict in finding.claim and set(finding.claim) <= set(rule.claim)
    )


def _flagged(text: str, rule: Rule) -> list[Finding]:
    from loss_lint.linter import lint
    from loss_lint.syntax.sources import Memory

    findings = lint(_PATH, Memory({_PATH: text}))
    return [finding for finding in findings if finding.code == rule.code]

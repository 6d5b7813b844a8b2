"""What a rule's page says in numbers: its example measured, and rounded to what every machine agrees on."""

from __future__ import annotations

import math
from dataclasses import replace

from loss_lint.findings import Comparison, Evidence
from loss_lint.harness.prove import prove
from loss_lint.rules.page import Measured, stored
from loss_lint.rules.rule import Rule

_DIGITS = 4
# Numbers that differ by less were rounded apart, or summed in another order on another processor.
_RELATIVE, _ABSOLUTE, _COSINE = 2e-3, 1e-6, 0.011


def measured(rule: Rule) -> Measured | None:
    """The numbers for a rule's page; what is stored already if this torch confirms it.

    None for a rule that claims nothing of the numbers. Raises TorchMissing (an ImportError) without torch.
    """
    proofs = prove([rule.code])
    if not proofs:
        return None
    from loss_lint.harness.measure import LARGE

    evidence = _rounded(proofs[0].evidence)
    now = Measured(evidence, LARGE if evidence.verdict == "unstable" else 1.0)
    before = stored(rule)
    return before if before is not None and _confirms(now, before) else now


def _rounded(evidence: Evidence) -> Evidence:
    cosine = evidence.grad_cosine
    return replace(
        evidence,
        loss=_pair(evidence.loss),
        grad_norm=_pair(evidence.grad_norm),
        grad_cosine=None if cosine is None else round(cosine, 2),
    )


def _pair(pair: Comparison | None) -> Comparison | None:
    return None if pair is None else Comparison(_number(pair.flagged), _number(pair.fixed) or 0.0)


def _number(value: float | None) -> float | None:
    return value if value is None or not math.isfinite(value) else float(f"{value:.{_DIGITS}g}")


def _confirms(now: Measured, before: Measured) -> bool:
    """Whether two measurements say the same; torch's wording may differ from version to version."""
    one, other = now.evidence, before.evidence
    same = (one.verdict, one.shapes, one.seed, now.scale) == (
        other.verdict,
        other.shapes,
        other.seed,
        before.scale,
    )
    return (
        same
        and _close_pair(one.loss, other.loss)
        and _close_pair(one.grad_norm, other.grad_norm)
        and _close(one.grad_cosine, other.grad_cosine, absolute=_COSINE)
        and (one.error == other.error or one.torch != other.torch)
    )


def _close_pair(one: Comparison | None, other: Comparison | None) -> bool:
    if one is None or other is None:
        return one is other
    return _close(one.flagged, other.flagged) and _close(one.fixed, other.fixed)


def _close(one: float | None, other: float | None, absolute: float = _ABSOLUTE) -> bool:
    if one is None or other is None:
        return one is other
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=_RELATIVE, abs_tol=absolute)

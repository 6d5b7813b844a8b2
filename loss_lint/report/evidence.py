"""Measured numbers as one line of words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loss_lint.findings import Comparison, Evidence


def evidence_line(evidence: Evidence) -> str:
    """`loss 1.89 -> 1.61, gradient 0.34 -> 0.06 (cosine 0.91), measured with torch 2.13.0 on 8x5 logits`."""
    if evidence.verdict == "unmeasured":
        return f"not measured: {evidence.error or 'no reason given'}"
    parts = _numbers(evidence)
    if evidence.error is not None:
        parts = [f"torch raises: {' '.join(evidence.error.split())}"]
    if evidence.verdict == "none":
        parts.insert(0, "the numbers are equal")
    return ", ".join([*parts, _setting(evidence)])


def _numbers(evidence: Evidence) -> list[str]:
    parts = []
    if evidence.loss is not None:
        parts.append(f"loss {_comparison(evidence.loss)}")
    if evidence.grad_norm is not None:
        cosine = "" if evidence.grad_cosine is None else f" (cosine {evidence.grad_cosine:.2f})"
        parts.append(f"gradient {_comparison(evidence.grad_norm)}{cosine}")
    return parts


def _comparison(pair: Comparison) -> str:
    """Three digits, or six where only these tell the two apart; beyond that it is rounding."""
    if pair.flagged is None:
        return f"{pair.fixed:.3g}"
    flagged, fixed = f"{pair.flagged:.6g}", f"{pair.fixed:.6g}"
    short = f"{pair.flagged:.3g}", f"{pair.fixed:.3g}"
    if flagged == fixed or short[0] != short[1]:
        flagged, fixed = short
    return f"{flagged} -> {fixed}"


def _setting(evidence: Evidence) -> str:
    where = ""
    if evidence.shapes:
        role, shape = evidence.shapes[0]
        where = f" on {'x'.join(map(str, shape))} {role}" if shape else f" on a scalar {role}"
    return f"measured with torch {evidence.torch}{where}"

"""Ruff's JSON, with what else a finding of loss-lint knows."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from loss_lint.report.evidence import evidence_line
from loss_lint.report.paths import absolute_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loss_lint.findings import Comparison, Evidence, Finding, Fix, Place
    from loss_lint.report.material import Material
    from loss_lint.syntax.noqa import Suppressions


def render(material: Material) -> Iterator[str]:
    """A JSON array, its text in ASCII: paths need not be Unicode."""
    records = [record(finding, material.suppressions) for finding in material.findings]
    yield json.dumps(records, indent=2, sort_keys=True) + "\n"


def record(finding: Finding, suppressions: Suppressions) -> dict[str, Any]:
    """One finding as JSON has it."""
    known = {
        "cell": finding.place.cell or None,
        "claim": list(finding.claim),
        "code": finding.code,
        "filename": absolute_path(finding.place.path),
        "fix": None if finding.fix is None else _fix(finding.fix),
        "guards": list(finding.guards),
        "message": finding.message,
        "name": finding.name,
        "noqa_row": suppressions.row(finding.place),
        "severity": "error",
        "trace": [
            {"message": step.message, **_text(step.place), **_span(step.place)} for step in finding.trace
        ],
        "url": None,
        **_span(finding.place),
    }
    if finding.evidence is not None:
        known["evidence"] = evidence_record(finding.evidence)
    return known


def _text(place: Place) -> dict[str, Any]:
    """The file of a place, and in a notebook its cell."""
    return {"filename": absolute_path(place.path), **({"cell": place.cell} if place.cell else {})}


def _span(place: Place) -> dict[str, dict[str, int]]:
    return {
        "location": {"row": place.line, "column": place.column},
        "end_location": {"row": place.end_line, "column": place.end_column},
    }


def _fix(fix: Fix) -> dict[str, Any]:
    edits = [{"content": edit.content, **_text(edit.place), **_span(edit.place)} for edit in fix.edits]
    return {"applicability": fix.applicability, "edits": edits, "message": fix.message}


def evidence_record(evidence: Evidence) -> dict[str, Any]:
    """Measured numbers as JSON has them; `summary` is the line of words that other formats show."""
    return {
        "error": evidence.error,
        "grad_cosine": _number(evidence.grad_cosine),
        "grad_norm": _comparison(evidence.grad_norm),
        "loss": _comparison(evidence.loss),
        "seed": evidence.seed,
        "shapes": {role: list(shape) for role, shape in evidence.shapes},
        "summary": evidence_line(evidence),
        "torch": evidence.torch,
        "verdict": evidence.verdict,
    }


def _comparison(pair: Comparison | None) -> dict[str, float | str | None] | None:
    return None if pair is None else {"flagged": _number(pair.flagged), "fixed": _number(pair.fixed)}


def _number(value: float | None) -> float | str | None:
    """JSON has no infinities and no NaN; they become the strings `inf`, `-inf` and `nan`."""
    return value if value is None or math.isfinite(value) else str(value)

"""Proofs as JSON: what each rule claims, and what torch showed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from loss_lint.report.json import evidence_record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loss_lint.harness.prove import Proof


def render(proofs: Iterable[Proof]) -> str:
    """A JSON array with an element for each rule; its `evidence` is that of `check`'s findings."""
    records = [
        {
            "claim": list(proof.claim),
            "code": proof.code,
            "evidence": evidence_record(proof.evidence),
            "example": proof.example,
            "holds": proof.holds,
            "name": proof.name,
        }
        for proof in proofs
    ]
    return json.dumps(records, indent=2, sort_keys=True) + "\n"

"""`loss-lint prove`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from loss_lint.harness.prove import Proof

HOLDS, FAILS, IMPOSSIBLE = 0, 1, 2
_HEADS = ("rule", "claim", "measured", "", "evidence")


def prove(options: argparse.Namespace) -> int:
    """Measure the rules' own examples; gives the exit status."""
    from loss_lint.selection import UnknownSelector, known_rules, matching_codes

    rules = known_rules()
    try:
        codes = [matching_codes(selector, rules, turning_on=False) for selector in options.codes]
    except UnknownSelector as error:
        sys.stderr.write(f"error: {error}\n")
        return IMPOSSIBLE
    try:
        from loss_lint.harness.prove import prove as measure

        proofs = measure(sorted(frozenset[str]().union(*codes)))
    except ImportError as error:
        sys.stderr.write(f"error: `prove` cannot measure: {error}\n")
        return IMPOSSIBLE
    sys.stdout.write(_table(proofs))
    failed = sum(not proof.holds for proof in proofs)
    sys.stdout.write(f"{len(proofs) - failed} of {len(proofs)} claims hold.\n")
    return FAILS if failed else HOLDS


def _table(proofs: Sequence[Proof]) -> str:
    from loss_lint.report.evidence import evidence_line

    rows = [_HEADS]
    for proof in proofs:
        rule = f"{proof.code} {proof.name}"
        outcome = "holds" if proof.holds else "FAILS"
        evidence = evidence_line(proof.evidence)
        rows.append((rule, ", ".join(proof.claim), proof.evidence.verdict, outcome, evidence))
    # The evidence comes last: its width varies most.
    widths = [max(len(row[index]) for row in rows) for index in range(4)]
    lines = []
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[4]]).rstrip())
    return "\n".join(lines) + "\n"

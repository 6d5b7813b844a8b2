"""`loss-lint prove`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from loss_lint.harness.prove import Proof

HOLDS, FAILS, IMPOSSIBLE = 0, 1, 2
_HEADS = ("rule", "claim", "measured", "", "evidence")
_PICTURED = "LOS201"  # what `--plot` shows unless a rule is named


def prove(options: argparse.Namespace) -> int:
    """Measure the rules' own examples; gives the exit status."""
    from loss_lint.selection import UnknownSelector, known_rules, matching_codes

    rules = known_rules()
    try:
        codes = [matching_codes(selector, rules, turning_on=False) for selector in options.codes]
    except UnknownSelector as error:
        return _fail(str(error))
    chosen = sorted(frozenset[str]().union(*codes))
    if options.agreement or options.files or options.scripts:
        from loss_lint.cli.agreement import agreement

        return agreement(options, chosen)
    if options.plot is not None:
        return _plot(options.plot, chosen)
    try:
        from loss_lint.harness.prove import prove as measure

        proofs = measure(chosen)
    except ImportError as error:
        return _fail(f"`prove` cannot measure: {error}")
    if options.output_format == "json":
        from loss_lint.report import proofs_json

        sys.stdout.write(proofs_json.render(proofs))
    else:
        sys.stdout.write(_table(proofs))
    failed = sum(not proof.holds for proof in proofs)
    if options.output_format != "json":
        sys.stdout.write(f"{len(proofs) - failed} of {len(proofs)} claims hold.\n")
    return FAILS if failed else HOLDS


def _plot(file: str, chosen: Sequence[str]) -> int:
    """Train with a rule's example and draw what comes of it."""
    from loss_lint.harness import picture
    from loss_lint.harness.missing import require_plot
    from loss_lint.report.paths import printable

    if not file.lower().endswith(picture.FORMATS):
        return _fail(f"`--plot` writes {', '.join(picture.FORMATS)} files, not {printable(file)}")
    if len(chosen) > 1:
        return _fail(f"`--plot` draws one rule, not {len(chosen)}: name its code")
    folder = os.path.dirname(file)
    if folder and not os.path.isdir(folder):
        return _fail(f"{printable(folder)} is no folder")
    try:
        require_plot()
    except ImportError as error:
        return _fail(f"`--plot` cannot draw: {error}")
    from loss_lint.harness.prove import UnknownExample, training
    from loss_lint.harness.training import Untrainable

    code = chosen[0] if chosen else _PICTURED
    try:
        panel = training(code)
    except (Untrainable, UnknownExample) as error:
        return _fail(f"nothing can be trained with {code}: {error}")
    try:
        picture.draw(panel, file)
    except OSError as error:
        return _fail(f"{printable(file)} cannot be written: {error.strerror or error}")
    sys.stdout.write(f"{code} {panel.name}, trained as flagged and as fixed: {printable(file)}\n")
    return HOLDS


def _fail(message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return IMPOSSIBLE


def _table(proofs: Sequence[Proof]) -> str:
    from loss_lint.report.columns import aligned
    from loss_lint.report.evidence import evidence_line

    rows = [_HEADS]
    for proof in proofs:
        rule = f"{proof.code} {proof.name}"
        outcome = "holds" if proof.holds else "FAILS"
        evidence = evidence_line(proof.evidence)
        rows.append((rule, ", ".join(proof.claim), proof.evidence.verdict, outcome, evidence))
    return aligned(rows)

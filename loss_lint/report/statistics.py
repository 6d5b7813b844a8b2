"""Counts of findings, and the line that ends a report."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loss_lint.findings import Finding
    from loss_lint.report.palette import Palette


def render(findings: Sequence[Finding], palette: Palette) -> str:
    """A line for each code, the most frequent first."""
    return "".join(f"{count}\t{palette.code(code)}\t{name}\n" for code, name, count in _counts(findings))


def render_json(findings: Sequence[Finding]) -> str:
    records = [{"code": code, "name": name, "count": count} for code, name, count in _counts(findings)]
    return json.dumps(records, indent=2) + "\n"


def summary(findings: Sequence[Finding]) -> str:
    if not findings:
        return "All checks passed!\n"
    return f"Found {len(findings)} error{'s' if len(findings) > 1 else ''}.\n"


def _counts(findings: Sequence[Finding]) -> list[tuple[str, str, int]]:
    counts = Counter((finding.code, finding.name) for finding in findings)
    return sorted(((code, name, count) for (code, name), count in counts.items()), key=_frequent_first)


def _frequent_first(entry: tuple[str, str, int]) -> tuple[int, str]:
    code, _, count = entry
    return -count, code

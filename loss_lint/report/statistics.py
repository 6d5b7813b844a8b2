"""Counts of findings by their rules."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loss_lint.report.material import Material
    from loss_lint.report.palette import Palette


@dataclass(frozen=True, slots=True)
class _Count:
    """How often a rule has spoken, and how many of these findings `--fix` repairs."""

    code: str
    name: str
    count: int
    fixable: int


def render(material: Material) -> str:
    """A line for each code, the most frequent first."""
    counts = _counts(material)
    if not counts:
        return ""
    palette = material.palette
    wide = max(len(str(entry.count)) for entry in counts)
    longest = max(len(entry.code) for entry in counts)
    has_fixes = any(entry.fixable for entry in counts)
    lines = []
    for entry in counts:
        count = " " * (wide - len(str(entry.count))) + palette.strong(str(entry.count))
        code = palette.code(entry.code) + " " * (longest - len(entry.code))
        marker = _marker(entry, palette) if has_fixes else ""
        lines.append(f"{count}\t{code}\t{marker}{entry.name}\n")
    return "".join(lines)


def render_json(material: Material) -> str:
    """The same as a JSON array; `fixable` says that `--fix` repairs all of a rule's findings."""
    records = [
        {
            "code": entry.code,
            "name": entry.name,
            "count": entry.count,
            "fixable": entry.fixable == entry.count,
            "fixable_count": entry.fixable,
        }
        for entry in _counts(material)
    ]
    return json.dumps(records, indent=2) + "\n"


def _marker(entry: _Count, palette: Palette) -> str:
    if not entry.fixable:
        return "[ ] "
    return f"[{palette.separator('*' if entry.fixable == entry.count else '-')}] "


def _counts(material: Material) -> list[_Count]:
    found = Counter((finding.code, finding.name) for finding in material.findings)
    fixable = Counter(finding.code for finding in material.findings if material.is_fixable(finding))
    counts = [_Count(code, name, count, fixable[code]) for (code, name), count in found.items()]
    return sorted(counts, key=lambda entry: (-entry.count, entry.code))

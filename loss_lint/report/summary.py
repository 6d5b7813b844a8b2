"""The lines that end a report: how much was found and fixed, and what `--fix` would do about the rest.

In ruff's words.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loss_lint.report.paths import shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loss_lint.findings import Finding
    from loss_lint.report.material import Material
    from loss_lint.report.palette import Palette


@dataclass(frozen=True, slots=True)
class Fixing:
    """What became of fixes: those that were made (or would be), and whether unsafe ones are worth a hint."""

    fixed: Sequence[Finding] = ()
    is_applied: bool = False
    hints: bool = True


def ending(material: Material, fixing: Fixing) -> str:
    """The last lines of a report that shows findings."""
    is_clean = not (material.findings or fixing.fixed)
    first = "All checks passed!" if is_clean else found(material, fixing)
    return f"{first}\n{_fixable(material, fixing)}"


def found(material: Material, fixing: Fixing) -> str:
    """How many there were, and what became of them."""
    remaining, fixed = len(material.findings), len(fixing.fixed)
    if not fixed:
        return f"Found {_errors(remaining)}."
    return f"Found {_errors(fixed + remaining)} ({fixed} fixed, {remaining} remaining)."


def _fixable(material: Material, fixing: Fixing) -> str:
    # What `--fix` has left out it would leave out again.
    ready = 0 if fixing.is_applied else sum(map(material.is_fixable, material.findings))
    hidden = _hidden(material) if fixing.hints else 0
    fixes = f"{hidden} unsafe {_fixes(hidden)} available with `--fix --unsafe-fixes`"
    if ready:
        more = f" ({fixes})" if hidden else ""
        return f"[{material.palette.separator('*')}] {ready} fixable with `--fix`{more}.\n"
    return f"{fixes}.\n" if hidden else ""


def only_fixes(material: Material, fixing: Fixing) -> str:
    """The one line of a run that shows no findings: of `--fix-only` or `--diff`."""
    fixed, hidden = len(fixing.fixed), _hidden(material)
    if not fixed and not hidden:
        return ""
    if not fixed:
        verb = "No errors fixed" if fixing.is_applied else "No errors would be fixed"
        return f"{verb} ({hidden} {_fixes(hidden)} available with `--unsafe-fixes`).\n"
    more = f" ({hidden} additional {_fixes(hidden)} available with `--unsafe-fixes`)" if hidden else ""
    return f"{'Fixed' if fixing.is_applied else 'Would fix'} {_errors(fixed)}{more}.\n"


def by_file(fixed: Sequence[Finding], folder: str, palette: Palette) -> Iterator[str]:
    """What was fixed in each file, rule by rule, between empty lines."""
    counts: dict[str, Counter[tuple[str, str]]] = {}
    for finding in fixed:
        counts.setdefault(finding.place.path, Counter())[finding.code, finding.name] += 1
    if not counts:
        return
    width = max(len(str(count)) for table in counts.values() for count in table.values())
    yield f"\n{palette.strong(f'Fixed {_errors(len(fixed))}:')}\n"
    for path, table in sorted(counts.items()):
        dash, colon = palette.separator("-"), palette.separator(":")
        yield f"{dash} {palette.strong(shown_path(path, folder))}{colon}\n"
        for (code, name), count in sorted(table.items(), key=lambda one: (-one[1], one[0])):
            yield f"    {count:>{width}} × {palette.code(code)} ({name})\n"
    yield "\n"


def _hidden(material: Material) -> int:
    """How many fixes wait for `--unsafe-fixes`."""
    return sum(_is_unsafe(finding) and not material.is_fixable(finding) for finding in material.findings)


def _is_unsafe(finding: Finding) -> bool:
    return finding.fix is not None and finding.fix.applicability == "unsafe"


def _errors(count: int) -> str:
    return f"{count} error{'' if count == 1 else 's'}"


def _fixes(count: int) -> str:
    return "fix" if count == 1 else "fixes"

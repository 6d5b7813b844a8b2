"""Which fixes are applied at the same time.

A fix is all of its edits or none. What another one has to do with waits for the next round, when the file has been
looked at again: two that would each make up for one defect (a reduction, and the division after it) would
make up for it twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loss_lint.findings import Edit, Finding, Place


def chosen(findings: Iterable[Finding]) -> list[Finding]:
    """Of findings that all have a fix, in their order, those whose fixes go together.

    Fixes may share edits: these are made once. Apart from them, none edits what another one edits or speaks of.
    """
    taken: list[Finding] = []
    edits: dict[str, list[Edit]] = {}
    spoken_of: dict[str, list[Place]] = {}
    known: set[Edit] = set()
    for finding in findings:
        own = _edits(finding)
        new = [edit for edit in own if edit not in known]
        if new and not _is_free(finding, new, own, edits, spoken_of):
            continue
        taken.append(finding)
        spoken_of.setdefault(finding.place.path, []).append(finding.place)
        for edit in new:
            known.add(edit)
            edits.setdefault(edit.place.path, []).append(edit)
    return taken


def _edits(finding: Finding) -> Sequence[Edit]:
    return finding.fix.edits if finding.fix is not None else ()


def _is_free(
    finding: Finding,
    new: Sequence[Edit],
    own: Sequence[Edit],
    edits: dict[str, list[Edit]],
    spoken_of: dict[str, list[Place]],
) -> bool:
    for edit in new:
        path = edit.place.path
        if any(meet(edit.place, other.place) for other in edits.get(path, ())):
            return False
        if any(meet(edit.place, place) for place in spoken_of.get(path, ())):
            return False
    shared = set(own)
    others = (edit for edit in edits.get(finding.place.path, ()) if edit not in shared)
    return not any(meet(finding.place, other.place) for other in others)


def meet(one: Place, other: Place) -> bool:
    """Whether two ranges have text in common, or one is a mere position that the other one touches."""
    if one.path != other.path:
        return False
    start, end = (one.line, one.column), (one.end_line, one.end_column)
    first, last = (other.line, other.column), (other.end_line, other.end_column)
    if start == end or first == last:
        return start <= last and first <= end
    return start < last and first < end

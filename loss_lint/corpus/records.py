"""A finding as a record of plain values, named as in the JSON output, and as a row of Parquet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loss_lint.findings import Finding, Fix, Place

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Defect:
    """What is to be reported of a row or a repository that was not linted."""

    code: str
    name: str
    message: str


def record(finding: Finding, noqa_row: int) -> Record:
    """A finding as a record, without its repository. `noqa_row` is the line where a comment would silence it."""
    return {
        "path": _text(finding.place.path),
        "code": finding.code,
        "name": finding.name,
        "message": _text(finding.message),
        "severity": "error",
        "cell": finding.place.cell or None,
        **_span(finding.place),
        "noqa_row": noqa_row,
        "claim": list(finding.claim),
        "guards": [_text(guard) for guard in finding.guards],
        "trace": [{**_place(step.place), "message": _text(step.message)} for step in finding.trace],
        "fix": None if finding.fix is None else _fix(finding.fix),
    }


def defect_record(path: str | None, defect: Defect) -> Record:
    """A file, or a repository where there is no path, that was not linted: as a record without a place."""
    return {
        "path": path,
        "code": defect.code,
        "name": defect.name,
        "message": _text(defect.message),
        "severity": "error",
        "claim": [],
        "guards": [],
        "trace": [],
    }


def _fix(fix: Fix) -> Record:
    edits = [{**_place(edit.place), "content": _text(edit.content)} for edit in fix.edits]
    return {"applicability": fix.applicability, "message": _text(fix.message), "edits": edits}


def _place(place: Place) -> Record:
    return {"path": _text(place.path), "cell": place.cell or None, **_span(place)}


def _span(place: Place) -> dict[str, int]:
    return {
        "row": place.line,
        "column": place.column,
        "end_row": place.end_line,
        "end_column": place.end_column,
    }


def _text(text: str) -> str:
    """Text that UTF-8 can hold: a source may name what it cannot."""
    return text.encode("utf-8", "backslashreplace").decode()

"""Reviewdog's diagnostic format (`proto/rdf` in reviewdog/reviewdog).

Its columns count the bytes of UTF-8; a notebook, whose source stands in JSON, has lines alone. Each of its
suggestions is applied by itself, so that a fix becomes one, or none if it also edits another file, or a notebook.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from loss_lint.report.paths import absolute_path, encodable, printable
from loss_lint.report.wording import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loss_lint.findings import Edit, Finding, Fix, Place
    from loss_lint.report.material import Material
    from loss_lint.report.source import SourceLines


def render(material: Material) -> Iterator[str]:
    """One object, in ASCII."""
    result = {
        "source": {"name": "loss-lint"},
        "severity": "ERROR",
        "diagnostics": [_diagnostic(finding, material.lines) for finding in material.findings],
    }
    yield json.dumps(result, indent=2) + "\n"


def _diagnostic(finding: Finding, lines: SourceLines) -> dict[str, Any]:
    diagnostic: dict[str, Any] = {
        "message": sentence(finding),
        "location": _location(finding.place, lines),
        "code": {"value": finding.code},
    }
    suggestion = finding.fix and _suggestion(finding.fix, finding.place.path, lines)
    if suggestion:
        diagnostic["suggestions"] = [suggestion]
    if finding.trace:
        diagnostic["related_locations"] = [
            {"message": printable(step.message), "location": _location(step.place, lines)}
            for step in finding.trace
        ]
    return diagnostic


def _location(place: Place, lines: SourceLines) -> dict[str, Any]:
    return {"path": encodable(absolute_path(place.path)), "range": _range(place, place, lines)}


def _range(first: Place, last: Place, lines: SourceLines) -> dict[str, dict[str, int]]:
    if first.cell:  # the lines of the notebook's file, as nobody knows its cells
        first, last = lines.in_file(first), lines.in_file(last)
        return {"start": {"line": first.line}, "end": {"line": last.end_line}}
    texts = lines.of(first.path)
    return {
        "start": _position(first.line, first.column, texts),
        "end": _position(last.end_line, last.end_column, texts),
    }


def _position(line: int, column: int, texts: Sequence[str]) -> dict[str, int]:
    text = texts[line - 1] if 1 <= line <= len(texts) else ""
    wide = len(text[: column - 1].encode("utf-8", "surrogatepass")) - len(text[: column - 1])
    return {"line": line, "column": column + wide}


def _suggestion(fix: Fix, home: str, lines: SourceLines) -> dict[str, Any] | None:
    edits = sorted(fix.edits)
    if not edits or any(edit.place.path != home or edit.place.cell for edit in edits):
        return None
    texts = lines.of(home)
    if edits[-1].place.end_line > len(texts):
        return None
    return {"range": _range(edits[0].place, edits[-1].place, lines), "text": _joined(edits, texts)}


def _joined(edits: Sequence[Edit], texts: Sequence[str]) -> str:
    """The new text from the beginning of the first edit to the end of the last."""
    pieces = [edits[0].content]
    for before, edit in pairwise(edits):
        start, end = before.place, edit.place
        between = list(texts[start.end_line - 1 : end.line])
        between[-1] = between[-1][: end.column - 1]
        between[0] = between[0][start.end_column - 1 :]
        pieces += ["\n".join(between), edit.content]
    return encodable("".join(pieces))

"""GitLab's Code Quality report: a part of Code Climate's format, by which a merge request shows what is new.

GitLab wants fingerprints that differ from one another and stay when lines move, and paths from the repository's root.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from loss_lint.report.occurrences import Occurrence, occurrences
from loss_lint.report.paths import encodable, path_within
from loss_lint.report.wording import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loss_lint.findings import Finding, Place
    from loss_lint.report.material import Material


def render(material: Material) -> Iterator[str]:
    """A JSON array, in ASCII."""
    root = os.environ.get("CI_PROJECT_DIR") or material.root or material.folder
    known = occurrences(material.findings, material.lines)
    records = [
        _record(finding, occurrence, material.lines.in_file(finding.place), root)
        for finding, occurrence in zip(material.findings, known, strict=True)
    ]
    yield json.dumps(records, indent=2) + "\n"


def _record(finding: Finding, occurrence: Occurrence, place: Place, root: str) -> dict[str, Any]:
    path = encodable(path_within(place.path, root) or place.path)
    return {
        "check_name": finding.code,
        "description": f"{finding.code}: {sentence(finding)}",
        "severity": "major",
        "fingerprint": occurrence.fingerprint(path),
        "location": {
            "path": path,
            "positions": {
                "begin": {"line": place.line, "column": place.column},
                "end": {"line": place.end_line, "column": place.end_column},
            },
        },
    }

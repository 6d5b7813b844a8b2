"""SARIF 2.1.0, for code scanning services and viewers.

URIs lead from the repository's root. A trace is a code flow, its places are related locations; a fix holds the
edits of all its files, and is left out for a notebook, whose source stands in JSON. A result is known by its code
and the text of its line, wherever that has moved.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from loss_lint import __version__
from loss_lint.report.json import evidence_record
from loss_lint.report.occurrences import Occurrence, occurrences
from loss_lint.report.paths import STANDARD_INPUT, encodable, path_within, printable
from loss_lint.report.wording import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loss_lint.findings import Finding, Fix, Place
    from loss_lint.report.material import Material
    from loss_lint.report.source import SourceLines
    from loss_lint.rules.rule import Rule

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_FINGERPRINT = "codeLineOccurrence/v1"


def render(material: Material) -> Iterator[str]:
    """One object with one run, in ASCII."""
    findings = material.findings
    root = material.root or material.folder
    codes = sorted({finding.code: finding.name for finding in findings}.items())
    known = occurrences(findings, material.lines)
    run = {
        "tool": {"driver": {"name": "loss-lint", "version": __version__, "rules": _rules(codes)}},
        "originalUriBaseIds": {_ROOT: {"uri": _file_uri(root.rstrip(os.sep) + os.sep)}},
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(
                _in_file(finding, material.lines),
                occurrence,
                [code for code, _ in codes].index(finding.code),
                root,
            )
            for finding, occurrence in zip(findings, known, strict=True)
        ],
    }
    yield json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _in_file(finding: Finding, lines: SourceLines) -> Finding:
    """A finding whose places are those of files, of which a notebook's cells are parts in another form."""
    fix = finding.fix
    return replace(
        finding,
        place=lines.in_file(finding.place),
        trace=tuple(replace(step, place=lines.in_file(step.place)) for step in finding.trace),
        fix=None if fix is not None and any(edit.place.cell for edit in fix.edits) else fix,
    )


def _result(finding: Finding, occurrence: Occurrence, rule: int, root: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": "error",
        "message": {"text": sentence(finding)},
        "locations": [_location(finding.place, root)],
        "partialFingerprints": {_FINGERPRINT: occurrence.fingerprint()},
    }
    if finding.trace:
        steps = [_location(step.place, root, step.message) for step in finding.trace]
        result["relatedLocations"] = [{"id": number, **step} for number, step in enumerate(steps, 1)]
        flow = [*steps, _location(finding.place, root, finding.message)]
        result["codeFlows"] = [{"threadFlows": [{"locations": [{"location": step} for step in flow]}]}]
    if finding.fix is not None and finding.fix.edits:
        result["fixes"] = [_fix(finding.fix, root)]
    result["properties"] = {"claim": list(finding.claim), "guards": list(map(encodable, finding.guards))}
    if finding.evidence is not None:
        result["properties"]["evidence"] = evidence_record(finding.evidence)
    return result


def _location(place: Place, root: str, message: str = "") -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": _artifact(place.path, root), "region": _region(place)}
    }
    if message:
        location["message"] = {"text": printable(message)}
    return location


def _artifact(path: str, root: str) -> dict[str, str]:
    within = path_within(path, root)
    if within is not None:
        return {"uri": quote(os.fsencode(within)), "uriBaseId": _ROOT}
    return {"uri": STANDARD_INPUT if path == STANDARD_INPUT else _file_uri(path)}


def _file_uri(path: str) -> str:
    absolute = path.replace(os.sep, "/")
    return f"file://{quote(os.fsencode(absolute if absolute.startswith('/') else '/' + absolute))}"


def _region(place: Place) -> dict[str, int]:
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }


def _fix(fix: Fix, root: str) -> dict[str, Any]:
    changes = [
        {
            "artifactLocation": _artifact(path, root),
            "replacements": [
                {"deletedRegion": _region(edit.place), "insertedContent": {"text": encodable(edit.content)}}
                for edit in edits
            ],
        }
        for path, edits in groupby(sorted(fix.edits), key=lambda edit: edit.place.path)
    ]
    return {
        "description": {"text": printable(fix.message)},
        "artifactChanges": changes,
        "properties": {"applicability": fix.applicability},
    }


def _rules(codes: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    if not codes:
        return []
    from loss_lint.rules import all_rules

    known = {rule.code: rule for rule in all_rules()}
    return [_rule(known[code]) if code in known else {"id": code, "name": name} for code, name in codes]


def _rule(rule: Rule) -> dict[str, Any]:
    from loss_lint.rules import documentation

    page = documentation(rule)
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": _opening(page)},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"enabled": rule.default, "level": "error"},
        "properties": {
            "claim": list(rule.claim),
            "fix": rule.fix,
            "problem.severity": "error",
            "tags": ["correctness", "pytorch"],
        },
    }


def _opening(page: str) -> str:
    """The page's paragraphs on what the rule does and why that is bad, without their titles."""
    sections = page.split("\n## ")[1:3]
    return " ".join(" ".join(section.partition("\n")[2].split()) for section in sections)

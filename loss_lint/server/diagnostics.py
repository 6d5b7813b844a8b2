"""Findings as the protocol's diagnostics."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lsprotocol.types import (
    Diagnostic,
    DiagnosticRelatedInformation,
    DiagnosticSeverity,
    DiagnosticTag,
)

from loss_lint.selection import INTERNAL_ERROR, UNPARSABLE
from loss_lint.server.session import place_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loss_lint.findings import Finding, Place
    from loss_lint.server.locations import Locator
    from loss_lint.server.messages import Found, Linted

SOURCE = "loss-lint"
# What a rule of these codes flags is spelled in a way that torch has given up.
_DEPRECATED = frozenset({"LOS107"})


def diagnostics(
    linted: Linted, locator: Locator, evidence: Callable[[Found], str | None]
) -> list[tuple[str, Diagnostic]]:
    """The diagnostics of one file or notebook, each with the address of the document that it stands in.

    `evidence` gives what was measured of a finding, in words.
    """
    return [_diagnostic(found, linted, locator, evidence(found)) for found in linted.found]


def _diagnostic(
    found: Found, linted: Linted, locator: Locator, evidence: str | None
) -> tuple[str, Diagnostic]:
    finding = found.finding
    place = place_in(finding, linted.path)
    message = finding.message
    if place is not finding.place:
        message = (
            f"{message} (At {os.path.basename(finding.place.path)}:{finding.place.line}, called from here.)"
        )
    if evidence is not None:
        message = f"{message}\nMeasured: {evidence}"
    related = [
        DiagnosticRelatedInformation(locator.location(step_place, linted.lines), text)
        for step_place, text in _related(finding, place)
    ]
    here = locator.location(place, linted.lines)
    return here.uri, Diagnostic(
        here.range,
        message,
        severity=_severity(finding),
        code=finding.code,
        source=SOURCE,
        tags=[DiagnosticTag.Deprecated] if finding.code in _DEPRECATED else None,
        related_information=related or None,
        data={
            "name": finding.name,
            "claim": list(finding.claim),
            "fix": None if finding.fix is None else finding.fix.applicability,
        },
    )


def _severity(finding: Finding) -> DiagnosticSeverity:
    return (
        DiagnosticSeverity.Error
        if finding.code in (UNPARSABLE, INTERNAL_ERROR)
        else DiagnosticSeverity.Warning
    )


def _related(finding: Finding, place: Place) -> Iterator[tuple[Place, str]]:
    if place is not finding.place:
        yield finding.place, "the finding stands here"
    for step in finding.trace:
        yield step.place, step.message

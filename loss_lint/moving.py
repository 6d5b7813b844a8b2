"""What files said of another one before it changed: where that is now.


An editor shows that while somebody types, until the callers of the file are evaluated again. Lines that a message
speaks of are those that it was written for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from loss_lint.findings import Edit, Finding, Fix, Place, Step
from loss_lint.syntax.site import Site

if TYPE_CHECKING:
    from loss_lint.sightings import Report, Sighting

_LINE_END = re.compile(rb"\r\n|\n|\r")

_Span = TypeVar("_Span", Place, Site)


@dataclass(frozen=True, slots=True)
class Move:
    """What an edit did to the lines of a file: `before` lines stayed, then some changed, the rest moved by `by`."""

    path: str
    before: int
    changed: int
    by: int

    def line(self, number: int) -> int | None:
        """Where a 1-based line is now; None if it has changed."""
        if number <= self.before:
            return number
        return number + self.by if number > self.before + self.changed else None

    def touches(self, site: Site) -> bool:
        """Whether a place in the new text has a line that has changed."""
        return site.line <= self.before + self.changed + self.by and site.end_line > self.before

    def span(self, span: _Span) -> _Span | None:
        """Where a place is now; None if something in it has changed."""
        if span.path != self.path:
            return span
        line, end = self.line(span.line), self.line(span.end_line)
        if line is None or end is None or end - line != span.end_line - span.line:
            return None
        if isinstance(span, Place):
            return replace(span, line=line, end_line=end)
        return span._replace(line=line, end_line=end)


def move(path: str, old: bytes, new: bytes) -> Move:
    """What became of the lines of `old` in `new`."""
    was, now = _LINE_END.split(old), _LINE_END.split(new)
    most = min(len(was), len(now))
    before = next((index for index in range(most) if was[index] != now[index]), most)
    after = next(
        (index for index in range(most - before) if was[-1 - index] != now[-1 - index]), most - before
    )
    return Move(path, before, len(was) - before - after, len(now) - len(was))


def moved(report: Report, moves: list[Move]) -> Report:
    """A report after edits of other files, without what was said of the lines that have changed."""
    for one in moves:
        sightings = (_sighting(sighting, one) for sighting in report.sightings)
        report = replace(
            report,
            sightings=tuple(sighting for sighting in sightings if sighting is not None),
            confirmed=frozenset(
                sink._replace(site=site)
                for sink in report.confirmed
                if (site := one.span(sink.site)) is not None
            ),
            refuted=frozenset(
                sink._replace(site=site)
                for sink in report.refuted
                if (site := one.span(sink.site)) is not None
            ),
        )
    return report


def _sighting(sighting: Sighting, by: Move) -> Sighting | None:
    site, finding = by.span(sighting.sink.site), _finding(sighting.finding, by)
    if site is None or finding is None:
        return None
    return replace(sighting, finding=finding, sink=sighting.sink._replace(site=site))


def _finding(finding: Finding, by: Move) -> Finding | None:
    place = by.span(finding.place)
    if place is None:
        return None
    trace = ((by.span(step.place), step.message) for step in finding.trace)
    also = (by.span(place) for place in finding.also)
    return replace(
        finding,
        place=place,
        trace=tuple(Step(where, message) for where, message in trace if where is not None),
        also=tuple(where for where in also if where is not None),
        fix=None if finding.fix is None else _fix(finding.fix, by),
    )


def _fix(fix: Fix, by: Move) -> Fix | None:
    edits = [(by.span(edit.place), edit.content) for edit in fix.edits]
    if any(place is None for place, _ in edits):
        return None
    return replace(fix, edits=tuple(Edit(place, content) for place, content in edits if place is not None))

"""What the roots of one file say, and how what several files say of one place becomes findings.

A report follows from one file and what it imports, never from who imports it: reports can be made in any
order, by any process, and remembered. Callers come in when reports are judged together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from loss_lint.findings import Finding
from loss_lint.syntax.site import Site


class Sink(NamedTuple):
    """Where a rule looked: its code and the operation's site."""

    code: str
    site: Site


@dataclass(frozen=True, slots=True)
class Sighting:
    """A rule's match as a finding, if it stands.

    `rank` orders several ways to the same finding, the plainest first. `called` says that the match was seen
    from a call, not in a function called from nowhere; `unanimous` that every caller has to agree.
    """

    finding: Finding
    sink: Sink
    rank: tuple[int, int, int]
    called: bool = False
    unanimous: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What evaluating the roots of the file at `path` showed, in that file and in others.

    `confirmed` and `refuted` are the sinks reached by a call at which a rule did and did not match. `files`,
    `folders` and the importers of the files `imported` are what the report followed from, `limits` how often a
    limit on work was met, by its name.
    """

    path: str
    sightings: tuple[Sighting, ...] = ()
    confirmed: frozenset[Sink] = frozenset()
    refuted: frozenset[Sink] = frozenset()
    files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    imported: tuple[str, ...] = ()
    limits: tuple[tuple[str, int], ...] = ()

    def without_witnesses(self) -> Report:
        """The report without expression graphs, which are costly to send and can be made again."""
        plain = (replace(one, finding=replace(one.finding, witness=None)) for one in self.sightings)
        return replace(self, sightings=tuple(plain))


def single(path: str, finding: Finding) -> Report:
    """The report of a file of which nothing but one finding is known."""
    place = finding.place
    site = Site(place.path, place.line, place.column, place.end_line, place.end_column)
    return Report(path, (Sighting(finding, Sink(finding.code, site), (0, 0, 0)),))


def seen_in(reports: Iterable[Report]) -> set[str]:
    """The files in which something was seen."""
    return {sighting.finding.place.path for report in reports for sighting in report.sightings}


def judge(path: str, reports: Sequence[Report]) -> Iterator[Finding]:
    """The findings in the file at `path`, of what its own report and its callers' say, in that order."""
    confirmed = frozenset[Sink]().union(*(report.confirmed for report in reports))
    refuted = frozenset[Sink]().union(*(report.refuted for report in reports))
    best: dict[object, Sighting] = {}
    for sighting in _at(path, reports):
        if not _stands(sighting, confirmed, refuted):
            continue
        key = (sighting.finding.code, sighting.finding.place)
        known = best.get(key)
        if known is None or sighting.rank < known.rank:
            best[key] = sighting
    for sighting in best.values():
        yield sighting.finding


def _at(path: str, reports: Iterable[Report]) -> Iterator[Sighting]:
    for report in reports:
        for sighting in report.sightings:
            if sighting.finding.place.path == path:
                yield sighting


def _stands(sighting: Sighting, confirmed: frozenset[Sink], refuted: frozenset[Sink]) -> bool:
    """Whether a match stands: a function's callers know more of its arguments than its defaults do."""
    if sighting.unanimous and sighting.sink in refuted:
        return False
    return sighting.called or sighting.sink not in refuted or sighting.sink in confirmed

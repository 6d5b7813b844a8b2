"""Files in, reports and findings out: the pure middle of the tool, without configuration, `noqa` or output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from loss_lint.conventions import USUAL, Conventions
from loss_lint.findings import Finding, Place
from loss_lint.moving import Move, move, moved
from loss_lint.sightings import Report, judge, seen_in, single
from loss_lint.syntax.project import Project, Trail
from loss_lint.syntax.relevance import Relevance
from loss_lint.syntax.screen import is_python_of_torch
from loss_lint.syntax.sources import is_notebook

if TYPE_CHECKING:
    from loss_lint.fixes import Repairs
    from loss_lint.rules.engine import Engine
    from loss_lint.symbolic.machine import Machine
    from loss_lint.syntax.site import Site
    from loss_lint.syntax.sources import Sources

_T = TypeVar("_T")

# Expressions nest deeper in real code than Python's default limit lets us follow.
RECURSION_LIMIT = 8_000

# What is kept of evaluated modules for the files to come is dropped when this much source has been loaded.
MAX_LOADED_BYTES = 6_000_000


class Linter:
    """Lints files of one project. What several of them import is read and evaluated once.

    `roots` are the folders that a run was asked for: where nothing else says where a project begins, it
    begins there. `conventions` say what its own names mean. With `keeps_reports`, what one file says is
    remembered for the others that it calls into, without witnesses: for whoever asks for one file after the other.
    """

    def __init__(
        self,
        sources: Sources,
        roots: Sequence[str] = (),
        conventions: Conventions = USUAL,
        *,
        keeps_reports: bool = False,
    ) -> None:
        self._given = (sources, tuple(roots), conventions)
        self._reports: dict[str, Report] | None = {} if keeps_reports else None
        # Of these files, what was said without fixes.
        self._unrepaired: set[str] = set()
        self._followed: dict[str, frozenset[str]] = {}
        # What files said before others changed, with the text that each of these had.
        self._outdated: dict[str, tuple[Report, dict[str, bytes]]] = {}
        self.project = Project(sources, roots, conventions.import_roots)
        self.relevance = Relevance(self.project, conventions)
        self._started: tuple[Machine, Engine, Repairs] | None = None
        # How much source there was in what has been dropped, which only a collection of garbage gives back.
        self.dropped_bytes = 0

    @property
    def roots(self) -> tuple[str, ...]:
        """The folders that the run was asked for."""
        return self._given[1]

    @property
    def conventions(self) -> Conventions:
        """What the project's own names mean."""
        return self._given[2]

    def __getstate__(self) -> Any:
        """Another process reads and evaluates anew."""
        return self._given

    def __setstate__(self, state: Any) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def is_relevant(self, path: str, data: bytes) -> bool:
        """Whether examining a file can show anything."""
        return self.relevance.is_relevant(path, data)

    def examine(
        self, path: str, pause: Callable[[], None] | None = None, *, with_fixes: bool = True
    ) -> Report:
        """What the file at `path` and what it imports say; that it cannot be read or parsed is a finding (LOS000).

        `pause` is called where the work can be broken off, and may raise.
        """
        with self.project.following() as trail:
            report = self._examined(path, pause or _go_on, with_fixes=with_fixes)
        return replace(
            report,
            files=tuple(sorted(trail.files)),
            folders=tuple(sorted(trail.folders)),
            imported=tuple(sorted(trail.imported)),
        )

    def changed(self, path: str) -> None:
        """Look at a file again whose text has changed, and evaluate anew what followed from it.

        Which files import which, and what leads to a loss in others, stays as it was when the project was searched.
        """
        with suppress(OSError, ValueError):
            self._outdate(path, self.project.sources.read(path))
        self.project.forget(path)
        self.relevance.forget(path)
        if self._started is not None:
            self._started[0].own_names.look_again(self.project)
        self._forget(frozenset({path}), frozenset())

    def _outdate(self, path: str, text: bytes) -> None:
        """Put aside what other files say with the text that one has so far."""
        for other, report in (self._reports or {}).items():
            if other != path and path in report.files:
                self._outdated[other] = (report, {})
        for _, texts in self._outdated.values():
            texts.setdefault(path, text)

    def search_again(self) -> None:
        """Look at the whole project again; what followed from files that are as they were is kept."""
        self._outdated.clear()
        known, known_relevance = self.project, self.relevance
        trail = self._consulted()
        self.project = Project(self._given[0], self.roots, self.conventions.import_roots)
        self.relevance = Relevance(self.project, self.conventions)
        files = frozenset(
            path
            for path in trail.files
            if _state(path, self.project, self.relevance) != _state(path, known, known_relevance)
        )
        folders = frozenset(
            folder
            for folder in trail.folders
            if self.project.sources.listing(folder) != known.sources.listing(folder)
        )
        if self._started is not None:
            machine = self._started[0]
            machine.project, machine.relevance = self.project, self.relevance
            machine.own_names.look_again(self.project)
        self._forget(files, folders)
        if self._reports is not None:
            self._reports = {
                path: report
                for path, report in self._reports.items()
                if all(self.project.importers(one) == known.importers(one) for one in report.imported)
            }

    def _forget(self, files: frozenset[str], folders: frozenset[str]) -> None:
        """Forget what followed from changed files; from changed folders, all that was evaluated."""
        if self._reports is not None:
            self._reports = {
                path: report
                for path, report in self._reports.items()
                if files.isdisjoint((path, *report.files)) and folders.isdisjoint(report.folders)
            }
        if folders:
            self.start_afresh()
        elif self._started is not None:
            machine, _, repairs = self._started
            if files:
                machine.modules.forget(files)
            repairs.forget(files)

    def _consulted(self) -> Trail:
        """What all that is remembered followed from."""
        found = Trail()
        if self._started is not None:
            found.add(self._started[0].modules.consulted())
        for path, report in (self._reports or {}).items():
            found.add(Trail({path, *report.files}, {*report.folders}))
        return found

    def lint(
        self,
        path: str,
        pause: Callable[[], None] | None = None,
        *,
        quick: bool = False,
        with_fixes: bool = True,
    ) -> tuple[Finding, ...]:
        """The findings of one file, in the light of its callers; sorted.

        Findings in other files count if the call that brought their parts together is in this one. `pause` is
        called now and then, and may raise. When `quick`, findings have no fixes, and callers say what they said before
        the file changed, where they were looked at then.
        """
        report = self._report(path, pause, with_fixes=with_fixes and not quick)
        callers = self.relevance.callers(path)
        outdated = {one: self._remembered(one) for one in callers if quick and not self._knows(one)}
        if any(one is not None for one in outdated.values()):
            report = self._without_doubtful(report)
        reports = {path: report}
        reports |= {
            one: outdated.get(one) or self._report(one, pause, with_fixes=with_fixes) for one in callers
        }
        found = [*judge(path, list(reports.values()))]
        for other in sorted(seen_in([report]) - {path}):
            callers = (other, *self.relevance.callers(other), *((path,) if is_notebook(path) else ()))
            reports |= {
                caller: self._report(caller, pause, with_fixes=with_fixes)
                for caller in callers
                if caller not in reports
            }
            found += [
                finding
                for finding in judge(other, [reports[caller] for caller in callers])
                if any(place.path == path for place in finding.also)
            ]
        if self._reports is not None:
            self._followed[path] = frozenset(
                one for report in reports.values() for one in (report.path, *report.files)
            )
        return tuple(sorted(found, key=Finding.sort_key))

    def is_whole(self, path: str) -> bool:
        """Whether the fixes of a file are written, and its callers looked at since something in it changed."""
        return path not in self._unrepaired and all(map(self._knows, self.relevance.callers(path)))

    def _knows(self, path: str) -> bool:
        return self._reports is not None and path in self._reports

    def _remembered(self, path: str) -> Report | None:
        """What a file said before others changed, where that is now."""
        if path not in self._outdated:
            return None
        report, texts = self._outdated[path]
        return moved(report, self._moves(texts))

    def _moves(self, texts: Mapping[str, bytes]) -> list[Move]:
        moves: list[Move] = []
        for path, text in texts.items():
            with suppress(OSError, ValueError):
                moves.append(move(path, text, self.project.sources.read(path)))
        return moves

    def _without_doubtful(self, report: Report) -> Report:
        """The report without what callers may refute: what a function says alone on lines that have changed."""
        texts = {path: text for _, texts in self._outdated.values() for path, text in texts.items()}
        moves = {one.path: one for one in self._moves(texts)}
        return replace(
            report,
            sightings=tuple(
                sighting
                for sighting in report.sightings
                if sighting.called or not sighting.finding.claim or not _is_new(sighting.sink.site, moves)
            ),
        )

    def followed(self, path: str) -> frozenset[str]:
        """The files that the findings of one followed from when it was linted last; it keeps reports for that."""
        return self._followed.get(path, frozenset())

    def look(self, path: str, at: Callable[[Machine, str], _T]) -> _T:
        """What `at` makes of the evaluator and the file at `path`; it keeps nothing of either."""
        from loss_lint.symbolic import limits

        machine, _, _ = self._parts()
        limits.forget()
        try:
            with _deep_recursion():
                return at(machine, path)
        finally:
            machine.modules.finish_file(keeps_values=False)
            _forget_answers()
            if not machine.modules.is_shareable:
                self.start_afresh()

    def can_matter(self, path: str) -> bool:
        """Whether a file leads to a loss, or one that does leads to it."""
        try:
            is_relevant = self.is_relevant(path, self.project.sources.read(path))
        except (OSError, ValueError):
            return False
        return is_relevant or bool(self.relevance.callers(path))

    def _report(self, path: str, pause: Callable[[], None] | None, *, with_fixes: bool = True) -> Report:
        if pause is not None:
            pause()
        if self._reports is None:
            return self.examine(path, pause)
        if path not in self._reports or (with_fixes and path in self._unrepaired):
            report = self.examine(path, pause, with_fixes=with_fixes)
            self._unrepaired.discard(path)
            if not with_fixes and any(one.finding.witness is not None for one in report.sightings):
                self._unrepaired.add(path)
            self._reports[path] = report.without_witnesses()
            self._outdated.pop(path, None)
        return self._reports[path]

    def _examined(self, path: str, pause: Callable[[], None], *, with_fixes: bool) -> Report:
        from loss_lint.syntax.cells import NotANotebook

        try:
            data = self.project.read(path)
        except NotANotebook as error:
            return _unreadable(path, str(error), error.line, error.column)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            return _unreadable(path, f"the file cannot be read: {reason}", 1, 1)
        relevant = self.is_relevant(path, data)
        if not relevant and not is_python_of_torch(data):
            return Report(path)
        report = None
        if relevant:
            with _deep_recursion():
                report = self._evaluated(path, pause, with_fixes=with_fixes)
        if report is None:
            report = _parsed(path, data, must_fail=relevant)
        read = self.project.sources.notebook(path)
        for broken in read.broken if read is not None else ():
            alone = _unreadable(path, broken.message, broken.line, broken.column)
            report = replace(report, sightings=(*report.sightings, *alone.sightings))
        return report

    def _evaluated(self, path: str, pause: Callable[[], None], *, with_fixes: bool) -> Report | None:
        """What the roots of the file say; None where it cannot be parsed."""
        from loss_lint.symbolic import limits

        machine, engine, repairs = self._parts()
        limits.forget()
        if machine.module(path) is None:
            return None
        keeps_values = False
        machine.pause = pause
        try:
            report = engine.examine(path, lambda one: repairs.repaired(one, path) if with_fixes else one)
            report = replace(report, limits=machine.modules.limits_met(path))
            keeps_values = bool(report.sightings) and self._reports is None
        finally:
            machine.pause = _go_on
            machine.modules.finish_file(keeps_values=keeps_values)
            _forget_answers()
        shareable = machine.modules.is_shareable
        if machine.modules.loaded_bytes > MAX_LOADED_BYTES:
            before = machine.modules.loaded_bytes
            machine.modules.drop_unshared()
            self.dropped_bytes += before - machine.modules.loaded_bytes
            shareable = shareable and machine.modules.loaded_bytes < MAX_LOADED_BYTES / 2
        if not shareable:
            self.start_afresh()
        return report

    def _parts(self) -> tuple[Machine, Engine, Repairs]:
        """The evaluator, made when a first file needs it."""
        if self._started is None:
            from loss_lint.fixes import Repairs
            from loss_lint.rules.engine import Engine
            from loss_lint.symbolic.machine import Machine

            machine = Machine(self.project, self.relevance, self.conventions)
            self._started = (machine, Engine(machine), Repairs(machine))
        return self._started

    def start_afresh(self) -> None:
        """Drop all that was evaluated: after a failure, or where it takes too much memory."""
        from loss_lint.symbolic.graph import forget_contents

        if self._started is not None:
            self.dropped_bytes += self._started[0].modules.loaded_bytes
            self._started[0].modules.end()
        self._started = None
        forget_contents()
        _forget_answers()


def _forget_answers() -> None:
    """Drop what is remembered of conditions and shapes, with the values that it speaks of."""
    from loss_lint.symbolic.guards import forget_conditions
    from loss_lint.symbolic.shapes import forget_shapes

    forget_conditions()
    forget_shapes()


def _go_on() -> None:
    """Nothing breaks the work off."""


def _parsed(path: str, data: bytes, *, must_fail: bool) -> Report:
    """What is wrong with the syntax of a file, if anything."""
    from loss_lint.syntax.module import Unparsable, is_parsable, parse

    if not must_fail and is_parsable(path, data):
        return Report(path)
    try:
        parse(path, data)
    except Unparsable as error:
        return _unreadable(path, error.message, error.line, error.column)
    return Report(path)


def _is_new(site: Site, moves: Mapping[str, Move]) -> bool:
    by = moves.get(site.path)
    return by is not None and by.touches(site)


def _state(path: str, project: Project, relevance: Relevance) -> tuple[bytes | None, frozenset[str]]:
    """What a file holds, None where it cannot be read, and which of its imports lead to a loss."""
    try:
        data = project.sources.read(path)
    except (OSError, ValueError):
        return None, frozenset()
    return data, relevance.imported_loss_names(path)


def lint(path: str, sources: Sources, roots: Sequence[str] = ()) -> tuple[Finding, ...]:
    """The findings of one file, in the light of its callers."""
    return Linter(sources, roots).lint(path)


@contextmanager
def _deep_recursion() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _unreadable(path: str, message: str, line: int, column: int) -> Report:
    finding = Finding("LOS000", "unreadable-file", message, Place(path, line, column, line, column + 1))
    return single(path, finding)

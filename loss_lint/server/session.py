"""The project as an editor sees it: its open buffers over the disk, kept evaluated from one change to the next."""

from __future__ import annotations

import os
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING

from loss_lint.config import ConfigError, Configuration, Settings
from loss_lint.conventions import USUAL, Conventions
from loss_lint.linter import Linter
from loss_lint.report.source import SourceLines
from loss_lint.runner import internal_error
from loss_lint.selection import INTERNAL_ERROR, UNPARSABLE, known_codes
from loss_lint.server.line_changes import line_changes
from loss_lint.server.messages import Buffer, Found, Linted, Measured, Mended, OnDisk, Shown
from loss_lint.server.options import Options
from loss_lint.syntax.cells import code_cells
from loss_lint.syntax.module import decode
from loss_lint.syntax.noqa import Suppressions
from loss_lint.syntax.sources import Folder, Overlay, exists, is_notebook, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from loss_lint.explain.explanation import Explanation
    from loss_lint.findings import Finding, Place
    from loss_lint.server.messages import Hover, Lint, Measure, Mend, Setup
    from loss_lint.symbolic.machine import Machine
    from loss_lint.syntax.sources import Snapshot


# Folders of a workspace can have names of their own; more sets of them than this are evaluated anew.
_MAX_LINTERS = 4


class Superseded(Exception):
    """Something newer than what is being answered is waiting."""


class Session:
    """Answers what the server asks. `pause` is called between files, and raises Superseded to end an answer early."""

    def __init__(self, pause: Callable[[], None]) -> None:
        self._pause = pause
        self._texts: dict[str, bytes] = {}
        self._options = Options()
        self._must_search = False
        self._explanations: dict[str, Explanation] = {}
        self._shown: dict[str, tuple[Finding, ...]] = {}
        self._start((), Options())

    # What is told

    def setup(self, told: Setup) -> None:
        self._start(told.folders, told.options)

    def _start(self, folders: tuple[str, ...], options: Options) -> None:
        self._folders, self._options = folders, options
        self._configuration = _configuration(options)
        # One for each set of a project's own names, the newest first; there is rarely more than one.
        self._linters = [self._new_linter(USUAL)]
        self._explanations.clear()

    def _new_linter(self, conventions: Conventions) -> Linter:
        return Linter(Overlay(Folder(), self._texts), self._folders, conventions, keeps_reports=True)

    @property
    def _linter(self) -> Linter:
        """The one that was used last."""
        return self._linters[0]

    def _use(self, conventions: Conventions) -> Linter:
        """The linter that knows what a project's own names mean."""
        known = next((one for one in self._linters if one.conventions == conventions), None)
        others = [one for one in self._linters if one is not known]
        self._linters = [known or self._new_linter(conventions), *others[: _MAX_LINTERS - 1]]
        return self._linters[0]

    def _meant(self, path: str) -> Conventions:
        """What the project's own names mean in a file."""
        try:
            return self._configuration.conventions(path)
        except ConfigError:  # said with the file's findings
            return USUAL

    def start_afresh(self) -> None:
        """Forget all that was evaluated, but not the buffers."""
        self._start(self._folders, self._options)

    def buffer(self, told: Buffer) -> None:
        """A document was opened, changed or closed."""
        before = self._read(told.path)
        if told.data is None:
            self._texts.pop(told.path, None)
        else:
            self._texts[told.path] = told.data
        if before is None or told.data != before:
            self._changed(told.path)

    def on_disk(self, told: OnDisk) -> None:
        """Files have changed on disk, or appeared, or gone."""
        for path in told.paths:
            if path not in self._texts:
                self._changed(path)
        self._must_search = True

    def _changed(self, path: str) -> None:
        for linter in self._linters:
            linter.changed(path)
        self._explanations.clear()
        if not is_notebook(path) and not exists(self._linter.project.sources, path):
            self._must_search = True

    def _read(self, path: str) -> bytes | None:
        """What the file at `path` was when it was looked at."""
        try:
            return self._linter.project.sources.read(path)
        except (OSError, ValueError):
            return None

    # What is asked

    def lint(self, asked: Lint) -> Linted:
        """The findings in a file, and those elsewhere that it brings about; raises Superseded and nothing else."""
        try:
            return self._lint(asked)
        except Superseded:
            raise
        except Exception as error:  # noqa: BLE001 - the outermost edge: one file must not end the session
            self.start_afresh()
            finding = internal_error(asked.path, f"{type(error).__name__}: {error}")
            return Linted(asked.path, (Found(finding, None, ""),), {}, failure=traceback.format_exc())

    def _lint(self, asked: Lint) -> Linted:
        if asked.search or self._must_search:
            self._search()
        problem, configuration = None, self._configuration
        try:
            codes = configuration.codes(asked.path)
            if _is_left_out(asked.path, configuration):
                self._shown.pop(asked.path, None)
                return Linted(asked.path, (), {})
        except ConfigError as error:
            problem, configuration = str(error), Configuration(known_codes, isolated=True)
            codes = configuration.codes(asked.path)
        settings = configuration.settings(os.path.dirname(asked.path))
        findings = self._use(settings.conventions).lint(asked.path, self._pause, quick=asked.quick)
        suppressions = Suppressions(self._linter.project.sources)
        shown = _shown_of(findings, codes, suppressions)
        self._shown[asked.path] = shown
        offers = not asked.quick
        found = tuple(self._found(finding, asked.path, suppressions, offers) for finding in shown)
        places = [place for one in found for place in _places(one)]
        return Linted(
            asked.path,
            found,
            self._lines_at(places),
            self._linter.followed(asked.path),
            self._starts(asked.path),
            is_parsable=all(finding.code != UNPARSABLE for finding in shown),
            is_whole=self._linter.is_whole(asked.path) and (offers or not found),
            can_measure=bool(shown) and _has_torch(),
            unsafe_fixes=settings.unsafe_fixes is True,
            problem=problem,
        )

    def _starts(self, path: str) -> tuple[tuple[int, int], ...]:
        """Where the cells of a notebook begin in its module."""
        notebook = self._linter.project.sources.notebook(path)
        return () if notebook is None else tuple(notebook.named(path).starts)

    def mend(self, asked: Mend) -> Mended:
        """What fixes change in a document, made until none is left, as `check --fix` makes them."""
        from loss_lint.repair.rounds import Workshop, repair

        path, before = asked.path, self._texts.get(asked.path)
        if before is None:
            return Mended()
        try:
            codes = self._configuration.codes(path)
        except ConfigError:  # said with the file's findings
            return Mended()

        def look(sources: Snapshot) -> tuple[Finding, ...]:
            self.buffer(Buffer(path, sources.file(path)))
            linter = self._use(self._meant(path))
            return _shown_of(linter.lint(path), codes, Suppressions(linter.project.sources))

        def wants(finding: Finding) -> bool:
            return finding.fix is not None and (asked.unsafe or finding.fix.applicability == "safe")

        def obstacle(other: str) -> str | None:
            return None if other == path else f"it edits another file, {other}"

        sources = snapshot(Overlay(Folder(), dict(self._texts)))
        try:
            result = repair(look(sources), Workshop(sources, look, wants, obstacle))
        finally:
            self.buffer(Buffer(path, before))
        after = result.after.get(path)
        if after is None:
            return Mended()
        if not is_notebook(path):
            return Mended(line_changes(decode(before), decode(after)))
        cells = zip(code_cells(before), code_cells(after), strict=True)
        return Mended(
            tuple(change for old, new in cells for change in line_changes(old.source, new.source, old.number))
        )

    def _search(self) -> None:
        self._must_search = False
        self._configuration = _configuration(self._options)
        for linter in self._linters:
            linter.search_again()
        self._explanations.clear()

    def _found(self, finding: Finding, path: str, suppressions: Suppressions, offers: bool) -> Found:
        """What the editor shows; with what it `offers` to do about it, which needs a look at all lines."""
        place = place_in(finding, path)
        disable = None
        if offers and finding.code not in (UNPARSABLE, INTERNAL_ERROR):
            disable = suppressions.silencing(finding.code, place)
        return Found(replace(finding, witness=None), disable, self._text(finding.place))

    def _text(self, place: Place) -> str:
        lines = self._file_lines(place.path)
        inside = lines[place.line - 1 : place.end_line]
        if not inside:
            return ""
        if len(inside) == 1:
            return inside[0][place.column - 1 : place.end_column - 1]
        return "\n".join([inside[0][place.column - 1 :], *inside[1:-1], inside[-1][: place.end_column - 1]])

    def _file_lines(self, path: str) -> Sequence[str]:
        return SourceLines(self._linter.project.sources).of(path)

    def _lines_at(self, places: Iterable[Place]) -> dict[tuple[str, int], str]:
        """The lines that places begin or end in."""
        source = SourceLines(self._linter.project.sources)
        wanted = {(place.path, number) for place in places for number in (place.line, place.end_line)}
        return {
            (path, number): source.of(path)[number - 1]
            for path, number in wanted
            if 1 <= number <= len(source.of(path))
        }

    def hover(self, asked: Hover) -> Shown | None:
        """What there is to say of a place in a file; None if nothing."""
        from loss_lint.server.hover import shown_at

        findings = self._shown.get(asked.path, ())
        explanation = self._explanations.get(asked.path)
        self._use(self._meant(asked.path))
        if explanation is None and self._linter.can_matter(asked.path):
            explanation = self._explanations[asked.path] = self._linter.look(asked.path, _explained)
        shown = shown_at(asked, explanation, findings)
        if shown is None:
            return None
        markdown, place = shown
        return Shown(markdown, place, self._lines_at([place]))

    def measure(self, asked: Measure) -> Measured:
        """The evidence for a finding; raises ImportError without torch."""
        from loss_lint.harness import confirm
        from loss_lint.report.evidence import evidence_line

        # A linter that remembers reports has no expressions to run.
        linter = Linter(Overlay(Folder(), self._texts), self._folders, self._meant(asked.path))
        for finding in linter.lint(asked.path):
            if finding.code == asked.code and finding.place == asked.place and finding.claim:
                evidence = confirm(finding)
                return Measured(evidence, evidence_line(evidence))
        return Measured(None, "the finding is not there any more")


def _shown_of(
    findings: Iterable[Finding], codes: frozenset[str], suppressions: Suppressions
) -> tuple[Finding, ...]:
    """Of findings, those that are selected and that no comment silences."""
    return tuple(
        finding
        for finding in findings
        if finding.code == INTERNAL_ERROR or (finding.code in codes and not suppressions.silences(finding))
    )


def _configuration(options: Options) -> Configuration:
    return Configuration(known_codes, Settings(layers=(options.layer,)))


def _is_left_out(path: str, configuration: Configuration) -> bool:
    """Whether a configuration file says that loss-lint leaves the file out."""
    settings = configuration.settings(os.path.dirname(path))
    speaks = settings.exclude is not None or bool(settings.extend_exclude)
    return speaks and configuration.excludes(path)


def place_in(finding: Finding, path: str) -> Place:
    """Where a finding shows in the file at `path`: its own place, or the call in that file that brought it about."""
    if finding.place.path == path:
        return finding.place
    return next((place for place in finding.also if place.path == path), finding.place)


def _places(found: Found) -> Iterator[Place]:
    finding = found.finding
    yield finding.place
    yield from finding.also
    yield from (step.place for step in finding.trace)
    if finding.fix is not None:
        yield from (edit.place for edit in finding.fix.edits)
    if found.disable is not None:
        yield found.disable.place


def _explained(machine: Machine, path: str) -> Explanation:
    from loss_lint.explain.losses import explain, roots_of

    return explain(machine, roots_of(machine, path), path)


def _has_torch() -> bool:
    from importlib.util import find_spec

    try:
        return find_spec("torch") is not None
    except (ImportError, ValueError):
        return False

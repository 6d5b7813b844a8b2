"""`--baseline`, `--write-baseline` and `--since`: of the findings, those that are new."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from loss_lint import baseline
from loss_lint.baseline import BaselineError, Known, known_by, relative_to
from loss_lint.cells import place_in_cell
from loss_lint.cli.console import complain
from loss_lint.config import ConfigError
from loss_lint.discover import repository
from loss_lint.report.source import SourceLines
from loss_lint.revision import Revision, RevisionError
from loss_lint.showing import Showing
from loss_lint.syntax.noqa import Suppressions
from loss_lint.syntax.sources import Snapshot, Sources

if TYPE_CHECKING:
    import argparse

    from loss_lint.cli.inputs import Input
    from loss_lint.config import Configuration
    from loss_lint.findings import Finding, Place


class News:
    """What of a run's findings is new, by its flags; raises ConfigError where that cannot be told."""

    def __init__(self, options: argparse.Namespace, given: Input, configuration: Configuration) -> None:
        self._options = options
        self._given = given
        self._configuration = configuration
        try:
            file = options.baseline
            self._entries = baseline.read(file) if file is not None else frozenset[Known]()
            self._revisions = _revisions(given, options.since) if options.since is not None else {}
        except (BaselineError, RevisionError) as error:
            raise ConfigError(str(error)) from None

    def __call__(self, findings: Sequence[Finding], sources: Snapshot) -> list[Finding]:
        """The findings in `sources` that nothing knows of; those that are now known are written where asked for."""
        try:
            if self._options.write_baseline is not None:
                self._write(findings, sources)
            return self._new(findings, sources)
        except (BaselineError, RevisionError) as error:
            raise ConfigError(str(error)) from None

    def _new(self, findings: Sequence[Finding], sources: Snapshot) -> list[Finding]:
        found = list(findings)
        if self._options.baseline is not None:
            found = self._beside_baseline(found, sources)
        new = [finding for finding in found if self._top(finding.place.path) not in self._revisions]
        for top, revision in self._revisions.items():
            here = [finding for finding in found if self._top(finding.place.path) == top]
            new += self._since(revision, here, sources)
        return sorted(new, key=lambda finding: finding.sort_key())

    def _write(self, findings: Sequence[Finding], sources: Snapshot) -> None:
        """Write what `findings` are known by to the file of `--write-baseline`.

        Beside `--baseline`, only what that knows and still occurs: so a baseline shrinks.
        """
        file = self._options.write_baseline
        keyed = list(known_by(findings, _line_of(sources), relative_to(file)))
        entries = {key for _, key in keyed}
        if self._options.baseline is not None:
            new = [finding for finding, key in self._keyed(findings, sources) if key not in self._entries]
            entries = {key for finding, key in keyed if finding not in new}
            called = relative_to(file)
            others = self._entries - set(self._covered())
            entries |= {one._replace(path=called(self._path_of(one))) for one in others}
        baseline.write(file, entries)
        if not self._options.quiet:
            count = f"{len(entries)} finding{'' if len(entries) == 1 else 's'}"
            complain("info", [f"wrote {count} to {file}"])

    # A baseline

    def _beside_baseline(self, findings: Sequence[Finding], sources: Snapshot) -> list[Finding]:
        keyed = self._keyed(findings, sources)
        seen = {key for _, key in keyed}
        if self._options.verbose:
            gone = sorted(set(self._covered()) - seen)
            complain("info", [f"{one.path}: {one.code} of the baseline is gone: {one.line}" for one in gone])
        return [finding for finding, key in keyed if key not in self._entries]

    def _keyed(self, findings: Sequence[Finding], sources: Snapshot) -> list[tuple[Finding, Known]]:
        return list(known_by(findings, _line_of(sources), relative_to(self._options.baseline)))

    def _covered(self) -> list[Known]:
        """The entries of files that were looked at, or are not there any more."""
        called = relative_to(self._options.baseline)
        looked_at = {called(path) for path in self._given.files}
        return [
            one for one in self._entries if one.path in looked_at or not os.path.exists(self._path_of(one))
        ]

    def _path_of(self, entry: Known) -> str:
        folder = os.path.dirname(os.path.abspath(self._options.baseline))
        return os.path.normpath(os.path.join(folder, entry.path))

    # A revision

    def _top(self, path: str) -> str | None:
        return repository(os.path.dirname(os.path.abspath(path))) if self._revisions else None

    def _since(self, revision: Revision, findings: list[Finding], sources: Snapshot) -> list[Finding]:
        """Those of the findings in a repository that were none at its revision."""
        from loss_lint.runner import lint_files

        if not findings or not (self._given.from_stdin or revision.is_changed()):
            return []
        before = revision.renamed()
        then = Snapshot(revision)
        # What is found in a file now can only have been found in it before.
        paths = {before.get(path, path) for path in (finding.place.path for finding in findings)}
        run = lint_files(
            sorted(path for path in paths if _is_there(then, path)),
            then,
            roots=self._given.roots,
            jobs=self._options.jobs,
            conventions=self._configuration.conventions,
        )
        revision.close()
        showing = Showing(self._configuration, Suppressions(then))
        old = known_by(filter(showing.shows, run.findings), _line_of(then), lambda path: path)
        known = {key for _, key in old}
        keyed = known_by(findings, _line_of(sources), lambda path: before.get(path, path))
        return [finding for finding, key in keyed if key not in known]


def _revisions(given: Input, name: str) -> dict[str, Revision]:
    """The revision of each repository that the files lie in."""
    found: dict[str, Revision] = {}
    folders = given.folders or [os.getcwd()]
    for folder in folders:
        top = repository(folder)
        if top is None:
            raise RevisionError(f"--since: {folder} is not in a git repository")
        if top not in found:
            try:
                found[top] = Revision(top, name)
            except RevisionError as error:
                raise RevisionError(f"--since: {error}") from None
    return found


def _line_of(sources: Snapshot) -> Callable[[Place], str]:
    lines = SourceLines(sources)
    return lambda place: lines.at(place_in_cell(place, sources))


def _is_there(sources: Sources, path: str) -> bool:
    try:
        sources.read(path)
    except (OSError, ValueError):
        return False
    return True

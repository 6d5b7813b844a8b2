"""Findings remembered between runs.

One file for each linted file, under `.loss_lint_cache`, holding its report and the hashes of all that
it followed from: loss-lint's own sources, the interpreter's grammar, the file, the files that it imports as
far as they were looked at, the folders in which imports were looked for, and who imports what a fix would
change. Which callers judge a file is asked anew in every run. Selection and `# noqa` are applied after the
cache; what the project's own names mean is part of an entry's name.
Entries are JSON under a checksum: a damaged one is the same as none, and none can run code. After a run that added
some, `eviction` takes those away that are old, or too many.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import suppress
from functools import cache, cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from loss_lint.eviction import evict, mark_used
from loss_lint.findings import Edit, Finding, Fix, Place, Step
from loss_lint.sightings import Report, Sighting, Sink
from loss_lint.syntax.site import Site
from loss_lint.syntax.sources import read_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loss_lint.linter import Linter

FOLDER = ".loss_lint_cache"
_TAG_NAME = "CACHEDIR.TAG"
_TAG = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This folder is a cache of loss-lint, see https://bford.info/cachedir/.\n"
)
_IGNORE = "# Written by loss-lint.\n*\n"


class Cache:
    """The cache below one folder. Nothing here raises for what is on disk, or is not."""

    def __init__(self, parent: str, linter: Linter, *, folder: str | None = None) -> None:
        """The cache is in `folder`, by default the one called `.loss_lint_cache` in `parent`."""
        self._folder = os.path.join(parent, FOLDER) if folder is None else folder
        self._linter = linter
        # Many files depend on the same few; each is hashed once a run.
        self._files: dict[str, str] = {}
        self._listings: dict[str, str] = {}
        self._importing: dict[str, str] = {}
        # Names of the entries that were of use to this run, and of those that it has written.
        self.used: set[str] = set()
        self.added: set[str] = set()

    def load(self, path: str) -> Report | None:
        """What is known of `path`, if all that it followed from is unchanged."""
        try:
            name = self._entry(path)
            checksum, _, body = read_file(name).partition(b"\n")
            mark_used(name)
            if checksum.decode() != _digest(body):
                return None
            entry = json.loads(body)
            if entry["version"] != _own_version() or entry["path"] != path:
                return None
            if any(self._file(other) != state for other, state in entry["files"]):
                return None
            if any(self._listing(folder) != state for folder, state in entry["folders"]):
                return None
            if any(self._importers(other) != state for other, state in entry["imported"]):
                return None
            report = _report(entry)
        except (OSError, ValueError, TypeError, KeyError, IndexError, RecursionError):
            return None
        self.used.add(os.path.basename(name))
        return report

    def store(self, report: Report) -> None:
        """Remember what was found. Without effect where nothing can be written."""
        entry = {
            "version": _own_version(),
            "path": report.path,
            "files": [[path, self._file(path)] for path in sorted({report.path, *report.files})],
            "folders": [[folder, self._listing(folder)] for folder in report.folders],
            "imported": [[path, self._importers(path)] for path in report.imported],
            "sightings": [_sighting_record(one) for one in report.sightings],
            "confirmed": _sinks(report.confirmed),
            "refuted": _sinks(report.refuted),
            "limits": report.limits,
        }
        with suppress(OSError, UnicodeEncodeError):
            body = json.dumps(entry, separators=(",", ":")).encode()
            if self._is_prepared:
                _write(self._entry(report.path), _digest(body).encode() + b"\n" + body)

    def has_stored(self, path: str) -> None:
        """Hear that this run has stored what is known of `path`, here or in another process."""
        with suppress(UnicodeEncodeError):
            self.added.add(os.path.basename(self._entry(path)))

    def _file(self, path: str) -> str:
        """A hash of what a file holds, and of which of its imports lead to a loss, or why it cannot be read."""
        if path not in self._files:
            try:
                data = self._linter.project.sources.read(path)
            except (OSError, ValueError) as error:
                self._files[path] = str(error)
            else:
                names = sorted(self._linter.relevance.imported_loss_names(path))
                self._files[path] = _digest(_digest(data).encode() + repr(names).encode("utf-8", "replace"))
        return self._files[path]

    def _listing(self, folder: str) -> str:
        known = self._listings.get(folder)
        if known is None:
            names = sorted(self._linter.project.sources.listing(folder))
            known = self._listings[folder] = _digest(repr(names).encode())
        return known

    def _importers(self, path: str) -> str:
        known = self._importing.get(path)
        if known is None:
            importers = self._linter.project.importers(path)
            known = self._importing[path] = _digest(os.fsencode("\0".join(importers)))
        return known

    def _entry(self, path: str) -> str:
        key = os.fsencode(path) + self._linter.conventions.key.encode("utf-8", "surrogatepass")
        return os.path.join(self._folder, _digest(key) + ".json")

    @cached_property
    def _is_prepared(self) -> bool:
        try:
            os.makedirs(self._folder, exist_ok=True)
            for name, text in ((_TAG_NAME, _TAG), (".gitignore", _IGNORE)):
                path = os.path.join(self._folder, name)
                if not os.path.exists(path):
                    _write(path, text.encode())
        except OSError:
            return False
        return True

    def tidy(self, caches: Sequence[Cache]) -> None:
        """Keep the folder of all `caches` of a run small, if they have added to it; what they used stays."""
        added = frozenset[str]().union(*(cache.added for cache in caches))
        if added:
            used = added.union(*(cache.used for cache in caches))
            evict(self._folder, os.path.join(self._folder, _TAG_NAME), used, len(added))


def _write(path: str, data: bytes) -> None:
    """Put a file in place at once, so that no reader (another process, a later run) sees half of it."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=20).hexdigest()


@cache
def _own_version() -> str:
    """A hash of the interpreter's version and of all of loss-lint's own sources."""
    package = os.path.dirname(os.path.abspath(__file__))
    digest = blake2b(repr(sys.version_info[:3]).encode(), digest_size=20)
    for folder, folders, names in os.walk(package):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    digest.update(blake2b(os.path.relpath(path, package).encode() + file.read()).digest())
    return digest.hexdigest()


def _sighting_record(sighting: Sighting) -> list[Any]:
    sink = [sighting.sink.code, list(sighting.sink.site)]
    return [_record(sighting.finding), sink, sighting.rank, sighting.called, sighting.unanimous]


def _sinks(sinks: frozenset[Sink]) -> list[list[Any]]:
    return sorted([code, list(site)] for code, site in sinks)


def _report(entry: dict[str, Any]) -> Report:
    return Report(
        path=entry["path"],
        sightings=tuple(
            Sighting(_finding(finding), _sink(*sink), tuple(rank), called, unanimous)
            for finding, sink, rank, called, unanimous in entry["sightings"]
        ),
        confirmed=frozenset(_sink(*sink) for sink in entry["confirmed"]),
        refuted=frozenset(_sink(*sink) for sink in entry["refuted"]),
        files=tuple(path for path, _ in entry["files"]),
        folders=tuple(folder for folder, _ in entry["folders"]),
        imported=tuple(path for path, _ in entry["imported"]),
        limits=tuple((name, count) for name, count in entry["limits"]),
    )


def _sink(code: str, site: list[Any]) -> Sink:
    return Sink(code, Site(*site))


def _record(finding: Finding) -> dict[str, Any]:
    fix = finding.fix
    return {
        "code": finding.code,
        "name": finding.name,
        "message": finding.message,
        "place": _span(finding.place),
        "claim": finding.claim,
        "trace": [[_span(step.place), step.message] for step in finding.trace],
        "guards": finding.guards,
        "fix": fix and [fix.applicability, fix.message, _edits(fix)],
        "also": [_span(place) for place in finding.also],
    }


def _edits(fix: Fix) -> list[list[Any]]:
    return [[_span(edit.place), edit.content] for edit in fix.edits]


def _span(place: Place) -> list[str | int]:
    return [place.path, place.line, place.column, place.end_line, place.end_column]


def _finding(record: dict[str, Any]) -> Finding:
    fix = record["fix"]
    return Finding(
        code=record["code"],
        name=record["name"],
        message=record["message"],
        place=Place(*record["place"]),
        claim=tuple(record["claim"]),
        trace=tuple(Step(Place(*span), message) for span, message in record["trace"]),
        guards=tuple(record["guards"]),
        fix=fix and Fix(fix[0], fix[1], tuple(Edit(Place(*span), content) for span, content in fix[2])),
        also=tuple(Place(*span) for span in record["also"]),
    )

"""Findings remembered between runs.

One file for each linted file, under `.loss_lint_cache`, holding what was found and the hashes of all that
it followed from: loss-lint's own sources, the interpreter's grammar, the file, and the files that it
depended on. Selection and `# noqa` are applied after the cache, so no setting changes what is stored.
Entries are JSON under a checksum: a damaged one is the same as none, and none can run code.
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

from loss_lint.findings import Edit, Finding, Fix, Place, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loss_lint.syntax.sources import Sources

FOLDER = ".loss_lint_cache"
_TAG = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This folder is a cache of loss-lint, see https://bford.info/cachedir/.\n"
)
_IGNORE = "# Written by loss-lint.\n*\n"


class Recorder:
    """Sources that remember every answer they gave, for that is what a result followed from.

    An import that did not resolve counts as much as one that did: the file may be written later. Contents
    are hashed as they are read, so that a file saved meanwhile is not taken for the one that was linted.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self.states: dict[str, str | None] = {}
        self.presence: dict[str, bool] = {}
        self.has_listed = False

    def read(self, path: str) -> bytes:
        self.states[path] = None
        data = self._sources.read(path)
        self.states[path] = _digest(data)
        return data

    def exists(self, path: str) -> bool:
        if path not in self.presence:
            self.presence[path] = self._sources.exists(path)
        return self.presence[path]

    def files(self, root: str) -> Sequence[str]:
        # Whoever lists a project asks which of its files matter, and any edit can change that.
        self.has_listed = True
        return self._sources.files(root)

    def state(self, path: str) -> str | None:
        """The hash of a file; None where there is none."""
        if path not in self.states:
            with suppress(OSError):
                self.read(path)
        return self.states[path]


class Cache:
    """The cache below one folder. Nothing here raises for what is on disk, or is not."""

    def __init__(self, parent: str, sources: Sources) -> None:
        self._folder = os.path.join(parent, FOLDER)
        # Many files depend on the same few; each is read once a run.
        self._current = Recorder(sources)

    def load(self, path: str, data: bytes) -> tuple[Finding, ...] | None:
        """What was found in `path` when it held `data`, if all that it followed from is unchanged."""
        try:
            with open(self._entry(path), "rb") as file:
                checksum, _, body = file.read().partition(b"\n")
            if checksum.decode() != _digest(body):
                return None
            entry = json.loads(body)
            if entry["key"] != _key(path, data):
                return None
            if any(self._current.state(other) != state for other, state in entry["dependencies"]):
                return None
            if any(self._current.exists(other) != answer for other, answer in entry["presence"]):
                return None
            return tuple(_finding(item) for item in entry["findings"])
        except (OSError, ValueError, TypeError, KeyError, IndexError, RecursionError):
            return None

    def store(
        self,
        path: str,
        data: bytes,
        findings: Sequence[Finding],
        dependencies: Sequence[str],
        sources: Recorder,
    ) -> None:
        """Remember what was found from `sources`, which must have served this one file alone.

        Without effect where nothing can be written, or where the result followed from a whole project.
        """
        if sources.has_listed:
            return
        others = {*dependencies, *sources.states} - {path}
        entry = {
            "key": _key(path, data),
            "dependencies": [[other, sources.state(other)] for other in sorted(others)],
            "presence": sorted(sources.presence.items()),
            "findings": [_record(finding) for finding in findings],
        }
        body = json.dumps(entry, separators=(",", ":")).encode()
        with suppress(OSError):
            if self._is_prepared:
                _write(self._entry(path), _digest(body).encode() + b"\n" + body)

    def _entry(self, path: str) -> str:
        return os.path.join(self._folder, _digest(os.fsencode(path)) + ".json")

    @cached_property
    def _is_prepared(self) -> bool:
        try:
            os.makedirs(self._folder, exist_ok=True)
            for name, text in (("CACHEDIR.TAG", _TAG), (".gitignore", _IGNORE)):
                path = os.path.join(self._folder, name)
                if not os.path.exists(path):
                    _write(path, text.encode())
        except OSError:
            return False
        return True


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


def _key(path: str, data: bytes) -> str:
    return _digest(b"\0".join([_own_version().encode(), os.fsencode(path), data]))


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

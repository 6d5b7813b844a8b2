"""The project around a file: its root, its Python files, and which of them import which.

Imports are read from bytes by a regular expression; nothing is parsed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from loss_lint.syntax.sources import Sources, resolve_import

_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+(?P<source>[.\w]+)[ \t]+import[ \t]*(?P<names>\([^)]*\)|[^\n#;]*)"
    rb"|import[ \t]+(?P<modules>[\w., \t]+))",
    re.MULTILINE,
)
_NAME = re.compile(rb"\w+")
_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", ".git")
_LESSER_MARKERS = ("requirements.txt", "README.md", "README.rst", "README")

# Limits past which files are not looked at as callers, and callers not evaluated.
MAX_LEVELS = 8
MAX_FILES = 20_000
MAX_CALLERS = 12
MAX_HANDED_ON = 4


class Project:
    """Who imports whom among the files around a first one. Nothing is read before it is asked for."""

    def __init__(self, sources: Sources, roots: Sequence[str] = ()) -> None:
        self._sources = sources
        self._roots = tuple(roots)
        self._importers: dict[str, dict[str, set[str]]] = {}
        self._imports: dict[str, tuple[str, ...]] = {}

    def imports(self, path: str) -> tuple[str, ...]:
        """The project's files that the file at `path` imports, in the order of their paths."""
        known = self._imports.get(path)
        if known is None:
            try:
                data = self._sources.read(path)
            except (OSError, ValueError):
                data = b""
            known = self._imports[path] = tuple(sorted(set(self._imported(path, data)) - {path}))
        return known

    def _imported(self, path: str, data: bytes) -> Iterator[str]:
        for found in _IMPORT.finditer(data):
            if found["modules"] is not None:
                for name in found["modules"].split(b","):
                    yield from self._file(path, name.split(b" as ")[0].strip().decode(), 0)
                continue
            source = found["source"].decode()
            module = source.lstrip(".")
            level = len(source) - len(module)
            yield from self._file(path, module, level)
            for name in _NAME.findall(found["names"]):
                inner = f"{module}.{name.decode()}" if module else name.decode()
                yield from self._file(path, inner, level)

    def _file(self, importer: str, module: str, level: int) -> Iterator[str]:
        if not module and not level:
            return
        found = resolve_import(self._sources, importer, module, level)
        if found is not None:
            yield found

    def callers(self, path: str) -> tuple[str, ...]:
        """Files that import the one at `path`, directly or through files that hand its names on; no tests."""
        importers = self._importers_around(path)
        found: dict[str, None] = {}
        pending = [(path, 0)]
        while pending and len(found) < MAX_CALLERS:
            current, distance = pending.pop(0)
            for importer in sorted(importers.get(current, ())):
                if importer in found or importer == path:
                    continue
                if _is_test(importer) and not _is_test(path):
                    continue
                found[importer] = None
                if distance < MAX_HANDED_ON:
                    pending.append((importer, distance + 1))
        return tuple(sorted(found)[:MAX_CALLERS])

    def closure(self, paths: Sequence[str]) -> tuple[str, ...]:
        """All files that `paths` import, directly or through others, and all of `paths` but the first."""
        seen = set(paths)
        pending = list(paths)
        while pending:
            for imported in self.imports(pending.pop()):
                if imported not in seen:
                    seen.add(imported)
                    pending.append(imported)
        return tuple(sorted(seen - {paths[0]}))

    def _importers_around(self, path: str) -> dict[str, set[str]]:
        root = self._root(path)
        known = self._importers.get(root)
        if known is None:
            known = self._importers[root] = {}
            for importer in self._sources.files(root)[:MAX_FILES]:
                for imported in self.imports(importer):
                    known.setdefault(imported, set()).add(importer)
        return known

    def _root(self, path: str) -> str:
        """The folder of the project: one of the run's that holds the file, or the nearest with a marker."""
        for root in sorted(self._roots, key=len):
            if path.startswith(root.rstrip(os.sep) + os.sep):
                return root
        folder = os.path.dirname(path)
        fallback = folder
        for _ in range(MAX_LEVELS):
            if any(self._sources.exists(os.path.join(folder, marker)) for marker in _MARKERS):
                return folder
            if any(self._sources.exists(os.path.join(folder, marker)) for marker in _LESSER_MARKERS):
                fallback = folder
            parent = os.path.dirname(folder)
            if parent == folder:
                break
            folder = parent
        return fallback


def _is_test(path: str) -> bool:
    """Whether a file is a test, whose calls do not judge what it tests."""
    name = os.path.basename(path)
    folders = path.split(os.sep)[:-1]
    return (
        name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py" or "tests" in folders
    )

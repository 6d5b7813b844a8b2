"""The project around a file: its root, what its imports mean, and which of its files import which.

Imports are read from bytes; nothing is parsed. Whatever is answered is remembered, together with the files
and folders that the answer followed from.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from loss_lint.syntax.import_lines import ImportLine, import_lines
from loss_lint.syntax.sources import LESSER_MARKERS, MARKERS, Sources, snapshot

# Limits past which folders are not looked into, and files not looked at as callers.
MAX_LEVELS = 8
MAX_FILES = 20_000
# The same where nothing says that a project begins there: a file in a folder of everything.
MAX_UNMARKED_FILES = 1_000

# What binds a name: a definition, an assignment (of several names too), a loop or a context.
_BINDING = (
    rb"(?m)^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+%b\b"
    rb"|^[ \t]*[^\n#=]*?\b%b\b[^\n=]*=(?!=)|\b(?:for|as)\b[^\n]*\b%b\b"
)


_PACKAGE = f"{os.sep}__init__.py"


@dataclass(slots=True)
class Trail:
    """What an answer followed from: files that were read, folders looked into, files whose importers count."""

    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)

    def add(self, other: Trail) -> None:
        self.files |= other.files
        self.folders |= other.folders
        self.imported |= other.imported


class Project:
    """The files that a run may look at.

    `roots` are the folders that it was asked for; in `import_roots` imports are looked for as well.
    """

    def __init__(self, sources: Sources, roots: Sequence[str] = (), import_roots: Sequence[str] = ()) -> None:
        self._import_from = tuple(import_roots)
        self.sources = snapshot(sources)
        self._given = tuple(sorted(roots, key=len, reverse=True))
        self._trail = Trail()
        self._trails: dict[tuple[frozenset[str], ...], Trail] = {}
        self._roots: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._resolved: dict[tuple[str, str, int], tuple[str | None, Trail]] = {}
        self._imports: dict[str, tuple[ImportLine, ...]] = {}
        self._bringing: dict[tuple[str, str], bool] = {}
        self._mentions: dict[str, dict[str, list[str]]] = {}
        self._covered: dict[str, bool] = {}
        self._importers: dict[str, tuple[str, ...]] = {}
        self._imported_files: dict[str, tuple[frozenset[str], Trail]] = {}

    def forget(self, path: str) -> None:
        """Look at a file again, whose text has changed; which files import which stays as it is remembered."""
        self.sources.forget(path)
        self._imports.pop(path, None)
        self._imported_files.pop(path, None)
        self._bringing.clear()

    # What answers follow from

    @contextmanager
    def following(self) -> Iterator[Trail]:
        """Collects what is consulted inside, for whoever remembers an answer."""
        outer, self._trail = self._trail, Trail()
        own = self._trail
        try:
            yield own
        finally:
            self._trail = outer
            outer.add(own)

    def _shared(self, trail: Trail) -> Trail:
        """The trail, or an equal one that is remembered already: very many answers follow from the same folders."""
        key = (frozenset(trail.files), frozenset(trail.folders), frozenset(trail.imported))
        return self._trails.setdefault(key, trail)

    @contextmanager
    def unfollowed(self) -> Iterator[None]:
        """For what follows from all files of the project: whoever remembers an answer looks at it again."""
        outer, self._trail = self._trail, Trail()
        try:
            yield
        finally:
            self._trail = outer

    def follow(self, trail: Trail) -> None:
        """Note that a remembered answer was used."""
        self._trail.add(trail)

    # Files

    def note(self, path: str) -> None:
        """Note that an answer followed from a file that was read before."""
        self._trail.files.add(path)

    def note_folder(self, folder: str) -> None:
        """Note that an answer followed from which files there are in a folder."""
        self._trail.folders.add(folder)

    def read(self, path: str) -> bytes:
        """The bytes of a file; raises OSError or ValueError where they cannot be read."""
        self._trail.files.add(path)
        return self.sources.read(path)

    def files(self, root: str) -> Sequence[str]:
        """The Python files of the project that begins at `root`, in the order of their paths."""
        is_marked = root in self._given or not self._listing(root).isdisjoint((*MARKERS, *LESSER_MARKERS))
        return self.sources.files(root, MAX_FILES if is_marked else MAX_UNMARKED_FILES)

    def is_covered_by(self, path: str, given: Container[str]) -> bool:
        """Whether all files of the project around `path` are among the given ones."""
        root = self.root(path)
        if root not in self._covered:
            self._covered[root] = all(one in given for one in self.files(root))
        return self._covered[root]

    def imports(self, path: str) -> tuple[ImportLine, ...]:
        """What a file imports; nothing where it cannot be read."""
        self._trail.files.add(path)
        known = self._imports.get(path)
        if known is None:
            try:
                data = self.sources.read(path)
            except (OSError, ValueError):
                data = b""
            known = self._imports[path] = import_lines(data)
        return known

    def root(self, path: str) -> str:
        """The folder in which the project of a file begins, wherever the run was started.

        That is the nearest one with a marker (`.git`, `pyproject.toml`, ...), or else the highest with a
        lesser one (`README.md`), the folder that the run was asked for, the first one that is no package.
        """
        folder = self._folder(path)
        known = self._roots.get(folder)
        if known is None:
            known = self._roots[folder] = self._find_root(folder)
        return known

    def _find_root(self, start: str) -> str:
        fallback: str | None = None
        folder = start
        for _ in range(MAX_LEVELS):
            names = self.sources.listing(folder)
            if not names.isdisjoint(MARKERS):
                return folder
            if not names.isdisjoint(LESSER_MARKERS):
                fallback = folder
            parent = os.path.dirname(folder)
            if parent == folder:
                break
            folder = parent
        if fallback is not None:
            return fallback
        for given in self._given:
            if not given or f"{start}{os.sep}".startswith(given.rstrip(os.sep) + os.sep):
                return given
        while "__init__.py" in self.sources.listing(start) and os.path.dirname(start) != start:
            start = os.path.dirname(start)
        return start

    # Imports

    def may_bring(self, path: str, name: str) -> bool:
        """Whether `import *` from a file can bring a name: it binds it, or has such an import itself."""
        known = self._bringing.get((path, name))
        if known is None:
            self._bringing[path, name] = False  # in an import circle, the others say
            known = self._binds(path, name)
            for line in () if known else self.imports(path):
                source = self.resolve(path, line.module, line.level) if line.name == "*" else None
                if source is not None and self.may_bring(source, name):
                    known = True
                    break
            self._bringing[path, name] = known
        return known

    def _binds(self, path: str, name: str) -> bool:
        """Whether a file may bind a name for others: yes too often, as nothing is parsed."""
        try:
            data = self.read(path)
        except (OSError, ValueError):
            return False
        written = name.encode("utf-8", "replace")
        if written not in data:
            return False
        word = re.escape(written)
        if b"__all__" in data and b".__all__" not in data and not re.search(rb"[\"']%b[\"']" % word, data):
            return False
        return bool(re.search(_BINDING % (word, word, word), data)) or any(
            line.bound == name for line in self.imports(path)
        )

    def resolve(self, importer: str, module: str, level: int) -> str | None:
        """The project's file behind `import module` (or `from ..module import x`, `level` dots) in `importer`.

        Looked for from the importer's folder up to the project's root, in each of these and in `src` beside
        them: a script's folder is an import root, so is each folder that holds a package. A package's own
        folder is none, so it comes last.
        """
        key = (self._folder(importer), module, level)
        known = self._resolved.get(key)
        if known is None:
            with self.following() as trail:
                found = self._find_module(importer, module.split(".") if module else [], level)
            known = self._resolved[key] = (found, self._shared(trail))
        self._trail.add(known[1])
        return known[0]

    def _folder(self, path: str) -> str:
        known = self._folders.get(path)
        if known is None:
            known = self._folders[path] = os.path.dirname(path)
        return known

    def _find_module(self, importer: str, parts: list[str], level: int) -> str | None:
        folder = os.path.dirname(importer)
        if level:
            for _ in range(level - 1):
                folder = os.path.dirname(folder)
            return self._module_file(folder, parts)
        for candidate in self._import_roots(folder, self.root(importer)):
            found = self._module_file(candidate, parts)
            if found is not None:
                return found
        return None

    def _import_roots(self, folder: str, root: str) -> list[str]:
        roots: list[str] = []
        packages: list[str] = []
        for _ in range(MAX_LEVELS):
            names = self._listing(folder)
            (packages if "__init__.py" in names else roots).append(folder)
            if "src" in names:
                roots.append(os.path.join(folder, "src"))
            parent = os.path.dirname(folder)
            if folder == root or parent == folder:
                break
            folder = parent
        return [*roots, *self._import_from, *packages]

    def _listing(self, folder: str) -> frozenset[str]:
        self._trail.folders.add(folder)
        return self.sources.listing(folder)

    def _module_file(self, root: str, parts: list[str]) -> str | None:
        if not parts:
            return os.path.join(root, "__init__.py") if "__init__.py" in self._listing(root) else None
        folder = root
        for part in parts[:-1]:
            if part not in self._listing(folder):
                return None
            folder = os.path.join(folder, part)
        names, last = self._listing(folder), parts[-1]
        if last in names:
            package = os.path.join(folder, last)
            if "__init__.py" in self._listing(package):
                return os.path.join(package, "__init__.py")
        return os.path.join(folder, f"{last}.py") if f"{last}.py" in names else None

    # Importers

    def importers(self, path: str) -> tuple[str, ...]:
        """The project's files that import the one at `path`, in the order of their paths."""
        self._trail.imported.add(path)
        known = self._importers.get(path)
        if known is None:
            candidates = self._mentioning(path)
            known = self._importers[path] = tuple(
                one for one in candidates if one != path and path in self.imported_files(one)
            )
        return known

    def _mentioning(self, path: str) -> list[str]:
        """The files of which an import names the module at `path`."""
        root = self.root(path)
        index = self._mentions.get(root)
        if index is None:
            index = self._mentions[root] = {}
            for importer in self.files(root):
                for word in self._words(importer):
                    index.setdefault(word, []).append(importer)
        folder, name = os.path.split(path)
        if name != "__init__.py":
            return index.get(name.removesuffix(".py"), [])
        inside = [one for one in index.get("", ()) if one.startswith(folder)]
        return sorted({*index.get(os.path.basename(folder), ()), *inside})

    def _words(self, importer: str) -> set[str]:
        """The last parts of what a file imports; "" for a package by dots alone."""
        words: set[str] = set()
        for module, _, name, _ in self.imports(importer):
            words.add(module.rpartition(".")[2])
            if name is not None:
                words.add(name)
        return words

    def imported_files(self, path: str) -> frozenset[str]:
        """The project's files that a file imports."""
        known = self._imported_files.get(path)
        if known is None:
            with self.following() as trail:
                found: set[str | None] = set()
                for module, level, name, _ in dict.fromkeys(self.imports(path)):
                    source = self.resolve(path, module, level)
                    found.add(source)
                    # `from a import b` may name the module `a.b` where `a` is a folder.
                    if name is not None and name != "*" and (source is None or is_package(source)):
                        found.add(self.resolve(path, f"{module}.{name}" if module else name, level))
                known = self._imported_files[path] = (
                    frozenset(one for one in found if one is not None),
                    self._shared(trail),
                )
        self._trail.add(known[1])
        return known[0]


def is_package(path: str) -> bool:
    """Whether a file is the one that makes its folder a package."""
    return path.endswith(_PACKAGE)


def is_test(path: str, root: str) -> bool:
    """Whether a file of the project that begins at `root` is a test, whose calls do not judge what it tests."""
    *folders, name = path.removeprefix(root).split(os.sep)
    return (
        name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py" or "tests" in folders
    )

"""Where the text of the linted project comes from. Nothing else opens a file of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Protocol


class Sources(Protocol):
    """A project's files, wherever they live."""

    def read(self, path: str) -> bytes:
        """The bytes of `path`; raises OSError where they cannot be read."""

    def exists(self, path: str) -> bool:
        """Whether `path` is a file that `read` would find."""

    def files(self, root: str) -> Sequence[str]:
        """The Python files below `root` in the order of their paths, without hidden and foreign folders."""


class Folder:
    """Files on disk. Folders are listed once; a file that appears later is read but not found by imports."""

    def __init__(self) -> None:
        self._listings: dict[str, frozenset[str]] = {}

    def read(self, path: str) -> bytes:
        with open(path, "rb") as file:
            return file.read()

    def exists(self, path: str) -> bool:
        folder, name = os.path.split(path)
        listing = self._listings.get(folder)
        if listing is None:
            try:
                listing = frozenset(os.listdir(folder or "."))
            except OSError:
                listing = frozenset()
            self._listings[folder] = listing
        return name in listing

    def files(self, root: str) -> Sequence[str]:
        found: list[str] = []
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if not _is_foreign(name))
            found.extend(os.path.join(folder, name) for name in names if name.endswith(".py"))
        return sorted(found)


class Overlay:
    """Texts (an editor's buffers, standard input) laid over other sources."""

    def __init__(self, base: Sources, texts: Mapping[str, bytes]) -> None:
        self._base = base
        self._texts = texts

    def read(self, path: str) -> bytes:
        data = self._texts.get(path)
        return self._base.read(path) if data is None else data

    def exists(self, path: str) -> bool:
        return path in self._texts or self._base.exists(path)

    def files(self, root: str) -> Sequence[str]:
        return sorted({*self._base.files(root), *_below(self._texts, root)})


class Memory:
    """A project held in memory, by path."""

    def __init__(self, texts: Mapping[str, str | bytes]) -> None:
        self._texts = {
            path: text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
            for path, text in texts.items()
        }

    def read(self, path: str) -> bytes:
        try:
            return self._texts[path]
        except KeyError:
            raise FileNotFoundError(2, "No such file in this project", path) from None

    def exists(self, path: str) -> bool:
        return path in self._texts

    def files(self, root: str) -> Sequence[str]:
        return _below(self._texts, root)


def _below(texts: Mapping[str, bytes], root: str) -> list[str]:
    start = root.rstrip("/") + "/" if root else ""
    return sorted(path for path in texts if path.startswith(start) and path.endswith(".py"))


_FOREIGN = frozenset(
    {"node_modules", "venv", "site-packages", "build", "dist", "__pycache__", "__pypackages__", "buck-out"}
)


def _is_foreign(folder: str) -> bool:
    """Whether a folder of that name holds no code of the project."""
    return folder.startswith(".") or folder in _FOREIGN


def resolve_import(sources: Sources, importer: str, module: str, level: int) -> str | None:
    """The project's file behind `import module` (or `from ..module import x`, `level` dots) in `importer`.

    Looked for from the importer's folder upwards (a script's folder is an import root, so is each folder
    that holds a package) and in `src` beside each; at most eight folders up.
    """
    folder = os.path.dirname(importer)
    parts = module.split(".") if module else []
    if level:
        for _ in range(level - 1):
            folder = os.path.dirname(folder)
        return _module_file(sources, folder, parts)
    for _ in range(8):
        for root in (folder, os.path.join(folder, "src")):
            found = _module_file(sources, root, parts)
            if found is not None:
                return found
        parent = os.path.dirname(folder)
        if parent == folder:
            break
        folder = parent
    return None


def _module_file(sources: Sources, root: str, parts: list[str]) -> str | None:
    base = os.path.join(root, *parts) if parts else root
    candidates = (
        (base + ".py", os.path.join(base, "__init__.py")) if parts else (os.path.join(base, "__init__.py"),)
    )
    for candidate in candidates:
        if sources.exists(candidate):
            return candidate
    return None

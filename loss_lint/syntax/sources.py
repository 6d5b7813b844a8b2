"""Where the text of the linted project comes from. Nothing else opens a file of it."""

from __future__ import annotations

import errno
import io
import os
import stat
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import islice, takewhile
from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from loss_lint.findings import Place
    from loss_lint.syntax.notebook import Notebook

NOTEBOOK = ".ipynb"

# Files and folders that stand where a project begins, and some that often do.
MARKERS = (".git", "pyproject.toml", "setup.py", "setup.cfg")
LESSER_MARKERS = ("requirements.txt", "README.md", "README.rst", "README")
_NAMED = frozenset((*MARKERS, *LESSER_MARKERS))

# No program is as large as this, in bytes; what is, is data that was given the name of one.
MAX_FILE_BYTES = 256_000_000

# A folder of data can hold millions of files: past this many entries for each Python file that is asked for
# no more folders are listed.
ENTRIES_PER_FILE = 10


class Sources(Protocol):
    """A project's files, wherever they live."""

    def read(self, path: str) -> bytes:
        """The bytes of `path`; raises OSError where they cannot be read."""

    def listing(self, folder: str) -> frozenset[str]:
        """The names in `folder` that matter to imports: Python files, folders, and what marks a project."""

    def files(self, root: str, limit: int) -> Sequence[str]:
        """The Python files below `root` in the order of their paths, without hidden and foreign folders.

        At most `limit` of them, and not all even of these where very much else lies between.
        """


def is_notebook(path: str) -> bool:
    """Whether the file at `path` is read as a notebook."""
    return path.endswith(NOTEBOOK)


def is_linted(path: str) -> bool:
    """Whether the file at `path` is one of those that are linted: a Python file or a notebook."""
    return path.endswith((".py", NOTEBOOK))


def exists(sources: Sources, path: str) -> bool:
    """Whether there is a Python file, a folder or a marker of a project at `path`."""
    folder, name = os.path.split(path)
    return name in sources.listing(folder)


def read_file(path: str) -> bytes:
    """The bytes of a file on disk; raises OSError, also for what is no file: a pipe would be waited for."""
    with open(path, "rb", opener=_opened_at_once) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", path)
        if status.st_size > MAX_FILE_BYTES:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
        return file.read()


def read_given(path: str, opened: Callable[[str], IO[bytes]] = io.FileIO) -> bytes:
    """The bytes of what the user names, be it a pipe; raises OSError, also for a device, and where there is no end."""
    with opened(path) as file:
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise OSError(errno.EINVAL, "Not a regular file", path)
        return read_to_end(file, path)


def read_to_end(file: IO[bytes], name: str) -> bytes:
    """What a stream holds from here on; raises OSError where that is more than any program has."""
    parts: list[bytes] = []
    room = MAX_FILE_BYTES
    while part := file.read(1 << 20):
        parts.append(part)
        room -= len(part)
        if room < 0:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), name)
    return b"".join(parts)


def _opened_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _matters(name: str) -> bool:
    return name.endswith(".py") or "." not in name or name in _NAMED


class Folder:
    """Files on disk."""

    def read(self, path: str) -> bytes:
        return read_file(path)

    def listing(self, folder: str) -> frozenset[str]:
        try:
            return frozenset(filter(_matters, os.listdir(folder or ".")))
        except OSError:
            return frozenset()

    def files(self, root: str, limit: int) -> Sequence[str]:
        found: list[str] = []
        entries = 0
        for folder, folders, names in os.walk(root):
            entries += len(folders) + len(names)
            goes_on = len(found) < limit and entries < limit * ENTRIES_PER_FILE
            folders[:] = sorted(name for name in folders if not _is_foreign(name)) if goes_on else ()
            found.extend(os.path.join(folder, name) for name in sorted(names) if name.endswith(".py"))
        return sorted(found[:limit])


class Overlay:
    """Texts (an editor's buffers, standard input) laid over other sources."""

    def __init__(self, base: Sources, texts: Mapping[str, bytes]) -> None:
        self._base = base
        self._texts = texts

    def read(self, path: str) -> bytes:
        data = self._texts.get(path)
        return self._base.read(path) if data is None else data

    def listing(self, folder: str) -> frozenset[str]:
        return self._base.listing(folder) | _names_in(self._texts, folder)

    def files(self, root: str, limit: int) -> Sequence[str]:
        return sorted({*self._base.files(root, limit), *_below(self._texts, root)})


class Memory:
    """A project held in memory, by path."""

    def __init__(self, texts: Mapping[str, str | bytes]) -> None:
        self._texts = {
            path: text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
            for path, text in texts.items()
        }
        self._sorted = sorted(path for path in self._texts if path.endswith(".py"))
        self._names: dict[str, set[str]] = {}
        for path in self._texts:
            _note_names(path, self._names)

    def read(self, path: str) -> bytes:
        try:
            return self._texts[path]
        except KeyError:
            raise FileNotFoundError(2, "No such file in this project", path) from None

    def listing(self, folder: str) -> frozenset[str]:
        return frozenset(filter(_matters, self._names.get(_start(folder), ())))

    def files(self, root: str, limit: int) -> Sequence[str]:
        start = _start(root)
        first = bisect_left(self._sorted, start)
        below = takewhile(lambda path: path.startswith(start), islice(self._sorted, first, None))
        return list(islice(below, limit))


class Snapshot:
    """Sources read once: every file and folder is what it was when it was first looked at.

    A notebook reads as the module that its code cells make.
    """

    def __init__(self, base: Sources) -> None:
        self._base = base
        self._notebooks: dict[str, Notebook] = {}
        self._files_of_notebooks: dict[str, bytes] = {}
        self._data: dict[str, bytes | OSError | ValueError] = {}
        self._listings: dict[str, frozenset[str]] = {}
        self._files: dict[str, Sequence[str]] = {}

    def read(self, path: str) -> bytes:
        """The bytes of `path`; raises what the first attempt raised."""
        known = self._data.get(path)
        if known is None:
            try:
                known = self._read(path)
            except (OSError, ValueError) as error:  # a path with a null byte is a ValueError
                known = error.with_traceback(None)
            self._data[path] = known
        if isinstance(known, bytes):
            return known
        raise known

    def _read(self, path: str) -> bytes:
        data = self._base.read(path)
        if not is_notebook(path):
            return data
        from loss_lint.syntax.notebook import notebook

        self._notebooks[path] = notebook(data)
        self._files_of_notebooks[path] = data
        return self._notebooks[path].data

    def names_torch(self, path: str) -> bool:
        """Whether the bytes of a file name torch: those of a notebook itself, which need not be read as a module."""
        return b"torch" in self._base.read(path)

    def place_in_file(self, place: Place) -> Place:
        """Where a place of a notebook stands in the file's own lines; the same for other files."""
        if not is_notebook(place.path):
            return place
        from loss_lint.syntax.notebook_edits import place_in_file

        with suppress(OSError, ValueError):
            return place_in_file(self._base.read(place.path), place)
        return place

    def file(self, path: str) -> bytes:
        """The bytes of the file itself, also of a notebook's; raises what reading it raised."""
        data = self.read(path)
        return self._files_of_notebooks.get(path, data)

    def with_files(self, files: Mapping[str, bytes]) -> Snapshot:
        """The same, but for some files that hold other bytes."""
        return Snapshot(Overlay(_Files(self), files))

    def notebook(self, path: str) -> Notebook | None:
        """How the module of a notebook lies in it; None for other files, and where there is none."""
        if not is_notebook(path):
            return None
        with suppress(OSError, ValueError):
            self.read(path)
        return self._notebooks.get(path)

    def forget(self, path: str) -> None:
        """Look at a file again when it is asked for next."""
        self._data.pop(path, None)
        self._notebooks.pop(path, None)

    def listing(self, folder: str) -> frozenset[str]:
        known = self._listings.get(folder)
        if known is None:
            known = self._listings[folder] = self._base.listing(folder)
        return known

    def files(self, root: str, limit: int) -> Sequence[str]:
        known = self._files.get(root)
        if known is None:
            known = self._files[root] = self._base.files(root, limit)
        return known


class _Files:
    """What a snapshot has read, as the bytes of its files."""

    def __init__(self, base: Snapshot) -> None:
        self._base = base
        self.listing = base.listing
        self.files = base.files

    def read(self, path: str) -> bytes:
        return self._base.file(path)


def snapshot(sources: Sources) -> Snapshot:
    """Sources read once, if they are not yet."""
    return sources if isinstance(sources, Snapshot) else Snapshot(sources)


def _start(folder: str) -> str:
    return folder.rstrip("/") + "/" if folder else ""


def _note_names(path: str, names: dict[str, set[str]]) -> None:
    """Enter each part of a path among the names of its folder, a folder with its `/` at the end."""
    while path not in ("", "/"):
        start = path[: path.rstrip("/").rfind("/") + 1]
        known = names.setdefault(start, set())
        name = path[len(start) :].rstrip("/")
        if name in known:
            return
        known.add(name)
        path = start


def _below(texts: Mapping[str, bytes], root: str) -> list[str]:
    start = _start(root)
    return sorted(path for path in texts if path.startswith(start) and path.endswith(".py"))


def _names_in(texts: Mapping[str, bytes], folder: str) -> frozenset[str]:
    start = _start(folder)
    names = (path[len(start) :].partition("/")[0] for path in texts if path.startswith(start))
    return frozenset(filter(_matters, names))


_FOREIGN = frozenset(
    {"node_modules", "venv", "site-packages", "build", "dist", "__pycache__", "__pypackages__", "buck-out"}
)


def _is_foreign(folder: str) -> bool:
    """Whether a folder of that name holds no code of the project."""
    return folder.startswith(".") or folder in _FOREIGN

"""A folder that every node of a cluster sees: a path of a shared file system, or a URL that pyarrow understands.

What is written appears whole or not at all.
"""

from __future__ import annotations

import os
import posixpath
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from pyarrow import fs

# Where files lie while they are written. Readers of Parquet pass over such folders.
BEGUN = "_scan/begun"


@dataclass(frozen=True, slots=True)
class Store:
    """A folder and the file system that it lies in; names are relative to it, with `/` between their parts."""

    filesystem: Any
    root: str

    def path(self, name: str) -> str:
        return posixpath.join(self.root, name) if name else self.root

    def exists(self, name: str) -> bool:
        return cast("bool", self.filesystem.get_file_info(self.path(name)).type != fs.FileType.NotFound)

    def names(self, folder: str = "", *, recursive: bool = False) -> list[str]:
        """The files in a folder, sorted; none where there is no such folder."""
        selector = fs.FileSelector(self.path(folder), allow_not_found=True, recursive=recursive)
        start = len(self.root.rstrip("/")) + 1
        return sorted(
            info.path[start:]
            for info in self.filesystem.get_file_info(selector)
            if info.type == fs.FileType.File
        )

    def size(self, name: str) -> int:
        return cast("int", self.filesystem.get_file_info(self.path(name)).size)

    def open(self, name: str) -> Any:
        """A file to read from any place in it; raises OSError."""
        return self.filesystem.open_input_file(self.path(name))

    def read(self, name: str) -> bytes:
        with self.filesystem.open_input_file(self.path(name)) as file:
            return cast("bytes", file.read())

    @contextmanager
    def writing(self, name: str) -> Iterator[Any]:
        """A stream whose bytes are the file `name` once the block has ended well."""
        folder, base = posixpath.split(self.path(name))
        self.filesystem.create_dir(folder, recursive=True)
        if not isinstance(self.filesystem, fs.LocalFileSystem):
            # Object stores show an object when it is complete, and move by copying.
            with self.filesystem.open_output_stream(self.path(name)) as stream:
                yield stream
            return
        begun = self.path(f"{BEGUN}/{uuid.uuid4().hex}-{base}")
        self.filesystem.create_dir(posixpath.dirname(begun), recursive=True)
        try:
            with self.filesystem.open_output_stream(begun) as stream:
                yield stream
            self.filesystem.move(begun, self.path(name))
        except BaseException:
            if os.path.exists(begun):
                os.unlink(begun)
            raise

    def write(self, name: str, data: bytes) -> None:
        with self.writing(name) as stream:
            stream.write(data)

    def delete(self, name: str) -> None:
        """Remove a file or a folder, if it is there."""
        match self.filesystem.get_file_info(self.path(name)).type:
            case fs.FileType.Directory:
                self.filesystem.delete_dir(self.path(name))
            case fs.FileType.File:
                self.filesystem.delete_file(self.path(name))


def store(location: str) -> Store:
    """The store at a path or URL; raises ValueError for a URL that pyarrow does not understand."""
    if "://" in location:
        filesystem, root = fs.FileSystem.from_uri(location)
    else:
        filesystem, root = fs.LocalFileSystem(), os.path.abspath(location)
    return Store(filesystem, root)

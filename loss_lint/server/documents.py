"""The documents that are open in the editor, and the paths that stand for them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from pygls.uris import from_fs_path, to_fs_path

from loss_lint.syntax.encoded import encoded

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Document:
    """An open document at one version: `path` is the file's, or one that stands for a buffer without a file."""

    uri: str
    path: str
    version: int | None
    text: str

    @property
    def data(self) -> bytes:
        """The text as a file of bytes."""
        return encoded(self.text)

    def line(self, number: int) -> str:
        """The text of a 1-based line."""
        return line_in(self.text, number)


def line_in(text: str, number: int) -> str:
    """A 1-based line of a text, without its end."""
    lines = _LINE_END.split(text)
    return lines[number - 1] if 1 <= number <= len(lines) else ""


class Documents:
    """The open documents by their paths."""

    def __init__(self) -> None:
        self._open: dict[str, Document] = {}
        # Where buffers belong that have no file.
        self.folder = ""

    def put(self, uri: str, version: int | None, text: str) -> Document:
        """A document that was opened, or has changed."""
        document = Document(uri, self.path(uri), version, text)
        self._open[document.path] = document
        return document

    def drop(self, uri: str) -> str:
        """Forget a document that was closed; gives its path."""
        path = self.path(uri)
        self._open.pop(path, None)
        return path

    def at(self, path: str) -> Document | None:
        return self._open.get(path)

    def of(self, uri: str) -> Document | None:
        return self._open.get(self.path(uri))

    def all(self) -> list[Document]:
        return list(self._open.values())

    def path(self, uri: str) -> str:
        """The path of a file, or one that stands for a buffer that has none: imports are looked for beside it."""
        parts = urlsplit(uri)
        if parts.scheme == "file" and (path := to_fs_path(uri)) is not None:
            return os.path.abspath(path)
        # No Python file by its name, so that it is no caller of the project's files.
        return os.path.join(self.folder or os.getcwd(), uri.replace("/", "_").replace(os.sep, "_"))

    def uri(self, path: str) -> str:
        """The document's own address if it is open, as that may be spelled in several ways; or else the file's."""
        document = self._open.get(path)
        return document.uri if document is not None else (from_fs_path(path) or path)

    def versions(self) -> dict[str, int | None]:
        """The version of each open document."""
        return {path: document.version for path, document in self._open.items()}

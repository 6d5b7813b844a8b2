"""TOML: the tables that speak of us, and where in them something is wrong."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from loss_lint.syntax.sources import read_file

OWN_FILE = "loss-lint.toml"
SHARED_FILE = "pyproject.toml"
_TOML_PLACE = re.compile(r"^(.*) \(at line (\d+), column (\d+)\)$", re.DOTALL)
_TOML_END = " (at end of document)"
_OWN_TABLE = re.compile(rb"^[ \t]*\[+[ \t]*tool[ \t]*\.[ \t]*[\"']?loss-lint\b", re.MULTILINE)


class ConfigError(Exception):
    """A configuration that cannot be followed; the message names the place and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Document:
    """A table, what it is called in messages, and the folder that its relative paths start from."""

    name: str
    folder: str
    table: dict[str, object]
    data: bytes = field(default=b"", repr=False)

    def error(self, message: str, *words: str) -> ConfigError:
        """The error that names the document, and the line on which `words` come first, one after the other."""
        place = 0
        if header := _OWN_TABLE.search(self.data):
            place = header.start()
        for word in words:
            found = re.compile(rb"(?<![\w-])%b(?![\w-])" % re.escape(word.encode())).search(self.data, place)
            if found is None:
                return ConfigError(f"{self.name}: {message}")
            place = found.start()
        line = self.data.count(b"\n", 0, place) + 1
        where = f"{self.name}:{line}" if words and self.data else self.name
        return ConfigError(f"{where}: {message}")


def nearest_in(folder: str) -> Document | None:
    """What a file in `folder` says of us; None where none does."""
    for name in (OWN_FILE, SHARED_FILE):
        document = read(os.path.join(folder, name))
        if document is not None:
            return document
    return None


def read(path: str, folder: str | None = None) -> Document | None:
    """Our table of a TOML file; None where there is no such file, or it does not speak of us."""
    try:
        data = read_file(path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    own = os.path.basename(path) != SHARED_FILE
    if not own and b"loss-lint" not in data:
        return None
    table = _parse(path, data)
    if not own:
        tool = table.get("tool")
        inner = tool.get("loss-lint") if isinstance(tool, dict) else None
        if inner is None:
            return None
        if not isinstance(inner, dict):
            raise ConfigError(f"{path}: `tool.loss-lint` must be a table")
        table = inner
    return Document(path, os.path.dirname(path) if folder is None else folder, table, data)


def inline(text: str, folder: str) -> Document:
    """`KEY = VALUE`, as the command line takes it."""
    name = f"--config {text!r}"
    return Document(name, folder, _parse(name, text.encode("utf-8", "surrogateescape")))


def _parse(name: str, data: bytes) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}:{line}: not UTF-8, as TOML must be") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}:{_with_place(str(error), data)}") from None
    except RecursionError:
        raise ConfigError(f"{name}: too deeply nested") from None


def _with_place(message: str, data: bytes) -> str:
    """`line:column: message` of what tomllib says."""
    if match := _TOML_PLACE.match(message):
        return "{1}:{2}: {0}".format(*match.groups())
    last = max(len(data.splitlines()), 1)
    return f"{last}: {message.removesuffix(_TOML_END)}"

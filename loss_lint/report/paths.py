"""How paths and positions are shown."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loss_lint.findings import Place

STANDARD_INPUT = "-"


def shown_position(place: Place, folder: str) -> str:
    """Where a place begins, as every format writes it: `net.py:18:4`, or `net.ipynb:cell 3:18:4`.

    Paths are as seen from `folder`.
    """
    return ":".join(position_parts(place, folder))


def position_parts(place: Place, folder: str) -> tuple[str, ...]:
    """The path of a place, and what leads from there to its beginning: a notebook's cell, line and column."""
    return (*_text_parts(place.path, place.cell, folder), str(place.line), str(place.column))


def shown_text(path: str, cell: int, folder: str) -> str:
    """A file, or a cell of a notebook: `net.ipynb:cell 3`."""
    return ":".join(_text_parts(path, cell, folder))


def _text_parts(path: str, cell: int, folder: str) -> tuple[str, ...]:
    return (shown_path(path, folder), f"cell {cell}") if cell else (shown_path(path, folder),)


def shown_path(path: str, folder: str) -> str:
    """`path` relative to `folder` if it lies below it, else as it is; safe to print."""
    prefix = folder if folder.endswith(os.sep) else folder + os.sep
    return printable(path.removeprefix(prefix))


def absolute_path(path: str) -> str:
    """The whole path of a file; standard input keeps its name."""
    return path if path == STANDARD_INPUT else os.path.abspath(path)


def path_within(path: str, root: str) -> str | None:
    """`path` as it leads from `root`, with forward slashes; None if it does not lie below."""
    prefix = root if root.endswith(os.sep) else root + os.sep
    if not path.startswith(prefix):
        return None
    return path.removeprefix(prefix).replace(os.sep, "/")


def encodable(text: str) -> str:
    """`text` with what has no encoding (bytes of a path that are no UTF-8) spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def printable(text: str) -> str:
    """`text` without characters that a terminal would act on or that have no encoding."""
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")

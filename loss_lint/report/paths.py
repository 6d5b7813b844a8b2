"""How paths are shown."""

from __future__ import annotations

import os


def shown_path(path: str, folder: str) -> str:
    """`path` relative to `folder` if it lies below it, else as it is; safe to print."""
    prefix = folder if folder.endswith(os.sep) else folder + os.sep
    return printable(path.removeprefix(prefix))


def printable(text: str) -> str:
    """`text` without characters that a terminal would act on or that have no encoding."""
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")

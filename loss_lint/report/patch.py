"""Changes of a file as a unified diff, in the file's own bytes, so that `patch` and `git apply` take it."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loss_lint.report.palette import Palette

# A carriage return alone ends no line here: for `patch` it does not.
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_UNFINISHED = b"\n\\ No newline at end of file\n"


def patch(path: str | None, before: bytes, after: bytes, palette: Palette) -> bytes:
    """The difference, ending in an empty line; without a head where there is no `path`."""
    name = (path or "").encode("utf-8", "surrogateescape")
    old, new = _LINE.findall(before), _LINE.findall(after)
    lines = list(difflib.diff_bytes(difflib.unified_diff, old, new, name, name))[2:]
    shown = [_shown(line, palette) for line in lines]
    head = [b"--- %b\n" % _painted(name, "31", palette), b"+++ %b\n" % _painted(name, "32", palette)]
    return b"".join([*(head if path is not None else ()), *shown, b"\n"])


def _shown(line: bytes, palette: Palette) -> bytes:
    text = line.removesuffix(b"\n")
    style = {b"-": "31", b"+": "32", b"@": "36"}.get(line[:1])
    painted = text if style is None else _painted(text, style, palette)
    return painted + (b"\n" if line.endswith(b"\n") else _UNFINISHED)


def _painted(text: bytes, style: str, palette: Palette) -> bytes:
    return b"\x1b[%bm%b\x1b[0m" % (style.encode(), text) if palette.enabled else text

"""Changes of a file as a unified diff, in the file's own bytes, so that `patch` and `git apply` take it.

Those of a notebook are shown by its cells, as ruff does, for people.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from loss_lint.syntax.cells import code_cells

if TYPE_CHECKING:
    from loss_lint.report.palette import Palette

# A carriage return alone ends no line here: for `patch` it does not.
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_UNFINISHED = b"\n\\ No newline at end of file\n"


def patch(path: str | None, before: bytes, after: bytes, palette: Palette) -> bytes:
    """The difference, ending in an empty line; without a head where there is no `path`."""
    head = b"" if path is None else _head(path, palette)
    return head + b"".join(_shown(line, palette, _UNFINISHED) for line in _lines(before, after)) + b"\n"


def cells_patch(path: str, before: bytes, after: bytes, palette: Palette) -> bytes:
    """The difference of a notebook, each cell for itself and as its reader sees it, ending in an empty line.

    Raises NotANotebook.
    """
    shown: list[bytes] = []
    for old, new in zip(code_cells(before), code_cells(after), strict=True):
        if old.source != new.source:
            shown.append(_head(f"{path}:cell {old.number}", palette))
            sources = (cell.source.encode("utf-8", "backslashreplace") for cell in (old, new))
            # The last line of a cell has no end, which is as it should be.
            shown += [_shown(line, palette, b"\n") for line in _lines(*sources)]
    return b"".join(shown) + b"\n"


def _lines(before: bytes, after: bytes) -> list[bytes]:
    """The lines of the difference, without its head."""
    old, new = _LINE.findall(before), _LINE.findall(after)
    return list(difflib.diff_bytes(difflib.unified_diff, old, new))[2:]


def _head(path: str, palette: Palette) -> bytes:
    name = path.encode("utf-8", "surrogateescape")
    return b"--- %b\n+++ %b\n" % (_painted(name, "31", palette), _painted(name, "32", palette))


def _shown(line: bytes, palette: Palette, unfinished: bytes) -> bytes:
    """A line of the difference; `unfinished` is what ends one that has no end."""
    text = line.removesuffix(b"\n")
    style = {b"-": "31", b"+": "32", b"@": "36"}.get(line[:1])
    painted = text if style is None else _painted(text, style, palette)
    return painted + (b"\n" if line.endswith(b"\n") else unfinished)


def _painted(text: bytes, style: str, palette: Palette) -> bytes:
    return b"\x1b[%bm%b\x1b[0m" % (style.encode(), text) if palette.enabled else text

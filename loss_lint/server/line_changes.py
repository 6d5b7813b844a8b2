"""Which lines of a text change."""

from __future__ import annotations

import difflib
import re

from loss_lint.server.messages import Change

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")


def lines_of(text: str) -> list[str]:
    """The lines of a text with their ends, as editors count them."""
    return _LINE.findall(text)


def end_of(text: str) -> tuple[int, str]:
    """The number of a text's last line, counted from zero, and what it holds."""
    lines = lines_of(text)
    if not lines or lines[-1].endswith(("\n", "\r")):
        return len(lines), ""
    return len(lines) - 1, lines[-1]


def line_changes(before: str, after: str, cell: int = 0) -> tuple[Change, ...]:
    """The lines that are others afterwards, and no more than these."""
    old, new = lines_of(before), lines_of(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return tuple(
        Change(start, end, "".join(new[first:last]), cell)
        for what, start, end, first, last in matcher.get_opcodes()
        if what != "equal"
    )

"""Which lines of a text change."""

from __future__ import annotations

import difflib
import re

from loss_lint.server.messages import Change

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")


def lines_of(text: str) -> list[str]:
    """The lines of a text with their ends, as editors count them."""
    return _LINE.findall(text)


def line_changes(before: str, after: str) -> tuple[Change, ...]:
    """The lines that are others afterwards, and no more than these."""
    old, new = lines_of(before), lines_of(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return tuple(
        Change(start, end, "".join(new[first:last]))
        for what, start, end, first, last in matcher.get_opcodes()
        if what != "equal"
    )

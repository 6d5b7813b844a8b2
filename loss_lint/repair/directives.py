"""`# noqa` comments written where findings stand, for `check --add-noqa`."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from loss_lint.findings import Edit, Place
from loss_lint.repair.text import Unfit, breaks, edited, module_of
from loss_lint.syntax.module import decode
from loss_lint.syntax.noqa import NoqaComments

if TYPE_CHECKING:
    from collections.abc import Iterable


def silenced(
    path: str, data: bytes, wanted: Iterable[tuple[str, int]], reason: str = ""
) -> tuple[bytes, int]:
    """The file with comments that silence each code at its line, and the number of lines that got one.

    A `reason` of one line stands behind the codes.

    A comment that is there already takes the codes in, sorted; what else it says stays. Raises Unfit where a code
    cannot be silenced: the file cannot be read, or a string holds what flake8 takes for the comment.
    """
    lines = _lines(path, data)
    comments = NoqaComments(lines)
    by_row: dict[int, set[str]] = {}
    silenced_by: list[tuple[str, int]] = []
    for code, line in wanted:
        if not comments.silences(code, line):
            by_row.setdefault(comments.row(line), set()).add(code)
            silenced_by.append((code, line))
    if not by_row:
        return data, 0
    edits: list[Edit] = []
    for last, codes in sorted(by_row.items()):
        found = comments.silencing(codes, last, reason)
        if found is None:
            raise Unfit("no comment silences it there")
        row, start, end, text = found
        edits.append(Edit(Place(path, row, start, row, end), text))
    after = edited(path, data, edits)
    written = NoqaComments(_lines(path, after))
    if breaks(path, data, after) or not all(written.silences(code, line) for code, line in silenced_by):
        raise Unfit("no comment silences it there")
    return after, len(by_row)


def _lines(path: str, data: bytes) -> list[str]:
    try:
        return io.StringIO(decode(module_of(path, data)), newline=None).readlines()
    except (SyntaxError, UnicodeError, LookupError):
        raise Unfit("the file cannot be decoded") from None

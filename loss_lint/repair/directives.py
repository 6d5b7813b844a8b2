"""`# noqa` comments written where findings stand, for `check --add-noqa`."""

from __future__ import annotations

import io
import tokenize
from typing import TYPE_CHECKING

from loss_lint.findings import Edit, Place
from loss_lint.repair.text import Unfit, breaks, edited, module_of
from loss_lint.syntax.module import decode
from loss_lint.syntax.noqa import INLINE, SEPARATOR, NoqaComments

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


def silenced(path: str, data: bytes, wanted: Iterable[tuple[str, int]]) -> tuple[bytes, int]:
    """The file with comments that silence each code at its line, and the number of lines that got one.

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
    if max(by_row) > len(lines):
        raise Unfit("it has no such line")
    starts = _comment_starts(lines)
    edits = [
        _edit(path, row, lines[row - 1], starts.get(row), codes) for row, codes in sorted(by_row.items())
    ]
    after = edited(path, data, edits)
    written = NoqaComments(_lines(path, after))
    if breaks(path, data, after) or not all(written.silences(code, line) for code, line in silenced_by):
        raise Unfit("a comment does not silence it there")
    return after, len(by_row)


def _lines(path: str, data: bytes) -> list[str]:
    try:
        return io.StringIO(decode(module_of(path, data)), newline=None).readlines()
    except (SyntaxError, UnicodeError, LookupError):
        raise Unfit("the file cannot be decoded") from None


def _comment_starts(lines: Sequence[str]) -> dict[int, int]:
    """The 0-based column in which a line's comment begins, by the line's number."""
    rest = iter(lines)
    try:
        tokens = list(tokenize.generate_tokens(lambda: next(rest)))
    except (tokenize.TokenError, SyntaxError):
        raise Unfit("the file cannot be taken apart") from None
    return {token.start[0]: token.start[1] for token in tokens if token.type == tokenize.COMMENT}


def _edit(path: str, row: int, line: str, start: int | None, codes: Collection[str]) -> Edit:
    text = line.rstrip("\n")
    known = INLINE.search(text, start) if start is not None else None
    if known is None or known["codes"] is None:
        kept = text.rstrip()
        place = Place(path, row, len(kept) + 1, row, len(text) + 1)
        return Edit(place, f"  # noqa: {', '.join(sorted(codes))}")
    merged = sorted({*codes, *filter(None, SEPARATOR.split(known["codes"]))})
    follows = " " if text[known.end() :].strip() else ""
    place = Place(path, row, known.start() + 1, row, known.end() + 1)
    return Edit(place, f"# noqa: {', '.join(merged)}{follows}")

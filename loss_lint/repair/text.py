"""Edits applied to the bytes of a file. Every byte outside them stays: encoding, BOM, line ends, form feeds."""

from __future__ import annotations

import io
import re
import tokenize
from typing import TYPE_CHECKING

from loss_lint.syntax.module import is_parsable
from loss_lint.syntax.sources import is_notebook

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from loss_lint.findings import Edit

_LINE_END = re.compile(r"\r\n|\n|\r")


class Unfit(ValueError):
    """Edits that cannot be applied to a file; the message says why."""


def edited(path: str, data: bytes, edits: Iterable[Edit]) -> bytes:
    """The bytes of a file after `edits`, whose places count lines and characters of its decoded text.

    In a notebook these are the lines of the module that its code cells make.

    Equal edits count once; several insertions at one place come in the order in which they are given. Line
    ends inside an edit become those of the line that it begins in. Raises Unfit where edits overlap, lie outside of
    the text or hold what the file's encoding has no bytes for.
    """
    if is_notebook(path):
        return _edited_notebook(data, edits)
    encoding, text = _decoded(data)
    starts, lengths, ends = _lines(text)
    ranges = [
        (_offset(edit.place.line, edit.place.column, starts, lengths), _end(edit, starts, lengths), edit)
        for edit in dict.fromkeys(edits)
    ]
    ranges.sort(key=lambda one: one[:2])
    pieces: list[str] = []
    done = 0
    for start, end, edit in ranges:
        if start < done or end < start:
            raise Unfit("its edits overlap")
        newline = _line_end(ends, edit.place.line)
        pieces += [text[done:start], _LINE_END.sub(lambda _, end=newline: end, edit.content)]  # type: ignore[misc]
        done = end
    try:
        return "".join([*pieces, text[done:]]).encode(encoding)
    except UnicodeEncodeError:
        raise Unfit(f"the file's encoding, {encoding}, does not have its characters") from None


def module_of(path: str, data: bytes) -> bytes:
    """The Python that a file holds; raises Unfit where it is no notebook, but is named as one."""
    if not is_notebook(path):
        return data
    from loss_lint.syntax.notebook import notebook

    try:
        return notebook(data).data
    except ValueError:
        raise Unfit("the file is no notebook") from None


def breaks(path: str, before: bytes, after: bytes) -> bool:
    """Whether a file no longer parses; of a notebook, whether fewer of its cells do."""
    if not is_notebook(path):
        return not is_parsable(path, after)
    from loss_lint.syntax.notebook import notebook

    try:
        return len(notebook(after).broken) > len(notebook(before).broken)
    except ValueError:
        return True


def _edited_notebook(data: bytes, edits: Iterable[Edit]) -> bytes:
    from loss_lint.syntax.notebook_edits import edited_notebook

    try:
        return edited_notebook(data, dict.fromkeys(edits))
    except (ValueError, LookupError) as error:
        raise Unfit(f"its edits do not fit the notebook ({error})") from None


def _decoded(data: bytes) -> tuple[str, str]:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeError, LookupError):
        raise Unfit("the file cannot be decoded") from None
    if text.encode(encoding) != data:
        raise Unfit(f"the file's encoding, {encoding}, does not give its bytes back")
    return encoding, text


def _lines(text: str) -> tuple[list[int], list[int], list[str]]:
    """Of each line its start, its length without its end, and its end; the last line has none."""
    starts, lengths, ends = [0], [], []
    for match in _LINE_END.finditer(text):
        lengths.append(match.start() - starts[-1])
        ends.append(match[0])
        starts.append(match.end())
    lengths.append(len(text) - starts[-1])
    return starts, lengths, ends


def _offset(line: int, column: int, starts: Sequence[int], lengths: Sequence[int]) -> int:
    if not (1 <= line <= len(starts) and 1 <= column <= lengths[line - 1] + 1):
        raise Unfit("its edits lie outside of the file")
    return starts[line - 1] + column - 1


def _end(edit: Edit, starts: Sequence[int], lengths: Sequence[int]) -> int:
    return _offset(edit.place.end_line, edit.place.end_column, starts, lengths)


def _line_end(ends: Sequence[str], line: int) -> str:
    """How a line ends; for the last one, how the one before it does."""
    return ends[min(line, len(ends)) - 1] if ends else "\n"

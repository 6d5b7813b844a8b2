"""Lines of a tree laid out in a width: places in one column, what does not fit on lines of its own below."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from loss_lint.report.palette import Palette

# What is laid out where no terminal says how wide it is.
WIDTH = 100
# Places stand in one column, unless a line is longer than this.
_COLUMN = 64
# A note has at least this much room beside its place, or it stands below.
_MIN_NOTE = 24


class Line(NamedTuple):
    """One line of a tree.

    `indent` precedes it, `onward` precedes what is continued below it. `when` are the conditions under which `text`
    holds, said before it.
    """

    indent: str
    onward: str
    text: str
    place: str = ""
    note: str = ""
    when: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        return f"when {' and '.join(self.when)}: {self.text}" if self.when else self.text


def drawn(lines: Sequence[Line], palette: Palette, width: int) -> Iterator[str]:
    """The lines as text, with their places below each other."""
    flat = [part for line in lines for part in _split(line, width)]
    column = min(_COLUMN, max((len(line.indent) + len(line.text) for line in flat), default=0) + 2)
    for line in flat:
        yield from _drawn(line, column, palette, width)


def _split(line: Line, width: int) -> Iterator[Line]:
    """A line whose conditions leave no room for it, as lines for the conditions and one for it."""
    beside = len(line.place) + 2 if line.place else 0
    if not line.when or len(line.indent) + len(line.whole) + beside <= width:
        yield line._replace(text=line.whole, when=())
        return
    conditions = [f"when {line.when[0]}", *(f"and {text}" for text in line.when[1:])]
    flowed = flow([*conditions[:-1], f"{conditions[-1]}:"], width - len(line.onward) - 2)
    for number, text in enumerate(flowed):
        yield Line(line.onward + "  " if number else line.indent, line.onward, text)
    yield line._replace(indent=line.onward + "  ", when=())


def flow(pieces: Iterable[str], width: int) -> list[str]:
    """Pieces, with spaces between, as lines of at most `width` characters; no piece that fits is broken."""
    lines: list[str] = []
    fitting = (
        part for piece in pieces for part in ([piece] if len(piece) <= width else wrapped(piece, width))
    )
    for piece in fitting:
        if lines and len(lines[-1]) + 1 + len(piece) <= width:
            lines[-1] += f" {piece}"
        else:
            lines.append(piece)
    return lines


def wrapped(text: str, width: int) -> list[str]:
    """A sentence as lines of at most `width` characters; no word is broken."""
    return textwrap.wrap(text, max(width, _MIN_NOTE), break_long_words=False, break_on_hyphens=False)


def _drawn(line: Line, column: int, palette: Palette, width: int) -> Iterator[str]:
    left = f"{palette.frame(line.indent)}{_text(line.text, palette)}"
    used = len(line.indent) + len(line.text)
    if not (line.place or line.note):
        yield left
        return
    gap = max(2, column - used)
    room = width - used - gap - (len(line.place) + 2 if line.place else 0)
    if len(line.note) <= room:
        note = f"{'  ' if line.place else ''}{palette.faint(line.note)}" if line.note else ""
        yield f"{left}{' ' * gap}{palette.separator(line.place)}{note}"
        return
    yield f"{left}{' ' * gap}{palette.separator(line.place)}" if line.place else left
    below = line.onward + "  "
    for text in wrapped(line.note, width - len(below)):
        yield f"{palette.frame(below)}{palette.faint(text)}"


def _text(text: str, palette: Palette) -> str:
    """A line's text, with what is not known in a colour of its own."""
    before, mark, after = text.rpartition("?")
    is_unknown = mark and (not before or before.endswith((": ", "= ")))
    return f"{before}{palette.doubt(mark + after)}" if is_unknown else text

"""Jupyter notebooks: the code cells of one as a module, and where the module's lines stand in it.

A notebook is one module over all its code cells in their order. What only IPython understands is masked (see
`magics.py`), and so is a cell that is no Python: the others can be linted without it.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from loss_lint.syntax.cells import CodeCell, NotANotebook, code_cells
from loss_lint.syntax.magics import python_of
from loss_lint.syntax.site import NotebookPath

if TYPE_CHECKING:
    from loss_lint.syntax.module import Unparsable

_LINE_END = re.compile(r"\r\n|\n|\r")
_LINE = re.compile(r"[^\r\n]+")
# What a cell that is no Python may bind: names that the others must not take for what they were before.
_BOUND = re.compile(
    r"(?m)^[ \t]*(?:def|class)[ \t]+(\w+)|\b(?:import|as|for)[ \t]+(\w+)|^[ \t]*(\w+)[ \t]*=(?!=)"
)
# Stands before a cell that is indented.
_INDENTED = "if True:\n"
# Where Python looks for a file's encoding.
_HEAD = re.compile(r"(?:[^\r\n]*(?:\r\n|\r|\n)){0,2}")
_CODING = re.compile(r"(?m)^([ \t\f]*#[^\r\n]*?)coding(?=[:=])")


class Broken(NamedTuple):
    """A cell that this interpreter cannot parse: why, and where in the module."""

    message: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class _Placed:
    """A code cell of the module, whose first line is `line` there."""

    cell: CodeCell
    line: int


@dataclass(frozen=True)
class Notebook:
    """A notebook's module in UTF-8, and where its lines come from."""

    data: bytes
    broken: tuple[Broken, ...] = ()
    _placed: tuple[_Placed, ...] = field(default=(), repr=False)

    def cell_and_row(self, line: int) -> tuple[int, int]:
        """The cell in which a line of the module stands, counted from one over cells of all kinds, and the line in it.

        The line behind a cell's last one belongs to it where no other cell follows.
        """
        return self.named("").cell_and_row(line)

    def named(self, path: str) -> NotebookPath:
        """The path of the notebook, which knows where its cells are."""
        return NotebookPath(path, self._starts)

    def line(self, cell: int, row: int) -> int:
        """The line of the module that a line of a cell became; raises KeyError where the cell has no Python."""
        return self._by_number[cell].line + row - 1

    def cell(self, number: int) -> CodeCell:
        """A cell with Python; raises KeyError for others."""
        return self._by_number[number].cell

    def lines(self, cell: int) -> list[str]:
        """The lines of a cell as they are written, without their ends; none where it has no Python."""
        placed = self._by_number.get(cell)
        return _LINE_END.split(placed.cell.source) if placed is not None else []

    @cached_property
    def _starts(self) -> list[tuple[int, int]]:
        return [(placed.cell.number, placed.line) for placed in self._placed]

    @cached_property
    def _by_number(self) -> dict[int, _Placed]:
        return {placed.cell.number: placed for placed in self._placed}


def notebook(data: bytes) -> Notebook:
    """The notebook in the bytes of a file; raises NotANotebook where they hold none, but name torch.

    A notebook in another language than Python has no cells.
    """
    try:
        cells = code_cells(data)
    except NotANotebook:
        if b"torch" in data:
            raise
        cells = []  # as for other files, nobody asks
    placed: list[_Placed] = []
    parts: list[str] = []
    line = 1
    for cell in cells:
        text = python_of(cell.source)
        if text is None or not text.strip():
            continue
        placed.append(_Placed(cell, line))
        parts.append(_ended(text))
        line += len(_LINE_END.findall(parts[-1]))
    module = _without_coding("".join(parts))
    if "torch" not in module:  # nobody parses it
        return Notebook(_encoded(module), (), tuple(placed))
    from loss_lint.syntax.module import is_parsable

    if is_parsable("", encoded := _encoded(module)):
        return Notebook(encoded, (), tuple(placed))
    return _repaired(placed, parts)


def _repaired(placed: list[_Placed], parts: list[str]) -> Notebook:
    """The notebook with what is no Python in comments."""
    broken: list[Broken] = []
    lines: list[_Placed] = []
    repaired: list[str] = []
    line = 1
    for one, part in zip(placed, parts, strict=True):
        header, text, error = _read(one.cell.source, part)
        repaired += [header, text]
        line += header.count("\n")
        lines.append(_Placed(one.cell, line))
        if error is not None:
            broken.append(Broken(error.message, line + error.line - 1, error.column))
        line += len(_LINE_END.findall(text))
    module = _encoded(_without_coding("".join(repaired)))
    return Notebook(module, tuple(broken), tuple(lines))


def _read(source: str, text: str) -> tuple[str, str, Unparsable | None]:
    """A cell's lines, with one to stand before them, and why it is no Python.

    IPython knows some magics without their sign, and takes the first line's indentation from all lines.
    """
    error = _error(text)
    if error is None:
        return "", text, None
    unsigned = python_of(source, unsigned=True)
    if unsigned is not None and unsigned.strip() and _error(unsigned := _ended(unsigned)) is None:
        return "", unsigned, None
    if text[:1] in " \t" and _error(_INDENTED + text) is None:
        return _INDENTED, text, None
    return "", _commented(text), error


def _ended(text: str) -> str:
    """The lines of a cell, each with its end."""
    return text if text.endswith(("\n", "\r")) else f"{text}\n"


def _error(text: str) -> Unparsable | None:
    from loss_lint.syntax.module import Unparsable, parse

    try:
        parse("", _encoded(_without_coding(text)))
    except Unparsable as error:
        return error
    return None


def _commented(text: str) -> str:
    """A cell in comments, behind an assignment of nothing known to the names that it may bind."""
    names = sorted({name for found in _BOUND.findall(text) for name in found if name})
    bound = "".join(f"{name} = " for name in names if not keyword.iskeyword(name))
    return f"{bound}get_ipython()  " + _LINE.sub(r"# \g<0>", text.replace("\0", " "))


def _without_coding(module: str) -> str:
    """The module without what Python would take for its encoding: notebooks are UTF-8."""
    head = _HEAD.match(module)
    assert head is not None
    return _CODING.sub(r"\1c0ding", head[0]) + module[head.end() :] if "coding" in head[0] else module


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # half of a surrogate pair

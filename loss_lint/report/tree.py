"""The explanation of a file's losses as text: a tree for each, with the place of each step beside it."""

from __future__ import annotations

import os
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from loss_lint.report.paths import printable, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loss_lint.explain.explanation import Call, Child, Consequence, Explanation, Loss, Node, Reading
    from loss_lint.findings import Place
    from loss_lint.report.palette import Palette

# Places stand in one column, unless a line is longer than this.
_COLUMN = 64
_MAX_WAYS = 3
_WIDTH = 90
# As many losses of other files are shown with their trees; of more, only the places.
MAX_ELSEWHERE = 3


class _Line(NamedTuple):
    """One line: what precedes it, what it says, the place, and what else is to be said."""

    indent: str
    text: str
    place: str = ""
    note: str = ""


def render(
    explanation: Explanation, line: int | None, palette: Palette, folder: str | None = None
) -> Iterator[str]:
    """A text for each loss, with an empty line between; other files' losses where the file itself has none."""
    seen_from = folder or os.getcwd()
    where = shown_path(explanation.path, seen_from) + (f":{line}" if line is not None else "")
    here, elsewhere = explanation.losses, explanation.elsewhere
    for number, loss in enumerate(here):
        yield ("\n" if number else "") + _loss(loss, palette, seen_from)
    if not here and not elsewhere:
        at = "at" if line is not None else "in"
        yield f"No loss {at} {where}: no call of one of torch's losses and no backward() leads there.\n"
    elif elsewhere and (line is not None or (not here and len(elsewhere) <= MAX_ELSEWHERE)):
        own = "" if here or line is not None else f"No loss stands in {where} itself. "
        yield ("\n" if here else "") + f"{own}{_count(len(elsewhere))} through {where} on the way:\n"
        for loss in elsewhere:
            yield "\n" + _loss(loss, palette, seen_from)
    elif elsewhere:
        places = ", ".join(_position(loss.place, seen_from) for loss in elsewhere)
        own = "\n" if here else f"No loss stands in {where} itself. "
        yield f"{own}{_count(len(elsewhere))} through {where} on the way: {places}\n"
    for limit, times in explanation.limits:
        often = "once" if times == 1 else f"{times} times"
        yield f"A limit on {limit} was reached {often}; what lies past it is unknown.\n"


def _count(number: int) -> str:
    return "1 loss of another file passes" if number == 1 else f"{number} losses of other files pass"


def _loss(loss: Loss, palette: Palette, folder: str) -> str:
    writer = _Writer(palette, folder, loss.place.path)
    lines = [f"{palette.strong(loss.title)} {palette.frame('-->')} {_position(loss.place, folder)}"]
    for number, reading in enumerate(loss.readings, 1):
        if len(loss.readings) > 1:
            lines.append(palette.hint(f"  reading {number} of {len(loss.readings) + loss.omitted}"))
        lines.extend(writer.reading(reading))
    if loss.omitted:
        lines.append(f"  and {loss.omitted} more readings")
    return "\n".join([*lines, ""])


def _position(place: Place, folder: str) -> str:
    return f"{shown_path(place.path, folder)}:{place.line}:{place.column}"


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the readings of a loss that stands in the file `home`."""

    palette: Palette
    folder: str
    home: str

    def reading(self, reading: Reading) -> Iterator[str]:
        yield from self._circumstances(reading)
        if reading.formula:
            first, *others = reading.formula
            yield f"  {self.palette.code('->')} {self.palette.strong(printable(first))}"
            yield from (f"     {printable(line)}" for line in others)
        lines = [*self._tree(reading.tree, "  ", "  "), *self._then(reading.then, "  then ", "       ")]
        column = min(_COLUMN, max(len(line.indent) + len(line.text) for line in lines) + 2)
        for line in lines:
            yield self._drawn(line, column)
        if reading.objective:
            yield f"  {printable(reading.objective)}"

    def _circumstances(self, reading: Reading) -> Iterator[str]:
        hint = self.palette.hint
        yield f"  {hint('in')} {reading.function}{self._ways(reading.calls)}"
        if reading.loops:
            loops = ", in one ".join(printable(loop) for loop in reversed(reading.loops))
            yield f"  {hint('in a loop')} {loops}"
        if reading.when:
            first, *others = textwrap.wrap(
                printable(" and ".join(reading.when)), _WIDTH, break_long_words=False, break_on_hyphens=False
            )
            yield f"  {hint('when')} {first}"
            yield from (f"       {line}" for line in others)
        if not reading.gradient:
            yield f"  {hint('without gradient')}: nothing is trained on it"

    def _ways(self, ways: tuple[tuple[Call, ...], ...]) -> str:
        if not ways:
            return ""
        shown = "; ".join(self._way(calls) for calls in ways[:_MAX_WAYS])
        more = f"; and {len(ways) - _MAX_WAYS} more ways" if len(ways) > _MAX_WAYS else ""
        return f", called {shown}{more}"

    def _way(self, calls: tuple[Call, ...]) -> str:
        callers = (f"by {_function(call.caller)} at {self._at(call.place)}" for call in reversed(calls))
        return ", ".join(callers)

    def _tree(self, node: Node, indent: str, below: str, edge: str = "") -> Iterator[_Line]:
        symbol = f"{node.symbol} = " if node.symbol else ""
        mark = "?" if node.kind == "unknown" and node.text != "..." else ""
        place = self._at(node.place) if node.place is not None else ""
        made = f"made at {self._at(node.made)}" if node.made not in (None, node.place) else ""
        note = ", ".join(part for part in (made, node.note) if part)
        yield _Line(indent, printable(f"{edge}{symbol}{mark}{node.text}"), place, printable(note))
        children = [child for child in node.children if _is_drawn(child, node)]
        for position, child in enumerate(children):
            last = position == len(children) - 1
            branch, onward = ("└── ", "    ") if last else ("├── ", "│   ")
            yield from self._tree(child.node, below + branch, below + onward, _edge(child, node))

    def _then(self, chains: Sequence[tuple[Consequence, ...]], indent: str, below: str) -> Iterator[_Line]:
        """Chains as a tree: what several of them begin with stands once."""
        first = dict.fromkeys(chain[0] for chain in chains if chain)
        for position, step in enumerate(first):
            last = position == len(first) - 1
            head, onward = indent, below
            if len(first) > 1 and not indent.endswith("then "):
                head, onward = below + ("└── " if last else "├── "), below + ("    " if last else "│   ")
            yield _Line(head, printable(step.text), self._at(step.place))
            rest = [chain[1:] for chain in chains if chain and chain[0] == step]
            yield from self._then(rest, onward, onward)

    def _drawn(self, line: _Line, column: int) -> str:
        left = f"{self.palette.frame(line.indent)}{line.text}"
        if not (line.place or line.note):
            return left
        gap = " " * max(2, column - len(line.indent) - len(line.text))
        note = f"{'  ' if line.place else ''}{line.note}" if line.note else ""
        return f"{left}{gap}{self.palette.separator(line.place)}{note}"

    def _at(self, place: Place | None) -> str:
        """`train.py:31`; with its folders for other files than the loss's own."""
        assert place is not None
        path = os.path.basename(place.path) if place.path == self.home else place.path
        return f"{shown_path(path, self.folder)}:{place.line}"


def _function(name: str) -> str:
    return "the module" if name == "<module>" else name


def _is_drawn(child: Child, parent: Node) -> bool:
    """Numbers stand in the text of the operation that takes them."""
    return child.node.kind != "number" or bool(child.label) or parent.kind == "choice"


def _edge(child: Child, parent: Node) -> str:
    label = f"{child.label}: " if child.label else ""
    if parent.kind != "choice":
        return label
    return f"{label}when {' and '.join(child.when)}: " if child.when else f"{label}or "

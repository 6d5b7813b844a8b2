"""The explanation of a file's losses as text: a tree for each, with the place of each step beside it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from loss_lint.report.layout import WIDTH, Line, drawn, flow, wrapped
from loss_lint.report.paths import position_parts, printable, shown_path, shown_position, shown_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loss_lint.explain.explanation import Call, Child, Consequence, Explanation, Loss, Node, Reading
    from loss_lint.findings import Place
    from loss_lint.report.palette import Palette

_MAX_WAYS = 3
_MAX_LINES = 12
# As many losses of other files are shown with their trees; of more, only the places.
MAX_ELSEWHERE = 3


def render(
    explanation: Explanation,
    line: int | None,
    palette: Palette,
    folder: str | None = None,
    width: int = WIDTH,
    cell: int | None = None,
) -> Iterator[str]:
    """A text for each loss, with an empty line between; other files' losses where the file itself has none."""
    seen_from = folder or os.getcwd()
    where = shown_text(explanation.path, cell or 0, seen_from) + (f":{line}" if line is not None else "")
    here, elsewhere = explanation.losses, explanation.elsewhere
    writer = _Writer(palette, seen_from, width, frozenset(_called((*here, *elsewhere))))
    for number, loss in enumerate(here):
        yield ("\n" if number else "") + writer.loss(loss)
    if not here and not elsewhere:
        at = "at" if line is not None else "in"
        yield f"No loss {at} {where}: no call of one of torch's losses and no backward() leads there.\n"
        if explanation.others:
            yield f"The file's losses are at {_lines(explanation.others)}.\n"
    elif elsewhere and (line is not None or (not here and len(elsewhere) <= MAX_ELSEWHERE)):
        own = "" if here or line is not None else f"No loss stands in {where} itself. "
        yield ("\n" if here else "") + f"{own}{_count(len(elsewhere))} through {where} on the way:\n"
        for loss in elsewhere:
            yield "\n" + writer.loss(loss)
    elif elsewhere:
        own = "" if here else f"No loss stands in {where} itself. "
        yield ("\n" if here else "") + f"{own}{_count(len(elsewhere))} through {where} on the way:\n"
        yield from (f"  {shown_position(loss.place, seen_from)}  {loss.title}\n" for loss in elsewhere)
    for limit, times in explanation.limits:
        often = "once" if times == 1 else f"{times} times"
        yield f"A limit on {limit} was reached {often}; what lies past it is unknown.\n"


def _lines(places: tuple[Place, ...]) -> str:
    """Where losses are in a file: `lines 3 and 5`, or `cell 2:1 and cell 4:5` of a notebook."""
    found = [":".join(position_parts(place, "")[1:-1]) for place in places]
    numbers = list(dict.fromkeys(found))
    shown = numbers[:_MAX_LINES]
    kind = "" if places[0].cell else "lines " if len(shown) > 1 else "line "
    if len(numbers) > _MAX_LINES:
        return f"{kind}{', '.join(shown)} and {len(numbers) - _MAX_LINES} more"
    return f"{kind}{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else f"{kind}{shown[0]}"


def _count(number: int) -> str:
    return "1 loss of another file passes" if number == 1 else f"{number} losses of other files pass"


def _called(losses: tuple[Loss, ...]) -> Iterator[str]:
    for loss in losses:
        yield from (call.function for reading in loss.readings for way in reading.calls for call in way)


@dataclass(slots=True)
class _Writer:
    """Writes losses; what several readings of one share stands once. `called` are functions that something calls."""

    palette: Palette
    folder: str
    width: int
    called: frozenset[str]
    home: str = ""
    drawn: set[Node] = field(default_factory=set)
    told: set[tuple[tuple[Consequence, ...], ...]] = field(default_factory=set)

    def loss(self, loss: Loss) -> str:
        self.home, self.drawn, self.told = loss.place.path, set(), set()
        title, arrow = self.palette.strong(loss.title), self.palette.frame("-->")
        lines = [f"{title} {arrow} {shown_position(loss.place, self.folder)}"]
        for number, reading in enumerate(loss.readings, 1):
            if len(loss.readings) > 1:
                of = len(loss.readings) + loss.omitted
                lines.append(self.palette.hint(f"  reading {number} of {of}"))
            lines.extend(self.reading(reading))
        if loss.omitted:
            lines.append(f"  and {loss.omitted} more {'reading' if loss.omitted == 1 else 'readings'}")
        return "\n".join([*lines, ""])

    def reading(self, reading: Reading) -> Iterator[str]:
        yield from self._circumstances(reading)
        if reading.formula:
            first, *others = reading.formula
            begun, *more = wrapped(printable(first), self.width - 7)
            yield f"  {self.palette.code('->')} {self.palette.strong(begun)}"
            yield from (f"       {self.palette.strong(text)}" for text in more)
            for line in others:
                begun, *more = wrapped(printable(line), self.width - 7)
                yield from (f"     {begun}", *(f"       {text}" for text in more))
        lines = [*self._tree(reading.tree, "  ", "  "), *self._consequences(reading.then)]
        yield from drawn(lines, self.palette, self.width)
        if reading.objective:
            begun, *more = wrapped(printable(reading.objective), self.width - 7)
            yield from (f"  {begun}", *(f"     {text}" for text in more))

    def _circumstances(self, reading: Reading) -> Iterator[str]:
        calls = self._ways(reading.calls)
        name = reading.function.rpartition(".")[2]
        if not calls and name != "<module>" and name not in self.called:
            calls = ["called by nothing seen here"]
        yield from self._said("in", [f"{_function(reading.function)}{',' if calls else ''}", *calls])
        if reading.loops:
            loops = [f"in one {printable(loop)}," for loop in reversed(reading.loops)]
            loops[0] = loops[0].removeprefix("in one ")
            loops[-1] = loops[-1].removesuffix(",")
            yield from self._said("in a loop", loops)
        if reading.when:
            first, *others = reading.when
            yield from self._said("when", [printable(first), *(f"and {printable(text)}" for text in others)])
        if not reading.gradient:
            yield f"  {self.palette.hint('without gradient')}: nothing is trained on it"

    def _said(self, what: str, pieces: list[str]) -> Iterator[str]:
        first, *others = flow(pieces, self.width - len(what) - 3)
        yield f"  {self.palette.hint(what)} {first}"
        yield from (f"     {text}" for text in others)

    def _ways(self, ways: tuple[tuple[Call, ...], ...]) -> list[str]:
        """The calls of each way, innermost first, in pieces of a sentence."""
        pieces: list[str] = []
        for number, calls in enumerate(ways[:_MAX_WAYS]):
            for position, call in enumerate(reversed(calls)):
                start = "called " if not pieces else "or " if position == 0 and number else ""
                pieces.append(f"{start}by {_function(call.caller)} at {self._at(call.place)},")
        if len(ways) > _MAX_WAYS:
            pieces.append(f"or in {len(ways) - _MAX_WAYS} more ways,")
        if pieces:
            pieces[-1] = pieces[-1].removesuffix(",")
        return pieces

    def _tree(
        self, node: Node, indent: str, below: str, edge: str = "", when: tuple[str, ...] = ()
    ) -> Iterator[Line]:
        symbol = f"{node.symbol} = " if node.symbol else ""
        mark = "?" if node.kind == "unknown" and node.text != "..." else ""
        place = self._at(node.place) if node.place is not None else ""
        made = f"made at {self._at(node.made)}" if node.made not in (None, node.place) else ""
        children = [child for child in node.children if _is_drawn(child, node)]
        content = replace(node, symbol="")
        again = "as above" if children and content in self.drawn else ""
        self.drawn.add(content)
        children = [] if again else children
        note = ", ".join(part for part in (made, again or node.note) if part)
        onward = below + ("│ " if children else "  ")
        text = printable(f"{edge}{symbol}{mark}{node.text}")
        yield Line(indent, onward, text, place, printable(note), tuple(map(printable, when)))
        for position, child in enumerate(children):
            last = position == len(children) - 1
            branch, further = ("└── ", "    ") if last else ("├── ", "│   ")
            edge, when = _edge(child, node, is_last=last)
            yield from self._tree(child.node, below + branch, below + further, edge, when)

    def _consequences(self, chains: tuple[tuple[Consequence, ...], ...]) -> Iterator[Line]:
        long = sum(map(len, chains)) > 2
        if long and chains in self.told:
            yield Line("  then ", "       ", "as above")
            return
        self.told.add(chains)
        yield from self._then(chains, "  then ", "       ")

    def _then(self, chains: Sequence[tuple[Consequence, ...]], indent: str, below: str) -> Iterator[Line]:
        """Chains as a tree: what several of them begin with stands once."""
        first = dict.fromkeys(chain[0] for chain in chains if chain)
        for position, step in enumerate(first):
            last = position == len(first) - 1
            head, onward = indent, below
            if len(first) > 1 and not indent.endswith("then "):
                head, onward = below + ("└── " if last else "├── "), below + ("    " if last else "│   ")
            when = f"when {' and '.join(step.when)}" if step.when else ""
            yield Line(head, onward, printable(step.text), self._at(step.place), printable(when))
            rest = [chain[1:] for chain in chains if chain and chain[0] == step]
            yield from self._then(rest, onward, onward)

    def _at(self, place: Place | None) -> str:
        """`train.py:31`; with its folders for other files than the loss's own."""
        assert place is not None
        path, *within, _ = position_parts(place, self.folder)
        if place.path == self.home:
            path = shown_path(os.path.basename(place.path), self.folder)
        return ":".join((path, *within))


def _function(name: str) -> str:
    return "the module" if name == "<module>" else name


def _is_drawn(child: Child, parent: Node) -> bool:
    """Numbers stand in the text of the operation that takes them."""
    return child.node.kind != "number" or bool(child.label) or parent.kind == "choice"


def _edge(child: Child, parent: Node, *, is_last: bool) -> tuple[str, tuple[str, ...]]:
    """What is said before a child: its label, or else the conditions under which it is chosen."""
    if parent.kind != "choice":
        return (f"{child.label}: " if child.label else ""), ()
    others_say = all(other.when for other in parent.children if other is not child)
    return ("otherwise: " if not child.when and is_last and others_say else ""), child.when

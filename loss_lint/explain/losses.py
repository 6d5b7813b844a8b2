"""Which losses a file has, and what each of them is under each of its callers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from loss_lint.explain.conditions import conditions
from loss_lint.explain.consequences import Chain, chains, objective
from loss_lint.explain.explanation import Call, Consequence, Explanation, Loss, Reading
from loss_lint.explain.formula import formula
from loss_lint.explain.reasons import NEVER_RETURNS, Context, source
from loss_lint.explain.tree import TreeBuilder
from loss_lint.symbolic import limits
from loss_lint.symbolic.facts import force_inputs
from loss_lint.symbolic.graph import Frame, Loop, Op, Site, Value
from loss_lint.symbolic.places import Places
from loss_lint.symbolic.root import BACKWARD, Root, evaluate_roots, parts
from loss_lint.symbolic.walk import effect
from loss_lint.syntax.site import short

if TYPE_CHECKING:
    from loss_lint.explain.explanation import Node
    from loss_lint.findings import Place
    from loss_lint.symbolic.machine import Machine

# Readings of one loss that are shown, and that are looked at.
MAX_READINGS = 3
MAX_SIGHTINGS = 40
_LOSS_WORD = re.compile(r"loss|criterion|objective|entropy|diverg", re.IGNORECASE)
# How much of what a `backward()` is called on is searched for a loss.
MAX_SEARCHED = 300


def roots_of(machine: Machine, path: str) -> Iterator[Root]:
    """The roots that say something of a file: its own, and those of the files that call into it."""
    for source_path in (path, *machine.relevance.callers(path)):
        yield from evaluate_roots(machine, source_path)


def explain(machine: Machine, roots: Iterable[Root], path: str, line: int | None = None) -> Explanation:
    """The losses of the file at `path`; with a `line`, those that stand there or pass through it."""
    limits.forget()
    places = Places(machine)
    found: dict[Site, _Sightings] = {}
    for root in roots:
        _look(root, places, found)
    here: list[Loss] = []
    elsewhere: list[Loss] = []
    others: set[Place] = set()
    called = {call.function for sightings in found.values() for call in sightings.calls()}
    for site, sightings in found.items():
        if not sightings.is_known:
            sightings.leave_out(called)
        loss = sightings.loss(places.place(site))
        if loss is None:
            continue
        if loss.place.path == path and (line is None or _touches(loss, path, line)):
            here.append(loss)
        elif loss.place.path == path:
            others.add(loss.place)
        elif _touches(loss, path, line):
            elsewhere.append(loss)
    return Explanation(
        path, _sorted(here), _sorted(elsewhere), machine.modules.limits_met(path), tuple(sorted(others))
    )


def _sorted(losses: list[Loss]) -> tuple[Loss, ...]:
    return tuple(sorted(losses, key=lambda loss: loss.place))


def _touches(loss: Loss, path: str, line: int | None) -> bool:
    places = [loss.place, *(place for reading in loss.readings for place in reading.places())]
    return any(place.path == path and (line is None or _covers(place, line)) for place in places)


def _covers(place: Place, line: int) -> bool:
    return place.line <= line <= place.end_line


@dataclass(slots=True)
class _Sightings:
    """All that is seen of one loss. A function's callers say more of it than the function alone does."""

    title: str = ""
    is_known: bool = False
    readings: list[Reading] = field(default_factory=list)

    def add(self, reading: Reading, title: str, *, is_known: bool) -> None:
        if is_known and not self.is_known:
            self.readings, self.is_known, self.title = [], True, title
        if is_known == self.is_known:
            self.title = self.title or title
            self.readings.append(reading)

    def calls(self) -> Iterator[Call]:
        yield from (call for reading in self.readings for way in reading.calls for call in way)

    def leave_out(self, called: set[str]) -> None:
        """Forget what functions are on their own that something calls: their callers have said what it is."""
        self.readings = [
            reading
            for reading in self.readings
            if reading.calls or reading.function.rpartition(".")[2] not in called
        ]

    def loss(self, place: Place) -> Loss | None:
        merged = _merged(_implemented(_outermost(self.readings)))
        if not merged:
            return None
        merged = tuple(sorted(merged, key=_rank))
        return Loss(place, self.title, merged[:MAX_READINGS], max(0, len(merged) - MAX_READINGS))


def _implemented(readings: list[Reading]) -> list[Reading]:
    """The readings in which no method only raises: an abstract class alone is none of its subclasses."""
    concrete = [reading for reading in readings if not _is_abstract(reading)]
    return concrete or readings


def _is_abstract(reading: Reading) -> bool:
    return any(NEVER_RETURNS in node.note for node in reading.tree.walk())


def _outermost(readings: list[Reading]) -> list[Reading]:
    """The readings that begin furthest out: a function on its own, of which a caller is known, says less."""
    begun = {
        way[start:] for reading in readings for way in _trails(reading) for start in range(1, len(way) + 1)
    }
    return [reading for reading in readings if any(way not in begun for way in _trails(reading))]


def _rank(reading: Reading) -> tuple[bool, bool]:
    """What is trained on comes first."""
    trains = any(step.text.endswith("backward()") for chain in reading.then for step in chain)
    return (not trains, not reading.gradient)


def _trails(reading: Reading) -> list[tuple[Place, ...]]:
    """The places of the calls of each way; one empty way where nothing calls."""
    return [tuple(call.place for call in way) for way in reading.calls] or [()]


def _merged(readings: list[Reading]) -> tuple[Reading, ...]:
    """Equal readings once, with all the ways that lead to them."""
    by_content: dict[Reading, list[tuple[Call, ...]]] = {}
    for reading in readings:
        ways = by_content.setdefault(replace(reading, calls=(), function=""), [])
        ways.extend(way for way in reading.calls if way not in ways)
    names = {replace(reading, calls=(), function=""): reading.function for reading in reversed(readings)}
    return tuple(
        replace(reading, calls=_longest(ways), function=names[reading])
        for reading, ways in by_content.items()
    )


def _longest(ways: list[tuple[Call, ...]]) -> tuple[tuple[Call, ...], ...]:
    """The ways that are no end of another one: what begins further out says more."""
    return tuple(
        way
        for way in ways
        if not any(other is not way and len(other) > len(way) and other[-len(way) :] == way for other in ways)
    )


def _look(root: Root, places: Places, found: dict[Site, _Sightings]) -> None:
    """Everything that is a loss in a root, while that root is the one that is evaluated."""
    index = 0
    while index < len(root.ops):  # looking forces calls, which adds operations
        op = root.ops[index]
        index += 1
        if effect(op) == "loss":
            force_inputs(op)
            sightings = found.setdefault(op.site, _Sightings())
            if len(sightings.readings) < MAX_SIGHTINGS:
                builder = TreeBuilder(Context(places))
                tree, then = builder.of_op(op), chains(op, root, builder)
                reading = _reading(op, tree, then, root, places)
                trained_on = objective(op, root, Context(places))
                sightings.add(
                    replace(reading, objective=trained_on),
                    op.alias.rpartition(".")[2] or op.name,
                    is_known=True,
                )
        elif op.name in BACKWARD and op.operands:
            _look_at_backward(op, root, places, found)
    if _LOSS_WORD.search(root.name):
        for value in root.returned:
            _look_at_returned(value, root, places, found)


def _look_at_backward(op: Op, root: Root, places: Places, found: dict[Site, _Sightings]) -> None:
    """A `backward()` that none of torch's losses reaches: of a loss written by hand, or of something unknown."""
    force_inputs(op)
    if _holds_torch_loss(op.operands[0]):
        found[op.site] = _Sightings(is_known=True)  # what it is without a caller says less
        return
    sightings = found.setdefault(op.site, _Sightings())
    if len(sightings.readings) < MAX_SIGHTINGS:
        tree = TreeBuilder(Context(places)).of_operand(op, 0)
        by_hand = any(node.kind == "operation" for node in tree.walk())
        title = "a loss written by hand" if by_hand else "a loss that is not known"
        then = ((Consequence("backward()", places.place(op.site)),),)
        sightings.add(_reading(op, tree, then, root, places), title, is_known=False)


def _look_at_returned(value: Value, root: Root, places: Places, found: dict[Site, _Sightings]) -> None:
    """What a function that is named a loss returns, if it computes that by hand."""
    if _holds_torch_loss(value):
        return
    for op in {id(part): part for part in parts(value) if isinstance(part, Op)}.values():
        tree = TreeBuilder(Context(places)).of_op(op)
        if effect(op) not in ("arithmetic", "unary", "reduce") or not tree.children:
            continue
        sightings = found.setdefault(op.site, _Sightings())
        then = ((Consequence(f"returned by {root.name}", places.place(op.site)),),)
        sightings.add(_reading(op, tree, then, root, places), "a loss written by hand", is_known=False)


def _holds_torch_loss(value: Value) -> bool:
    seen: set[int] = set()
    pending = [value]
    while pending and len(seen) < MAX_SEARCHED:
        for part in parts(pending.pop()):
            if id(part) not in seen:
                seen.add(id(part))
                if isinstance(part, Op):
                    if effect(part) == "loss":
                        return True
                    pending.extend(part.operands)
    return False


def _reading(op: Op, tree: Node, then: tuple[Chain, ...], root: Root, places: Places) -> Reading:
    lines, symbolic = formula(tree)
    return Reading(
        symbolic,
        lines,
        root.name if op.frame.call is None else op.frame.name,
        _way(op.frame, root, places),
        conditions(op.guards | op.chosen, places),
        tuple(_loop(loop, places) for loop in op.loops),
        op.grad,
        then,
    )


def _way(frame: Frame, root: Root, places: Places) -> tuple[tuple[Call, ...], ...]:
    """The calls that lead to a frame, outermost first; none where the root itself computes the loss."""
    calls: list[Call] = []
    current: Frame | None = frame
    while current is not None and current.call is not None:
        parent = current.parent
        caller = root.name if parent is None or parent.call is None else parent.name
        calls.append(Call(current.name, caller, places.place(current.call)))
        current = parent
    return (tuple(reversed(calls)),) if calls else ()


def _loop(loop: Loop, places: Places) -> str:
    over = loop.name or ("" if loop.iterable is None else source(loop.iterable, Context(places)))
    return f"over `{over}` ({short(loop.site)})" if over else f"at {short(loop.site)}"

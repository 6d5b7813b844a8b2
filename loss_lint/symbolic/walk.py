"""Walks from a value to where it came from: one concrete reading at a time, with what it takes to get there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from loss_lint import catalogue
from loss_lint.symbolic import limits
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    NONE,
    Alternatives,
    Const,
    Guards,
    Lazy,
    Object,
    Op,
    Pass,
    Phi,
    Site,
    Tuple,
    Value,
)
from loss_lint.symbolic.guards import compatible, contradicts_defaults, strip
from loss_lint.symbolic.heap import Heap
from loss_lint.symbolic.limits import MAX_STEPS
from loss_lint.symbolic.naming import asks_for_training
from loss_lint.symbolic.nodes import equal_by_parts

# Operations of the graph that are none of torch's.
_OWN_EFFECTS = {
    "getitem": "select",
    "data_parallel": "keep",
    "variable": "keep",
    "all_gather": "keep",
    "len": "size",
    "not": "compare",
    "setitem": "other",
    "append": "other",
    "learned": "other",  # its numbers are those of its operand only until training moves them
}


def effect(op: Op) -> str:
    """What an operation does to its first operand, in the catalogue's words."""
    return effect_of(op.name)


def effect_of(name: str) -> str:
    """`effect` by an operation's canonical name."""
    own = _OWN_EFFECTS.get(name)
    if own is not None:
        return own
    try:
        return catalogue.operation(name).effect
    except KeyError:
        return "other"


@equal_by_parts
class View:
    """One reading of a value: `node` is no join, call or argument any more.

    `guards` is what has to hold for it, `passes` the arguments that it went through, nearest first, and
    `chain` the operations between, outermost first.
    """

    node: Value
    guards: Guards
    passes: tuple[Pass, ...] = ()
    chain: tuple[Op, ...] = ()
    heap: Heap | None = None
    calls: tuple[Site, ...] = ()

    def at(self, node: Value) -> View:
        """The same way, to another node."""
        return View(node, self.guards, self.passes, self.chain, self.heap, self.calls)

    def below(self, op: Op, operand: Value) -> View:
        """What is reached through an operation."""
        return View(operand, self.guards, self.passes, (*self.chain, op), self.heap, self.calls)


class Walk:
    """One walk's budget; `exhausted` once it has given up.

    Readings that need another value of a root's parameter than its default, or depend on whether the program
    trains, are passed by, unless `every` one counts.
    """

    def __init__(self, *, every: bool = False) -> None:
        self.remaining = MAX_STEPS
        self.every = every

    def admits(self, guards: Guards, before: Guards) -> bool:
        more = guards - before
        return self.every or not (more and (contradicts_defaults(more) or asks_for_training(more)))

    def step(self) -> bool:
        self.remaining -= 1
        if self.remaining == 0:
            limits.count("readings")
        return self.remaining > 0

    @property
    def exhausted(self) -> bool:
        return self.remaining <= 0


def views(value: Value, guards: Guards, walk: Walk | None = None) -> Iterator[View]:
    """Every reading of `value` that can be under `guards`."""
    yield from _views(View(value, guards), walk or Walk())


def _views(view: View, walk: Walk) -> Iterator[View]:
    if not walk.step():
        return
    node = view.node
    match node:
        case Pass():
            yield from _views(
                View(node.value, view.guards, (*view.passes, node), view.chain, view.heap, view.calls), walk
            )
        case Alternatives(branches=branches):
            for guards, branch in branches:
                if compatible(view.guards, guards) and walk.admits(guards, view.guards):
                    chosen = view.guards | guards
                    yield from _views(
                        View(branch, chosen, view.passes, view.chain, view.heap, view.calls), walk
                    )
        case Lazy():
            result = node.caller.machine.force(node)
            inner = replace(view, node=result, heap=node.caller.state.heap, calls=(*view.calls, node.site))
            yield from _views(inner, walk)
        case Phi(init=init) if init is not None and not _is_set_by(node, view.guards):
            yield from _views(view.at(init), walk)
        case Op(name="getitem" | "getattr", operands=(base,)):
            yield from _parts(node, base, view, walk)
        case Op(name="or" | "and", operands=operands):
            for operand in operands:
                yield from _views(view.at(operand), walk)
        case _:
            yield view


def _is_set_by(phi: Phi, guards: Guards) -> bool:
    """Whether a variable that starts as None is asked for after an iteration set it: `if last is not None`."""
    if phi.init is None or strip(phi.init).content != NONE.content:
        return False
    for atom in guards:
        condition = strip(atom.condition)
        if isinstance(condition, Op) and condition.name == "is" and not atom.truth:
            if condition.operands[0].content == phi.content:
                return True
        elif condition.content == phi.content and atom.truth:
            return True
    return False


def _parts(node: Op, base: Value, view: View, walk: Walk) -> Iterator[View]:
    """A part of something that was not known when it was read: an item of what a call returned."""
    key = node.parameter("index" if node.name == "getitem" else "name")
    assert key is not None
    for whole in _views(view.at(base), walk):
        part = _part(whole, key, node.name)
        if part is None:
            yield replace(view, node=node, guards=whole.guards)
        else:
            yield from _views(whole.at(part), walk)


def _part(whole: View, key: Value, access: str) -> Value | None:
    if not isinstance(key, Const):
        return None
    if isinstance(whole.node, Tuple) and isinstance(key.value, int):
        items = whole.node.items
        return items[key.value] if -len(items) <= key.value < len(items) else None
    record = whole.heap.get(whole.node.content) if whole.heap and isinstance(whole.node, Object) else None
    if record is None:
        return None
    if access == "getattr":
        return record.attributes.get(str(key.value))
    for entry in record.items:
        if entry.key is not None and entry.key.content == key.content:
            return entry.value
    # transformers' outputs are read by position too, other dicts by their keys alone.
    by_position = all(entry.key is None or _is_text(entry.key) for entry in record.items)
    if isinstance(key.value, int) and by_position and not record.open:
        if any(entry.guards for entry in record.items):
            return None
        return record.items[key.value].value if -len(record.items) <= key.value < len(record.items) else None
    return None


def _is_text(key: Value) -> bool:
    return isinstance(key, Const) and isinstance(key.value, str)


# What leaves the numbers as they are.
KEEPING = frozenset({"keep", "select", "cast"})
_TO_INTEGER = frozenset({"to_long", "to_int", "to_short", "to_bool", "to_byte", "to_char"})


def keeps_numbers(op: Op) -> bool:
    """Whether the result's elements are (some of) the first operand's, as real numbers."""
    return effect(op) in KEEPING and op.name not in _TO_INTEGER


def origins(
    value: Value,
    guards: Guards = NO_GUARDS,
    walk: Walk | None = None,
    *,
    through: frozenset[str] | None = None,
) -> Iterator[View]:
    """The readings of `value` with all number-keeping operations taken off (or only those named `through`)."""
    walk = walk or Walk()
    yield from descend(View(value, guards), walk, through)


def descend(view: View, walk: Walk, through: frozenset[str] | None) -> Iterator[View]:
    for seen in _views(view, walk):
        node = seen.node
        crossed = (
            isinstance(node, Op)
            and node.operands
            and (keeps_numbers(node) if through is None else node.name in through)
        )
        if crossed and isinstance(node, Op):
            inner = seen.below(node, node.operands[0])
            yield from descend(inner, walk, through)
        else:
            yield seen


def inside(view: View, operand: Value, walk: Walk | None = None) -> Iterator[View]:
    """The origins of an operand of `view`'s operation, reached through that operation."""
    assert isinstance(view.node, Op)
    deeper = view.below(view.node, operand)
    yield from descend(deeper, walk or Walk(), None)

"""Loops over what is known, run item by item: one that is there under conditions runs the body under them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from loss_lint.symbolic import assign, limits
from loss_lint.symbolic.activation import Activation, State, join, otherwise
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    Const,
    External,
    Guards,
    Leaf,
    Loop,
    Op,
    Site,
    Value,
    const,
    fresh_content,
)
from loss_lint.symbolic.guards import compatible, strip
from loss_lint.symbolic.heap import Item, is_repeated
from loss_lint.symbolic.limits import MAX_JUMPS
from loss_lint.symbolic.sequences import is_single

Execute = Callable[[Sequence[ast.stmt], Activation], None]
Iterate = Callable[[Value, Loop], None]

# A loop over a known container of at most this many elements is run element by element, and of more where its body
# is short: elements times lines.
MAX_UNROLLED = 6
MAX_UNROLLED_LINES = 48


def entries(node: ast.For | ast.AsyncFor, iterable: Value, act: Activation) -> tuple[Item, ...] | None:
    """What a loop runs over, where it is to be run item by item."""
    found = act.machine.entries_of(iterable, act, MAX_UNROLLED_LINES)
    if found is None:
        found = _positions(node, iterable, act)
    if found is None or any(item.key is not None for item in found):
        return None
    lines = max(1, (node.end_lineno or node.lineno) - node.lineno)
    if len(found) > MAX_UNROLLED and len(found) * lines > MAX_UNROLLED_LINES:
        return None
    if any(is_repeated(item.value) for item in found) and (
        not any(map(is_single, found)) or any(isinstance(inner, ast.Break) for inner in ast.walk(node))
    ):
        return None
    return found


def _positions(node: ast.For | ast.AsyncFor, iterable: Value, act: Activation) -> tuple[Item, ...] | None:
    """`range(len(layers))` over a list that is known: its positions; those of a short `range` that builds something."""
    plain = strip(iterable)
    match node.iter:
        case ast.Call(args=[ast.Call(func=called, args=[_])]) if (
            isinstance(plain, Op) and plain.name == "range"
        ):
            function = strip(act.machine.evaluate(called, act))
            count = strip(plain.operands[0])
            is_length = isinstance(function, External) and function.name == "builtins.len"
            if is_length and isinstance(count, Const) and isinstance(count.value, int):
                return tuple(Item(None, const(index), NO_GUARDS) for index in range(count.value))
    if not (isinstance(plain, Op) and plain.name == "range" and _builds(node)):
        return None
    ends = [strip(operand) for operand in plain.operands]
    numbers = [end.value for end in ends if isinstance(end, Const) and type(end.value) is int]
    if len(numbers) != len(ends) or 0 in numbers[2:]:
        return None
    counted = range(*numbers)
    if len(counted) > MAX_BUILT:
        return None
    return tuple(Item(None, const(index), NO_GUARDS) for index in counted)


# A loop over a literal range is run item by item where it puts at most this many things together: layers, mostly.
MAX_BUILT = 12
_ADDING = frozenset({"append", "extend", "insert", "add_module", "register_module", "setattr"})


def _builds(node: ast.For | ast.AsyncFor) -> bool:
    """Whether the body adds to containers or modules, and does not train on the way."""
    called: set[str] = set()
    adds = False
    for inner in ast.walk(node):
        match inner:
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
                called.add(name)
            case ast.AugAssign(op=ast.Add(), value=ast.List()):
                adds = True
            case ast.For() | ast.While() if inner is not node:
                return False
    return (adds or not called.isdisjoint(_ADDING)) and called.isdisjoint({"backward", "step"})


def run(
    node: ast.For | ast.AsyncFor,
    items: tuple[Item, ...],
    act: Activation,
    execute: Execute,
    iterate: Iterate,
) -> None:
    """Run the body for each of `items`; `iterate` runs it any number of times on one value."""
    outer_left, outer_broken = act.left_loop, act.broken
    act.broken = []
    site = assign.site_of(node, act)
    loops, entry = act.loops, act.state.guards

    def once(value: Value) -> None:
        act.loops = (*loops, Loop(site, None, unrolled=True))
        act.left_loop = []
        assign.assign(node.target, value, act)
        execute(node.body, act)
        rejoin(act, act.left_loop)
        act.loops = loops

    for item in items:
        if act.state.dead:
            break
        more = item.guards - act.state.guards
        if not compatible(act.state.guards, more):
            continue
        _under(more, _step(item.value, once, iterate, site), act)
    act.left_loop = outer_left
    broken, act.broken = act.broken, outer_broken
    execute(node.orelse, act)
    for state in broken:
        state.dead = False
        act.state = join(state, act.state, entry)


def _step(value: Value, once: Callable[[Value], None], iterate: Iterate, site: Site) -> Callable[[], None]:
    match value:
        case Leaf(role="repeated", operands=(inner, *_)):
            return lambda: iterate(inner, Loop(site, value))
        case Leaf(role="many"):
            element = Leaf(
                "element", "", (value,), site, fresh_content(), "an element of what is looped over"
            )
            return lambda: iterate(element, Loop(site, value))
        case _:
            return lambda: once(value)


def _under(guards: Guards, step: Callable[[], None], act: Activation) -> None:
    """Run `step` under conditions, and join it with what is where they do not hold."""
    if not guards:
        step()
        return
    entry, state = act.state.guards, act.state
    act.state = state.fork(guards)
    step()
    state.guards |= otherwise(guards, act)
    act.state = join(act.state, state, entry)


def rejoin(act: Activation, states: list[State]) -> None:
    """States that left an iteration by `continue` go on behind it."""
    if len(states) > MAX_JUMPS:
        limits.count("jumps")
    for state in states[:MAX_JUMPS]:
        guards = act.state.guards & state.guards if not act.state.dead else state.guards
        act.state = join(act.state, state, guards) if not act.state.dead else state
        act.state.dead = False

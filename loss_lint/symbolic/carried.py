"""What a loop carries from one iteration to the next: running totals and averages."""

from __future__ import annotations

from collections.abc import Iterator

from loss_lint.symbolic.graph import NO_GUARDS, Accumulated, Alternatives, Guards, Loop, Op, Phi, Value
from loss_lint.symbolic.guards import strip

# What a total goes through on its way to the next iteration: `0.9 * average + 0.1 * loss` is one as well.
_ARITHMETIC = frozenset({"add", "sub", "mul", "div"})
_MAX_NODES = 60


def added_to_total(op: Op) -> tuple[int, Loop] | None:
    """Which operand of an addition goes into a total that the next iteration of a loop has got, and that loop.

    None where nothing is carried on. Whether the total starts anew now and then does not matter.
    """
    if op.name != "add" or len(op.operands) != 2:
        return None
    for loop in op.loops:
        if id(op) in loop.sums:  # an attribute or item: one operand is what was there before the loop
            before = loop.sums[id(op)][1].init.content
            slots = [slot for slot, operand in enumerate(op.operands) if _leads_to(operand, before)]
            return (1 - slots[0], loop) if len(slots) == 1 else None
    found = [
        (slot, phi.loop)
        for slot, operand in enumerate(op.operands)
        for phi in _totals(operand)
        if phi.loop in op.loops and phi.next is not None and _holds(phi.next, op)
    ]
    return (1 - found[0][0], found[0][1]) if len({slot for slot, _ in found}) == 1 else None


def restarts(op: Op, loop: Loop) -> Iterator[Guards]:
    """The conditions under which an iteration of `loop` leaves something else than the total that `op` adds to."""
    for operand in op.operands:
        for phi in _totals(operand):
            if phi.loop is loop and phi.next is not None:
                yield from _others(phi.next, op, phi, NO_GUARDS)


def _others(left: Value, op: Op, phi: Phi, guards: Guards) -> Iterator[Guards]:
    """The conditions under which `left` is neither what `op` gives nor what was there before."""
    plain = strip(left)
    if isinstance(plain, Alternatives):
        for more, branch in plain.branches:
            yield from _others(branch, op, phi, guards | more)
    elif plain is not phi and not _holds(plain, op):
        yield guards


def is_of_total(value: Value, added: Value, loop: Loop) -> bool:
    """Whether `value` is computed from what `loop` leaves as the sum of `added`."""
    return any(is_total(node, added, loop) for node in _behind(value, None))


def is_total(value: Value, added: Value, loop: Loop) -> bool:
    """Whether `value` is what `loop` leaves as the sum of `added`."""
    node = strip(value)
    return (
        isinstance(node, Accumulated)
        and node.loop is loop
        and any(term.content == added.content for term in node.terms)
    )


def _totals(value: Value) -> Iterator[Phi]:
    """The variables that an operand is computed from by arithmetic alone."""
    return (node for node in _through_arithmetic(value) if isinstance(node, Phi))


def _leads_to(value: Value, content: int) -> bool:
    return any(node.content == content for node in _through_arithmetic(value))


def _holds(value: Value, op: Op) -> bool:
    return any(node is op for node in _through_arithmetic(value))


def _through_arithmetic(value: Value) -> Iterator[Value]:
    return _behind(value, _ARITHMETIC)


def _behind(value: Value, through: frozenset[str] | None) -> Iterator[Value]:
    """`value` and what it is computed from, by the operations `through` or by any."""
    pending, seen = [value], 0
    while pending and seen < _MAX_NODES:
        node = strip(pending.pop())
        seen += 1
        yield node
        match node:
            case Op(name=name, operands=operands) if through is None or name in through:
                pending.extend(operands)
            case Alternatives(branches=branches):
                pending.extend(branch for _, branch in branches)
            case Accumulated(init=init):
                pending.append(init)

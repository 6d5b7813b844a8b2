"""What is known of a loop's conditions once it is over: its index was the last one then."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

from loss_lint.symbolic.activation import atom
from loss_lint.symbolic.graph import NO_GUARDS, ZERO, Const, Guards, Leaf, Loop, Op, Value
from loss_lint.symbolic.guards import strip

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
}


def at_the_last(loop: Loop, ops: Sequence[Op]) -> Guards:
    """How the conditions over the index, among the operations of a loop's body, stand after its last iteration."""
    source = _counted(loop)
    if source is None:
        return NO_GUARDS
    facts = NO_GUARDS
    for op in ops:
        compare = _COMPARISONS.get(op.name)
        if compare is None:
            continue
        left, right = (_from_the_end(operand, source) for operand in op.operands)
        if left is not None and right is not None and left[0] != right[0]:
            facts |= atom(op, compare(left[1], right[1]))
    return facts


def _counted(loop: Loop) -> Value | None:
    """What the loop's index counts."""
    plain = strip(loop.iterable) if loop.iterable is not None else None
    match plain:
        case Op(name="enumerate", operands=(inner, *_)):
            return inner
        case Op(name="range", operands=(_,)):
            return plain
        case _:
            return None


def _from_the_end(value: Value, source: Value) -> tuple[str, int] | None:
    """An index or a length, as what it is more than the length is."""
    plain = strip(value)
    match plain:
        case Leaf(role="index", operands=(counted, *start)) if counted.content == source.content:
            first = strip(start[0]) if start else ZERO
            if not (isinstance(first, Const) and isinstance(first.value, int)):
                return None
            return ("index", first.value - 1)
        case Op(name="add" | "sub" as name, operands=(inner, by)):
            known, literal = _from_the_end(inner, source), strip(by)
            if known is None or not (isinstance(literal, Const) and isinstance(literal.value, int)):
                return None
            return known[0], known[1] + (literal.value if name == "add" else -literal.value)
        case _:
            return ("length", 0) if _is_length(plain, source) else None


def _is_length(value: Value, source: Value) -> bool:
    counted = strip(source)
    if isinstance(counted, Op) and counted.name == "range":
        return value.content == strip(counted.operands[0]).content
    return isinstance(value, Op) and value.name == "len" and value.operands[0].content == source.content

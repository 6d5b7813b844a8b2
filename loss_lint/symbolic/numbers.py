"""Integers that a program writes down: sizes and dimensions, given one by one or as a tuple."""

from __future__ import annotations

import operator
from collections.abc import Callable

from loss_lint.symbolic.graph import Const, Guards, Op, Tuple, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.walk import Walk, views

_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "floor_divide": operator.floordiv,
}
MAX_DEPTH = 6


def integer(value: Value, guards: Guards, depth: int = MAX_DEPTH) -> int | None:
    """The integer that all readings of `value` are; a parameter's default is none, as a caller may give another."""
    found: set[int | None] = set()
    for view in views(value, guards, Walk()):
        found.add(_plain(view.node, view.guards, depth))
        if len(found) > 1 or None in found:
            return None
    return found.pop() if found else None


def _plain(node: Value, guards: Guards, depth: int) -> int | None:
    match node:
        case Const(value=int() as number) if not isinstance(number, bool):
            return number
        case Op(name=name, operands=(left, right)) if name in _ARITHMETIC and depth:
            one, other = integer(left, guards, depth - 1), integer(right, guards, depth - 1)
            if one is None or other is None or (name == "floor_divide" and other == 0):
                return None
            return _ARITHMETIC[name](one, other)
        case _:
            return None


def _listed(value: Value) -> tuple[Value, ...]:
    """The items of `dims` or `(dims,)`, which is how collected arguments come; a value on its own."""
    plain = strip(value)
    if (
        isinstance(plain, Tuple)
        and len(plain.items) == 1
        and isinstance(inner := strip(plain.items[0]), Tuple)
    ):
        plain = inner
    return plain.items if isinstance(plain, Tuple) else (value,)


def integers(value: Value, guards: Guards) -> list[int] | None:
    """Numbers given one by one or as a tuple; None where one is not known."""
    found = [integer(item, guards) for item in _listed(value)]
    known = [number for number in found if number is not None]
    return known if len(known) == len(found) else None


def sizes_of(value: Value, guards: Guards) -> list[int | None] | None:
    """Sizes given one by one or as a tuple, None for one that is not known; None where their number is not.

    A size on its own may be a tuple of them, unless it is a number for certain.
    """
    items = _listed(value)
    found = [integer(item, guards) for item in items]
    if len(items) == 1 and found[0] is None and not _is_size(items[0]):
        return None
    if any(isinstance(strip(item), Op) and strip(item).name == "starred" for item in items):  # type: ignore[union-attr]
        return None
    return found


def _is_size(value: Value) -> bool:
    """Whether a value is one number: `x.size(0)`, `len(x)`."""
    plain = strip(value)
    if not isinstance(plain, Op):
        return False
    return plain.name in ("len", "numel") or (plain.name == "size" and plain.parameter("dim") is not None)


def is_none(value: Value) -> bool:
    """Whether a value is None, or no argument was collected."""
    plain = strip(value)
    return (isinstance(plain, Const) and plain.value is None) or (
        isinstance(plain, Tuple) and not plain.items
    )

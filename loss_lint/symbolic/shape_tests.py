"""What a program asks of shapes: `x.dim() > 1`, `a.shape == b.shape`. What is known of the shapes answers it."""

from __future__ import annotations

import operator
from collections.abc import Callable

from loss_lint.symbolic.extents import Shape
from loss_lint.symbolic.graph import Guards, Op, Tuple, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.numbers import integer, sizes_of
from loss_lint.symbolic.shapes import Shapes

_RELATIONS: dict[str, Callable[[int, int], bool]] = {
    "eq": operator.eq,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def is_refuted(guards: Guards) -> bool:
    """Whether a condition fails for certain with the shapes that tensors have under `guards`."""
    shapes = Shapes()
    return any(_answer(atom.condition, guards, shapes) is (not atom.truth) for atom in guards)


def asks_for_shapes(guards: Guards) -> bool:
    """Whether a condition is a question for shapes that what is known does not answer."""
    shapes = Shapes()
    return any(
        _is_question(atom.condition) and _answer(atom.condition, guards, shapes) is None for atom in guards
    )


def _is_question(condition: Value) -> bool:
    match strip(condition):
        case Op(name="not" | "and" | "or", operands=operands):
            return any(_is_question(operand) for operand in operands)
        case Op(name=name, operands=operands) if name in _RELATIONS or name in ("ne", "is", "in"):
            return any(_is_shape(operand) or _is_of_shape(operand) for operand in operands)
        case _:
            return False


def _answer(condition: Value, guards: Guards, shapes: Shapes) -> bool | None:
    match strip(condition):
        case Op(name="not", operands=(inner,)):
            known = _answer(inner, guards, shapes)
            return None if known is None else not known
        case Op(name="and" | "or" as name, operands=operands):
            answers = [_answer(operand, guards, shapes) for operand in operands]
            decisive = name == "or"
            if decisive in answers:
                return decisive
            return None if None in answers else not decisive
        case Op(name="eq", operands=(left, right)) if _is_shape(left) or _is_shape(right):
            return _equal(_whole(left, guards, shapes), _whole(right, guards, shapes))
        case Op(name=name, operands=(left, right)) if name in _RELATIONS:
            one, other = _number(left, guards, shapes), _number(right, guards, shapes)
            asks = _is_of_shape(left) or _is_of_shape(right)
            return None if one is None or other is None or not asks else _RELATIONS[name](one, other)
        case _:
            return None


def _is_shape(value: Value) -> bool:
    plain = strip(value)
    return isinstance(plain, Op) and plain.name == "size" and plain.parameter("dim") is None


def _is_of_shape(value: Value) -> bool:
    plain = strip(value)
    return isinstance(plain, Op) and plain.name in ("dim", "numel", "size", "len")


def _whole(value: Value, guards: Guards, shapes: Shapes) -> Shape | None:
    """The shape that a value is: a tensor's, or a tuple of sizes."""
    plain = strip(value)
    if isinstance(plain, Op) and _is_shape(plain):
        return shapes.of(plain.operands[0], guards)
    sizes = sizes_of(value, guards) if isinstance(plain, Tuple) else None
    return None if sizes is None else Shape(tuple(sizes))


def _equal(one: Shape | None, other: Shape | None) -> bool | None:
    if one is None or other is None or one.rank is None or other.rank is None:
        return None
    if one.rank != other.rank:
        return False
    pairs = list(zip(one.sizes, other.sizes, strict=True))
    if any(None not in pair and pair[0] != pair[1] for pair in pairs):
        return False
    return None if any(None in pair for pair in pairs) else True


def _number(value: Value, guards: Guards, shapes: Shapes) -> int | None:
    """The rank, size or number of elements that a value is, or the integer that is written down."""
    plain = strip(value)
    if not (isinstance(plain, Op) and _is_of_shape(plain) and plain.operands):
        return integer(value, guards)
    given = plain.operands[0]
    match plain.name:
        case "dim":
            return shapes.of(given, guards).rank
        case "numel":
            return shapes.of(given, guards).elements()
        case "len" if _is_shape(given):
            inner = strip(given)
            assert isinstance(inner, Op)
            return shapes.of(inner.operands[0], guards).rank
        case "len":
            return shapes.of(given, guards).size(0)
        case "size" if (dim := plain.parameter("dim")) is not None:
            at = integer(dim, guards)
            return None if at is None else shapes.of(given, guards).size(at)
        case _:
            return None

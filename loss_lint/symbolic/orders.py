"""Facts about numberings: class indices that follow an order which differs from run to run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loss_lint.symbolic.graph import (
    Const,
    Guards,
    Leaf,
    Method,
    Object,
    Op,
    Pass,
    Phi,
    Site,
    Tuple,
    Value,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.walk import View, Walk, effect, views


@dataclass(frozen=True, slots=True)
class Unordered:
    """Something that iterates in the order of a set, where that set is made, and how it was handed on."""

    site: Site
    passes: tuple[Pass, ...]


@dataclass(frozen=True, slots=True)
class ArbitraryOrder:
    """Class indices counted along a set: the set, and the operation that makes its order numbers."""

    source: Unordered
    numbering: Op
    guards: Guards


# What hands indices on as they are, from its first operand.
_CARRIERS = frozenset(
    {"tensor", "as_tensor", "long_tensor", "int_tensor", "float_tensor", "array", "from_numpy", "list", "tuple",
     "one_hot", "argmax", "numpy", "where", "nonzero", "stack", "cat", "getattr", "zip"}
)  # fmt: skip


def arbitrary_orders(value: Value, guards: Guards) -> Iterator[ArbitraryOrder]:
    """Ways on which class indices in `value` come from the order of a set."""
    yield from _indices(value, guards, None, Walk())


def _indices(value: Value, guards: Guards, maker: Op | None, walk: Walk) -> Iterator[ArbitraryOrder]:
    """Follow class indices; `maker` is the map or list in which they were numbered, once it has been crossed."""
    plain = strip(value)
    if isinstance(plain, Phi):
        yield from _counted(plain, guards, maker)
        return
    for view in views(value, guards, walk):
        node = view.node
        match node:
            case Tuple(items=items):
                for item in items[:4]:
                    yield from _indices(item, view.guards, maker, walk)
            case Leaf(role="index", operands=(iterable, *_)) if maker is not None:
                source = unordered(iterable, view.guards)
                if source is not None:
                    yield ArbitraryOrder(source, maker, view.guards)
            case Leaf(role="element" | "repeated", operands=(inner, *_)):
                yield from _indices(inner, view.guards, maker, walk)
            case Method(name="values", receiver=receiver):
                yield from _indices(receiver, view.guards, maker, walk)
            case Op():
                yield from _of_op(node, view, maker, walk)


def _of_op(node: Op, view: View, maker: Op | None, walk: Walk) -> Iterator[ArbitraryOrder]:
    match node.name:
        case "index_of":
            source = unordered(node.operands[0], view.guards)
            if source is not None:
                yield ArbitraryOrder(source, node, view.guards)
        case "lookup":
            yield from _indices(node.operands[0], view.guards, maker, walk)
        case "map_entry":
            yield from _entry(node, view.guards, walk)
        case "getitem":
            yield from _indices(node.operands[0], view.guards, maker, walk)
            base = strip(node.operands[0])
            if len(node.operands) > 1 and isinstance(base, Op) and base.name == "eye":
                yield from _indices(node.operands[1], view.guards, maker, walk)
        case "comprehension":
            element = strip(node.operands[0])
            is_map = _kind(node) == "dict" and isinstance(element, Tuple)
            inner = element.items[1] if is_map and isinstance(element, Tuple) else node.operands[0]
            yield from _indices(inner, view.guards, node if is_map else maker, walk)
        case "dict":
            yield from _of_pairs(node, view.guards, walk)
        case _ if node.name in _CARRIERS or effect(node) in ("keep", "cast", "select"):
            operands = node.operands if node.name in ("stack", "cat", "where", "zip") else node.operands[:1]
            for operand in operands:
                yield from _indices(operand, view.guards, maker, walk)


def _kind(comprehension: Op) -> object:
    kind = comprehension.parameter("kind")
    return kind.value if isinstance(kind, Const) else None


def _of_pairs(node: Op, guards: Guards, walk: Walk) -> Iterator[ArbitraryOrder]:
    """`dict(zip(classes, range(n)))`, `dict((label, i) for i, label in enumerate(classes))`."""
    if not node.operands:
        return
    pairs = strip(node.operands[0])
    if isinstance(pairs, Op) and pairs.name == "zip" and len(pairs.operands) == 2:
        source = unordered(pairs.operands[0], guards)
        if source is not None:
            yield ArbitraryOrder(source, node, guards)
    elif isinstance(pairs, Op) and pairs.name == "comprehension":
        element = strip(pairs.operands[0])
        if isinstance(element, Tuple) and len(element.items) == 2:
            yield from _indices(element.items[1], guards, node, walk)


def _entry(entry: Op, guards: Guards, walk: Walk) -> Iterator[ArbitraryOrder]:
    """`index[label] = i`, also where the number is the map's length or a counter, in a loop over a set."""
    number = strip(entry.operands[1])
    if isinstance(number, Op) and number.name == "len":
        for loop in entry.loops[-1:]:
            source = unordered(loop.iterable, guards) if loop.iterable is not None else None
            if source is not None:
                yield ArbitraryOrder(source, entry, guards)
        return
    yield from _indices(number, guards, entry, walk)


def _counted(phi: Phi, guards: Guards, maker: Op | None) -> Iterator[ArbitraryOrder]:
    """A counter that a loop over a set counts up."""
    following = strip(phi.next) if phi.next is not None else None
    counts = isinstance(following, Op) and following.name == "add" and following.operands[0] is phi
    if maker is None or not counts or phi.loop.iterable is None:
        return
    source = unordered(phi.loop.iterable, guards)
    if source is not None:
        yield ArbitraryOrder(source, maker, guards)


def unordered(value: Value, guards: Guards, depth: int = 8) -> Unordered | None:
    """The set whose iteration order `value` has; None if it has another order, or elements known as numbers."""
    if depth == 0:
        return None
    for view in views(value, guards):
        node = view.node
        found: Unordered | None = None
        if isinstance(node, Op):
            found = _unordered_op(node, view, depth)
        elif isinstance(node, Object) and node.cls.name == "builtins.set":
            found = Unordered(node.site, ())
        if found is not None:
            return Unordered(found.site, (*view.passes, *found.passes))
    return None


def _unordered_op(node: Op, view: View, depth: int) -> Unordered | None:
    first = node.operands[0] if node.operands else None
    match node.name:
        case "set":
            return None if first is not None and are_numbers(first, view.guards) else Unordered(node.site, ())
        case "comprehension" if _kind(node) == "set":
            return None if are_numbers(node.operands[0], view.guards) else Unordered(node.site, ())
        case "comprehension":
            return unordered(node.operands[1], view.guards, depth - 1)
        case "range" | "len":
            return unordered(node.operands[-1], view.guards, depth - 1)
        case "list" | "tuple" | "enumerate" | "array" | "logical_or" | "logical_and" | "sub":
            return unordered(first, view.guards, depth - 1) if first is not None else None
        case _:
            return None


# Operations that give numbers, whose hash is the same in every process.
_NUMBERS = frozenset(
    {
        "range",
        "arange",
        "tolist",
        "item",
        "argmax",
        "size",
        "len",
        "to_long",
        "randint",
        "int",
        "numpy",
        "unique",
    }
)


def are_numbers(value: Value, guards: Guards) -> bool:
    """Whether the elements of `value` are known to be numbers."""
    for view in views(value, guards):
        match view.node:
            case Const(value=plain) if not isinstance(plain, str):
                return True
            case Tuple(items=items) if items:
                return all(are_numbers(item, view.guards) for item in items)
            case Op(name=name) if name in _NUMBERS:
                return True
            case Op(name="comprehension", operands=(element, *_)):
                return are_numbers(element, view.guards)
            case Leaf(role="call", name="int" | "builtins.int" | "builtins.round"):
                return True
    return False

"""Facts about numberings: class indices that follow an order which differs from run to run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loss_lint.symbolic.graph import Const, Guards, Leaf, Object, Op, Tuple, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.walk import View, Walk, effect, views


@dataclass(frozen=True, slots=True)
class ArbitraryOrder:
    """Class indices counted along a set: where the set is, where its order becomes numbers, and on what way."""

    source: Op | Object
    numbering: Op
    way: tuple[Op, ...]
    guards: Guards


_CARRIERS = frozenset(
    {"tensor", "as_tensor", "long_tensor", "int_tensor", "float_tensor", "array", "from_numpy", "list", "tuple",
     "one_hot", "argmax", "numpy", "where", "nonzero", "stack", "cat", "getattr", "comprehension"}
)  # fmt: skip


def arbitrary_orders(value: Value, guards: Guards) -> Iterator[ArbitraryOrder]:
    """Ways on which class indices in `value` come from the order of a set."""
    yield from _orders(value, guards, (), Walk())


def _orders(value: Value, guards: Guards, way: tuple[Op, ...], walk: Walk) -> Iterator[ArbitraryOrder]:
    for view in views(value, guards, walk):
        node = view.node
        if isinstance(node, Tuple):
            for item in node.items[:4]:
                yield from _orders(item, view.guards, way, walk)
        elif isinstance(node, Leaf) and node.role == "index" and way:
            source = unordered(node.operands[0], view.guards) if node.operands else None
            if source is not None:
                yield ArbitraryOrder(source, way[-1], way, view.guards)
        elif isinstance(node, Leaf) and node.role in ("element", "repeated") and node.operands:
            yield from _orders(node.operands[0], view.guards, way, walk)
        elif isinstance(node, Op):
            yield from _op_orders(node, view, way, walk)


def _op_orders(node: Op, view: View, way: tuple[Op, ...], walk: Walk) -> Iterator[ArbitraryOrder]:
    deeper = (*way, node)
    if node.name == "index_of":
        source = unordered(node.operands[0], view.guards)
        if source is not None:
            yield ArbitraryOrder(source, node, deeper, view.guards)
    elif node.name == "lookup":
        entry = node.operands[0]
        if isinstance(entry, Tuple):
            yield from _orders(entry.items[1], view.guards, deeper, walk)
    elif node.name == "getitem":
        for operand in node.operands:
            yield from _orders(operand, view.guards, deeper, walk)
    elif node.name == "comprehension":
        element = strip(node.operands[0])
        kind = node.parameter("kind")
        if isinstance(kind, Const) and kind.value == "dict" and isinstance(element, Tuple):
            yield from _orders(element.items[1], view.guards, deeper, walk)
        else:
            yield from _orders(node.operands[0], view.guards, deeper, walk)
    elif node.name == "dict":
        pairs = strip(node.operands[0])
        if isinstance(pairs, Op) and pairs.name == "zip" and len(pairs.operands) == 2:
            source = unordered(pairs.operands[0], view.guards)
            if source is not None and strip(pairs.operands[1]) is not None:
                yield ArbitraryOrder(source, node, deeper, view.guards)
    elif node.name in _CARRIERS or effect(node) in ("keep", "cast", "select"):
        for operand in node.operands[:1] if node.name not in ("stack", "cat", "where") else node.operands:
            yield from _orders(operand, view.guards, deeper, walk)


def unordered(value: Value, guards: Guards) -> Op | Object | None:
    """The set whose iteration order `value` has; None if it has another order, or elements known as numbers."""
    for view in views(value, guards):
        node = view.node
        if isinstance(node, Op):
            if node.name == "set":
                return None if node.operands and _are_numbers(node.operands[0], view.guards) else node
            if node.name == "comprehension":
                kind = node.parameter("kind")
                if isinstance(kind, Const) and kind.value == "set":
                    return None if _are_numbers(node.operands[0], view.guards) else node
                return unordered(node.operands[1], view.guards)
            if node.name in ("list", "tuple", "enumerate", "array"):
                return unordered(node.operands[0], view.guards) if node.operands else None
        if isinstance(node, Object) and node.cls.name == "builtins.set":
            return node
    return None


def _are_numbers(value: Value, guards: Guards) -> bool:
    """Whether the elements are known to be numbers, whose hash is the same in every process."""
    for view in views(value, guards):
        node = view.node
        if isinstance(node, Const) and not isinstance(node.value, str):
            return True
        if isinstance(node, Op) and node.name in (
            "range", "arange", "tolist", "item", "argmax", "size", "len", "to_long", "randint", "int", "numpy", "unique"
        ):  # fmt: skip
            return True
        if (
            isinstance(node, Leaf)
            and node.role == "call"
            and node.name in ("int", "builtins.int", "builtins.round")
        ):
            return True
        if isinstance(node, Op) and node.name == "comprehension":
            return _are_numbers(node.operands[0], view.guards)
    return False

"""Gradients: through which results they flow, and what is run backward."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from loss_lint.symbolic.flow import BACKWARD
from loss_lint.symbolic.graph import Accumulated, Const, Leaf, Object, Op, Tuple, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.walk import View, Walk, descend, effect

# What makes plain numbers, or a tensor outside the graph.
CUTS = frozenset(
    {"item", "tolist", "numpy", "detach", "tensor", "new_tensor", "array", "float_tensor", "double_tensor",
     "half_tensor", "variable"}
)  # fmt: skip

# What a gradient flows through to one operand, and to all of them.
_TO_FIRST = frozenset({"keep", "select", "cast", "reduce", "unary", "squash"})
_TO_ALL = frozenset({"arithmetic", "combine"})

End = Literal["loss", "cut", "number", "unknown"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way from a value back to what a gradient would reach, as far as it is known.

    It ends at a loss of torch's, at an operation that cuts the graph, at plain numbers, or at what is not known.
    """

    end: End
    view: View


def ways_back(view: View, walk: Walk) -> Iterator[Way]:
    """Where a gradient goes from what `view` shows."""
    for seen in descend(view, walk, frozenset()):
        node = seen.node
        match node:
            case Const():
                yield Way("number", seen)
            case Accumulated(init=init, terms=terms):
                for part in (init, *terms):
                    yield from ways_back(seen.at(part), walk)
            case Op() if node.name in CUTS:
                yield Way("cut", seen)
            case Op() if effect(node) == "create" or (effect(node) in ("size", "compare", "argmax")):
                yield Way("number", seen)
            case Op() if effect(node) == "loss":
                yield Way("loss" if node.grad else "number", seen)
            case Op() if node.operands and effect(node) in _TO_FIRST and node.grad:
                yield from ways_back(seen.below(node, node.operands[0]), walk)
            case Op() if effect(node) in _TO_ALL and node.grad:
                for operand in node.operands:
                    yield from ways_back(seen.below(node, operand), walk)
            case _:
                yield Way("unknown", seen)


def losses_behind(view: View, walk: Walk, *, through_cuts: bool = False) -> Iterator[View]:
    """The losses of torch's that a gradient reaches from what `view` shows; that it would reach without cuts."""
    for way in ways_back(view, walk):
        if way.end == "loss":
            yield way.view
        elif way.end == "cut" and through_cuts:
            yield from behind_cut(way.view, walk)


def behind_cut(view: View, walk: Walk) -> Iterator[View]:
    """The losses that a cut keeps a gradient from."""
    cut = view.node
    assert isinstance(cut, Op)
    for operand in cut.operands:
        for seen in descend(view.below(cut, operand), walk, frozenset()):
            whole = strip(seen.node)
            for part in whole.items if isinstance(whole, Tuple) else (whole,):
                yield from losses_behind(seen.at(part), walk, through_cuts=True)


def backward_of(view: View, root: Root, *, without: Op) -> Iterator[Op]:
    """The `backward()` that reach the operation that `view` shows in another way than through `without`."""
    assert isinstance(view.node, Op)
    for op in root.downstream(view.node, without=without):
        if op.name in BACKWARD:
            yield op


def run_backward(value: Value, root: Root, walk: Walk) -> Iterator[tuple[View, Op]]:
    """The readings of `value` that are themselves run backward, whatever they are computed from, and by what.

    Both may have been moved, or scaled by a number.
    """
    for backward in root.backward():
        given = {
            node.content: node
            for operand in (*backward.operands, *(value for _, value in backward.parameters))
            for node in _whole(View(operand, backward.guards), walk)
        }
        for seen in descend(View(value, backward.guards), walk, frozenset()):
            for node in _whole(seen, walk):
                if node.content in given:
                    yield seen, backward
                    break


def gradients_read(root: Root) -> Iterator[Op]:
    """The tensors, no parameters of models, whose `.grad` the program reads: it works with their gradients itself."""
    for op in root.ops:
        attribute = op.parameter("name") if op.name == "getattr" else None
        if isinstance(attribute, Const) and attribute.value == "grad":
            given = strip(op.operands[0])
            if isinstance(given, Op):
                yield given


def _whole(view: View, walk: Walk) -> Iterator[Value]:
    """What `view` shows, and what it is a scaled or moved copy of."""
    for seen in descend(view, walk, frozenset()):
        node = seen.node
        if isinstance(node, Const):
            continue
        yield node
        if not (isinstance(node, Op) and node.operands and node.grad) or node.name in CUTS:
            continue
        if effect(node) in ("keep", "cast") or node.name in ("div", "mul"):
            yield from _whole(replace(seen, node=_scaled(node)), walk)


def _scaled(op: Op) -> Value:
    """What an operation moves, or scales by its other operand: in a product it is what is computed, if one is."""
    first, *others = op.operands
    return others[0] if op.name == "mul" and not _is_computed(first) and _is_computed(others[0]) else first


def _is_computed(value: Value) -> bool:
    """Whether a value is what a call or an operation gives, or a part of that; no setting, no weight from a list."""
    node = strip(value)
    while isinstance(node, Op) and node.name in ("getitem", "getattr"):
        node = strip(node.operands[0])
    return not isinstance(node, Const | Object) and not (isinstance(node, Leaf) and node.role != "call")

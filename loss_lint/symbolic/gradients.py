"""Gradients: through which results they flow, and what is run backward."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from loss_lint.symbolic.flow import BACKWARD
from loss_lint.symbolic.graph import Accumulated, Const, Op, Value
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.walk import View, Walk, descend, effect

# What makes plain numbers, or a tensor outside the graph.
CUTS = frozenset(
    {"item", "tolist", "numpy", "detach", "tensor", "new_tensor", "array", "float_tensor", "double_tensor",
     "half_tensor"}
)  # fmt: skip

# What a gradient flows through to one operand, and to all of them.
_TO_FIRST = frozenset({"keep", "select", "cast", "reduce", "unary", "squash"})
_TO_ALL = frozenset({"arithmetic", "combine"})


def losses_behind(view: View, walk: Walk) -> Iterator[View]:
    """The losses of torch's that a gradient reaches from what `view` shows."""
    for seen in descend(view, walk, frozenset()):
        node = seen.node
        match node:
            case Accumulated(init=init, terms=terms):
                for part in (init, *terms):
                    yield from losses_behind(seen.at(part), walk)
            case Op() if not node.grad or node.name in CUTS:
                continue
            case Op() if effect(node) == "loss":
                yield seen
            case Op() if node.operands and effect(node) in _TO_FIRST:
                yield from losses_behind(seen.below(node, node.operands[0]), walk)
            case Op() if effect(node) in _TO_ALL:
                for operand in node.operands:
                    yield from losses_behind(seen.below(node, operand), walk)


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
            yield from _whole(replace(seen, node=node.operands[0]), walk)

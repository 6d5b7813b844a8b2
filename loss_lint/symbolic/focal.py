"""Focal losses: products of a loss and of what is left to the certainty of its own probability, `1 - exp(-loss)`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loss_lint.symbolic.facts import constant, reduction
from loss_lint.symbolic.graph import Op
from loss_lint.symbolic.guards import compatible
from loss_lint.symbolic.single import is_one_of_loop
from loss_lint.symbolic.walk import View, Walk, descend, effect

# What leaves a number what it is; what is detached weighs a loss from outside.
_KEEPING = frozenset(
    {"to", "cpu", "cuda", "clone", "to_float", "to_double", "to_half", "to_bfloat16", "contiguous", "squeeze",
     "view", "reshape", "clamp", "requires_grad_", "type", "mean", "sum"}
)  # fmt: skip
_REDUCED = frozenset({"mean", "sum", "batchmean"})


@dataclass(frozen=True, slots=True)
class FocalOfMean:
    """The focal loss of an average: its loss, and the operations that average it (one if it is computed once)."""

    loss: View
    averaging: tuple[Op, ...]


def focal_of_mean(product: Op) -> FocalOfMean | None:
    """The focal loss that `product` is, if its loss is certainly reduced, and not of a single sample."""
    if not product.lossy or product.name != "mul" or len(product.operands) != 2:
        return None
    walk = Walk()
    for slot in (0, 1):
        for focused in _focal(View(product.operands[slot], product.guards), walk):
            for loss in _factors(View(product.operands[1 - slot], focused.guards), walk):
                if loss.node.content != focused.node.content or not compatible(focused.guards, loss.guards):
                    continue
                averaging = [op for op in (_averaging(loss), _averaging(focused)) if op is not None]
                if len(averaging) == 2 and not is_one_of_loop(loss):
                    return FocalOfMean(loss, tuple({id(op): op for op in averaging}.values()))
    return None


def _factors(view: View, walk: Walk) -> Iterator[View]:
    """The losses that a product is made of."""
    for seen in descend(view, walk, _KEEPING):
        node = seen.node
        if not isinstance(node, Op):
            continue
        if effect(node) == "loss":
            yield seen
        elif node.name in ("neg", "div"):
            yield from _factors(seen.below(node, node.operands[0]), walk)
        elif node.name == "mul":
            for operand in node.operands:
                yield from _factors(seen.below(node, operand), walk)


def _focal(view: View, walk: Walk) -> Iterator[View]:
    """The losses of whose probabilities a product holds `1 - p`, to a power or not."""
    for seen in descend(view, walk, _KEEPING):
        node = seen.node
        if not isinstance(node, Op):
            continue
        if node.name in ("neg", "pow", "div"):
            yield from _focal(seen.below(node, node.operands[0]), walk)
        elif node.name == "mul":
            for operand in node.operands:
                yield from _focal(seen.below(node, operand), walk)
        elif node.name == "sub" and constant(node.operands[0], seen.guards) in (1, 1.0):
            yield from _of_probability(seen.below(node, node.operands[1]), walk)
        elif node.name in ("add", "sub") and isinstance(constant(node.operands[1], seen.guards), int | float):
            yield from _focal(seen.below(node, node.operands[0]), walk)  # (1 - p + 1e-8)


def _of_probability(view: View, walk: Walk) -> Iterator[View]:
    """The loss in `exp(-loss)`."""
    for seen in descend(view, walk, _KEEPING):
        node = seen.node
        if isinstance(node, Op) and node.name == "exp":
            yield from _factors(seen.below(node, node.operands[0]), walk)


def _averaging(loss: View) -> Op | None:
    """The operation that makes one number of a loss: it does so itself, or a mean behind it."""
    node = loss.node
    assert isinstance(node, Op)
    known = reduction(node, loss.guards)
    if known in _REDUCED:
        return node
    behind = (op for op in loss.chain if op.name in ("mean", "sum") and op.parameter("dim") is None)
    return next(behind, None) if known == "none" else None

"""Factors of a loss: which of them are certainly a tensor with an element for each sample."""

from __future__ import annotations

from loss_lint.symbolic.counts import is_related, name_of, sources
from loss_lint.symbolic.facts import shape
from loss_lint.symbolic.graph import Const, Leaf, Op, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.root import Root, parts
from loss_lint.symbolic.walk import View, effect

_TENSOR_METHODS = frozenset(
    {"to_float", "to_double", "to_half", "view", "reshape", "unsqueeze", "squeeze", "expand", "expand_as", "flatten",
     "type_as", "to", "cuda", "contiguous"}
)  # fmt: skip
_MASK_WORDS = ("mask", "sample_weight", "sample_weights", "is_weights", "isweights", "ins_weight", "weights")


def mask_in(factor: Value, product: Op, losses: list[View], root: Root) -> str | None:
    """How to speak of the mask that `factor` is; None where it may be a single number."""
    related = frozenset[int]().union(*(sources(loss.node) for loss in losses))
    node, crossed = _peel(factor)
    named = name_of(node) or name_of(strip(factor))
    if isinstance(node, Op):
        if node.name in ("eq", "ne", "lt", "le", "gt", "ge") and _compares_elements(node, related):
            return "a mask"
        if node.name == "getitem" and len(node.operands) == 2 and is_related(node.operands[1], related):
            return "a tensor of weights by sample"
    if _is_tensor_by_use(node, crossed, product, root) and any(word in named.lower() for word in _MASK_WORDS):
        return f"`{named}`"
    return None


def _peel(value: Value) -> tuple[Value, list[Op]]:
    """A value without casts, moves and reshaping, and the operations that were crossed."""
    crossed: list[Op] = []
    node = strip(value)
    while isinstance(node, Op) and node.operands and effect(node) in ("keep", "cast"):
        crossed.append(node)
        node = strip(node.operands[0])
    return node, crossed


def _compares_elements(op: Op, related: frozenset[int]) -> bool:
    """Whether a comparison goes over the elements of what the loss is computed from."""
    return any(
        is_related(operand, related)
        and shape(operand, op.guards) not in ("scalar", "number")
        and not _is_one_element(operand)
        for operand in op.operands
    )


def _is_one_element(value: Value) -> bool:
    node, _ = _peel(value)
    return isinstance(node, Const) or (
        isinstance(node, Op) and effect(node) in ("reduce", "size") and node.parameter("dim") is None
    )


def _is_tensor_by_use(node: Value, crossed: list[Op], product: Op, root: Root) -> bool:
    """Whether tensor methods are called on a factor, and it is summed or the product is reduced again."""
    if not isinstance(node, Leaf | Op) or (isinstance(node, Op) and effect(node) not in ("select", "other", "create")):
        return False
    if any(op.name in _TENSOR_METHODS for op in crossed):
        reduced = True
    else:
        reduced = any(
            op.name == "sum" and any(part.content == node.content for part in parts(op.operands[0]))
            for op in root.ops
            if op.operands
        )
    again = any(op.name in ("mean", "sum") for op in root.consumers(product))
    return reduced and again

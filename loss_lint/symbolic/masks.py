"""Factors of a loss: which of them are certainly a tensor with an element for each sample."""

from __future__ import annotations

from loss_lint.symbolic.counts import is_related
from loss_lint.symbolic.facts import shape
from loss_lint.symbolic.graph import Alternatives, Const, Leaf, Op, Tuple, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.naming import name_of
from loss_lint.symbolic.root import Root, parts
from loss_lint.symbolic.walk import View, effect, views

_TENSOR_METHODS = frozenset(
    {"to_float", "to_double", "to_half", "view", "reshape", "unsqueeze", "squeeze", "expand", "expand_as", "flatten",
     "type_as", "to", "cuda", "contiguous"}
)  # fmt: skip
_MASK_WORDS = ("mask", "weight", "weit")
_COMPARISONS = frozenset(
    {"not", "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_not"}
)


def mask_in(factor: Value, product: Op, losses: list[View], root: Root) -> str | None:
    """How to speak of the mask that `factor` is; None where it may be a single number."""
    related = frozenset[int]().union(*(_tensors(loss.node) for loss in losses))
    node, crossed = _peel(factor)
    by_sample = isinstance(node, Op) and node.name == "getitem" and len(node.operands) == 2
    if by_sample and isinstance(node, Op) and _selects_by_sample(node.operands[1], related):
        return "a tensor of weights by sample"
    again = any(op.name in ("mean", "sum") for op in root.consumers(product))
    if _is_tensor_made(node) or _is_elementwise(factor, related, root, 8) or (again and _is_gate(factor, 6)):
        return "a mask" if isinstance(node, Op) and node.name in _COMPARISONS else "a tensor of weights"
    named = name_of(node) or name_of(strip(factor))
    if any(word in named.lower() for word in _MASK_WORDS) and _is_tensor_by_use(node, crossed, product, root):
        return f"`{named}`"
    return None


def _selects_by_sample(index: Value, related: frozenset[int]) -> bool:
    """Whether an index is the loss's own target, and not one number out of it."""
    plain = strip(index)
    if isinstance(plain, Leaf) and plain.role in ("call", "index"):
        return False
    over_samples = (strip(operand) for operand in (plain.operands if isinstance(plain, Op) else ()))
    if any(isinstance(operand, Leaf) and operand.role == "index" for operand in over_samples):
        return False
    return is_related(index, related)


def _tensors(loss: Value) -> frozenset[int]:
    """The contents of a loss's operands and of what they are made of, element by element."""
    found: set[int] = set()
    pending = list(loss.operands) if isinstance(loss, Op) else []
    while pending and len(found) < 200:
        for part in parts(pending.pop()):
            if part.content in found:
                continue
            found.add(part.content)
            if isinstance(part, Op) and part.operands:
                pending.append(part.operands[0])  # the tensor itself; what scales it may be a number
    return frozenset(found)


def _is_tensor_made(node: Value) -> bool:
    """Whether a factor is a tensor that was made element by element from a list, an array or another tensor.

    One number everywhere chooses nothing: summed, `loss * torch.ones_like(mask)` is the loss times a count.
    """
    is_uniform = isinstance(node, Op) and node.name in _UNIFORM
    while isinstance(node, Op) and node.name == "setitem":
        node = strip(node.operands[0])
    return isinstance(node, Op) and node.name in _TENSOR_MAKERS - {"arange"} and not is_uniform


def _is_gate(value: Value, depth: int) -> bool:
    """Whether `value` is made of the sigmoid of something that a function was given."""
    node = strip(value)
    if depth == 0 or not isinstance(node, Op):
        return False
    if effect(node) == "sigmoid":
        inner = strip(node.operands[0])
        return isinstance(inner, Leaf) and inner.role in ("parameter", "call", "element")
    return node.name in ("add", "sub", "mul") and any(
        _is_gate(operand, depth - 1) for operand in node.operands
    )


def _peel(value: Value) -> tuple[Value, list[Op]]:
    """A value without casts, moves and reshaping, and the operations that were crossed."""
    crossed: list[Op] = []
    node = strip(value)
    while isinstance(node, Op) and node.operands and effect(node) in ("keep", "cast"):
        crossed.append(node)
        node = strip(node.operands[0])
    return node, crossed


# Operations that give an element for each element.
_ELEMENTWISE = frozenset({"arithmetic", "unary", "compare", "sigmoid", "squash", "keep", "cast"})
_POOLS_OF_SAME_SIZE = frozenset(
    {"avg_pool2d", "max_pool2d", "dropout", "interpolate", "pad", "pairwise_distance"}
)
_NOT_ELEMENTWISE = frozenset({"dot", "einsum", "tensordot"})


def _is_elementwise(
    value: Value, related: frozenset[int], root: Root, depth: int, *, typed: bool = False
) -> bool:
    """Whether `value` is computed, element by element, from a tensor that the loss is computed from.

    `typed`: a tensor's method has been called on it.
    """
    node = strip(value)
    if isinstance(node, Alternatives):  # of `y = y.cuda() if use_cuda else y`
        return all(_is_elementwise(branch, related, root, depth, typed=typed) for _, branch in node.branches)
    if depth == 0 or not isinstance(node, Op):
        return False
    if effect(node) not in _ELEMENTWISE and node.name not in _POOLS_OF_SAME_SIZE:
        return False
    if node.name in _NOT_ELEMENTWISE or shape(node, node.guards) in ("scalar", "number"):
        return False
    typed = typed or node.name in _TENSOR_METHODS
    return any(
        _is_tensor_of(operand, related, typed=typed)
        or _is_elementwise(operand, related, root, depth - 1, typed=typed)
        for operand in node.operands
    )


_UNIFORM = frozenset({"ones_like", "zeros_like", "full_like"})
_TENSOR_MAKERS = frozenset(
    {"arange", "float_tensor", "from_numpy", "ones_like", "zeros_like", "full_like", "rand_like", "setitem"}
)


def _is_tensor_of(operand: Value, related: frozenset[int], *, typed: bool = False) -> bool:
    """Whether an operand is itself one of those tensors: no literal, and no number taken from it."""
    plain = strip(operand)
    if isinstance(plain, Alternatives):
        return all(_is_tensor_of(branch, related, typed=typed) for _, branch in plain.branches)
    if isinstance(plain, Op) and plain.name == "setitem":
        return _is_tensor_of(plain.operands[0], related, typed=typed)
    if isinstance(plain, Op) and plain.name == "getitem" and len(plain.operands) == 1:
        found = [view.node for view in views(plain, plain.guards)]
        if all(node is not plain for node in found):  # a part of what a function returns, which is known
            return bool(found) and all(_is_tensor_of(node, related, typed=typed) for node in found)
    if isinstance(plain, Op) and (plain.name in _TENSOR_MAKERS or _has_dimensions(plain)):
        return True
    if isinstance(plain, Const) or (
        isinstance(plain, Op) and effect(plain) in ("loss", "reduce", "size", "other")
    ):
        return False
    if isinstance(plain, Op) and plain.name in ("getattr", "item"):
        return False
    if isinstance(plain, Leaf) and plain.role not in ("parameter", "element", "call"):
        return False
    # Another item of the same call or batch (`x, y_a, y_b, lam = mixup(x, y)`) may be a number, unless it is used as
    # a tensor.
    is_item = isinstance(plain, Op) and plain.name == "getitem"
    is_selected = typed or (isinstance(plain, Op) and len(plain.operands) > 1)
    return plain.content in related or (is_item and is_selected and is_related(plain, related))


def _has_dimensions(op: Op) -> bool:
    """Whether a result has a dimension by the way it was made: `x[:, None]`, `x.unsqueeze(1)`, `x.max(dim=1)[0]`."""
    if op.name == "unsqueeze":
        return True
    if op.name != "getitem":
        return False
    base = strip(op.operands[0])
    if isinstance(base, Op) and base.name in ("max", "min", "topk", "sort"):
        return base.parameter("dim") is not None or base.name in ("topk", "sort")
    index = strip(op.operands[1]) if len(op.operands) > 1 else None
    return isinstance(index, Tuple) and any(
        isinstance(strip(item), Const) and getattr(strip(item), "value", 0) is None for item in index.items
    )


def _is_tensor_by_use(node: Value, crossed: list[Op], product: Op, root: Root) -> bool:
    """Whether a factor is used as a tensor: its methods are called, or it is summed, and the product is reduced."""
    if isinstance(node, Op) and effect(node) not in ("select", "other", "create"):
        return False
    summed = any(
        op.name == "sum"
        and op.operands
        and any(part.content == node.content for part in parts(op.operands[0]))
        for op in root.ops
    )
    used = summed or any(op.name in _TENSOR_METHODS for op in crossed)
    return used and any(op.name in ("mean", "sum") for op in root.consumers(product))

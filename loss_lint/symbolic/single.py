"""Single samples: whether a loss may be of one alone, so that there is nothing to reduce and nothing to average."""

from __future__ import annotations

from loss_lint.symbolic.graph import Leaf, Op, Tuple
from loss_lint.symbolic.guards import literal_of, strip
from loss_lint.symbolic.shapes import shape_of
from loss_lint.symbolic.walk import View, Walk, descend


def is_one_of_loop(loss: View) -> bool:
    """Whether a loss's input is what a loop over samples has got: `logits[i]`, or an element of tensors in step."""
    assert isinstance(loss.node, Op)
    for view in descend(View(loss.node.operands[0], loss.guards), Walk(), None):
        picked = [
            strip(op.operands[1]) for op in view.chain if op.name == "getitem" and len(op.operands) == 2
        ]
        if any(isinstance(index, Leaf) and index.role == "index" for index in picked):
            return True
        if isinstance(view.node, Leaf) and view.node.role == "element":
            return True
    return False


def may_be_one_element(loss: View) -> bool:
    """Whether a loss for each element may have only one: an operand's shape, or how it was made, leaves that open."""
    assert isinstance(loss.node, Op)
    if is_one_of_loop(loss):
        return True
    for operand in loss.node.operands[:2]:
        shape = shape_of(operand, loss.guards)
        if any(size is not None and size > 1 for size in shape.sizes[:1]) and not shape.is_open:
            return False
        if shape.elements() == 1 or (not shape.is_open and shape.size(0) == 1):
            return True
        if any(_picks_or_makes_one(view) for view in descend(View(operand, loss.guards), Walk(), None)):
            return True
    return False


def _picks_or_makes_one(view: View) -> bool:
    """Whether a value is made of a number or a list, or picked out of something: by a number, or by an action."""
    return any(_is_picked(op) for op in view.chain) or (isinstance(view.node, Op) and _is_made(view.node))


def _is_made(op: Op) -> bool:
    return op.name in ("tensor", "as_tensor", "float_tensor", "long_tensor", "max", "min")


def _is_picked(op: Op) -> bool:
    match op.name:
        case "squeeze" | "select":
            return True
        case "unsqueeze":
            dim = op.parameter("dim")
            known = literal_of(dim) if dim is not None else None
            return known is not None and known.value == 0
        case "getitem" if len(op.operands) == 2:
            index = strip(op.operands[1])
            items = index.items if isinstance(index, Tuple) else (index,)
            return any(not isinstance(strip(item), Op) for item in items)  # no slice, no mask
        case _:
            return _is_made(op)

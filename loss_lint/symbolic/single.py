"""Single samples: whether a loss may be of one alone, so that there is nothing to reduce and nothing to average."""

from __future__ import annotations

from loss_lint.symbolic.graph import NO_GUARDS, Frame, Leaf, Object, Op, Site, Tuple, Value
from loss_lint.symbolic.guards import literal_of, strip
from loss_lint.symbolic.loaders import stands_for_a_batch
from loss_lint.symbolic.numbers import integers
from loss_lint.symbolic.shapes import shape_of
from loss_lint.symbolic.walk import View, Walk, descend, effect


def is_one_of_loop(loss: View) -> bool:
    """Whether a loss's input is what a loop over samples has got: `logits[i]`, or an element of tensors in step."""
    assert isinstance(loss.node, Op)
    for view in descend(View(loss.node.operands[0], loss.guards), Walk(), None):
        picked = [
            strip(op.operands[1]) for op in view.chain if op.name == "getitem" and len(op.operands) == 2
        ]
        if any(
            isinstance(index, Leaf) and index.role == "index" and not stands_for_a_batch(index)
            for index in picked
        ):
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
    """Whether a value is made of a number or a list, or picked out of something: by a number, or by an action.

    What is done to each sample of a batch, of which a loader makes the batch then, says nothing of their number.
    """
    node = view.node
    for op, below in zip(view.chain, (*view.chain[1:], node), strict=False):
        if is_of_a_batch(op):
            return False
        if (_is_picked(op) and not _is_of_many(op, view)) or _is_row_of_tensor(op, below):
            return True
    return isinstance(node, Op) and not is_of_a_batch(node) and _is_made(node) and not _is_of_many(node, view)


def _is_row_of_tensor(op: Op, below: Value) -> bool:
    """Whether `op` takes one row by its number, of what is a tensor and no tuple."""
    number = op.parameter("index") if op.name == "getitem" else None
    known = literal_of(number) if number is not None else None
    is_tensor = isinstance(below, Op) and (
        below.name in _COPIES or effect(below) in ("create", "keep", "cast")
    )
    return known is not None and isinstance(known.value, int) and is_tensor


def is_of_a_batch(op: Op) -> bool:
    """Whether `op` is done to each sample of a batch: in a data set's `__getitem__`, or to take them out of tensors."""
    is_row = op.name == "getitem" and len(op.operands) == 2 and stands_for_a_batch(op.operands[1])
    return is_row or sampled_at(op) is not None


def sampled_at(op: Op) -> Site | None:
    """Where the batch is drawn that a data set's `__getitem__` computes `op` for; None for other operations."""
    frame: Frame | None = op.frame
    while frame is not None:
        if frame.batched:
            return frame.call
        frame = frame.parent
    return None


def _is_of_many(op: Op, view: View) -> bool:
    """Whether a tensor is made of a list that a loop fills, or a comprehension."""
    return op.name in _COPIES and bool(op.operands) and _is_filled_by_a_loop(op.operands[0], view)


def _is_filled_by_a_loop(value: Value, view: View) -> bool:
    plain = strip(value)
    if isinstance(plain, Op) and plain.name == "comprehension":
        return True
    record = view.heap.get(plain.content) if view.heap is not None and isinstance(plain, Object) else None
    items = record.items if record is not None else ()
    return any(isinstance(one := strip(item.value), Leaf) and one.role == "repeated" for item in items)


_COPIES = frozenset({"tensor", "as_tensor", "float_tensor", "long_tensor"})


def _is_made(op: Op) -> bool:
    return op.name in _COPIES or op.name in ("max", "min")


def _is_picked(op: Op) -> bool:
    match op.name:
        case "squeeze":
            given = op.parameter("dim")
            dims = integers(given, NO_GUARDS) if given is not None else None
            return dims is None or any(dim < 1 for dim in dims)
        case "select":
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

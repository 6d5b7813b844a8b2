"""What the mean of a loss counts: the elements that it leaves out, and those that it weighs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from loss_lint.symbolic.accumulation import origin
from loss_lint.symbolic.collators import IGNORED
from loss_lint.symbolic.facts import reduction
from loss_lint.symbolic.graph import Const, Leaf, Op, Site, Tuple, Value, const
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.naming import name_of
from loss_lint.symbolic.walk import View, Walk, descend, effect, views

# What torch leaves out of these losses' means unless told otherwise.
_BY_CLASS = frozenset({"cross_entropy", "nll_loss"})


@dataclass(frozen=True, slots=True)
class Uneven:
    """What a mean divides by that differs from batch to batch, why, and where that is made so."""

    count: str
    reason: str
    site: Site
    view: View


_NOT_IGNORED = ("the number of its targets that are not ignored", "some targets are ignored")


def uneven(loss: View) -> Iterator[Uneven]:
    """Reasons why two batches of one size count for different amounts in the mean that `loss` is."""
    op = loss.node
    assert isinstance(op, Op)
    if op.name == "model_loss":
        for site, view in carriers(replace(loss, node=op.operands[1], chain=(), passes=()), IGNORED, Walk()):
            yield Uneven(*_NOT_IGNORED, site, view)
        return
    if op.name not in _BY_CLASS or len(op.operands) < 2 or reduction(op, loss.guards) != "mean":
        return
    weight = op.parameter("weight")
    if weight is not None and not is_soft(op.operands[1], loss):
        yield from weighing(weight, loss)
    ignored = op.parameter("ignore_index") or IGNORED
    target = replace(loss, node=op.operands[1], chain=(), passes=())
    for site, view in carriers(target, ignored, Walk()):
        yield Uneven(*_NOT_IGNORED, site, view)


# Class weights


def weighing(weight: Value, loss: View) -> Iterator[Uneven]:
    """Class weights that are certainly some, and not all one."""
    start = replace(loss, node=weight, chain=(), passes=())
    for view in descend(start, Walk(), _MOVES):
        node = view.node
        if isinstance(node, Const) or (isinstance(node, Op) and node.name in _EQUAL):
            continue
        if isinstance(node, Op) and _are_equal(node):
            continue
        if view.chain or (isinstance(node, Op) and effect(node) in _TENSORS):
            made = view.chain[-1] if view.chain else node
            assert isinstance(made, Op)
            yield Uneven("the weights of its targets", "classes are weighed", made.site, view)


_MOVES = frozenset({"to", "cuda", "cpu", "to_float", "to_double", "to_half", "clone", "detach", "contiguous"})
_EQUAL = frozenset({"ones", "ones_like", "full", "full_like", "new_ones", "new_full"})
_TENSORS = frozenset({"create", "arithmetic", "unary", "cast", "keep", "softmax", "combine"})


def _are_equal(op: Op) -> bool:
    """Whether a tensor is written down with equal numbers."""
    data = strip(op.operands[0]) if op.operands else None
    if effect(op) != "create" or not isinstance(data, Tuple):
        return False
    return len({strip(item).content for item in data.items}) == 1


def is_soft(target: Value, loss: View) -> bool:
    """Whether a target may be probabilities, over which the mean divides by the number of rows."""
    for view in views(target, loss.guards):
        node = view.node
        while isinstance(node, Op) and node.operands and effect(node) in ("keep", "cast"):
            if node.name in ("to_float", "to_double", "to_half"):
                return True
            node = strip(node.operands[0])
        if isinstance(node, Op) and effect(node) in ("softmax", "sigmoid", "one_hot", "arithmetic"):
            return node.name not in ("sub", "masked_fill")
    return False


# Targets that are ignored


def carriers(target: View, ignored: Value, walk: Walk) -> Iterator[tuple[Site, View]]:
    """Where something puts `ignored` into `target`, at places that differ from sample to sample."""
    for view in descend(target, walk, frozenset()):
        node = view.node
        if isinstance(node, Op) and _puts(node, ignored, view):
            yield node.site, view
        inner = node.items[:4] if isinstance(node, Tuple) else _holders(node) if isinstance(node, Op) else ()
        for value in inner:
            yield from carriers(replace(view, node=value), ignored, walk)


def _puts(op: Op, ignored: Value, view: View) -> bool:
    """Whether an operation puts `ignored` where the sample says."""
    match op.name:
        case "setitem" if len(op.operands) == 3:
            return depends_on_data(op.operands[1]) and _is(op.operands[2], ignored, view)
        case "masked_fill" if len(op.operands) == 3:
            return _is(op.operands[2], ignored, view)
        case "where" if len(op.operands) == 3:
            return any(_is(operand, ignored, view) for operand in op.operands[1:])
        case "pad_sequence":
            return _is(op.parameter("padding_value") or const(0.0), ignored, view)
        case "cat":
            return any(_fills_up(part, ignored, view) for part in _joined(op))
        case "comprehension":
            return _is_sometimes(op.operands[0], ignored, view)
        case "mul":
            return _holds_only(op.operands[0], ignored) and depends_on_data(op.operands[1])
        case _:
            return False


def _joined(cat: Op) -> tuple[Value, ...]:
    """What is joined, given as a tuple or one by one."""
    first = strip(cat.operands[0])
    return first.items if isinstance(first, Tuple) else cat.operands


def _fills_up(part: Value, ignored: Value, view: View) -> bool:
    """Whether a row of nothing but `ignored` is as long as what a sample lacks: a length minus its own."""
    plain = strip(part)
    size = plain.parameter("size") if isinstance(plain, Op) and plain.name == "full" else None
    lengths = strip(size) if size is not None else None
    if not isinstance(lengths, Tuple) or len(lengths.items) != 1 or not _is(part, ignored, view):
        return False
    length = strip(lengths.items[0])
    return isinstance(length, Op) and length.name == "sub" and _is_measured(length.operands[1])


def _holders(op: Op) -> tuple[Value, ...]:
    """The operands whose numbers are in an operation's result."""
    match op.name:
        case "setitem":
            return (op.operands[0], op.operands[2])
        case "where" | "map_entry":
            return op.operands[1:]
        case "cat" | "stack" | "add":
            return op.operands
        case "masked_fill" | "pad_sequence" | "comprehension" | "lookup":
            return op.operands[:1]
        case _:
            return op.operands[:1] if effect(op) in ("keep", "cast", "select", "create") else ()


def _is(value: Value, ignored: Value, view: View) -> bool:
    """Whether `value` is what the loss ignores, as a number or as a tensor of it."""
    for one in views(value, view.guards):
        node = one.node
        while isinstance(node, Op) and effect(node) == "create" and node.operands:
            node = strip(node.operands[-1] if node.name in ("full", "full_like") else node.operands[0])
        if isinstance(node, Op) and node.name in ("full", "full_like"):
            filled = node.parameter("fill_value")
            node = strip(filled) if filled is not None else node
        return _equal(node, strip(ignored))
    return False


def _equal(one: Value, other: Value) -> bool:
    if isinstance(one, Const) and isinstance(other, Const):
        return type(one.value) in (int, float) and one.value == other.value
    if isinstance(one, Op) and isinstance(other, Op) and name_of(one) and name_of(one) == name_of(other):
        return True  # `self.tokenizer.pad_token_id` of the collator, `tokenizer.pad_token_id` of the loop
    return one.content == other.content


def _is_sometimes(element: Value, ignored: Value, view: View) -> bool:
    """Whether an element of a list is `ignored` under a condition."""
    readings = list(views(element, view.guards))
    for reading in readings:
        if isinstance(reading.node, Op) and reading.node.name == "comprehension":
            return _is_sometimes(reading.node.operands[0], ignored, reading)
    return len(readings) > 1 and any(_equal(reading.node, strip(ignored)) for reading in readings)


def _holds_only(value: Value, ignored: Value) -> bool:
    """Whether a literal list holds nothing but what is ignored: `[-100] * n`."""
    plain = strip(value)
    return (
        isinstance(plain, Tuple)
        and bool(plain.items)
        and all(_equal(strip(item), strip(ignored)) for item in plain.items)
    )


def depends_on_data(index: Value) -> bool:
    """Whether an index selects other places in each sample: a mask, or bounds that are measured on the sample."""
    plain = strip(index)
    if isinstance(plain, Tuple):
        return any(depends_on_data(item) for item in plain.items)
    if isinstance(plain, Op):
        if plain.name == "slice":
            return any(_is_measured(operand) for operand in plain.operands)
        if effect(plain) == "compare":
            return True
        if effect(plain) in ("keep", "cast"):
            return depends_on_data(plain.operands[0])
        return "mask" in name_of(plain).lower() or _is_measured(plain)
    return isinstance(plain, Leaf) and "mask" in plain.name.lower()


def _is_measured(bound: Value) -> bool:
    """Whether a number is measured on a sample: a length, a count, a position."""
    nodes = list(origin(bound))
    measures = any(
        isinstance(node, Op)
        and (effect(node) in ("size", "argmax") or node.name in ("sum", "item", "nonzero"))
        for node in nodes
    )
    drawn = any(
        isinstance(node, Leaf) and node.role in ("element", "index", "repeated", "parameter")
        for node in nodes
    )
    return measures and drawn

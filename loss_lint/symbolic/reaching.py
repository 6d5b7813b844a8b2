"""Where a distribution goes: the loss that a softmax's result is an input of, as long as it stays a distribution."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from loss_lint.symbolic.extents import SCALAR
from loss_lint.symbolic.graph import Const, Guards, Leaf, Op, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.limits import MAX_DOWNSTREAM
from loss_lint.symbolic.root import BACKWARD, Root, parts
from loss_lint.symbolic.shapes import shape_of
from loss_lint.symbolic.walk import effect, origins, views

_LOGS = frozenset({"log", "log2", "log10"})
_PRODUCTS = frozenset({"matmul", "mm", "bmm", "einsum", "addmm", "linear"})
_ROWWISE = frozenset({"neg", "clamp", "clamp_min", "clamp_max", "exp", "sqrt", "square", "abs", "nan_to_num"})
_REDUCED = frozenset({"sum", "mean", "nansum", "nanmean", "max", "min", "amax", "amin"})
_FACTORS = frozenset(
    {"mul", "add", "sub", "rsub", "div", "pow", "where", "masked_fill", "maximum", "minimum"}
)


@dataclass(frozen=True, slots=True)
class _State:
    """What has become of a distribution: `logarithm` once a log was taken, `mixed` while a matrix blends it."""

    op: Op
    logarithm: bool
    mixed: bool = False


def loss_reached(softmax: Op, root: Root) -> Op | None:
    """The loss that `softmax`'s distribution goes into, one call of torch's or written out by hand.

    By hand a loss takes logarithms, multiplies and adds them up, and trains on the sum or returns it from what is
    called a loss. Weights (of attention, of pooling), which multiply something that is no distribution, and what
    another layer gets reach none.
    """
    first = _State(softmax, effect(softmax) == "log_softmax")
    seen = {(id(softmax), first.logarithm, False)}
    pending = deque((first,))
    by_hand: Op | None = None
    while pending and len(seen) < MAX_DOWNSTREAM:
        state = pending.popleft()
        if state.logarithm and by_hand is None and "loss" in root.name.lower() and root.is_returned(state.op):
            by_hand = state.op
        for consumer in root.consumers(state.op):
            if effect(consumer) == "loss":
                if not state.mixed and any(
                    _is_among(state.op, operand, consumer.guards) for operand in consumer.operands[:2]
                ):
                    return consumer
                continue
            if consumer.name in BACKWARD:
                by_hand = by_hand or (consumer if state.logarithm else None)
                continue
            following = _following(state, consumer)
            key = (id(consumer), following.logarithm, following.mixed) if following else None
            if following is not None and key is not None and key not in seen:
                seen.add(key)
                pending.append(following)
    return by_hand


def _following(state: _State, consumer: Op) -> _State | None:
    """What `consumer` makes of a distribution; None where that is none any more."""
    kind, name = effect(consumer), consumer.name
    is_first = bool(consumer.operands) and _is_among(state.op, consumer.operands[0], consumer.guards)
    moved = replace(state, op=consumer)
    if kind in ("keep", "select", "cast"):
        return moved if is_first else None
    if name in _LOGS:
        return _State(consumer, logarithm=True)
    if state.mixed:
        others = [one for one in consumer.operands if not _is_among(state.op, one, consumer.guards)]
        scaled = name in ("mul", "div", "add") and all(_is_number(one, consumer.guards) for one in others)
        return moved if scaled else None
    if kind == "combine" or name in _ROWWISE or name in _REDUCED:
        return moved
    if name in _PRODUCTS and is_first and name != "linear":
        return _State(consumer, state.logarithm, mixed=not state.logarithm)
    if name in _FACTORS:
        return _combined(state, consumer)
    return None


def _combined(state: _State, consumer: Op) -> _State | None:
    """Elementwise arithmetic: logarithms take any factor, probabilities numbers and other distributions."""
    if state.logarithm:
        return replace(state, op=consumer)
    others = [operand for operand in consumer.operands if not _is_among(state.op, operand, consumer.guards)]
    if any(_is_log(other, consumer.guards) for other in others):
        return _State(consumer, logarithm=True)
    if all(_goes_along(other, state.op, consumer.guards) for other in others):
        return replace(state, op=consumer)
    return None


def _is_among(op: Op, operand: Value, guards: Guards) -> bool:
    """Whether a reading of `operand` is `op` itself, or a list, sum or loop that has it."""
    for view in views(operand, guards):
        if view.node is op:
            return True
        if not isinstance(view.node, Op) and any(part is op for part in parts(view.node)):
            return True
    return False


def _is_log(value: Value, guards: Guards) -> bool:
    """Whether a factor is made of log-probabilities."""
    for view in origins(value, guards):
        node = view.node
        if isinstance(node, Op) and (effect(node) == "log_softmax" or node.name in _LOGS):
            return True
    return False


def _is_number(value: Value, guards: Guards) -> bool:
    return isinstance(strip(value), Const) or shape_of(value, guards) == SCALAR


def _goes_along(value: Value, op: Op, guards: Guards) -> bool:
    """Whether a factor leaves a distribution one: a number, another distribution, its own sum."""
    if _is_number(value, guards):
        return True
    for view in origins(value, guards):
        node = view.node
        if isinstance(node, Leaf) or not isinstance(node, Op):
            return False
        if effect(node) not in ("softmax", "log_softmax") and not (
            node.name == "sum" and _is_among(op, node.operands[0], guards)
        ):
            return False
    return True

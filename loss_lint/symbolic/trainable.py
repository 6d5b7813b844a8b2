"""What can be trained through an operand of a loss: a model's output, or what is left of one without its gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from loss_lint.symbolic.facts import takes_places
from loss_lint.symbolic.flow import BACKWARD, parts
from loss_lint.symbolic.graph import Accumulated, Const, External, Leaf, Op, Value
from loss_lint.symbolic.guards import strip, truth
from loss_lint.symbolic.naming import name_of
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.single import is_of_a_batch
from loss_lint.symbolic.walk import View, Walk, descend, effect

# Results outside the graph: plain numbers, copies without it, integers.
_CUTS = frozenset(
    {"item", "tolist", "numpy", "detach", "argmax", "argmin", "argsort", "to_long", "to_int", "to_short", "to_bool",
     "to_byte", "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_not", "logical_xor",
     "one_hot"}
)  # fmt: skip
# Steps: in the graph, with a gradient of zero everywhere.
STEPS = frozenset({"round", "floor", "ceil", "trunc", "sign"})
_COPIES = frozenset(
    {"tensor", "float_tensor", "double_tensor", "half_tensor", "from_numpy", "array", "new_tensor"}
)
_TO_FIRST = frozenset(
    {"keep", "select", "cast", "reduce", "unary", "squash", "softmax", "log_softmax", "sigmoid", "logsigmoid"}
)
_TO_ALL = frozenset({"arithmetic", "combine"})

State = Literal["alive", "cut", "cut_and_required", "data"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of an operand: whether a gradient goes on from it, and where it was cut if not.

    What was cut and is made to require a gradient then takes it all itself.

    `view` shows the operation that cuts, or what was computed without gradients.
    """

    state: State
    view: View


def readings(view: View, walk: Walk) -> Iterator[Reading]:
    """What a gradient reaches from what `view` shows; what is not known counts as alive."""
    for seen in descend(view, walk, frozenset()):
        yield from _reading(seen, walk)


def _reading(seen: View, walk: Walk) -> Iterator[Reading]:
    node = seen.node
    match node:
        case Const() | Leaf(role="element" | "index"):
            yield Reading("data", seen)
        case Leaf(role="call", grad=False) if _calls_a_model(node):
            yield Reading("cut", seen)
        case Accumulated(init=init, terms=terms):
            for part in (init, *terms):
                yield from readings(seen.at(part), walk)
        case Op(name="requires_grad_" | "variable") if node.name != "variable" or _asks_for_gradient(node):
            below = list(readings(seen.below(node, node.operands[0]), walk))
            is_cut = bool(below) and all(one.state == "cut" for one in below)
            yield replace(below[0], state="cut_and_required") if is_cut else Reading("alive", seen)
        case Op() if _is_loaded(node):
            yield Reading("data", seen)
        case Op(name="getitem") if takes_places(node):
            yield from _behind(seen, node, walk)
        case Op(name=name) if name in STEPS or name in _CUTS:
            yield from _behind(seen, node, walk)
        case Op(name=name, operands=(given, *_)) if name in _COPIES:
            yield from _of_copy(seen, node, given, walk)
        case Op(name="learned"):
            yield Reading("alive", seen)
        case Op(name="comprehension", operands=(each, *_)):
            yield from readings(seen.below(node, each), walk)
        case Op() if effect(node) == "create" and node.parameter("requires_grad") is None:
            yield Reading("data", seen)
        case Op() if effect(node) == "size":
            yield Reading("data", seen)
        case Op() if effect(node) == "layer" and not node.grad:
            yield Reading("cut", seen)
        case Op() if effect(node) in _TO_FIRST and node.operands:
            yield from readings(seen.below(node, node.operands[0]), walk)
        case Op() if effect(node) in _TO_ALL:
            for operand in node.operands:
                yield from readings(seen.below(node, operand), walk)
        case _:
            yield Reading("alive", seen)


def _asks_for_gradient(copy: Op) -> bool:
    asked = copy.parameter("requires_grad")
    return asked is not None and truth(asked) is not False


def _behind(seen: View, cut: Op, walk: Walk) -> Iterator[Reading]:
    """A cut keeps a gradient from what is computed; of data nothing is lost."""
    below = [reading for operand in cut.operands for reading in readings(seen.below(cut, operand), walk)]
    inner = next((reading for reading in below if reading.state.startswith("cut")), None)
    if any(reading.state == "alive" and _is_computed(reading.view.node) for reading in below):
        yield Reading("cut", seen)
    elif inner is not None:
        yield inner
    elif any(reading.state == "alive" for reading in below):
        yield Reading("alive" if cut.name in STEPS else "data", seen)
    else:
        yield Reading("data", seen)


def _of_copy(seen: View, copy: Op, given: Value, walk: Walk) -> Iterator[Reading]:
    """A new tensor has what it was made of: data, or what a cut has left of a model's output."""
    if _asks_for_gradient(copy):
        yield Reading("alive", seen)
        return
    below = list(readings(seen.below(copy, given), walk))
    cut = next((reading for reading in below if reading.state.startswith("cut")), None)
    yield cut if cut is not None else Reading("data", seen)


def _is_computed(node: Value) -> bool:
    """Whether a value is certainly computed from what can be trained: by a model that is called, or by a layer."""
    match node:
        case Leaf(role="call", grad=True):
            return _calls_a_model(node)
        case Op(grad=True):
            return effect(node) == "layer"
        case _:
            return False


def is_of_a_model(node: Value) -> bool:
    """Whether a value is what a model or a layer returned, with a gradient or without."""
    if isinstance(node, Op):
        return effect(node) == "layer"
    return isinstance(node, Leaf) and node.role == "call" and _calls_a_model(node)


def _calls_a_model(call: Leaf) -> bool:
    """Whether what is called is handed around or held by an object, as models are, and no library's function."""
    callee = strip(call.operands[0]) if call.operands else None
    if callee is None or isinstance(callee, External):
        return False
    if isinstance(callee, Op) and callee.name == "getattr":
        return not _is_of_library(callee)
    return isinstance(callee, Leaf) and callee.role in ("parameter", "global", "unknown", "call")


def _is_of_library(op: Op) -> bool:
    base = strip(op.operands[0])
    return isinstance(base, External) or (
        isinstance(base, Op) and base.name == "getattr" and _is_of_library(base)
    )


def _is_loaded(op: Op) -> bool:
    """Whether a value is a part of a batch, or what a data set computes for one."""
    is_part = op.name in ("getitem", "getattr") and bool(op.operands) and _is_of_batch(op.operands[0])
    return is_part or is_of_a_batch(op)


def _is_of_batch(base: Value) -> bool:
    """Whether a value is what a loop hands out, or a part of it."""
    plain = strip(base)
    while isinstance(plain, Op) and plain.name in ("getitem", "getattr") and plain.operands:
        plain = strip(plain.operands[0])
    return isinstance(plain, Leaf) and plain.role == "element"


# What a loss goes through on its way into the one that is run backward; in a product, a weight stands beside it.
_SUMS = frozenset(
    {"add", "sub", "neg", "mean", "sum", "to", "cpu", "cuda", "clone", "squeeze", "to_float", "data_parallel"}
)


def is_trained_as_a_term(loss: Op, root: Root) -> bool | None:
    """Whether `loss` is made to require a gradient on its way to `backward()`; None where it does not get there.

    By itself or as a term of a sum it does, as a factor of what is run backward it does not.
    """
    pending, seen = [(loss, False)], {id(loss)}
    while pending:
        current, required = pending.pop()
        for consumer in root.consumers(current):
            if consumer.name in BACKWARD:
                return required
            passes = consumer.name in _SUMS or (
                consumer.name in ("mul", "div") and _is_scaled(consumer, current)
            )
            if (passes or consumer.name == "requires_grad_") and id(consumer) not in seen:
                seen.add(id(consumer))
                pending.append((consumer, required or consumer.name == "requires_grad_"))
    return None


def _is_scaled(product: Op, loss: Op) -> bool:
    """Whether the other operand is a plain number: a literal, an option, a setting."""
    for operand in product.operands:
        if any(part is loss for part in parts(operand)):
            continue
        plain = strip(operand)
        known = isinstance(plain, Const) or (
            isinstance(plain, Leaf) and plain.role in ("parameter", "global")
        )
        if not known and not (isinstance(plain, Op) and plain.name == "getattr" and name_of(plain)):
            return False
    return True

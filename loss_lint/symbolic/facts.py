"""Facts that follow from the graph: what a value's numbers mean, how a loss reduces, what a number counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from loss_lint.catalogue.names import counts_samples, counts_steps
from loss_lint.symbolic.dims import behind, normalized_dim
from loss_lint.symbolic.graph import Accumulated, Const, Guards, Leaf, Op, Tuple, Value, const
from loss_lint.symbolic.guards import EQUALITIES, contradicts_defaults, literal_of, strip, subject
from loss_lint.symbolic.reductions import LEGACY_REDUCTION, legacy_string
from loss_lint.symbolic.walk import View, Walk, descend, effect, inside, origins, views

Meaning = Literal[
    "probabilities",
    "log_probabilities",
    "log_of_probabilities",
    "sigmoid",
    "logsigmoid",
    "one_hot",
    "indices",
]


@dataclass(frozen=True, slots=True)
class Fact:
    """What one reading of a value means, and the operation that made it so.

    Where it was put together of several parts that mean the same, `op` made the first one, `beside` the others.
    """

    meaning: Meaning
    op: Op
    view: View
    beside: tuple[Op, ...] = ()

    @property
    def ops(self) -> tuple[Op, ...]:
        return (self.op, *self.beside)


def meanings(value: Value, guards: Guards) -> Iterator[Fact]:
    """What the numbers of `value` are, for each reading in which that is known."""
    walk = Walk()
    for view in origins(value, guards, walk):
        fact = meaning(view, walk)
        if fact is not None:
            yield fact


def meaning(view: View, walk: Walk) -> Fact | None:
    node = view.node
    if not isinstance(node, Op):
        return None
    match effect(node):
        case "softmax":
            return Fact("probabilities", node, view)
        case "log_softmax":
            return Fact("log_probabilities", node, view)
        case "sigmoid":
            return Fact("sigmoid", node, view)
        case "logsigmoid":
            return Fact("logsigmoid", node, view)
        case "argmax" if node.name in ("argmax", "argmin"):
            return Fact("indices", node, view)
    if node.name == "div" and is_hand_rolled_softmax(node, view.guards):
        return Fact("probabilities", node, view)
    if effect(node) == "combine" and node.operands:
        return _of_parts(node, view, walk)
    if node.name == "exp":
        for inner in inside(view, node.operands[0], walk):
            fact = meaning(inner, walk)
            if fact is not None and fact.meaning in ("log_probabilities", "logsigmoid"):
                name: Meaning = "probabilities" if fact.meaning == "log_probabilities" else "sigmoid"
                return Fact(name, node, view)
    if node.name == "log" and len(node.operands) == 1:
        for inner in inside(view, node.operands[0], walk):
            fact = meaning(inner, walk)
            if fact is not None and fact.meaning == "probabilities":
                return Fact("log_of_probabilities", node, fact.view.at(fact.op))
    return None


_WITH_PLACES = frozenset({"max", "min", "sort", "topk", "median", "mode"})


def takes_places(item: Op) -> bool:
    """Whether `item` is `torch.max(x, 1)[1]`: the places of what is largest."""
    if item.name != "getitem" or not item.operands:
        return False
    index = item.parameter("index")
    known = literal_of(index) if index is not None else literal_of(item.operands[-1])
    chosen = strip(item.operands[0])
    return (
        isinstance(chosen, Op)
        and chosen.name in _WITH_PLACES
        and known is not None
        and known.value == 1
        and (chosen.name in ("sort", "topk") or chosen.parameter("dim") is not None)
    )


def _of_parts(node: Op, view: View, walk: Walk) -> Fact | None:
    """What a concatenation holds: what each of its parts is, if that is the same."""
    found: list[Fact] = []
    for operand in node.operands:
        part = next(iter(inside(view, operand, walk)), None)
        if part is not None and isinstance(part.node, Op) and part.node.name == "comprehension":
            part = next(iter(inside(part, part.node.operands[0], walk)), None)  # a list that a loop made
        fact = meaning(part, walk) if part is not None else None
        if fact is None or (found and fact.meaning != found[0].meaning):
            return None
        found.append(fact)
    # Each part is normalized: so is the whole, unless it is along that dimension.
    normalized = found[0].meaning in ("probabilities", "sigmoid")
    if not normalized and not all(_stays_normalized(fact, node, view) for fact in found):
        return None
    others = {id(op): op for fact in found for op in fact.ops if op is not found[0].op}
    return replace(found[0], beside=tuple(others.values()))


def _stays_normalized(fact: Fact, joined: Op, view: View) -> bool:
    along = literal_of(joined.parameter("dim") or const(0))
    if joined.name == "cat" and along is not None and along.value == 0:
        return True
    within = fact.view.chain[len(view.chain) + 1 :]
    place = normalized_dim(fact.op, within)
    return place is not None and behind(place, joined) is not None


def keeps_rows(chain: tuple[Op, ...]) -> bool:
    """Whether whole rows went through `chain`: nothing was picked out of the dimension of the classes."""
    return not any(_picks_classes(op) for op in chain)


def _picks_classes(op: Op) -> bool:
    if op.name in ("gather", "index_select", "select", "take", "take_along_dim"):
        return True
    if op.name != "getitem" or len(op.operands) < 2:
        return False
    index = strip(op.operands[1])
    if not isinstance(index, Tuple) or not index.items:
        return False
    first, last = strip(index.items[0]), strip(index.items[-1])
    from_the_end = isinstance(first, Const) and first.value is ...
    is_slice = isinstance(last, Op) and last.name == "slice"
    return from_the_end and not is_slice and not (isinstance(last, Const) and last.value is None)


def force_inputs(loss: Op) -> None:
    """Run the calls that a loss's operands wait for, so that what is in them is seen by the rules."""
    for operand in loss.operands[:2]:
        for _ in meanings(operand, loss.guards):
            pass
        loss_terms(operand, loss.guards)


# Reshaping between a sum and the division by it; anything else is no softmax's denominator.
BROADCASTS = frozenset(
    {"unsqueeze", "view", "reshape", "expand", "expand_as", "repeat", "t", "transpose", "getitem"}
)


def is_hand_rolled_softmax(op: Op, guards: Guards) -> bool:
    """Whether `op` is `exp(a) / exp(a).sum(dim)`, over however many statements."""
    if len(op.operands) != 2:
        return False
    numerator = next(iter(views(op.operands[0], guards)), None)
    denominator = next(iter(origins(op.operands[1], guards, through=BROADCASTS)), None)
    if numerator is None or denominator is None:
        return False
    top, bottom = numerator.node, denominator.node
    if not (isinstance(top, Op) and top.name == "exp" and isinstance(bottom, Op) and bottom.name == "sum"):
        return False
    if bottom.parameter("dim") is None:
        return False
    summed = next(iter(views(bottom.operands[0], guards)), None)
    return summed is not None and summed.node.content == top.content


# Reductions


def constant(value: Value | None, guards: Guards) -> object:
    """The literal that `value` is under `guards`; `UNKNOWN` if there is none or there are several."""
    if value is None:
        return UNKNOWN
    nodes = [_literal_under(view.node, view.guards) or view.node for view in views(value, guards)]
    if nodes and all(isinstance(node, Const) and node.content == nodes[0].content for node in nodes):
        first = nodes[0]
        assert isinstance(first, Const)
        return first.value
    return UNKNOWN


def _literal_under(node: Value, guards: Guards) -> Const | None:
    """A literal, or what a root's parameter is under `guards`: what they say it equals, or else its default.

    What legacy arguments stand for is as literal as they are.
    """
    if isinstance(node, Op) and node.name == LEGACY_REDUCTION:
        given = [constant(operand, guards) for operand in node.operands]
        return None if UNKNOWN in given else const(legacy_string(*given))
    if not isinstance(node, Leaf) or node.default is None:
        return literal_of(node)
    about = [atom for atom in guards if subject(atom.condition) == node.content]
    for atom in about:
        condition = atom.condition
        if atom.truth and isinstance(condition, Op) and condition.name in EQUALITIES:
            return literal_of(condition.operands[1])
    return None if contradicts_defaults(frozenset(about)) else node.default


class _Unknown:
    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = _Unknown()


def reduction(op: Op, guards: Guards) -> str | None:
    """How a loss reduces: `mean`, `sum`, `none` or `batchmean`; None where that is not known.

    What legacy arguments stand for has taken the place of `reduction` where the loss was given them.
    """
    given = op.parameter("reduction")
    if given is None:
        return None
    chosen = constant(given, guards)
    if chosen == "elementwise_mean":  # what the mean was called in torch 1.0
        return "mean"
    return chosen if isinstance(chosen, str) else None


Shape = Literal["scalar", "number", "tensor", "unknown"]

# What leaves a scalar a scalar.
_SCALAR_KEEPING = frozenset(
    {"to", "cpu", "cuda", "detach", "clone", "contiguous", "to_float", "to_double", "to_half", "to_bfloat16",
     "requires_grad_", "identity", "variable", "squeeze", "neg", "exp", "log", "sqrt", "abs", "clamp", "square",
     "backward"}
)  # fmt: skip


def shape(value: Value, guards: Guards, walk: Walk | None = None) -> Shape:
    """Whether every reading of `value` has no dimensions (`number`: as plain Python number)."""
    walk = walk or Walk(every=True)
    found = [_shape(view, walk) for view in views(value, guards, walk)]
    if not found or walk.exhausted:
        return "unknown"
    if all(one == found[0] for one in found):
        return found[0]
    return "scalar" if set(found) <= {"scalar", "number"} else "unknown"


def _shape(view: View, walk: Walk) -> Shape:
    node = view.node
    match node:
        case Const(value=int() | float()):
            return "number"
        case Leaf(default=Const(value=int() | float())):
            return "number"
        case Leaf() if counts_steps(node.name) or counts_samples(node.name):
            return "number"
        case Accumulated(init=init, terms=terms):
            parts = {shape(part, view.guards, walk) for part in (init, *terms)}
            return "scalar" if parts <= {"scalar", "number"} and "scalar" in parts else "unknown"
        case Op():
            return _op_shape(node, view.guards, walk)
        case _:
            return "unknown"


def _op_shape(op: Op, guards: Guards, walk: Walk) -> Shape:
    kind = effect(op)
    if kind == "loss":
        known = reduction(op, guards) if op.name != "adaptive_log_softmax_loss" else None
        return "unknown" if known is None else ("tensor" if known == "none" else "scalar")
    if kind == "size" or op.name == "item":
        return "number"
    if op.name in ("sum", "mean") and op.parameter("dim") is None:
        return "scalar"
    if op.name in _SCALAR_KEEPING and op.operands:
        return shape(op.operands[0], guards, walk)
    if op.name in ("add", "sub", "mul", "div", "pow", "maximum", "minimum"):
        parts = {shape(operand, guards, walk) for operand in op.operands}
        if "tensor" in parts:
            return "tensor"
        if "unknown" in parts:
            return "unknown"
        return "scalar" if "scalar" in parts else "number"
    return "unknown"


def loss_terms(value: Value, guards: Guards, walk: Walk | None = None) -> list[View] | None:
    """The losses that `value` is computed from, with literals only; None if anything else is in it.

    A loss on its own is one, `ce + 0.5 * dice` are two, `(1 - exp(-ce)) ** 2 * ce` is one twice.
    """
    walk = walk or Walk()
    terms: list[View] = []
    for view in origins(value, guards, walk, through=_MOVES):
        found = _terms(view, walk)
        if found is None:
            return None
        terms.extend(found)
    return terms if not walk.exhausted else None


_MOVES = frozenset(
    {"to", "cpu", "cuda", "clone", "to_float", "to_double", "to_half", "to_bfloat16", "contiguous", "squeeze",
     "variable"}
)  # fmt: skip


def _terms(view: View, walk: Walk) -> list[View] | None:
    node = view.node
    if literal_of(node) is not None:
        return []
    if not isinstance(node, Op):
        return None
    if effect(node) == "loss":
        return [view]
    if node.name in ("add", "sub"):
        result: list[View] = []
        for operand in node.operands:
            found = _operand_terms(view, operand, walk)
            if found is None:
                return None
            result.extend(found)
        return result
    if node.name in ("mul", "div", "neg", "pow", "exp"):
        factors: list[View] = []
        for operand in node.operands:
            divides = node.name in ("div", "pow") and operand is not node.operands[0]
            if divides and shape(operand, view.guards) == "number":
                continue  # a count that multiplies may undo a mean; one that divides is for the rules to judge
            found = _operand_terms(view, operand, walk)
            if found is None or (node.name in ("div", "pow") and found and operand is not node.operands[0]):
                return None
            factors.extend(found)
        return factors
    return None


def _operand_terms(view: View, operand: Value, walk: Walk) -> list[View] | None:
    assert isinstance(view.node, Op)
    terms: list[View] = []
    deeper = view.below(view.node, operand)
    for inner in descend(deeper, walk, _MOVES):
        found = _terms(inner, walk)
        if found is None:
            return None
        terms.extend(found)
    return terms

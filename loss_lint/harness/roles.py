"""What an input has to be, from what the operations that take it want.

Roles come from the fixed expression first: it is the one that computes what its author means, also where the
flagged one hands labels to the place of logits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal as OneOf

from loss_lint import catalogue
from loss_lint.harness.expression import Apply, Input, Items, Literal, Node, Side, inputs, walk
from loss_lint.harness.parameters import CLASSES, SAMPLES, WEIGHTS

Role = OneOf[
    "logits",  # any real numbers, differentiable on a loss's input side
    "probabilities",  # between 0 and 1
    "distribution",  # probabilities that sum to one over the classes
    "log_probabilities",
    "indices",  # class indices
    "like",  # real numbers in the shape of the loss's input
    "units",  # zeros and ones, as floats
    "signs",  # -1 and 1
    "positive",
    "index",  # class indices in the shape that gather wants
    "mask",  # zeros and ones that multiply an unreduced loss
    "factor",  # a number that multiplies a loss
    "offset",  # a number that is added to one
    "count",  # a number of samples
    "sequences",  # one sequence of class indices for each sample, without the blank
    "input_lengths",  # how much of each sample's outputs counts: all
    "target_lengths",  # the same of its sequence
    "exponent",
    "zeros",
    "class_weight",
    "tensor",  # a tensor of which only the shape matters
]

_WANTED: dict[str, Role] = {
    "logits": "logits",
    "log_probabilities": "log_probabilities",
    "probabilities": "probabilities",
    "any": "logits",
    "lengths": "count",
}
_TARGETS: dict[str, Role] = {
    "class_indices": "indices",
    "probabilities": "units",
    "same_as_input": "like",
    "signs": "signs",
    "log_or_probabilities": "distribution",
    "none": "logits",
}
# Operands of losses behind the target or beside the input that are none of both.
_NAMED: dict[str, Role] = {
    "var": "positive",
    "input1": "logits",
    "input2": "logits",
    "anchor": "logits",
    "positive": "logits",
    "negative": "logits",
    "input_lengths": "input_lengths",
    "target_lengths": "target_lengths",
}
_BY_CLASS = frozenset({"cross_entropy", "nll_loss", "multi_margin_loss", "linear_cross_entropy"})
_INDEXED = frozenset({"gather", "take_along_dim", "index_select", "take"})


class Roles:
    """The inputs of a flagged and a fixed expression: which of them are one, and what each is."""

    def __init__(self, fixed: Node, flagged: Node) -> None:
        self.inputs: list[Input] = []
        self._same: dict[Input, Input] = {}
        self._unknown_loss: Input | None = None
        self._roles: dict[Input, Role] = {}
        self._unify(inputs(fixed), inputs(flagged))
        masked = _masks_elements(fixed) or _masks_elements(flagged)
        for expression in (fixed, flagged):
            for found, role in demands(expression, "logits"):
                self._give(self.same(found), "mask" if masked and role == "factor" else role)
        self._train_on_something()
        self._integers = {self.same(one) for one, role in demands(flagged, "logits") if role == "indices"}

    def same(self, found: Input) -> Input:
        """The input that stands for `found`."""
        return self._same.get(found, found)

    def role(self, found: Input) -> Role:
        return self._roles.get(self.same(found), "tensor")

    def is_unknown_loss(self, found: Input) -> bool:
        """Whether an input is a loss of which nothing more is known."""
        return self.same(found) == self._unknown_loss

    def is_differentiable(self, found: Input) -> bool:
        return found.side != "target" and self.role(found) in ("logits", "probabilities", "log_probabilities")

    def is_integer(self, found: Input) -> bool:
        """Whether labels are integers: known to be so, or taken for class indices by the flagged expression."""
        return found.integer or self.same(found) in self._integers

    def _give(self, found: Input, role: Role) -> None:
        if self._roles.get(found, "tensor") == "tensor":
            self._roles[found] = role

    def _train_on_something(self) -> None:
        """Where nothing else could be trained on, an unknown factor or summand is what is: a loss in `loss * n`."""
        beside = [one for one in self.inputs if self._roles.get(one) in ("factor", "offset")]
        if beside and not any(self.is_differentiable(one) for one in self.inputs):
            self._unknown_loss = beside[0]
            self._roles[beside[0]] = "logits"

    def _unify(self, fixed: list[Input], flagged: list[Input]) -> None:
        """One input for each content; two only where the fixed expression has it on both sides of a loss."""
        sides: dict[int, list[Side]] = {}
        for group in (fixed, flagged):
            known = frozenset(sides)
            for found in group:
                own = sides.setdefault(found.content, [])
                if found.side and found.side not in own and found.content not in known:
                    own.append(found.side)
        chosen: dict[tuple[int, Side, int | None], Input] = {}
        for found in (*fixed, *flagged):
            own = sides[found.content]
            side = found.side if found.side in own and len(own) == 2 else (own[0] if own else "")
            size = found.size
            key = (found.content, side, size)
            if key not in chosen:
                chosen[key] = Input(found.content, side, size, found.name, found.integer, found.rank)
                self.inputs.append(chosen[key])
            self._same[found] = chosen[key]
            self._same[chosen[key]] = chosen[key]


def _masks_elements(root: Node) -> bool:
    """Whether a factor is one for each element: a loss is multiplied that is not reduced."""
    return any(
        isinstance(node, Apply)
        and catalogue.loss(node.name) is not None
        and node.literal("reduction") == "none"
        for node in walk(root)
    )


def demands(root: Node, wanted: Role) -> Iterator[tuple[Input, Role]]:
    """Each input with the role that a place of the expression gives it, from the root on."""
    pending: list[tuple[Node, Role]] = [(root, wanted)]
    seen: set[tuple[int, Role]] = set()
    while pending:
        node, role = pending.pop(0)
        if (id(node), role) in seen:
            continue
        seen.add((id(node), role))
        match node:
            case Input():
                if node not in (CLASSES, SAMPLES):
                    yield node, role
            case Items(items=items):
                pending.extend((item, role) for item in items)
            case Apply():
                pending.extend(_of_operands(node, role))
                pending.extend(_of_parameters(node))


def _of_parameters(node: Apply) -> Iterator[tuple[Node, Role]]:
    for key, value in node.parameters:
        if key in WEIGHTS:
            yield value, "class_weight" if node.name in _BY_CLASS or key == "pos_weight" else "positive"
        elif key == "index":
            yield value, "index"
        else:
            yield value, "tensor"


def _of_operands(node: Apply, role: Role) -> Iterator[tuple[Node, Role]]:
    loss = catalogue.loss(node.name)
    if loss is not None:
        yield from _of_loss(node, loss)
        return
    first, *others = node.operands or (Literal(None),)
    effect = _effect(node.name)
    if effect in ("softmax", "log_softmax", "sigmoid", "logsigmoid", "squash", "argmax"):
        yield first, "logits"
    elif effect in ("one_hot", "size"):
        yield from _of_structure(node)
    elif node.name in ("log", "log2", "log10"):
        yield first, "probabilities" if role == "logits" else role
    elif node.name == "accumulated" or role == "count":
        yield from ((operand, role) for operand in node.operands)
    elif node.name in ("mul", "div", "add", "sub"):
        yield from _of_arithmetic(node, role)
    elif node.name == "pow":
        yield from zip(node.operands, (role, "exponent"), strict=False)
    elif effect == "compare" and node.name != "where":
        yield from ((operand, "tensor") for operand in node.operands)
    elif node.name in ("arange", "range"):
        yield from ((operand, "count") for operand in node.operands)
    elif node.name in ("getitem", "masked_select", "masked_fill", "setitem", *_INDEXED):
        yield first, role
        yield from ((operand, "index") for operand in others)
    elif node.name == "where":
        yield from zip(node.operands, ("units", role, role), strict=False)
    elif effect == "combine":
        yield from ((operand, role) for operand in node.operands)
    else:
        yield first, role
        yield from ((operand, "tensor") for operand in others)


def _of_structure(node: Apply) -> Iterator[tuple[Node, Role]]:
    match node.name:
        case "scatter":
            yield from zip(node.operands, ("zeros", "index", "factor"), strict=False)
        case "one_hot":
            yield node.operands[0], "indices"
        case _:
            yield from ((operand, "tensor") for operand in node.operands)


def _of_arithmetic(node: Apply, role: Role) -> Iterator[tuple[Node, Role]]:
    """The operand that something runs in keeps the role; an input beside it is a number or a mask."""
    left, right = node.operands
    beside: Role = {"mul": "factor", "div": "count"}.get(node.name, "offset")  # type: ignore[assignment]
    if isinstance(left, Input) and isinstance(right, Apply) and node.name != "div":
        left, right = right, left
    yield left, role if not isinstance(left, Input) or not isinstance(right, Apply) else beside
    if isinstance(right, Apply) and right.name == "sum" and node.name == "div":
        yield right, "mask" if isinstance(right.operands[0], Input) else role
    else:
        yield (
            right,
            beside if isinstance(right, Input) or (node.name == "div" and _is_number(right)) else role,
        )


def _is_number(root: Node) -> bool:
    """Whether a divisor is a number: nothing that holds a loss, or a tensor's elements."""
    return all(
        not isinstance(node, Apply)
        or node.name in ("accumulated", "mul", "add", "sub", "size", "len", "item")
        for node in walk(root)
    )


def _of_loss(node: Apply, loss: catalogue.Loss) -> Iterator[tuple[Node, Role]]:
    for slot, operand in enumerate(node.operands[: len(loss.operands)]):
        name = loss.operands[slot]
        if slot == 0:
            yield operand, _WANTED[loss.input_wants]
        elif name in ("target", "targets"):
            yield operand, _target(node, loss)
        else:
            yield operand, _NAMED.get(name, "logits")


def _target(node: Apply, loss: catalogue.Loss) -> Role:
    if loss.name in ("cosine_embedding_loss", "margin_ranking_loss"):
        return "signs"
    if loss.name == "ctc_loss":
        return "sequences"
    if loss.name == "kl_div" and node.literal("log_target") is True:
        return "log_probabilities"
    return _TARGETS[loss.target]


def _effect(name: str) -> str:
    try:
        return catalogue.operation(name).effect
    except KeyError:
        return {"len": "size"}.get(name, "other")


def labels(roles: Roles) -> dict[Input, str]:
    """A name for each input: its role in the reader's words, numbered where several share it."""
    found: dict[Input, str] = {}
    for one in roles.inputs:
        role = roles.role(one)
        if role in _UNNAMED:
            continue
        word = "loss" if roles.is_unknown_loss(one) else _WORDS.get(role, role)
        if one.side == "target" and role in ("logits", "log_probabilities", "probabilities"):
            word = "target"
        count = sum(1 for label in found.values() if label.split(" ")[0] == word)
        found[one] = word if not count else f"{word} {count + 1}"
    return found


_UNNAMED = frozenset(
    {"count", "factor", "offset", "exponent", "tensor", "zeros", "input_lengths", "target_lengths"}
)
_WORDS: dict[str, str] = {
    "indices": "target",
    "like": "target",
    "units": "target",
    "signs": "target",
    "sequences": "target",
    "distribution": "target",
    "log_probabilities": "log-probabilities",
    "class_weight": "class weight",
    "positive": "weight",
}

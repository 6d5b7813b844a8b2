"""transformers' models: the loss that a model computes itself of the labels that it is given."""

from __future__ import annotations

from loss_lint.catalogue.pretrained import ADAPTERS, is_token_model
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    Alternatives,
    Argument,
    External,
    Leaf,
    Object,
    Op,
    Site,
    Value,
    const,
)
from loss_lint.symbolic.guards import literal_of, strip
from loss_lint.symbolic.heap import Item, Record
from loss_lint.symbolic.unknown import unknown_call
from loss_lint.symbolic.walk import keeps_numbers

Arguments = tuple[Argument, ...]


def output(callee: Value, arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """What a model of tokens returns for `labels`, with the mean of its loss in it; None for any other call.

    A model that is told how many targets all micro-batches have divides the sum by that number instead.
    """
    if not _is_token_model(callee):
        return None
    given = _by_keyword(arguments, act)
    if "labels" not in given or "num_items_in_batch" in given:
        return None
    made = unknown_call(callee, arguments, site)
    loss = act.machine.python_op("model_loss", (made, given["labels"]), site, act)
    items = (Item(const("loss"), loss, NO_GUARDS), Item(const(0), loss, NO_GUARDS))
    act.state.heap.set(made.content, Record({"loss": loss}, items, open=True))
    return made


def _is_token_model(value: Value) -> bool:
    plain = strip(value)
    match plain:
        case Op(operands=(moved, *_)) if keeps_numbers(plain):
            return _is_token_model(moved)
        case Object(cls=External(name=name)):
            return is_token_model(name)
        case Leaf(role="call", name=name, operands=(_, adapted, *_)) if name in ADAPTERS:
            return _is_token_model(adapted)
        case Leaf(role="call", name=name):
            return is_token_model(name)
        case _:
            return False


def _by_keyword(arguments: Arguments, act: Activation) -> dict[str, Value]:
    """The arguments by keyword, also what may be in dicts that are unpacked."""
    given: dict[str, Value] = {}
    for argument in arguments:
        if argument.keyword == "**":
            given |= _entries(argument.value, act)
        elif argument.keyword not in (None, "*"):
            given[argument.keyword] = argument.value
    return given


def _entries(unpacked: Value, act: Activation) -> dict[str, Value]:
    plain = strip(unpacked)
    if isinstance(plain, Alternatives):
        return {key: value for _, branch in plain.branches for key, value in _entries(branch, act).items()}
    record = act.state.heap.get(plain.content)
    keyed = [
        (literal_of(item.key), item.value)
        for item in (record.items if record is not None else ())
        if item.key
    ]
    return {str(key.value): value for key, value in keyed if key is not None}

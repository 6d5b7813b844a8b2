"""transformers' model outputs: fields that are read by name, by key, and by position without those that are None."""

from __future__ import annotations

from loss_lint.symbolic import sequences
from loss_lint.symbolic.activation import Activation, atom
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    NONE,
    Alternatives,
    Argument,
    Const,
    Object,
    Op,
    Site,
    Value,
    const,
    external,
    fresh_content,
    tuple_of,
)
from loss_lint.symbolic.guards import compatible, strip, truth
from loss_lint.symbolic.heap import Item, Record

BASE = "transformers.ModelOutput"


def construct(name: str, arguments: tuple[Argument, ...], site: Site, act: Activation) -> Value | None:
    """`SequenceClassifierOutput(loss=loss, logits=logits)`: what is given by name, the loss first."""
    if not (name.startswith("transformers.") and name.endswith("Output")):
        return None
    if any(argument.keyword in (None, "*", "**") for argument in arguments):
        return None
    given = {str(argument.keyword): argument.value for argument in arguments}
    if "loss" in given:
        given = {"loss": given["loss"], **given}
    created = Object(external(BASE), site, fresh_content(), act.loops)
    act.state.heap.set(created.content, Record(given, entries(given, site, act)))
    return created


def entries(fields: dict[str, Value], site: Site, act: Activation) -> tuple[Item, ...]:
    """The fields that are not None, in their order; one that may be None is there where it is not."""
    return tuple(item for name, value in fields.items() for item in _entry(name, value, site, act))


def _entry(name: str, value: Value, site: Site, act: Activation) -> list[Item]:
    plain = strip(value)
    if isinstance(plain, Alternatives):
        there = [
            (guards, branch)
            for guards, branch in plain.branches
            if compatible(guards, act.state.guards) and strip(branch).content != NONE.content
        ]
        if len(there) == 1 and len(plain.branches) > 1:
            ((guards, branch),) = there
            return [Item(const(name), branch, guards)]
    missing = act.machine.identity(value, NONE, act, site)
    known = truth(missing)
    if known is True:
        return []
    return [Item(const(name), value, NO_GUARDS if known is False else atom(missing, False))]


def at(record: Record, key: Value, act: Activation) -> Value | None:
    """`output[0]`, `output[:2]`."""
    if isinstance(key, Const) and type(key.value) is int:
        return sequences.at(record.items, key.value, act)
    asked = sequences.bounds(key)
    items = sequences.under(record.items, act.state.guards)
    if asked is None or not all(map(sequences.is_single, items)):
        if not (
            isinstance(key, Op) and asked is not None and asked.start in (0, None) and asked.step is None
        ):
            return None
        first = [sequences.at(items, position, act) for position in range(max(asked.stop or 0, 0))]
        known = [value for value in first if value is not None]
        return tuple_of(tuple(known)) if known and len(known) == len(first) else None
    return tuple_of(tuple(item.value for item in items[asked]))


def to_tuple(record: Record, act: Activation) -> Value | None:
    items = sequences.under(record.items, act.state.guards)
    if not all(map(sequences.is_single, items)):
        return None
    return tuple_of(tuple(item.value for item in items))

"""Collators: what makes a batch of a list of samples, a project's function or one of transformers'."""

from __future__ import annotations

from loss_lint.catalogue.pretrained import Collator, collator
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import NO_GUARDS, TRUE, Argument, Leaf, Site, Value, const, leaf
from loss_lint.symbolic.guards import strip, truth
from loss_lint.symbolic.heap import Item

IGNORED = const(-100)


def collated(function: Value, sample: Value, site: Site, act: Activation) -> Value:
    """What a collate function makes of a list of samples like `sample`."""
    plain = strip(function)
    known = collator(plain.name) if isinstance(plain, Leaf) and plain.role == "call" else None
    if known is None:
        samples = column(sample, site, act)
        return act.machine.call(function, (Argument(None, samples, site),), site, act)
    assert isinstance(plain, Leaf)
    labels = _labels(known, plain, sample, site, act)
    columns = {"input_ids": _unknown("input_ids", sample, site), "labels": labels}
    items = tuple(Item(const(key), value, NO_GUARDS) for key, value in columns.items())
    return act.machine.new_object("builtins.dict", site, act, items, is_open=True)


def column(value: Value, site: Site, act: Activation) -> Value:
    """A list of any number of items like `value`."""
    repeated = leaf("repeated", "", site, (value,), "any number of items")
    return act.machine.new_object("builtins.list", site, act, (Item(None, repeated, NO_GUARDS),))


def _labels(known: Collator, made: Leaf, sample: Value, site: Site, act: Activation) -> Value:
    """The labels in a batch of the collator that the call `made` made."""
    given = {key: value for key, value in zip(made.keywords, made.operands[1:], strict=False) if key}
    if "**" in given:
        return _unknown("labels", sample, site)
    if known.padding:
        label = act.machine.item(sample, const("labels"), site, act)
        rows = act.machine.python_op("comprehension", (label, sample), site, act, (("kind", const("list")),))
        padding = (("padding_value", given.get(known.padding, IGNORED)),)
        return act.machine.python_op("pad_sequence", (rows,), site, act, padding)
    if truth(given.get(known.draws, TRUE)) is not True:
        return _unknown("labels", sample, site)  # padded, or blocks of one length
    tokens = act.machine.item(sample, const("input_ids"), site, act)
    drawn = leaf("unknown", "masked", site, reason="tokens that a collator draws")
    return act.machine.python_op("where", (drawn, tokens, IGNORED), site, act)


def _unknown(name: str, sample: Value, site: Site) -> Leaf:
    return leaf("element", name, site, (sample,), "what a collator makes of a column")

"""Batches: what a loader's collate function makes of a list of the data set's samples."""

from __future__ import annotations

from loss_lint.symbolic import objects
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.collators import collated
from loss_lint.symbolic.graph import (
    NONE,
    Argument,
    BoundMethod,
    Class,
    Leaf,
    Object,
    Op,
    Site,
    Value,
    fresh_content,
    tuple_of,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.loaders import TENSOR_DATASETS, Loader, loader_index


def batch(called: Value, loader: Loader, site: Site, act: Activation) -> Value:
    """One batch of the loader that `called` is."""
    if loader.collate is None and loader.open:
        return Leaf("element", "", (called,), site, fresh_content(), "an element of what is looped over")
    one = sample(loader.dataset, site, act, by_sample=loader.is_by_sample(act.machine))
    if loader.collate is None or strip(loader.collate) is NONE:
        return one
    return collated(loader.collate, one, site, act)


def _whole(dataset: Value) -> Value:
    """What a data set is a part of, whose samples are the whole's: one of `random_split(dataset, ..)`, a `Subset`."""
    while True:
        match strip(dataset):
            case Op(name="getitem", operands=(split,)):
                called = strip(split)
                if not (isinstance(called, Leaf) and called.name in _SPLITS and len(called.operands) > 1):
                    return dataset
                dataset = called.operands[1]
            case Leaf(role="call", name=name, operands=(_, whole, *_)) if name in _SUBSETS:
                dataset = whole
            case _:
                return dataset


_SPLITS = frozenset({"torch.utils.data.random_split", "torch.utils.data.dataset.random_split"})
_SUBSETS = frozenset({"torch.utils.data.Subset", "torch.utils.data.dataset.Subset"})


def sample(dataset: Value, site: Site, act: Activation, *, by_sample: bool = False) -> Value:
    """What a data set returns for an index: its tensors' rows, or what its `__getitem__` returns."""
    dataset = _whole(dataset)
    plain = strip(dataset)
    row = loader_index(dataset, site, by_sample=by_sample)
    match plain:
        case Leaf(role="call", name=name, operands=(_, *tensors)) if name in TENSOR_DATASETS:
            return tuple_of(tuple(act.machine.item(tensor, row, site, act) for tensor in tensors))
        case Object(cls=Class()):
            getter = objects.attribute(plain, "__getitem__", site, site, act)
            if isinstance(getter, BoundMethod):
                return act.machine.call(getter, (Argument(None, row, site),), site, act)
    return Leaf("element", "", (dataset,), site, fresh_content(), "an element of what is looped over")

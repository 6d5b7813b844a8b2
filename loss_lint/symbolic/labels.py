"""Labels that are known to be class indices: what a loop over one of torchvision's data sets gets as a target."""

from __future__ import annotations

from loss_lint.catalogue.datasets import BY_CLASS, TARGETS
from loss_lint.symbolic.graph import NONE, Alternatives, Leaf, Op, Value
from loss_lint.symbolic.guards import literal_of, strip

# The target is the second of a sample's two items.
_PLACES = (1, -1)


def is_class_index(op: Op) -> bool:
    """Whether `op` takes the labels, one integer for each sample, out of a batch of a known data set."""
    place = op.parameter("index") if op.name == "getitem" else None
    known = literal_of(place) if place is not None else None
    if known is None or known.value not in _PLACES or len(op.operands) != 1:
        return False
    batch = strip(op.operands[0])
    return (
        isinstance(batch, Leaf)
        and batch.role == "element"
        and len(batch.operands) == 1
        and not batch.name
        and _is_by_class(batch.operands[0])
    )


def _is_by_class(dataset: Value) -> bool:
    match strip(dataset):
        case Alternatives(branches=branches):
            return all(_is_by_class(branch) for _, branch in branches)
        case Leaf(role="call", name=name, operands=(_, *arguments), keywords=keywords) if name in BY_CLASS:
            if sum(keyword is None for keyword in keywords) > BY_CLASS[name] or {"*", "**"} & {*keywords}:
                return False
            return all(
                keyword not in TARGETS or strip(argument).content == NONE.content
                for keyword, argument in zip(keywords, arguments, strict=False)
            )
        case _:
            return False

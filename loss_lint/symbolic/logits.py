"""Raw logits: numbers of which it is known that nothing has been applied to them since a layer with weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loss_lint.symbolic.graph import Guards, Op, Value
from loss_lint.symbolic.walk import View, Walk, effect, inside, origins

_LAYERS = frozenset(
    {"linear", "bilinear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}
)  # fmt: skip
# What makes no probabilities of what it averages, scales up or drops, whatever the numbers are; `comprehension` makes a
# list of tensors.
_PASSING = frozenset(
    {"interpolate", "upsample_bilinear", "upsample_nearest", "pixel_shuffle", "batch_norm", "dropout", "dropout1d",
     "dropout2d", "dropout3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d",
     "adaptive_avg_pool2d", "adaptive_avg_pool3d", "mean",
     "comprehension"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Logits:
    """One reading of a value as raw logits: the `layer` that made them."""

    layer: Op
    view: View


def raw_logits(value: Value, guards: Guards) -> Iterator[Logits]:
    """The readings of `value` that a trained layer ends, with only moves, averages and sums of such behind it."""
    walk = Walk()
    for view in origins(value, guards, walk):
        yield from _raw(view, walk)


def _raw(view: View, walk: Walk) -> Iterator[Logits]:
    node = view.node
    if not isinstance(node, Op):
        return
    # A function's weights may be anything, such as the rows of a transition matrix.
    if node.name in _LAYERS and node.made is not None:
        yield Logits(node, view)
    elif node.name in _PASSING and not _is_scalar(node):
        for inner in inside(view, node.operands[0], walk):
            yield from _raw(inner, walk)
    elif (node.name == "add" or effect(node) == "combine") and node.operands:
        terms = [
            [raw for inner in inside(view, part, walk) for raw in _raw(inner, walk)] for part in node.operands
        ]
        if all(terms):
            yield terms[0][0]


def _is_scalar(op: Op) -> bool:
    return op.name == "mean" and op.parameter("dim") is None

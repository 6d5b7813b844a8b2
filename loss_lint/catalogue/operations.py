"""All operations that the evaluator knows, from the files that hold them by effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.catalogue.activations import ACTIVATIONS
from loss_lint.catalogue.arithmetic import ARITHMETIC
from loss_lint.catalogue.creation import CREATION
from loss_lint.catalogue.layers import LAYERS
from loss_lint.catalogue.losses import LOSS_OPERATIONS
from loss_lint.catalogue.pooling import POOLING
from loss_lint.catalogue.reductions import REDUCTIONS
from loss_lint.catalogue.shapes import SHAPES

if TYPE_CHECKING:
    from loss_lint.catalogue.operation import Operation

OPERATIONS: tuple[Operation, ...] = (
    *ACTIVATIONS,
    *SHAPES,
    *ARITHMETIC,
    *REDUCTIONS,
    *CREATION,
    *LAYERS,
    *POOLING,
    *LOSS_OPERATIONS,
)

# Attributes of a tensor that are an operation without a call. `data` cuts the graph as `detach` does.
PROPERTIES: dict[str, str] = {"T": "t", "mT": "mt", "data": "detach", "shape": "size", "ndim": "dim"}

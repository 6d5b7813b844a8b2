"""Which operation made a tensor, as its graph tells: views, casts and copies are looked through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_MAX_STEPS = 24

# Nodes of the autograd graph that leave the numbers of rows as they are.
_KEEPING = frozenset(
    {"View", "UnsafeView", "ReshapeAlias", "Squeeze", "Unsqueeze", "Transpose", "Permute", "T", "Clone", "ToCopy",
     "Alias", "Slice", "Index", "Contiguous", "Movedim", "AsStrided", "Copy", "Expand", "Unbind", "Split"}
)  # fmt: skip

KINDS: dict[str, str] = {
    "Softmax": "softmax",
    "LogSoftmax": "log_softmax",
    "Sigmoid": "sigmoid",
    "Addmm": "linear",
    "Mm": "linear",
    "Linear": "linear",
    "Convolution": "conv",
    "Log": "log",
    "Div": "div",
    "Mul": "mul",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """The operation that made a tensor: its kind, the dimension that it normalizes (from the left) and its rank."""

    kind: str
    dim: int | None = None
    rank: int | None = None
    is_direct: bool = True


def origin_of(tensor: torch.Tensor) -> Origin | None:
    """The nearest operation behind `tensor` that changes numbers; None where there is no graph to tell."""
    node: Any = tensor.grad_fn
    direct = True
    for _ in range(_MAX_STEPS):
        if node is None:
            return None
        name = node.name().rstrip("0123456789").removesuffix("Backward")
        if name not in _KEEPING:
            return _described(name, node, direct=direct)
        direct = direct and name in ("ToCopy", "Clone", "Alias")
        behind = [before for before, _ in node.next_functions if before is not None]
        node = behind[0] if len(behind) == 1 else None
    return None


def _described(name: str, node: Any, *, direct: bool) -> Origin:
    kind = KINDS.get(name, name)
    if kind not in ("softmax", "log_softmax"):
        return Origin(kind, is_direct=direct)
    try:
        rank = node._saved_result.dim()  # noqa: SLF001 - what autograd documents of its nodes
        dim = node._saved_dim  # noqa: SLF001
    except (AttributeError, RuntimeError):  # freed, or another version of torch
        return Origin(kind, is_direct=direct)
    # Negative dims are kept as unsigned numbers.
    dim = dim - (1 << 64) if dim >= 1 << 63 else dim
    return Origin(kind, dim % rank if rank else 0, rank, direct)

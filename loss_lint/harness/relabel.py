"""Another numbering of the classes: the same labels as another process, split or map would number them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from loss_lint.harness.plan import ONE_BASED, PERMUTED, REFITTED
from loss_lint.harness.values import Values


def targets(values: Values, how: str) -> Values:
    """The same inputs with the class indices of the target numbered in that other way."""
    renumber = _WAYS[how]
    tensors = {
        one: renumber(tensor, values.sizes.classes) if values.roles.role(one) == "indices" else tensor
        for one, tensor in values.tensors.items()
    }
    return replace(values, tensors=tensors)


def _permuted(indices: torch.Tensor, classes: int) -> torch.Tensor:
    return (indices + 1) % max(classes, 2)


def _refitted(indices: torch.Tensor, _: int) -> torch.Tensor:
    """As numbered among the classes that occur when the first one does not."""
    return (indices - 1).clamp_min(0)


def _one_based(indices: torch.Tensor, _: int) -> torch.Tensor:
    return indices + 1


_WAYS: dict[str, Callable[[torch.Tensor, int], torch.Tensor]] = {
    PERMUTED: _permuted,
    REFITTED: _refitted,
    ONE_BASED: _one_based,
}

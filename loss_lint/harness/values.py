"""Tensors for inputs: random, but the same on every run and for every expression that has the input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from loss_lint.harness.expression import Input
from loss_lint.harness.layouts import SEQUENCE, Layout, Shape, Sizes
from loss_lint.harness.parameters import CLASSES, SAMPLES
from loss_lint.harness.roles import Role, Roles

# Every input has its own stream of random numbers, so that one more input changes no other.
_STRIDE = 7919


@dataclass(slots=True)
class Values:
    """What the inputs are in one run: `tensors` by input, `logits` those that gradients are taken of.

    `batch` gives the inputs of a further iteration of a loop over batches.
    """

    roles: Roles
    sizes: Sizes
    tensors: dict[Input, Any] = field(default_factory=dict)
    logits: list[torch.Tensor] = field(default_factory=list)
    batch: Callable[[int], Values] | None = None

    def value(self, found: Input) -> Any:
        if found.content == CLASSES.content:
            return self.sizes.classes
        if found.content == SAMPLES.content:
            return self.sizes.samples
        return self.tensors[self.roles.same(found)]


def draw(
    roles: Roles, layout: Layout, given: Sizes, shapes: dict[Input, Shape], seed: int, scale: float = 1.0
) -> Values:
    """All inputs for one run; logits are multiplied by `scale`."""
    values = Values(roles, given)
    values.batch = lambda number: draw(roles, layout, given, shapes, seed + 100 * number, scale)
    for index, one in enumerate(roles.inputs):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + index * _STRIDE)
        role = roles.role(one)
        if roles.is_differentiable(one):
            raw = torch.randn(shapes[one], generator=generator) * scale
            raw.requires_grad_()
            values.logits.append(raw)
        else:
            raw = torch.randn(shapes[one], generator=generator)
        values.tensors[one] = as_role(role, raw, generator, one, layout, given)
        if role == "units" and roles.is_integer(one):
            values.tensors[one] = values.tensors[one].long()
    return values


def as_role(
    role: Role, raw: torch.Tensor, generator: torch.Generator, one: Input, layout: Layout, given: Sizes
) -> Any:
    """What an input of a role is, made of real numbers in its shape."""
    match role:
        case "logits" | "like":
            return raw
        case "probabilities":
            return raw.sigmoid()
        case "distribution":
            return raw.softmax(_axis(raw, layout))
        case "log_probabilities":
            return raw.log_softmax(_axis(raw, layout))
        case "indices" | "index":
            return _indices(raw, generator, one.size or given.classes)
        case "sequences":
            return torch.randint(1, max(given.classes, 2), raw.shape, generator=generator)
        case "input_lengths":
            return torch.full(raw.shape, given.samples)
        case "target_lengths":
            return torch.full(raw.shape, SEQUENCE)
        case "units" | "mask":
            return _alternating(raw, generator)
        case "signs":
            return _alternating(raw, generator) * 2 - 1
        case "positive" | "class_weight":
            return raw.abs() + 0.1
        case "zeros":
            return torch.zeros(raw.shape)
        case "count":
            return given.samples
        case "factor":
            return 0.7
        case "exponent":
            return 2.0
        case "offset":
            return raw.abs()
        case "tensor":
            return raw


def _axis(raw: torch.Tensor, layout: Layout) -> int:
    return layout.axis if layout.axis is not None and layout.axis < raw.dim() else max(raw.dim() - 1, 0)


def _indices(raw: torch.Tensor, generator: torch.Generator, classes: int) -> torch.Tensor:
    """Class indices among which the last class is certain to be."""
    indices = torch.randint(0, max(classes, 1), raw.shape, generator=generator)
    if indices.numel() > 1:
        indices.view(-1)[0] = max(classes, 1) - 1
    return indices


def _alternating(raw: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Zeros and ones, both of which occur."""
    ones = torch.randint(0, 2, raw.shape, generator=generator).float()
    if ones.numel() > 1:
        ones.view(-1)[0], ones.view(-1)[-1] = 1.0, 0.0
    return ones

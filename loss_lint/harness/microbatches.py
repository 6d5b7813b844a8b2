"""A batch cut into micro-batches that count unequal numbers of elements, as gradient accumulation meets them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from loss_lint.harness.expression import BATCHES, Apply, Input, Literal, Node, walk
from loss_lint.harness.layouts import Layout, Shape, Sizes
from loss_lint.harness.roles import Roles
from loss_lint.harness.values import Values, draw

if TYPE_CHECKING:
    from loss_lint.harness.measure import Setting

# What torch leaves out of a mean unless told otherwise.
IGNORED = -100


def whole(
    roles: Roles, layout: Layout, given: Sizes, shapes: dict[Input, Shape], seed: int, root: Node
) -> Values:
    """Inputs for all micro-batches at once; without class weights, of the first one's targets most are ignored."""
    large = replace(given, samples=given.samples * BATCHES)
    stretched = {one: _stretched(shape, given) for one, shape in shapes.items()}
    wide = Layout(_stretched(layout.shape, given), layout.axis)
    values = draw(roles, wide, large, stretched, seed)
    for one, tensor in values.tensors.items():
        if roles.role(one) == "indices" and not _is_weighted(root):
            values.tensors[one] = _partly_ignored(tensor, given.samples, _ignored_index(root))
    return values


def larger(setting: Setting) -> Setting:
    """The same with a batch that is as large as several."""
    given = setting.given
    return replace(
        setting,
        layout=Layout(_stretched(setting.layout.shape, given), setting.layout.axis),
        given=replace(given, samples=given.samples * BATCHES),
        shapes={one: _stretched(shape, given) for one, shape in setting.shapes.items()},
    )


def parts(values: Values, given: Sizes) -> list[Values]:
    """The same inputs by micro-batch; gradients of the parts are gradients of the whole."""
    return [
        replace(
            values,
            sizes=given,
            tensors={one: _part(value, number, given) for one, value in values.tensors.items()},
        )
        for number in range(BATCHES)
    ]


def partly_ignored(values: Values, root: Node) -> Values:
    """The same inputs with some of the class indices ignored."""
    tensors = {
        one: _partly_ignored(tensor, max(len(tensor) // 2, 1), _ignored_index(root))
        if values.roles.role(one) == "indices" and tensor.dim()
        else tensor
        for one, tensor in values.tensors.items()
    }
    return replace(values, tensors=tensors)


def _stretched(shape: Shape, given: Sizes) -> Shape:
    return (shape[0] * BATCHES, *shape[1:]) if shape and shape[0] == given.samples else shape


def _part(value: object, number: int, given: Sizes) -> object:
    if isinstance(value, torch.Tensor) and value.dim() and value.shape[0] == given.samples * BATCHES:
        return value[number * given.samples : (number + 1) * given.samples]
    return given.samples if isinstance(value, int) else value


def _partly_ignored(indices: torch.Tensor, samples: int, ignored: int) -> torch.Tensor:
    """Of the first `samples` rows all but one are ignored, of the others none."""
    changed = indices.clone()
    changed[1:samples] = ignored
    return changed


def _is_weighted(root: Node) -> bool:
    """Whether class weights make the counts unequal by themselves."""
    weights = [node.parameter("weight") for node in walk(root) if isinstance(node, Apply)]
    return any(not isinstance(weight, Literal | None) for weight in weights)


def _ignored_index(root: Node) -> int:
    for node in walk(root):
        known = node.literal("ignore_index") if isinstance(node, Apply) else None
        if isinstance(known, int):
            return known
    return IGNORED

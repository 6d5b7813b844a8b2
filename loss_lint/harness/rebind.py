"""Gives a finding's expression the tensors that a program really passed to its loss.

What the loss was given is known, not what the operations before it were given: a softmax is undone by the logarithm,
a sigmoid by the logit, a one-hot by argmax. Where something else lies between, there is nothing to run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from loss_lint import catalogue
from loss_lint.harness.expression import Apply, Input, Node, inputs, walk
from loss_lint.harness.lowering import Unrunnable
from loss_lint.harness.parameters import CLASSES, SAMPLES
from loss_lint.harness.plan import Plan

_UNCHANGED = frozenset(
    {
        "log_softmax",
        "to",
        "to_float",
        "to_double",
        "to_long",
        "cpu",
        "cuda",
        "detach",
        "clone",
        "contiguous",
        "identity",
    }
)


def rebound(
    plan: Plan, given: torch.Tensor, target: torch.Tensor, parameters: Mapping[str, Any]
) -> tuple[dict[Input, Any], list[torch.Tensor]]:
    """The plan's inputs as the program had them, and those that gradients are taken of; Unrunnable if that fails."""
    loss = _loss(plan.flagged)
    if plan.how or loss is None or len(loss.operands) < 2:
        raise Unrunnable("what goes into the loss of the run is no part of it")
    found: dict[Input, Any] = {}
    logits = _assign(loss.operands[0], given, plan, found)
    logits.requires_grad_()
    _assign(loss.operands[1], target, plan, found)
    for name, node in loss.parameters:
        if isinstance(node, Input) and parameters.get(name) is not None:
            found[plan.roles.same(node)] = parameters[name]
    for one in inputs(plan.flagged, plan.fixed):
        known = plan.roles.same(one)
        if known not in found:
            found[known] = _number(one, plan, given)
        found[one] = found[known]
    return found, [logits]


def _loss(root: Node) -> Apply | None:
    losses = [
        node for node in walk(root) if isinstance(node, Apply) and catalogue.loss(node.name) is not None
    ]
    return losses[0] if len(losses) == 1 else None


def _assign(node: Node, value: torch.Tensor, plan: Plan, found: dict[Input, Any]) -> torch.Tensor:
    """Give the input at the bottom of `node` what makes `node` be `value`."""
    match node:
        case Input():
            made = found[plan.roles.same(node)] = value.detach().clone()
            return made
        case Apply(name=name, operands=(inner,)):
            return _assign(inner, _undone(node, name, value), plan, found)
        case _:
            raise Unrunnable("something else than the loss's own tensors goes into it")


def _undone(node: Apply, name: str, value: torch.Tensor) -> torch.Tensor:
    if name in _UNCHANGED:
        return value
    if name == "softmax":
        return value.clamp_min(torch.finfo(value.dtype).tiny).log()
    if name == "sigmoid":
        return value.logit(eps=1e-7)
    if name == "one_hot":
        return value.argmax(dim=-1)
    raise Unrunnable(f"what {name} was given is not known")


def _number(one: Input, plan: Plan, given: torch.Tensor) -> Any:
    if one.content == SAMPLES.content or plan.roles.role(one) == "count":
        return given.shape[0] if given.dim() else 1
    if one.content == CLASSES.content:
        return given.shape[1 if given.dim() > 1 else 0]
    raise Unrunnable("not all that goes into it was seen")


def is_of(plan: Plan, name: str) -> bool:
    """Whether the loss of that name is the one that a plan computes."""
    loss = _loss(plan.flagged)
    return loss is not None and loss.name == name

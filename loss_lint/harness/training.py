"""A small real training run of a rule's own example, as flagged and as fixed: what the difference comes to.

The data are the handwritten digits that ship with scikit-learn. Both runs have the same network, the same data, the
same seed and the same steps; they differ in the expression that computes the loss, which is the rule's example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from loss_lint.findings import Finding
from loss_lint.harness import microbatches, relabel
from loss_lint.harness.execute import run, settled
from loss_lint.harness.expression import Input, Node
from loss_lint.harness.layouts import Layout, Sizes, class_count
from loss_lint.harness.lowering import Unrunnable
from loss_lint.harness.measure import VERSION, Setting, settings
from loss_lint.harness.plan import ONE_BASED, PARTLY_IGNORED, RELABELLED, Plan, plans
from loss_lint.harness.values import Values, as_role

SEED = 0
STEPS = 600
BATCH = 32
LEARNING_RATE = 0.1
HIDDEN = 32
LOOK_EVERY = 10
DIGITS = 10
_HELD_OUT = 360


class Untrainable(Exception):
    """Nothing can be trained with a rule's example, for the reason given."""


@dataclass(frozen=True, slots=True)
class Course:
    """One run: the loss of each step, the share of held-out images that were right by step, and torch's error."""

    losses: tuple[float, ...]
    accuracy: tuple[tuple[int, float], ...]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Training:
    """Two runs that differ in their loss alone."""

    flagged: Course
    fixed: Course
    setting: str


@dataclass(frozen=True, slots=True)
class _Data:
    """Images and the digits on them; the last ones are held out."""

    images: torch.Tensor
    digits: torch.Tensor

    @property
    def seen(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.images[:-_HELD_OUT], self.digits[:-_HELD_OUT]

    @property
    def held_out(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.images[-_HELD_OUT:], self.digits[-_HELD_OUT:]


def trained(finding: Finding, steps: int = STEPS) -> Training:
    """Two runs of a finding's expression, as flagged and as fixed; raises Untrainable where there is none."""
    with settled():
        setting = _setting(finding)
        data = _data(setting.given.classes)
        flagged, fixed = setting.plan.flagged, setting.plan.fixed
        return Training(
            _course(setting, flagged, data, steps),
            _course(setting, fixed, data, steps),
            f"scikit-learn's digits, {_task(setting)} ({len(data.seen[0])} images to train on, {_HELD_OUT} held out), "
            f"a network of 64-{HIDDEN}-{setting.given.classes} units, SGD with learning rate {LEARNING_RATE} "
            f"in batches of {BATCH}, torch {VERSION}",
        )


def _setting(finding: Finding) -> Setting:
    """The expressions with shapes on which both run for a batch of digits."""
    if finding.witness is None:
        raise Untrainable("there is no expression to run")
    if not {"value", "gradient", "value+gradient", "raises", "unstable", "none", "no-gradient"} & {
        *finding.claim
    }:
        raise Untrainable(f"it claims {' or '.join(finding.claim)}, which changes nothing that is learned")
    reason = "its example is no loss of one network's outputs for a batch of digits"
    raised: Setting | None = None
    try:
        for plan in plans(finding.witness):
            for setting in _fitting(plan):
                if run(plan.flagged, setting.values(SEED)).error is None:
                    return setting
                raised = raised or setting
    except Unrunnable as error:
        reason = str(error)
    if raised is None or "raises" not in finding.claim:
        raise Untrainable(reason)
    return raised


def _fitting(plan: Plan) -> Iterator[Setting]:
    outputs = [one for one in plan.roles.inputs if plan.roles.is_differentiable(one)]
    classes = class_count(plan.fixed, plan.flagged) or DIGITS
    known = ("", ONE_BASED, PARTLY_IGNORED, *RELABELLED)
    if len(outputs) != 1 or classes > DIGITS or plan.how not in known:
        return
    given = Sizes(samples=BATCH, classes=classes)
    yield from settings(plan, given, [Layout((BATCH, classes), 1)])


def _digits() -> tuple[torch.Tensor, torch.Tensor]:
    """Images between 0 and 1, one a row, and the digits on them."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return torch.tensor(bunch.data / 16, dtype=torch.float32), torch.tensor(bunch.target).long()


def _data(classes: int) -> _Data:
    """The digits in an order that is always the same; the first ones alone where there are fewer classes."""
    images, digits = _digits()
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(SEED))
    if 1 < classes < DIGITS:
        order = order[digits[order] < classes]
    return _Data(images[order], digits[order])


def _course(setting: Setting, root: Node, data: _Data, steps: int) -> Course:
    torch.manual_seed(SEED)
    network = nn.Sequential(nn.Linear(64, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, setting.given.classes))
    optimizer = torch.optim.SGD(network.parameters(), LEARNING_RATE)
    is_right = _judge(setting)
    losses: list[float] = []
    accuracy = [(0, _accuracy(network, data, is_right))]
    for step, (images, digits) in zip(range(1, steps + 1), _batches(data), strict=False):
        outputs = network(images)
        one = run(root, _values(setting, root, outputs, digits, step))
        if one.error is not None or one.loss is None:
            return Course(tuple(losses), tuple(accuracy), one.error or "no number came out")
        optimizer.zero_grad()
        if one.gradients and one.gradients[0] is not None:
            outputs.backward(one.gradients[0])
        optimizer.step()
        losses.append(one.loss)
        if step % LOOK_EVERY == 0:
            accuracy.append((step, _accuracy(network, data, is_right)))
    return Course(tuple(losses), tuple(accuracy))


def _batches(data: _Data) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Whole batches, all images once before one comes again."""
    generator = torch.Generator().manual_seed(SEED)
    images, digits = data.seen
    while True:
        order = torch.randperm(len(digits), generator=generator)
        for first in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[first : first + BATCH]
            yield images[chosen], digits[chosen]


def _values(setting: Setting, root: Node, outputs: torch.Tensor, digits: torch.Tensor, step: int) -> Values:
    """The inputs of one step: the network's outputs, the labels, and what else there is drawn anew."""
    plan = setting.plan
    values = setting.values(SEED + step)
    tensors = dict(values.tensors)
    for one, drawn in values.tensors.items():
        role = plan.roles.role(one)
        if plan.roles.is_differentiable(one):
            tensors[one] = as_role(role, outputs, torch.Generator(), one, setting.layout, setting.given)
        else:
            tensors[one] = _labels(setting, one, drawn, digits)
    bound = replace(values, tensors=tensors, logits=[outputs])
    if plan.how == PARTLY_IGNORED:
        return microbatches.partly_ignored(bound, plan.fixed)
    if plan.how == ONE_BASED or (plan.how in RELABELLED and root is plan.flagged):
        return relabel.targets(bound, plan.how)
    return bound


def _labels(setting: Setting, one: Input, drawn: Any, digits: torch.Tensor) -> Any:
    """What an input is that says which digits they are; what is none stays as it was drawn."""
    roles, classes = setting.plan.roles, setting.given.classes
    match roles.role(one):
        case "indices" | "index":
            return digits.reshape(drawn.shape) if drawn.numel() == len(digits) else drawn
        case "units" | "like" | "distribution":
            if drawn.numel() == len(digits):
                wanted = digits % 2 if roles.role(one) == "units" else digits / DIGITS
            elif drawn.numel() == len(digits) * classes:
                wanted = nn.functional.one_hot(digits, classes)
            else:
                return drawn
            return wanted.reshape(drawn.shape).to(drawn.dtype)
        case _:
            return drawn


def _task(setting: Setting) -> str:
    roles, classes = setting.plan.roles, setting.given.classes
    if classes > 1:
        return "one class each" if classes == DIGITS else f"those below {classes}"
    return "as numbers" if any(roles.role(one) == "like" for one in roles.inputs) else "odd or even"


_Judge = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def _judge(setting: Setting) -> _Judge:
    """Which outputs are right: the largest one by class; of a single one the digit's parity, or the digit itself."""
    if setting.given.classes > 1:
        return lambda outputs, digits: outputs.argmax(1) == digits
    if _task(setting) == "as numbers":
        return lambda outputs, digits: (outputs.reshape(-1) * DIGITS).round() == digits
    return lambda outputs, digits: (outputs.reshape(-1) > 0) == (digits % 2 == 1)


def _accuracy(network: nn.Module, data: _Data, is_right: _Judge) -> float:
    images, digits = data.held_out
    with torch.no_grad():
        return is_right(network(images), digits).double().mean().item()

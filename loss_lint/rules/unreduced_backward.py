"""# unreduced-backward (LOS106)

## What it does

Looks for `backward()` on a loss with `reduction="none"` that nothing has reduced, also where Lightning calls it, on
what `training_step` returns.

## Why is this bad?

`reduction="none"` gives one loss for each element. torch starts the way back from a single number only, and
raises: "grad can be implicitly created only for scalar outputs".

## Example

```python
import torch.nn as nn


def train(model, loader, optimizer):
    criterion = nn.CrossEntropyLoss(reduction="none")
    for images, labels in loader:
        loss = criterion(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
```

Use instead:

```python
import torch.nn as nn


def train(model, loader, optimizer):
    criterion = nn.CrossEntropyLoss(reduction="none")
    for images, labels in loader:
        loss = criterion(model(images), labels)
        optimizer.zero_grad()
        loss.mean().backward()
        optimizer.step()
```

## Not flagged

`backward(gradient)`, which says how the elements are weighed; a loss of which one element may be all there is (one
sample at a time, a number made into a tensor); a loss that is reduced under the condition at hand, or in a way
that is not known; what `training_step` returns where the module has a `training_step_end` or a `backward` of its own,
or trains by `manual_backward`; what frameworks average themselves (transformers' `Trainer`, Composer).

## Fix safety

The fix writes `.mean()` behind the loss that runs backward. Whether the mean or the sum was meant is for the author
to say: unsafe.

## References

- [torch.Tensor.backward](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html)
- [LightningModule.training_step](https://lightning.ai/docs/pytorch/stable/common/lightning_module.html#training-step)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.sentences import unreduced_backward
from loss_lint.rules.wording import at
from loss_lint.symbolic.edits import Wrap
from loss_lint.symbolic.facts import constant, reduction, shape
from loss_lint.symbolic.graph import Op, Value, fresh_content, may_hold_loss
from loss_lint.symbolic.root import BACKWARD, Root
from loss_lint.symbolic.single import may_be_one_element
from loss_lint.symbolic.walk import View, Walk, descend, effect

# What has an element for each element of its operands.
_ELEMENTWISE = frozenset(
    {"add", "sub", "mul", "div", "neg", "pow", "exp", "log", "sqrt", "square", "abs", "clamp"}
)
_KEEPING = frozenset({"to", "cpu", "cuda", "clone", "to_float", "to_double", "contiguous", "requires_grad_"})
# The arguments that weigh elements on the way back.
_GRADIENTS = ("gradient", "grad_tensors", "grad_variables")


def match(sink: Op, _: Root) -> Iterator[Match]:
    sink = _called_on_loss(sink)
    if sink.parameter("reduced") is not None:
        return
    if any(_is_given(sink.parameter(name), sink) for name in _GRADIENTS) or len(sink.operands) != 1:
        return
    if shape(sink.operands[0], sink.guards) != "tensor":
        return
    losses = [*_unreduced(View(sink.operands[0], sink.guards), Walk())]
    if not losses or any(may_be_one_element(loss) for loss in losses):
        return
    loss = losses[0]
    node = loss.node
    assert isinstance(node, Op)
    yield Match(
        sink=sink,
        message=unreduced_backward(
            f"{node.name} at {at(node.site, sink.site)}",
            "Lightning calls backward() on what is returned, which"
            if sink.name == "framework_backward"
            else "backward()",
        ),
        claim=("raises",),
        guards=loss.guards,
        spine=(sink, *loss.chain, node),
        edits=(Wrap(sink, 0, "mean"),),
        passes=loss.passes,
        steps=((node.site, f"{node.name} gives one loss for each element"),),
        fix_message="Take the mean",
    )


def _called_on_loss(sink: Op) -> Op:
    """`accelerator.backward(loss)`, which looks like a tensor's `backward(gradient)`, as `loss.backward()`."""
    given = sink.parameter("gradient")
    if (
        sink.name != "backward"
        or given is None
        or may_hold_loss(sink.operands[0])
        or not may_hold_loss(given)
    ):
        return sink
    return replace(sink, operands=(given,), parameters=(), slots=(None,), content=fresh_content())


def _is_given(value: Value | None, sink: Op) -> bool:
    return value is not None and constant(value, sink.guards) is not None


def _unreduced(view: View, walk: Walk) -> Iterator[View]:
    """The losses by element that a value is computed from, element by element."""
    for seen in descend(view, walk, _KEEPING):
        node = seen.node
        if not isinstance(node, Op):
            continue
        if effect(node) == "loss":
            if reduction(node, seen.guards) == "none":
                yield seen
        elif node.name in _ELEMENTWISE:
            for operand in node.operands:
                yield from _unreduced(seen.below(node, operand), walk)


RULE = Rule(
    code="LOS106",
    name="unreduced-backward",
    summary="`backward()` on a loss by element that nothing has reduced",
    claim=("raises",),
    fix="unsafe",
    sinks=BACKWARD,
    match=match,
)

"""# non-differentiable-input (LOS213)

## What it does

Looks for a loss that is trained on although no gradient can go through it: between the model and the loss stands an
`argmax`, a comparison, a cast to integers, `.item()`, `.detach()`, `torch.no_grad()`, or a rounding.

## Why is this bad?

Such results have no gradient, and those of `round` and `floor` have one that is zero everywhere. Alone, the loss
raises "element 0 of tensors does not require grad" in `backward()`. As one term of a sum it is worse: the sum has
the gradient of the other terms, everything runs, and the term that is logged and weighed changes nothing at all.

## Example

```python
import torch.nn.functional as F


def train(model, loader, optimizer):
    for images, counts in loader:
        predicted = model(images).argmax(dim=1)
        loss = F.mse_loss(predicted.float(), counts)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
```

Use instead:

```python
import torch.nn.functional as F


def train(model, loader, optimizer):
    for images, labels in loader:
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
```

## Not flagged

Detached targets, teachers and pseudo-labels: the other operand can be trained. Straight-through estimators
(`hard + soft - soft.detach()`). A frozen backbone under a head that is trained, a discriminator on
`fake.detach()`. Losses that are only logged or validated with, or that weigh what is trained. Operands of which it
is not known whether they can be trained.

## Fix safety

There is no fix: what a differentiable loss of the same meaning is, only the author knows.
"""

from collections.abc import Iterator
from dataclasses import replace

from loss_lint import catalogue
from loss_lint.findings import Verdict
from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at
from loss_lint.symbolic.edits import Bypass
from loss_lint.symbolic.gradients import gradients_read
from loss_lint.symbolic.graph import TRUE, Leaf, Op, Value, fresh_content
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.trainable import STEPS, Reading, is_trained_as_a_term, readings
from loss_lint.symbolic.walk import View, Walk, effect

_OF_LOGITS = frozenset(
    {"cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"}
)
_WORDS = {
    "eq": "a comparison",
    "ne": "a comparison",
    "lt": "a comparison",
    "le": "a comparison",
    "gt": "a comparison",
    "ge": "a comparison",
    "getitem": "taking the places of the largest values",
}


def match(sink: Op, root: Root) -> Iterator[Match]:
    if not sink.grad or not root.is_trained_on(sink):
        return
    cut: Reading | None = None
    for slot, operand in enumerate(sink.operands):
        walk = Walk()
        found = list(readings(View(operand, sink.guards, chain=(sink,)), walk))
        if walk.exhausted or not found or any(one.state == "alive" for one in found):
            return
        if slot == 0:
            cut = found[0] if all(_is_lost(one, sink, root) for one in found) else None
        elif any(one.state == "cut_and_required" for one in found):
            return
    required = is_trained_as_a_term(sink, root) if cut is not None else None
    if cut is not None and required is not None:
        yield _match(sink, cut.view, is_required=cut.state == "cut_and_required", loss_is=required)


def _is_lost(reading: Reading, sink: Op, root: Root) -> bool:
    """Whether nothing is trained: a cut value that is made to require a gradient might be what is optimized.

    Logits, which are compared with labels, are none, unless the program hands their gradient on itself.
    """
    if reading.state == "cut_and_required":
        read = {given.content for given in gradients_read(root)}
        return sink.name in _OF_LOGITS and all(op.content not in read for op in reading.view.chain)
    return reading.state == "cut"


def _match(sink: Op, view: View, *, is_required: bool, loss_is: bool) -> Match:
    node = view.node
    assert isinstance(node, Op | Leaf)
    site = node.site or sink.site
    without = isinstance(node, Leaf) or effect(node) == "layer"
    if without:
        reason = f"what it gets is computed under no_grad at {at(site, sink.site)}"
    else:
        assert isinstance(node, Op)
        reason = f"{_WORDS.get(node.name, node.name)} at {at(site, sink.site)} has no gradient"
    is_step = isinstance(node, Op) and node.name in STEPS
    if is_step:
        assert isinstance(node, Op)
        reason = f"the gradient of {node.name} at {at(site, sink.site)} is zero everywhere"
    claim: tuple[Verdict, ...] = ("raises",)
    outcome = " On its own its backward() raises; as a term of a sum it adds no gradient."
    detached = _made("detach", _before(node), (), sink)
    ends: tuple[Op, ...] = (detached,)
    if is_required:
        claim = ("no-gradient",)
        outcome = " Requiring a gradient again behind the cut gives the model none."
        ends = (_made("requires_grad_", detached, (("mode", TRUE),), sink), detached)
    elif isinstance(node, Op) and is_step:
        claim, outcome, ends = ("gradient", "value+gradient"), "", (node,)
    root = sink if is_step else replace(sink, operands=(ends[0], *sink.operands[1:]), content=fresh_content())
    if loss_is and not is_step:
        claim, outcome = (
            ("no-gradient",),
            " Making the loss require a gradient hides the error and gives the model none.",
        )
        ends = (root, *ends)
        root = _made("requires_grad_", root, (("mode", TRUE),), sink)
    return Match(
        sink=sink,
        message=(
            f"Nothing is trained by {sink.name}: {reason}.{outcome} Compute the loss of the model's own output."
        ),
        claim=claim,
        guards=view.guards,
        spine=(root, *(view.chain[1:] if is_step else ()), *ends),
        edits=tuple(Bypass(op) for op in (root, *ends) if op.name != sink.name),
        passes=view.passes,
        steps=((site, "no gradient from here on"), (sink.site, f"{sink.name} is trained on")),
    )


def _before(cut: Op | Leaf) -> Value:
    """What was cut, in its shape. A detached copy of it stands for any cut: it has the error of all of them."""
    if isinstance(cut, Leaf) or not cut.operands or effect(cut) == "layer":
        return cut
    whole = strip(cut.operands[0])
    return whole.operands[0] if cut.name == "getitem" and isinstance(whole, Op) else cut.operands[0]


def _made(name: str, operand: Value, parameters: tuple[tuple[str, Value], ...], sink: Op) -> Op:
    return replace(
        sink,
        name=name,
        operands=(operand,),
        parameters=parameters,
        slots=(None,),
        spelled=("",),
        content=fresh_content(),
    )


RULE = Rule(
    code="LOS213",
    name="non-differentiable-input",
    summary="a loss that is trained on, of what no gradient goes through",
    claim=("raises", "no-gradient", "gradient", "value+gradient"),
    fix="none",
    sinks=frozenset(loss.name for loss in catalogue.LOSSES),
    match=match,
)

"""# focal-of-mean (LOS108)

## What it does

Looks for a focal loss that is computed of a loss which torch has averaged already: `1 - exp(-ce)`, to a power or
not, multiplied by the same `ce`, where `ce` is one number for the whole batch.

## Why is this bad?

The focal loss turns down the samples that are classified well, each by its own probability. Of the average there is
only one probability, the geometric mean of all: every sample is turned down by the same factor, hard ones as
much as easy ones. What remains is cross entropy with another learning rate. Weights by class suffer as well, since
the mean divides by their sum.

## Example

```python
import torch
import torch.nn.functional as F


def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels)
    pt = torch.exp(-ce)
    return (1 - pt) ** gamma * ce
```

Use instead:

```python
import torch
import torch.nn.functional as F


def focal_loss(logits, labels, gamma=2.0):
    ce = F.cross_entropy(logits, labels, reduction="none")
    pt = torch.exp(-ce)
    return ((1 - pt) ** gamma * ce).mean()
```

## Not flagged

Losses with `reduction="none"`, also where it is set later or by a legacy `reduce=False`; probabilities that are
gathered by label; one sample at a time; perplexities and weights that are learned (`exp(-s) * loss + s`); factors that
are detached, which weigh whole tasks; a reduction that is not known.

## Fix safety

The fix sets `reduction="none"`, where the product alone uses the loss and is averaged behind. It changes the loss,
which is the point: unsafe.
"""

from __future__ import annotations

from collections.abc import Iterator

from loss_lint.rules.match import CHANGES, Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at
from loss_lint.symbolic.edits import Bypass, GraphEdit, SetParameter, Wrap
from loss_lint.symbolic.focal import focal_of_mean
from loss_lint.symbolic.graph import Op, const
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.walk import effect


def match(sink: Op, root: Root) -> Iterator[Match]:
    focal = focal_of_mean(sink) if sink.grad else None
    if focal is None:
        return
    loss, first = focal.loss, focal.averaging[0]
    node = loss.node
    assert isinstance(node, Op)
    edits: list[GraphEdit] = [
        SetParameter(op, "reduction", const("none")) if effect(op) == "loss" else Bypass(op)
        for op in focal.averaging
    ]
    if not any(op.name in ("mean", "sum") for op in root.consumers(sink)):
        edits.append(Wrap(sink, 0, "identity", is_written=False))  # the mean behind it is for the author
    instead = 'Use reduction="none" and take' if first is node else "Take"
    yield Match(
        sink=sink,
        message=(
            f"{node.name} at {at(first.site, sink.site)} is an average already: this is the focal loss of the average, "
            "which turns all samples down alike, not the average of focal losses; loss and gradient change. "
            f"{instead} the mean of this product."
        ),
        claim=CHANGES,
        guards=loss.guards,
        spine=(sink, *loss.chain, node),
        edits=tuple(edits),
        passes=loss.passes,
        steps=((first.site, f"{node.name} is averaged over the batch"),),
        fix_message=f"{instead} the mean of the product",
    )


RULE = Rule(
    code="LOS108",
    name="focal-of-mean",
    summary="a focal loss computed of a loss that is an average already",
    claim=CHANGES,
    fix="unsafe",
    sinks=frozenset({"mul"}),
    match=match,
)

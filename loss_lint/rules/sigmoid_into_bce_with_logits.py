"""# sigmoid-into-bce-with-logits (LOS206)

## What it does

Looks for the output of a sigmoid or softmax that reaches a loss which applies the sigmoid itself:
`binary_cross_entropy_with_logits`, `multilabel_soft_margin_loss`, `soft_margin_loss`.

## Why is this bad?

The loss computes the sigmoid of a sigmoid. Its input lies between 0 and 1, so the probability that it
believes in lies between 0.5 and 0.73: no sample can ever be predicted as negative, and the gradient is a
fraction of what it should be.

## Example

```python
import torch
import torch.nn.functional as F


def step(logits, targets):
    return F.binary_cross_entropy_with_logits(torch.sigmoid(logits), targets)
```

Use instead:

```python
import torch
import torch.nn.functional as F


def step(logits, targets):
    return F.binary_cross_entropy_with_logits(logits, targets)
```

## Not flagged

A sigmoid before `binary_cross_entropy`, which wants probabilities; a sigmoid on the target's side.

## Fix safety

The fix removes the sigmoid from the loss's input. It changes the loss and its gradient, which is the point:
it is marked as unsafe.
"""

from collections.abc import Iterator

from loss_lint.rules.match import CHANGES, Match, too_much
from loss_lint.rules.rule import Rule
from loss_lint.rules.sentences import sigmoid_into_bce_with_logits
from loss_lint.rules.wording import at, origin, spelled
from loss_lint.symbolic.facts import meanings
from loss_lint.symbolic.graph import Op
from loss_lint.symbolic.root import Root


def match(sink: Op, root: Root) -> Iterator[Match]:
    for fact in meanings(sink.operands[0], sink.guards):
        if fact.meaning not in ("sigmoid", "probabilities"):
            continue
        name, place = spelled(fact.op), at(origin(fact.op), sink.site)
        message = sigmoid_into_bce_with_logits(sink.name, f"{name} at {place}")
        yield too_much(sink, fact, message, "probabilities")


RULE = Rule(
    code="LOS206",
    name="sigmoid-into-bce-with-logits",
    summary="sigmoid or softmax output fed to a loss that applies the sigmoid itself",
    claim=CHANGES,
    fix="unsafe",
    sinks=frozenset({"binary_cross_entropy_with_logits", "multilabel_soft_margin_loss", "soft_margin_loss"}),
    match=match,
)

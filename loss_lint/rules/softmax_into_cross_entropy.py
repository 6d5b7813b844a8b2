"""# softmax-into-cross-entropy (LOS201)

## What it does

Looks for probabilities, from a softmax or from `exp(a) / exp(a).sum(...)`, that reach the input of cross
entropy.

## Why is this bad?

Cross entropy applies log-softmax itself. Fed with probabilities it computes the softmax of a softmax: its
inputs lie between 0 and 1, so the loss cannot come near zero and its gradient shrinks to a fraction of what
it should be. Training still moves, only slowly, and ends at a worse place.

## Example

```python
import torch.nn.functional as F


def step(logits, labels):
    probabilities = F.softmax(logits, dim=1)
    return F.cross_entropy(probabilities, labels)
```

Use instead:

```python
import torch.nn.functional as F


def step(logits, labels):
    return F.cross_entropy(logits, labels)
```

## Not flagged

Probabilities as the *target* of cross entropy (distillation, soft labels); a softmax whose result only goes
to a metric; a softmax that is then scaled, mixed or otherwise computed with, since what that means is not
known.

## Fix safety

The fix removes the softmax, also in an earlier statement or in a model of another file, if all uses of what it
makes are known and want that or are as good without it (`argmax`); else the loss gets what the softmax was applied
to, where that still has a name. It changes the loss and its gradient, which is the point: it is marked as unsafe.

## References

- [torch.nn.CrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html)
"""

from collections.abc import Iterator

from loss_lint.rules.match import CHANGES, Match, too_much
from loss_lint.rules.rule import Rule
from loss_lint.rules.sentences import softmax_into_cross_entropy
from loss_lint.rules.wording import at, origin, spelled
from loss_lint.symbolic.facts import keeps_rows, meanings
from loss_lint.symbolic.graph import Op
from loss_lint.symbolic.root import Root


def match(sink: Op, root: Root) -> Iterator[Match]:
    for fact in meanings(sink.operands[0], sink.guards):
        if fact.meaning != "probabilities" or not keeps_rows(fact.view.chain):
            continue
        name, place = spelled(fact.op), at(origin(fact.op), sink.site)
        message = softmax_into_cross_entropy(f"{name} at {place}")
        yield too_much(sink, fact, message, "probabilities")


RULE = Rule(
    code="LOS201",
    name="softmax-into-cross-entropy",
    summary="probabilities fed to cross entropy",
    claim=CHANGES,
    fix="unsafe",
    sinks=frozenset({"cross_entropy"}),
    match=match,
)

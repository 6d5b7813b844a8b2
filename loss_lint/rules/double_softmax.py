"""# double-softmax (LOS210)

## What it does

Looks for a softmax or log-softmax of what a softmax over the same dimension has made already, on its way into a loss.

## Why is this bad?

The second softmax takes the probabilities for logits. These lie between 0 and 1, so what comes out is nearly
uniform: of ten classes none gets more than 0.23. The loss cannot come near zero, its gradient shrinks, and as a
target such a distribution teaches next to nothing.

## Example

```python
import torch.nn as nn
import torch.nn.functional as F

net = nn.Sequential(nn.Linear(784, 10), nn.Softmax(dim=1))


def step(x, labels):
    return F.nll_loss(F.log_softmax(net(x), dim=1), labels)
```

Use instead:

```python
import torch.nn as nn
import torch.nn.functional as F

net = nn.Sequential(nn.Linear(784, 10))


def step(x, labels):
    return F.nll_loss(F.log_softmax(net(x), dim=1), labels)
```

## Not flagged

Softmaxes over two dimensions, one after the other; a temperature or other arithmetic between them; a softmax of those
probabilities that were picked out (the gates of the best experts); attention and what else no loss takes as a
distribution; a first softmax that a setting turns on or off. Probabilities into cross entropy, which applies its
log-softmax itself, are softmax-into-cross-entropy (LOS201).

## Fix safety

The fix removes the first softmax where it is written inside the second. It changes the loss and its gradient, which is
the point: it is marked as unsafe. One that stands elsewhere, such as in a model that is used for prediction too, is
left to you.

## References

- [torch.nn.functional.softmax](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html)
"""

from collections.abc import Iterator

from loss_lint.rules.match import CHANGES, Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at, origin
from loss_lint.symbolic.dims import Dim, normalized_dim
from loss_lint.symbolic.edits import Bypass
from loss_lint.symbolic.facts import Fact, meanings
from loss_lint.symbolic.graph import Op
from loss_lint.symbolic.reaching import loss_reached
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.settings import activated
from loss_lint.symbolic.shapes import shape_of
from loss_lint.symbolic.walk import origins


def match(sink: Op, root: Root) -> Iterator[Match]:
    facts = [fact for fact in meanings(sink.operands[0], sink.guards) if _is_repeated(fact, sink)]
    loss = loss_reached(sink, root) if facts else None
    if loss is None:
        return
    readings = {view.node.content for view in origins(sink.operands[0], sink.guards)}
    for fact in facts:
        if not readings.isdisjoint(activated(fact.op)):
            continue  # a setting turns it on or off
        place = at(origin(fact.op), sink.site)
        yield Match(
            sink=sink,
            message=(
                f"{sink.name} of probabilities: softmax at {place} has been applied already; loss and gradient change. "
                "Apply one of them."
            ),
            claim=CHANGES,
            guards=fact.view.guards,
            spine=(sink, *fact.view.chain, fact.op),
            edits=tuple(Bypass(op) for op in fact.ops),
            passes=fact.view.passes,
            steps=(
                (origin(fact.op), "softmax makes probabilities"),
                (loss.site, f"{loss.name} gets the result"),
            ),
            fix_message="Drop the first softmax",
            completion="nll_loss" if sink.name == "log_softmax" else "mse_loss",
        )


def _is_repeated(fact: Fact, sink: Op) -> bool:
    """Whether `sink` normalizes the dimension that a softmax has normalized."""
    if fact.meaning != "probabilities" or fact.op.name != "softmax" or fact.beside:
        return False
    before, after = normalized_dim(fact.op, fact.view.chain), normalized_dim(sink, ())
    if before is None or after is None:
        return False
    rank = before.rank or shape_of(sink.operands[0], fact.view.guards).rank
    return Dim(before.index, rank).normalized().index == Dim(after.index, rank).normalized().index


RULE = Rule(
    code="LOS210",
    name="double-softmax",
    summary="a softmax or log-softmax of a softmax over the same dimension",
    claim=CHANGES,
    fix="unsafe",
    sinks=frozenset({"softmax", "log_softmax"}),
    match=match,
)

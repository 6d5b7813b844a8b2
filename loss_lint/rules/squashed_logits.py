"""# squashed-logits (LOS212)

## What it does

Looks for logits that went through a sigmoid, tanh or ReLU last and then into cross entropy, or into log-softmax and
NLL, which is the same.

## Why is this bad?

Cross entropy takes logits, numbers without bounds. A sigmoid or tanh leaves them an interval: of ten classes, logits
between 0 and 1 allow no probability above 0.23, so the loss cannot come below 1.46 however well the model
knows, and the gradient that the activation lets through vanishes as it gets there. A ReLU makes all that speaks
against a class the same zero, and passes no gradient to a logit that is negative, not even to the right class's.

## Example

```python
import torch.nn as nn
import torch.nn.functional as F

net = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10), nn.Sigmoid())


def step(x, labels):
    return F.cross_entropy(net(x), labels)
```

Use instead:

```python
import torch.nn as nn
import torch.nn.functional as F

net = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))


def step(x, labels):
    return F.cross_entropy(net(x), labels)
```

## Not flagged

Activations that a layer or a pooling follows; logits that are scaled behind the activation (`10 * tanh(x)`);
activations that leave room on both sides, such as ELU and leaky ReLU; an activation that a setting turns on or off,
since the other setting is right; a sigmoid before a binary loss, which is another matter
([LOS206](sigmoid-into-bce-with-logits.md)); one output, of which cross entropy learns nothing with or without it
([LOS214](single-class-cross-entropy.md)).

## Fix safety

There is no fix: whether the activation goes, or another layer has to follow it, is for you to say.

## References

- [torch.nn.CrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html): "The
  input is expected to contain the unnormalized logits for each class (which do not need to be positive or sum to
  1, in general)."
"""

from collections.abc import Iterator

from loss_lint.rules.match import CHANGES, Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at, origin
from loss_lint.symbolic.edits import Bypass
from loss_lint.symbolic.facts import keeps_rows, meanings
from loss_lint.symbolic.graph import Op, Value
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.settings import activated
from loss_lint.symbolic.walk import View, Walk, inside, origins

_LEAVES = {
    "sigmoid": "numbers between 0 and 1",
    "hardsigmoid": "numbers between 0 and 1",
    "tanh": "numbers between -1 and 1",
    "hardtanh": "numbers between its bounds",
    "softsign": "numbers between -1 and 1",
    "relu": "no negative numbers",
    "relu6": "numbers between 0 and 6",
}


def match(sink: Op, root: Root) -> Iterator[Match]:
    views = list(_logits(sink.operands[0], sink))
    for view in views:
        squash = view.node
        if not isinstance(squash, Op) or squash.name not in _LEAVES or not keeps_rows(view.chain):
            continue
        plain = activated(squash)
        if any(other.node.content in plain for other in views):
            continue  # a setting turns it on or off
        name, leaves = squash.name, _LEAVES[squash.name]
        yield Match(
            sink=sink,
            message=(
                f"{_named(sink)} gets squashed logits: {name} at {at(origin(squash), sink.site)} comes last and leaves "
                f"{leaves}; loss and gradient change. Pass the logits that it is applied to."
            ),
            claim=CHANGES,
            guards=view.guards,
            spine=(sink, *view.chain, squash),
            edits=(Bypass(squash),),
            passes=view.passes,
            steps=((origin(squash), f"{name} leaves {leaves}"),),
            fix_message="Pass the logits",
        )


def _logits(value: Value, sink: Op) -> Iterator[View]:
    """The readings of what a log-softmax is applied to, the loss's own or the one before NLL."""
    if sink.name == "cross_entropy":
        yield from origins(value, sink.guards)
        return
    walk = Walk()
    for fact in meanings(value, sink.guards):
        if fact.meaning == "log_probabilities" and not fact.beside:
            yield from inside(fact.view, fact.op.operands[0], walk)


def _named(sink: Op) -> str:
    return sink.name if sink.name == "cross_entropy" else f"log_softmax before {sink.name}"


RULE = Rule(
    code="LOS212",
    name="squashed-logits",
    summary="a sigmoid, tanh or ReLU as the last operation before cross entropy",
    claim=CHANGES,
    fix="none",
    sinks=frozenset({"cross_entropy", "nll_loss"}),
    match=match,
)

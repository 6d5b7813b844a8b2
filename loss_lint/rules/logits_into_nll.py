"""# logits-into-nll (LOS204)

## What it does

Looks for raw logits that reach the input of `nll_loss`: what a `Linear` or a convolution returns, with no
log-softmax behind it.

## Why is this bad?

`nll_loss` picks the number at the target and negates it. Of log-probabilities that is the cross entropy. Of
raw logits it is minus the target's logit, which nothing holds back: the loss falls without end as all
logits grow, its gradient is the same constant for right and wrong predictions, and the other classes get
none at all.

## Example

```python
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(784, 10)

    def forward(self, x):
        return self.fc(x)


def step(x, labels):
    return F.nll_loss(Net()(x), labels)
```

Use instead:

```python
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(784, 10)

    def forward(self, x):
        return self.fc(x)


def step(x, labels):
    return F.cross_entropy(Net()(x), labels)
```

## Not flagged

Outputs of models that cannot be seen into; a layer whose log-softmax a setting turns on or off, since the other
setting is right; NLL as a way to pick the target's logit: `-F.nll_loss(logits, y)`, or one number for each
sample that nothing in sight averages; cross entropy in two parts, where the `logsumexp` of the same logits is
taken too.

## Fix safety

The fix makes `F.nll_loss` an `F.cross_entropy`, which applies the log-softmax itself. It changes the loss and its
gradient, which is the point: it is marked as unsafe. An object's class
changes where it is made, if all its calls want that.

## References

- [torch.nn.NLLLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html): "Obtaining
  log-probabilities in a neural network is easily achieved by adding a LogSoftmax layer in the last layer of your
  network. You may use CrossEntropyLoss instead, if you prefer not to add an extra layer."
"""

from collections.abc import Iterator

from loss_lint.rules.match import CHANGES, Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.sentences import logits_into_nll
from loss_lint.rules.wording import at, origin
from loss_lint.symbolic.edits import Rename
from loss_lint.symbolic.facts import Meaning
from loss_lint.symbolic.graph import Op
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.logits import raw_logits
from loss_lint.symbolic.picked import is_pick
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.settings import has_right_setting

_WANTED: frozenset[Meaning] = frozenset({"log_probabilities", "log_of_probabilities", "logsigmoid"})


def match(sink: Op, root: Root) -> Iterator[Match]:
    found = list(raw_logits(sink.operands[0], sink.guards))
    if not found or is_pick(sink, root):
        return
    for raw in found:
        layer = raw.layer
        if has_right_setting(sink.operands[0], sink.guards, frozenset({layer.content}), _WANTED):
            continue
        if _is_in_two_parts(sink, layer, root):
            continue
        yield Match(
            sink=sink,
            message=logits_into_nll(f"{layer.name} at {at(origin(layer), sink.site)}"),
            claim=CHANGES,
            guards=raw.view.guards,
            spine=(sink, *raw.view.chain, layer),
            edits=(Rename(sink, "cross_entropy"),),
            passes=raw.view.passes,
            steps=((origin(layer), f"{layer.name} makes raw logits"),),
            fix_message="Use cross_entropy",
        )


def _is_in_two_parts(sink: Op, layer: Op, root: Root) -> bool:
    """Whether the logarithm of the sum, the other half of cross entropy, is taken of the same logits elsewhere."""
    same = {layer.content, strip(sink.operands[0]).content}
    return any(op.name == "logsumexp" and strip(op.operands[0]).content in same for op in root.ops)


RULE = Rule(
    code="LOS204",
    name="logits-into-nll",
    summary="raw logits fed to NLL",
    claim=CHANGES,
    fix="unsafe",
    sinks=frozenset({"nll_loss"}),
    match=match,
)

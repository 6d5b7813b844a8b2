"""# logits-into-bce (LOS207)

## What it does

Looks for raw logits that reach the input of `binary_cross_entropy`: what a `Linear` or a convolution returns, with
no sigmoid behind it.

## Why is this bad?

`binary_cross_entropy` takes probabilities. The first logit below 0 or above 1 stops the program, on the CPU with an
error that says so, on a GPU with an assertion that ends the process.

## Example

```python
import torch.nn as nn
import torch.nn.functional as F

net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 1))


def step(x, targets):
    return F.binary_cross_entropy(net(x), targets)
```

Use instead:

```python
import torch.nn as nn
import torch.nn.functional as F

net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 1))


def step(x, targets):
    return F.binary_cross_entropy_with_logits(net(x), targets)
```

## Not flagged

Outputs of models that cannot be seen into; a layer whose sigmoid or softmax a setting turns on or off, since the
other setting is right; logits that are clamped into [0, 1].

## Fix safety

The fix makes `F.binary_cross_entropy` an `F.binary_cross_entropy_with_logits`, which applies the sigmoid itself. What
raised an error computes a loss then: it is marked as unsafe. An object's class
changes where it is made, if all its calls want that; where another reading has its sigmoid, there is no fix.

## References

- [torch.nn.BCELoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html)
- [torch.nn.BCEWithLogitsLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html): "This
  loss combines a Sigmoid layer and the BCELoss in one single class."
"""

from collections.abc import Iterator

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at, origin
from loss_lint.symbolic.edits import Rename
from loss_lint.symbolic.facts import Meaning
from loss_lint.symbolic.graph import Op
from loss_lint.symbolic.logits import raw_logits
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.settings import has_right_setting
from loss_lint.symbolic.walk import Walk, origins

_WANTED: frozenset[Meaning] = frozenset({"probabilities", "sigmoid"})


def match(sink: Op, root: Root) -> Iterator[Match]:
    found = list(raw_logits(sink.operands[0], sink.guards))
    # Where another reading has its sigmoid, the other loss would be wrong for that one.
    is_always = len(found) == sum(1 for _ in origins(sink.operands[0], sink.guards, Walk(every=True)))
    for raw in found:
        layer = raw.layer
        if has_right_setting(sink.operands[0], sink.guards, frozenset({layer.content}), _WANTED):
            continue
        yield Match(
            sink=sink,
            message=(
                f"binary_cross_entropy wants probabilities and gets raw logits: {layer.name} at "
                f"{at(origin(layer), sink.site)} is the last layer, and no sigmoid follows; torch raises as soon as "
                "one leaves [0, 1]. Use binary_cross_entropy_with_logits."
            ),
            claim=("raises",),
            guards=raw.view.guards,
            spine=(sink, *raw.view.chain, layer),
            edits=(Rename(sink, "binary_cross_entropy_with_logits"),),
            passes=raw.view.passes,
            steps=((origin(layer), f"{layer.name} makes raw logits"),),
            fix_message="Use binary_cross_entropy_with_logits" if is_always else "",
        )


RULE = Rule(
    code="LOS207",
    name="logits-into-bce",
    summary="raw logits fed to binary cross entropy",
    claim=("raises",),
    fix="unsafe",
    sinks=frozenset({"binary_cross_entropy"}),
    match=match,
)

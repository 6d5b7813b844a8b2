"""# sigmoid-then-bce (LOS208)

## What it does

Looks for a sigmoid whose result goes into `binary_cross_entropy` as it is. It is off by default: only
`--select LOS208`, or its code in `extend-select`, turns it on.

## Why is this bad?

On mild logits the numbers equal those of `binary_cross_entropy_with_logits`. On large ones the sigmoid rounds to 0 or
1: `binary_cross_entropy` then limits the loss to 100, and the sigmoid passes no gradient back, just where the model is
most wrong. In half precision that happens early, and under autocast torch refuses `binary_cross_entropy` altogether.

## Example

```python
import torch
import torch.nn.functional as F


def step(logits, targets):
    return F.binary_cross_entropy(torch.sigmoid(logits), targets)
```

Use instead:

```python
import torch
import torch.nn.functional as F


def step(logits, targets):
    return F.binary_cross_entropy_with_logits(logits, targets)
```

## Not flagged

Probabilities that are clamped, averaged, multiplied or otherwise computed with before the loss; a softmax; an output
that is a sigmoid in one branch only.

## Fix safety

The fix takes the sigmoid out and uses the loss that applies it. Where both steps gave a number of full precision, it is
the same: safe. A sigmoid that stands elsewhere goes
if nothing else uses what it makes; that of a model that is used for prediction too is left to you.

## References

- [torch.nn.BCEWithLogitsLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html): "This
  version is more numerically stable than using a plain Sigmoid followed by a BCELoss as, by combining the operations
  into one layer, we take advantage of the log-sum-exp trick for numerical stability."
"""

from collections.abc import Iterator

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at, origin, spelled
from loss_lint.symbolic.dtypes import integers
from loss_lint.symbolic.edits import Bypass, Rename
from loss_lint.symbolic.facts import meanings
from loss_lint.symbolic.graph import Op
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.walk import Walk, origins


def match(sink: Op, root: Root) -> Iterator[Match]:
    facts = list(meanings(sink.operands[0], sink.guards))
    if any(fact.meaning != "sigmoid" for fact in facts):
        return
    if len(facts) != sum(1 for _ in origins(sink.operands[0], sink.guards, Walk(every=True))):
        return  # where it is no sigmoid, the other loss would be wrong
    if any(found is not None for found in integers(sink.operands[1], sink.guards)):
        return  # torch raises, as LOS306 says
    for fact in facts:
        if any(op.name != "sigmoid" for op in fact.ops):
            continue
        name = spelled(fact.op)
        yield Match(
            sink=sink,
            message=(
                f"binary_cross_entropy of {name} at {at(origin(fact.op), sink.site)} saturates, and its gradient "
                "vanishes, once a probability rounds to 0 or 1; on mild logits nothing differs. "
                "Use binary_cross_entropy_with_logits."
            ),
            claim=("unstable",),
            guards=fact.view.guards,
            spine=(sink, *fact.view.chain, fact.op),
            edits=(*(Bypass(op) for op in fact.ops), Rename(sink, "binary_cross_entropy_with_logits")),
            passes=fact.view.passes,
            steps=((origin(fact.op), f"{name} makes probabilities"),),
            safe=True,
            fix_message="Use binary_cross_entropy_with_logits",
        )


RULE = Rule(
    code="LOS208",
    name="sigmoid-then-bce",
    summary="a sigmoid, then BCE, where BCE with logits is meant",
    claim=("unstable",),
    fix="safe",
    sinks=frozenset({"binary_cross_entropy"}),
    match=match,
    default=False,
)

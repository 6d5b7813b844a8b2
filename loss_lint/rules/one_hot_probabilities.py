"""# one-hot-probabilities (LOS302)

## What it does

Looks for a float one-hot (`one_hot(...).float()`, rows of `eye`, `scatter_` into zeros) as the target of
cross entropy.

## Why is this bad?

torch takes float targets as class probabilities. The loss is the same as with class indices, for as many
times the memory as there are classes, unless `weight` is given: then the mean divides by the number of
samples and no longer by the sum of their weights, and loss and gradient change. With an `ignore_index` of 0
or more torch raises.

## Example

```python
import torch.nn.functional as F


def step(logits, labels):
    target = F.one_hot(labels, num_classes=5).float()
    return F.cross_entropy(logits, target)
```

Use instead:

```python
import torch.nn.functional as F


def step(logits, labels):
    return F.cross_entropy(logits, labels)
```

## Not flagged

Smoothed or mixed rows and a teacher's probabilities, which say more than an index could.

## Fix safety

The fix passes the class indices that the one-hot was made of. Without `weight` no number changes: it is
safe; with it, it is unsafe.
"""

from collections.abc import Iterator

from loss_lint.findings import Verdict
from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.sentences import UNWEIGHTED_ROWS, WEIGHTED_ROWS, one_hot_probabilities
from loss_lint.rules.wording import at
from loss_lint.symbolic.edits import ReplaceOperand
from loss_lint.symbolic.facts import constant, reduction
from loss_lint.symbolic.graph import Op
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.targets import one_hots
from loss_lint.symbolic.walk import Walk


def match(sink: Op, root: Root) -> Iterator[Match]:
    if len(sink.operands) < 2:
        return
    found = list(one_hots(sink.operands[1], sink.guards, Walk(every=True)))
    floats = [one for one in found if one is not None and one.kind == "float" and one.indices is not None]
    if not floats:
        return
    claim, effect = _claim(sink)
    if claim == ("none",) and len(floats) != len(found):
        return
    first = floats[0]
    assert first.indices is not None
    place = at(first.op.site, sink.site)
    yield Match(
        sink=sink,
        message=one_hot_probabilities(f"one-hot rows as probabilities, made at {place}", effect),
        claim=claim,
        guards=sink.guards if claim == ("none",) else first.view.guards,
        spine=(sink, *first.view.chain, first.op),
        edits=(ReplaceOperand(sink, 1, first.indices),),
        passes=first.view.passes,
        steps=((first.op.site, "one-hot rows are made"),),
        safe=claim == ("none",),
        fix_message="Pass the class indices",
    )


def _claim(sink: Op) -> tuple[tuple[Verdict, ...], str]:
    ignored = constant(sink.parameter("ignore_index"), sink.guards)
    if isinstance(ignored, int) and ignored >= 0:
        return ("raises",), f"torch raises, as ignore_index={ignored} needs indices"
    weighted = constant(sink.parameter("weight"), sink.guards) is not None
    if weighted and reduction(sink, sink.guards) == "mean":
        return (
            ("value", "gradient", "value+gradient"),
            WEIGHTED_ROWS,
        )
    return ("none",), UNWEIGHTED_ROWS


RULE = Rule(
    code="LOS302",
    name="one-hot-probabilities",
    summary="a float one-hot as the target of cross entropy",
    claim=("none", "value", "gradient", "value+gradient", "raises"),
    fix="safe",
    sinks=frozenset({"cross_entropy"}),
    match=match,
)

"""# unordered-label-map (LOS601)

## What it does

Looks for class indices that are numbered in the order of a `set` and reach the target of a loss.

## Why is this bad?

Python hashes strings anew in each process, so a set of names has another order in the next run: class 0 is
`bird` today and `cat` tomorrow. Training and evaluation in one process agree; a checkpoint loaded in
another one predicts the wrong names, and a run cannot be reproduced.

## Example

```python
import torch
import torch.nn.functional as F


def step(logits, names):
    index = {name: i for i, name in enumerate(set(names))}
    labels = torch.tensor([index[name] for name in names])
    return F.cross_entropy(logits, labels)
```

Use instead:

```python
import torch
import torch.nn.functional as F


def step(logits, names):
    index = {name: i for i, name in enumerate(sorted(set(names)))}
    labels = torch.tensor([index[name] for name in names])
    return F.cross_entropy(logits, labels)
```

## Not flagged

`sorted(set(...))`, `dict.fromkeys`, `np.unique`, an encoder that sorts, sets of numbers, and maps whose
indices never become a target.

## Fix safety

The fix sorts the set. It changes which class an index means, so checkpoints of earlier runs no longer fit:
unsafe.

## References

- [object.__hash__](https://docs.python.org/3/reference/datamodel.html#object.__hash__) on hash randomization
"""

from collections.abc import Iterator

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at
from loss_lint.symbolic.edits import Sort
from loss_lint.symbolic.graph import Op
from loss_lint.symbolic.orders import arbitrary_orders
from loss_lint.symbolic.root import Root


def match(sink: Op, root: Root) -> Iterator[Match]:
    if len(sink.operands) < 2:
        return
    for found in arbitrary_orders(sink.operands[1], sink.guards):
        yield Match(
            sink=found.numbering,
            message=(
                f"class indices follow the order of a set ({at(found.source.site, found.numbering.site)}), which "
                f"differs from one process to the next; {sink.name} at {at(sink.site, found.numbering.site)} gets "
                "them as its target. "
                "Number sorted(...) instead."
            ),
            claim=("value",),
            guards=found.guards,
            passes=found.source.passes,
            spine=(sink,),
            edits=(Sort(sink, found.source.site),),
            steps=(
                (found.source.site, "a set has no order of its own"),
                (sink.site, f"{sink.name} takes the indices as its target"),
            ),
            fix_message="Sort the set",
            completion="permuted_classes",
        )


RULE = Rule(
    code="LOS601",
    name="unordered-label-map",
    summary="class indices that follow the order of a set",
    claim=("value",),
    fix="unsafe",
    sinks=frozenset({"cross_entropy", "nll_loss", "multi_margin_loss"}),
    match=match,
)

"""# one-hot-target (LOS301)

## What it does

Looks for one-hot rows, of an integer or boolean dtype, as the target of cross entropy; and for one-hot rows
of any dtype as the target of NLL.

## Why is this bad?

Both want one class index for each sample. torch takes integers as class indices, finds a dimension too many
and raises; where the shapes happen to fit, it reads each 0 and 1 of the rows as a class, and nothing tells.

## Example

```python
import torch.nn.functional as F


def step(logits, labels):
    target = F.one_hot(labels, num_classes=5)
    return F.cross_entropy(logits, target)
```

Use instead:

```python
import torch.nn.functional as F


def step(logits, labels):
    return F.cross_entropy(logits, labels)
```

## Not flagged

One-hot rows for losses that want them (BCE, MSE, dice, focal losses); a one-hot turned back into indices by
`argmax`; smoothed or mixed rows; a float one-hot for cross entropy, which it reads as probabilities
(LOS302); zeros and ones for two logits of each class, logits of shape (N, 2, C), which are indices.

## Fix safety

The fix passes the class indices that the one-hot was made of. It changes what the program computes: unsafe.
"""

from collections.abc import Iterator

from loss_lint.rules.match import CHANGES, Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.sentences import one_hot_target
from loss_lint.rules.wording import at
from loss_lint.symbolic.dtypes import asks_for_dtype
from loss_lint.symbolic.edits import ReplaceOperand
from loss_lint.symbolic.extents import Shape
from loss_lint.symbolic.graph import Op
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.shapes import Shapes
from loss_lint.symbolic.targets import one_hots


def match(sink: Op, root: Root) -> Iterator[Match]:
    if len(sink.operands) < 2:
        return
    for found in one_hots(sink.operands[1], sink.guards):
        if found is None or not (found.kind == "integer" or sink.name == "nll_loss"):
            continue
        if found.kind == "integer" and asks_for_dtype(found.view.guards):
            continue
        place = at(found.op.site, sink.site)
        shapes = Shapes()
        logits = shapes.of(sink.operands[0], found.view.guards)
        rows = shapes.of(sink.operands[1], found.view.guards)
        effect = "torch raises, or reads them as indices where the shapes fit"
        if logits.rank is not None and logits.rank == rows.rank:
            effect = "torch raises"
        elif logits.rank is not None and logits.rank - 1 == rows.rank:
            if _decide_by_class(logits, rows):
                continue
            effect = f"torch reads each 0 and 1 as a class, as the logits of shape {logits} fit"
        yield Match(
            sink=sink,
            message=one_hot_target(sink.name, f"one-hot rows, made at {place}", effect),
            claim=("raises",) if effect == "torch raises" else ("raises", *CHANGES),
            guards=found.view.guards,
            spine=(sink, *found.view.chain, found.op),
            edits=(ReplaceOperand(sink, 1, found.indices),) if found.indices is not None else (),
            passes=found.view.passes,
            steps=((found.op.site, "one-hot rows are made"),),
            fix_message="Pass the class indices",
        )


def _decide_by_class(logits: Shape, rows: Shape) -> bool:
    """Whether the zeros and ones may be meant as indices: two logits for each class, or a number that is not known."""
    choices = logits.size(1)
    return choices is None or choices == 2 or choices != rows.size(-1)


RULE = Rule(
    code="LOS301",
    name="one-hot-target",
    summary="one-hot rows passed as class indices",
    claim=("raises", *CHANGES),
    fix="unsafe",
    sinks=frozenset({"cross_entropy", "nll_loss"}),
    match=match,
)

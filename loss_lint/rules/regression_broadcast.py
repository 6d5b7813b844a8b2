"""# regression-broadcast (LOS305)

## What it does

Looks for MSE, L1, smooth L1 and Huber losses of predictions of shape (N, 1) and targets of shape (N,), or the other
way round.

## Why is this bad?

torch broadcasts both to (N, N) and takes the mean over all pairs: each prediction is compared with the target of
every sample. The best that a model can do is to predict the mean of the targets, whatever its input is. torch
warns once, and the loss falls.

## Example

```python
import torch.nn as nn
import torch.nn.functional as F

model = nn.Sequential(nn.Flatten(), nn.Linear(16, 1))


def step(x, y):
    return F.mse_loss(model(x), y.view(-1))
```

Use instead:

```python
import torch.nn as nn
import torch.nn.functional as F

model = nn.Sequential(nn.Flatten(), nn.Linear(16, 1))


def step(x, y):
    return F.mse_loss(model(x).squeeze(1), y.view(-1))
```

## Not flagged

Shapes that are not known, as those of most batches; both sides with a dimension added on purpose, as in quantile
losses; losses by element (`reduction="none"`), of which a matrix of pairs may be wanted; a single sample or value.

## Fix safety

The fix squeezes the dimension of size one. It changes the loss and its gradient, which is the point: unsafe.

## References

- [torch.nn.MSELoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html)
- [broadcasting semantics](https://docs.pytorch.org/docs/stable/notes/broadcasting.html)
"""

from collections.abc import Iterator

from loss_lint.rules.match import CHANGES, Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.sentences import regression_broadcast
from loss_lint.rules.wording import at
from loss_lint.symbolic.edits import Wrap
from loss_lint.symbolic.extents import Shape
from loss_lint.symbolic.facts import reduction
from loss_lint.symbolic.graph import Op, const
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.shapes import Shapes
from loss_lint.symbolic.walk import View, views


def match(sink: Op, root: Root) -> Iterator[Match]:
    if len(sink.operands) < 2 or reduction(sink, sink.guards) not in ("mean", "sum"):
        return
    shapes = Shapes()
    for prediction in views(sink.operands[0], sink.guards):
        for target in views(sink.operands[1], prediction.guards):
            sides = ((prediction, shapes.at(prediction)), (target, shapes.at(target)))
            for slot in (0, 1):
                (column, wide), (row, narrow) = sides[slot], sides[1 - slot]
                if _is_column(wide) and _is_row(narrow):
                    yield _found(sink, slot, column, wide, row, narrow)


def _is_column(shape: Shape) -> bool:
    """(N, 1) of more than one sample."""
    return shape.rank == 2 and shape.size(1) == 1 and shape.size(0) != 1


def _is_row(shape: Shape) -> bool:
    return shape.rank == 1 and shape.size(0) != 1


def _found(sink: Op, slot: int, column: View, wide: Shape, row: View, narrow: Shape) -> Match:
    which, other = ("input", "target") if slot == 0 else ("target", "input")
    nodes = tuple(view.node for view in (column, row) if isinstance(view.node, Op))
    made = nodes[0].site if nodes and nodes[0] is column.node else sink.site
    is_passed = bool(column.passes)
    return Match(
        sink=sink,
        message=regression_broadcast(
            sink.name, which, f"{wide}, made at {at(made, sink.site)},", other, str(narrow)
        ),
        claim=CHANGES,
        guards=column.guards | row.guards,
        spine=(sink, *nodes),
        edits=(
            Wrap(
                sink,
                slot,
                "squeeze",
                (("dim", const(1)),),
                argument=column.passes[-1].site if is_passed else None,
            ),
        ),
        passes=column.passes,
        steps=tuple(
            (node.site, f"of shape {shape}") for node, shape in zip(nodes, (wide, narrow), strict=False)
        ),
        fix_message="Squeeze the dimension of size one",
    )


RULE = Rule(
    code="LOS305",
    name="regression-broadcast",
    summary="(N, 1) against (N,) in a regression loss",
    claim=CHANGES,
    fix="unsafe",
    sinks=frozenset({"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"}),
    match=match,
    by_shape=True,
)

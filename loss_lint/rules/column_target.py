"""# column-target (LOS304)

## What it does

Looks for class indices of shape (N, 1), or (N, 1, H, W), as the target of cross entropy or NLL.

## Why is this bad?

For logits of shape (N, C) both losses want class indices of shape (N,): one for each sample, without a dimension
for the classes. torch takes a further dimension for more targets by sample, which it does not have, and raises.

## Example

```python
import torch.nn as nn
import torch.nn.functional as F

head = nn.Linear(16, 5)


def step(x, labels):
    return F.cross_entropy(head(x), labels.view(-1, 1))
```

Use instead:

```python
import torch.nn as nn
import torch.nn.functional as F

head = nn.Linear(16, 5)


def step(x, labels):
    return F.cross_entropy(head(x), labels.view(-1))
```

## Not flagged

Columns that are squeezed, flattened or indexed on the way; columns for losses that want them (BCE, MSE, gather);
targets whose shape or logits whose number of classes is not known; probabilities, which have the logits' shape.

## Fix safety

The fix takes the dimension away. The program raised before and computes a loss afterwards: unsafe.

## References

- [torch.nn.CrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html)
"""

from collections.abc import Iterator

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at
from loss_lint.symbolic.dtypes import integers
from loss_lint.symbolic.edits import Bypass, GraphEdit, Wrap
from loss_lint.symbolic.extents import Shape
from loss_lint.symbolic.graph import Op, const
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.shapes import Shapes
from loss_lint.symbolic.targets import one_hots
from loss_lint.symbolic.walk import View, views


def match(sink: Op, root: Root) -> Iterator[Match]:
    if len(sink.operands) < 2:
        return
    shapes = Shapes()
    for view in views(sink.operands[1], sink.guards):
        target, logits = shapes.at(view), shapes.of(sink.operands[0], view.guards)
        if not isinstance(view.node, Op) or not _is_column(target, logits, view, sink):
            continue
        made = view.node.site
        count = target.rank or 2
        wanted = "(N,)" if count == 2 else "without it"
        yield Match(
            sink=sink,
            message=(
                f"{sink.name} gets class indices of shape {target}, made at {at(made, sink.site)}, for logits of "
                f"shape {logits}; torch raises, as it wants them {'of shape ' * (count == 2)}{wanted}. "
                "Take the dimension of size one away."
            ),
            claim=("raises",),
            guards=view.guards,
            spine=(sink, view.node),
            edits=(_corrected(sink, view),),
            passes=view.passes,
            steps=((made, "a dimension of size one is made"),),
            fix_message="Take the dimension of size one away",
        )


def _is_column(target: Shape, logits: Shape, view: View, sink: Op) -> bool:
    """Whether a target has a dimension of size one where the logits have their classes, and cannot be right."""
    if target.rank is None or target.rank < 2 or target.size(1) != 1:
        return False
    if any(found is not None for found in one_hots(view.node, view.guards)):
        return False
    classes = logits.size(-1) if logits.rank is None else logits.size(1)
    is_wrong_rank = logits.rank == target.rank or (target.rank == 2 and logits.rank is None)
    if is_wrong_rank and classes not in (None, 1):
        return True  # neither indices nor probabilities
    if logits.rank != target.rank:
        return False
    return sink.name == "nll_loss" or _are_integers(view)


def _are_integers(view: View) -> bool:
    found = list(integers(view.node, view.guards))
    return bool(found) and None not in found


def _corrected(sink: Op, view: View) -> GraphEdit:
    if isinstance(view.node, Op) and view.node.name == "unsqueeze":
        return Bypass(view.node)
    argument = view.passes[-1].site if view.passes else None
    return Wrap(sink, 1, "squeeze", (("dim", const(1)),), argument=argument)


RULE = Rule(
    code="LOS304",
    name="column-target",
    summary="class indices of shape (N, 1)",
    claim=("raises",),
    fix="unsafe",
    sinks=frozenset({"cross_entropy", "nll_loss"}),
    match=match,
    by_shape=True,
)

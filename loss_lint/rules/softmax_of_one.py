"""# softmax-of-one (LOS215)

## What it does

Looks for a softmax over a dimension that has one element only, on its way to a loss.

## Why is this bad?

The softmax of one number is 1, whatever the number is. The result is all ones (all zeros for log-softmax), its
gradient is zero, and what is in front of it never trains. Nothing tells: the loss is a number, and with the rest
of the model it may even fall.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F

model = nn.Sequential(nn.Flatten(), nn.Linear(784, 1), nn.Softmax(dim=1))


def step(x, y):
    return F.binary_cross_entropy(model(x), y)
```

Use instead:

```python
import torch
import torch.nn as nn
import torch.nn.functional as F

model = nn.Sequential(nn.Flatten(), nn.Linear(784, 1))


def step(x, y):
    return F.binary_cross_entropy_with_logits(model(x), y)
```

## Not flagged

A softmax over the words, the pixels or another dimension of scores of shape (N, L, 1), which is how attention is
written; scores that are squeezed, transposed or joined first; a size that comes from an option or an argument; a
column that is added only where ranks differ, of which nothing is known; a dimension counted from the front where the
number of dimensions is not known.

## Fix safety

There is no fix: a sigmoid, more outputs and another dimension are all possible, and only the author knows.

## References

- [torch.nn.Softmax](https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html)
"""

from collections.abc import Iterator

from loss_lint.rules.match import CHANGES, Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at, origin
from loss_lint.symbolic.edits import Rename
from loss_lint.symbolic.extents import Shape
from loss_lint.symbolic.facts import constant
from loss_lint.symbolic.graph import Guards, Op, Value
from loss_lint.symbolic.numbers import integer, integers, is_none
from loss_lint.symbolic.root import BACKWARD, Root
from loss_lint.symbolic.shapes import Shapes
from loss_lint.symbolic.walk import effect, views


def match(sink: Op, root: Root) -> Iterator[Match]:
    if not sink.operands:
        return
    shapes = Shapes()
    for view in views(sink.operands[0], sink.guards):
        shape = shapes.at(view)
        dim = _dim(sink, shape)
        if dim is None or not (shape.size(dim) == 1 or _is_kept(view.node, dim, view.guards)):
            continue
        loss = _loss_behind(sink, root)
        if loss is None:
            return
        is_log = effect(sink) == "log_softmax"
        made = view.node.site if isinstance(view.node, Op) else None
        source = "" if made is None else f"made at {at(made, sink.site)}"
        if shape.size(dim) == 1:
            source = f"of shape {shape}{', ' * bool(source)}{source}"
        yield Match(
            sink=sink,
            message=(
                f"{sink.name} over dimension {dim}, which has one element ({source}): the result is "
                f"all {'zeros' if is_log else 'ones'} and no gradient passes. Use a sigmoid for one score, or the "
                "dimension that is meant."
            ),
            claim=CHANGES,
            guards=view.guards,
            spine=(sink,),
            edits=(
                Rename(sink, "logsigmoid" if is_log else "sigmoid", drop=("dim", "dtype", "_stacklevel")),
            ),
            passes=(),
            steps=(
                *(((made, "one number for each row"),) if made is not None else ()),
                *(((origin(sink), f"{sink.name} is made"),) if origin(sink) != sink.site else ()),
                (loss.site, "a loss is computed from it"),
            ),
            completion="nll_loss" if is_log else "binary_cross_entropy",
        )


def _dim(sink: Op, shape: Shape) -> int | None:
    """The dimension that is normalized; without one torch picks it by the rank."""
    given = sink.parameter("dim")
    if given is not None and not is_none(given):
        return integer(given, sink.guards)
    if shape.rank is None:
        return None
    return 0 if shape.rank in (0, 1, 3) else 1


def _is_kept(node: Value, dim: int, guards: Guards) -> bool:
    """Whether `node` reduces the very dimension and keeps it with size one, whatever the others are."""
    if not isinstance(node, Op) or effect(node) != "reduce":
        return False
    over = node.parameter("dim")
    keeps = constant(node.parameter("keepdim"), guards)
    return keeps is True and over is not None and integers(over, guards) == [dim]


def _loss_behind(sink: Op, root: Root) -> Op | None:
    return next((one for one in root.downstream(sink) if effect(one) == "loss" or one.name in BACKWARD), None)


RULE = Rule(
    code="LOS215",
    name="softmax-of-one",
    summary="a softmax over a dimension of one element",
    claim=CHANGES,
    fix="none",
    sinks=frozenset({"softmax", "log_softmax", "softmin"}),
    match=match,
    by_shape=True,
    # Of one element, nothing that is done with its softmax is of use.
    covers=frozenset({"LOS201", "LOS202", "LOS203", "LOS206", "LOS209", "LOS210"}),
)

"""# single-class-cross-entropy (LOS214)

## What it does

Looks for cross entropy over one logit: a model that ends in one output, and a loss that wants one for each class.

## Why is this bad?

Cross entropy applies a softmax over the classes, and the softmax of one number is 1. The loss of label 0 is 0
whatever the model says, and its gradient is zero: nothing trains, and the loss looks perfect. torch raises for any
other label, where it checks.

## Example

```python
import torch.nn as nn
import torch.nn.functional as F

model = nn.Sequential(nn.Flatten(), nn.Linear(784, 1))


def step(x, labels):
    return F.cross_entropy(model(x), labels.float())
```

Use instead:

```python
import torch.nn as nn
import torch.nn.functional as F

model = nn.Sequential(nn.Flatten(), nn.Linear(784, 1))


def step(x, labels):
    return F.binary_cross_entropy_with_logits(model(x), labels.float())
```

## Not flagged

Scores that are reshaped to one for each candidate (`scores.view(-1, n)`, as in ranking and multiple choice); a
number of classes that comes from an option or an argument; one output beside others that goes into BCE; a loss
that is chosen under `num_classes > 1`.

## Fix safety

There is no fix: one output and binary cross entropy, or an output for each class, is the author's to choose.

## References

- [torch.nn.CrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html)
"""

from collections.abc import Iterator

from loss_lint.rules.match import CHANGES, Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at, origin
from loss_lint.symbolic.edits import Bypass, GraphEdit, Rename, Wrap
from loss_lint.symbolic.extents import Shape
from loss_lint.symbolic.graph import Op, const
from loss_lint.symbolic.numbers import integer
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.shapes import Shapes
from loss_lint.symbolic.walk import View, origins, views

# What leaves a model's output as it is.
_BESIDE = frozenset(
    {"to", "cpu", "cuda", "detach", "clone", "contiguous", "identity", "to_float", "to_double", "to_half",
     "to_bfloat16", "data_parallel", "dropout"}
)  # fmt: skip
_SQUASHES = frozenset({"sigmoid", "hardsigmoid", "tanh", "hardtanh", "softsign", "relu", "relu6"})
_ACTIVATIONS = _SQUASHES | {"softmax", "log_softmax"}
_FLOATS = frozenset({"to_float", "to_double", "to_half", "float_tensor"})
_ONLY_HERE = ("weight", "ignore_index", "label_smoothing")


def match(sink: Op, root: Root) -> Iterator[Match]:
    shapes = Shapes()
    for view in views(sink.operands[0], sink.guards):
        shape = shapes.at(view)
        if not (_has_one_class(shape) if shape.rank is not None else _ends_in_one(view)):
            continue
        layer = next(origins(view.node, view.guards), None)
        activated = _activations(layer) if layer is not None else ()
        if activated:
            layer = next(origins(activated[-1].operands[0], view.guards), layer)
        made = layer.node.site if layer is not None and isinstance(layer.node, Op) else sink.site
        use = "Use binary_cross_entropy_with_logits"
        if activated:
            use += f" and pass it what {activated[-1].name} at {at(origin(activated[-1]), sink.site)} is applied to"
        yield Match(
            sink=sink,
            message=(
                f"cross_entropy over one class: the output made at {at(made, sink.site)} has shape {shape}, and the "
                "softmax of one number is 1; the loss is 0 and trains nothing, or torch raises for a label other "
                f"than 0. {use}, or make as many outputs as classes."
            ),
            claim=("raises", *CHANGES),
            guards=view.guards,
            spine=(sink, *view.chain, *activated, *_casts(sink)),
            edits=(*_corrected(sink, shape), *(Bypass(op) for op in activated[-1:])),
            passes=view.passes,
            steps=((made, "one output"),),
        )


def _activations(output: View) -> tuple[Op, ...]:
    """The activation that an output went through last, behind what leads there."""
    node = output.node
    return (*output.chain, node) if isinstance(node, Op) and node.name in _ACTIVATIONS else ()


def _has_one_class(shape: Shape) -> bool:
    """Whether the dimension of the classes, the second one or that of a single sample, has one element."""
    return shape.rank is not None and shape.rank > 0 and shape.size(1 if shape.rank > 1 else 0) == 1


def _ends_in_one(view: View) -> bool:
    """Whether a model's last layer makes one output, and nothing reshapes it."""
    for inner in origins(view.node, view.guards, through=_BESIDE | _SQUASHES):
        node = inner.node
        features = node.parameter("out_features") if isinstance(node, Op) and node.name == "linear" else None
        if features is None or integer(features, inner.guards) != 1:
            return False
    return True


def _casts(sink: Op) -> tuple[Op, ...]:
    """The cast by which the target becomes floats."""
    for view in views(sink.operands[1], sink.guards) if len(sink.operands) > 1 else ():
        if isinstance(view.node, Op) and view.node.name in _FLOATS:
            return (view.node,)
    return ()


def _corrected(sink: Op, shape: Shape) -> Iterator[GraphEdit]:
    """Binary cross entropy of the one logit; class indices have a dimension less and are no floats."""
    yield Rename(sink, "binary_cross_entropy_with_logits", drop=_ONLY_HERE)
    if not _casts(sink):
        yield Wrap(sink, 0, "squeeze", (("dim", const(1 if (shape.rank or 0) > 1 else -1)),))
        yield Wrap(sink, 1, "to_float")


RULE = Rule(
    code="LOS214",
    name="single-class-cross-entropy",
    summary="cross entropy over one logit",
    claim=("raises", *CHANGES),
    fix="none",
    sinks=frozenset({"cross_entropy"}),
    match=match,
    by_shape=True,
    # An activation, a softmax or a cast is as little of use there.
    covers=frozenset({"LOS201", "LOS202", "LOS212", "LOS215", "LOS303", "LOS304"}),
)

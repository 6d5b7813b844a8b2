"""# kl-div-mean (LOS105)

## What it does

Looks for KL divergence with `reduction="mean"`, torch's default for `F.kl_div` and `nn.KLDivLoss`.

## Why is this bad?

The KL divergence of two distributions is a sum over the classes. `"mean"` averages over these as well, so the loss and
its gradient are too small by the number of classes: a factor of 10 for ten classes, of 50,000 for a vocabulary. Beside
another loss (distillation's `alpha * kl + (1 - alpha) * ce`) the weight does not mean what it says, and it changes
with the number of classes. torch warns of it.

## Example

```python
import torch.nn.functional as F


def distill(student, teacher, T):
    log_p = F.log_softmax(student / T, dim=1)
    q = F.softmax(teacher / T, dim=1)
    return F.kl_div(log_p, q) * T * T
```

Use instead:

```python
import torch.nn.functional as F


def distill(student, teacher, T):
    log_p = F.log_softmax(student / T, dim=1)
    q = F.softmax(teacher / T, dim=1)
    return F.kl_div(log_p, q, reduction="batchmean") * T * T
```

## Not flagged

A single distribution (one dimension), which has no batch to average over, and what may be one (`squeeze()`, `x[i]`);
sigmoids, each of which stands alone; a mean that is multiplied by the number of classes again; a divergence of which
only the gradient's direction is used (`torch.autograd.grad` in an adversarial attack); what is only evaluated under
`no_grad`; `reduction="sum"`, `"none"` and legacy arguments that stand for these.

## Fix safety

The fix writes `reduction="batchmean"`. It changes the loss, which is the point: unsafe. A constructor that stands
elsewhere is edited there, if nothing else uses what it makes. For several distributions in a
sample, (N, L, C), `"batchmean"` sums over L: the mean by token is the sum divided by N times L. A weight that was
tuned for the mean is too large by the number of classes afterwards.

## References

- [torch.nn.KLDivLoss, the warning on `reduction`](https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html)
"""

from __future__ import annotations

from collections.abc import Iterator

from loss_lint.catalogue.names import counts_classes
from loss_lint.rules.match import CHANGES, Match
from loss_lint.rules.rule import Rule
from loss_lint.symbolic.edits import SetParameter
from loss_lint.symbolic.facts import reduction
from loss_lint.symbolic.gradients import gradients_read
from loss_lint.symbolic.graph import Const, Leaf, Op, Tuple, Value, const
from loss_lint.symbolic.guards import literal_of, strip
from loss_lint.symbolic.naming import name_of
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.shapes import shape_of
from loss_lint.symbolic.walk import View, Walk, effect, inside, origins


def match(sink: Op, root: Root) -> Iterator[Match]:
    if not sink.grad or len(sink.operands) != 2 or reduction(sink, sink.guards) != "mean":
        return
    ranks = {shape_of(operand, sink.guards).rank for operand in sink.operands} - {None}
    if 1 in ranks or (not ranks and any(_may_be_one_row(operand, sink) for operand in sink.operands)):
        return
    if any(_stands_alone(operand, sink) for operand in sink.operands):
        return
    if _is_multiplied_again(sink, root) or _gives_a_direction(sink, root):
        return
    made = () if sink.made is None else ((sink.made, 'made with reduction "mean"'),)
    yield Match(
        sink=sink,
        message=(
            'kl_div with reduction "mean" divides by the number of classes too: loss and gradient are smaller than the '
            f'KL divergence\'s by that factor. Use reduction="batchmean"{_by_token(ranks)}.'
        ),
        claim=CHANGES,
        guards=sink.guards,
        spine=(sink,),
        edits=(SetParameter(sink, "reduction", const("batchmean")),),
        steps=made,
        fix_message='Use reduction="batchmean"',
    )


def _by_token(ranks: set[int | None]) -> str:
    """What to know of "batchmean" where a sample may hold several distributions."""
    return "" if ranks == {2} else ", which for (N, L, C) is L times the mean by token"


def _stands_alone(value: Value, sink: Op) -> bool:
    """Whether `value` holds probabilities that are no distribution together."""
    for view in origins(value, sink.guards):
        node = view.node
        if isinstance(node, Op) and node.name == "log":
            node = next((inner.node for inner in inside(view, node.operands[0])), node)
        if isinstance(node, Op) and effect(node) in ("sigmoid", "logsigmoid"):
            return True
    return False


def _may_be_one_row(value: Value, sink: Op) -> bool:
    """Whether a reading of `value` may be a single distribution."""
    walk = Walk()
    return any(_is_one_row(view, walk) for view in origins(value, sink.guards, walk))


def _is_one_row(view: View, walk: Walk) -> bool:
    node = view.node
    if any(_leaves_one_dimension(op) for op in view.chain):
        return True
    match node:
        case Op(name="tensor" | "as_tensor" | "array" | "float_tensor", operands=(Tuple(items=items), *_)):
            return bool(items) and not any(isinstance(strip(item), Tuple) for item in items)
        case Op(operands=(inner, *_)) if effect(node) in ("softmax", "log_softmax"):
            dim = literal_of(node.parameter("dim") or const(None))
            if dim is not None and dim.value == 0:
                return True
            several = dim is not None and dim.value not in (None, -1)
            return not several and any(_is_one_row(deeper, walk) for deeper in inside(view, inner, walk))
        case Op(name="log" | "add" | "sub" | "mul" | "div" | "clamp", operands=(inner, *_)):
            return any(_is_one_row(deeper, walk) for deeper in inside(view, inner, walk))
        case _:
            return False


def _leaves_one_dimension(op: Op) -> bool:
    """Whether an operation may leave one dimension of all: `flatten()`, `view(-1)`, `squeeze()`, `logits[i]`."""
    match op.name:
        case "flatten" | "ravel" | "squeeze":
            return not op.parameters
        case "view" | "reshape":
            size = strip(op.parameter("size") or op.parameter("shape") or const(None))
            return isinstance(size, Tuple) and len(size.items) == 1 and literal_of(size.items[0]) is not None
        case "getitem" if len(op.operands) == 2:
            return isinstance(strip(op.operands[1]), Const | Leaf)
        case _:
            return False


def _is_multiplied_again(sink: Op, root: Root) -> bool:
    """Whether the mean becomes a sum over the classes by a factor behind it."""
    for op in root.downstream(sink):
        if op.name == "mul" and any(_counts_classes(operand) for operand in op.operands):
            return True
    return False


def _counts_classes(factor: Value) -> bool:
    match strip(factor):
        case Op(name="size") as size:
            dim = literal_of(size.parameter("dim") or const(None))
            return dim is None or dim.value != 0
        case Op(name="mul", operands=operands):  # with a temperature, say
            return any(_counts_classes(operand) for operand in operands)
        case Op(name="item", operands=(inner,)):  # `float(classes)`
            return _counts_classes(inner)
        case _:
            return counts_classes(name_of(factor))


def _gives_a_direction(sink: Op, root: Root) -> bool:
    """Whether the divergence is made for its gradient alone, and trained on nowhere."""
    if any(op.name == "autograd_grad" for op in root.downstream(sink)):
        return not root.is_trained_on(sink)
    if any(op.name == "step" for op in root.ops):
        return False
    return any(sink in root.downstream(given) for given in gradients_read(root))


RULE = Rule(
    code="LOS105",
    name="kl-div-mean",
    summary='KL divergence with reduction "mean", which divides by the number of classes too',
    claim=CHANGES,
    fix="unsafe",
    sinks=frozenset({"kl_div"}),
    match=match,
)

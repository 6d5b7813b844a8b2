"""# softmax-dim (LOS211)

## What it does

Looks for a softmax without a dimension on its way into a loss, and for one over dimension 0 of what is known to
be a batch of rows, into NLL or cross entropy.

## Why is this bad?

Without `dim`, torch picks one by the number of dimensions, and warns that it does: dimension 0 for none, one and
three, dimension 1 for all others. For rows of logits, of shape (N, C), that is the classes, and no number is
wrong. For sequences, of shape (N, L, C), it is the batch: each class's scores are then normalized over the
samples, and the loss compares samples instead of classes. A softmax over dimension 0 of (N, C) does the same.

## Example

```python
import torch.nn as nn
import torch.nn.functional as F


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        return F.log_softmax(self.head(x.view(-1, 16)), dim=0)


def step(x, labels):
    return F.nll_loss(Classifier()(x), labels)
```

Use instead:

```python
import torch.nn as nn
import torch.nn.functional as F


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        return F.log_softmax(self.head(x.view(-1, 16)), dim=1)


def step(x, labels):
    return F.nll_loss(Classifier()(x), labels)
```

## Not flagged

A softmax of one dimension, which has no other; weights of attention and of pooling, which multiply something
else; a softmax over the columns of a matrix of similarities, or over single scores that compete in a list;
dimension 0 where the number of dimensions is not known, or where it is transposed to the classes' place
afterwards; a softmax whose result no loss gets.

## Fix safety

Where the two or four dimensions are known, the fix writes down the `dim=1` that torch picks: it is safe. Of other
findings nobody but the author knows which dimension the classes are: these have no fix.

## References

- [torch.nn.functional.softmax](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html)
"""

from collections.abc import Iterator

from loss_lint.findings import Verdict
from loss_lint.rules.match import CHANGES, Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import origin
from loss_lint.symbolic.dims import normalized_dim
from loss_lint.symbolic.edits import SetParameter
from loss_lint.symbolic.facts import meanings
from loss_lint.symbolic.graph import Const, Op, const
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.reaching import loss_reached
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.shapes import shape_of
from loss_lint.symbolic.walk import effect, origins

_COUNTS = ("no", "one", "two", "three", "four")
_TURNING = frozenset({"transpose", "permute", "movedim"})
_BY_CLASS = frozenset({"nll_loss", "cross_entropy"})
# What leaves each dimension where it is.
_BESIDE = frozenset(
    {"to", "cpu", "cuda", "detach", "clone", "contiguous", "identity", "to_float", "to_double", "to_half"}
)


def match(sink: Op, root: Root) -> Iterator[Match]:
    if not sink.operands:
        return
    given = sink.parameter("dim")
    plain = strip(given) if given is not None else None
    if plain is None or (isinstance(plain, Const) and plain.value is None):
        yield from _without_dim(sink, root)
    elif isinstance(plain, Const) and plain.value == 0 and type(plain.value) is int:
        yield from _over_batch(sink, root)


def _without_dim(sink: Op, root: Root) -> Iterator[Match]:
    rank = shape_of(sink.operands[0], sink.guards).rank
    if rank is not None and rank < 2:
        return
    loss = loss_reached(sink, root)
    if loss is None:
        return
    claim: tuple[Verdict, ...] = ("none",)
    dim = 1
    if rank is None:
        claim = ("none", *CHANGES)
        what = (
            "torch picks dimension 1 for two dimensions and from four on, but 0, the batch, for three, and warns. "
            "Pass the dimension of the classes"
        )
    elif rank == 3:
        if _is_turned(sink):  # as an old idiom does, so that it is dimension 0 that is meant
            return
        claim, dim = CHANGES, -1
        what = (
            "for three dimensions torch picks dimension 0, the batch, and warns: samples are compared, not "
            "classes; loss and gradient change. Pass the dimension of the classes"
        )
    else:
        count = _COUNTS[rank] if rank < len(_COUNTS) else str(rank)
        what = (
            f"for {count} dimensions torch picks dimension 1, and warns; no number changes. "
            "Say so: pass `dim=1`"
        )
    is_safe = claim == ("none",)
    yield _found(
        sink, loss, f"{sink.name} without a dim goes into {_named(loss)}: {what}.", claim, dim, is_safe
    )


def _is_turned(sink: Op) -> bool:
    """Whether the dimensions of the input were exchanged just before."""
    return any(
        isinstance(view.node, Op) and view.node.name in _TURNING
        for view in origins(sink.operands[0], sink.guards, through=_BESIDE)
    )


def _over_batch(sink: Op, root: Root) -> Iterator[Match]:
    if not _is_batch_of_rows(sink):
        return
    loss = loss_reached(sink, root)
    if loss is None or loss.name not in _BY_CLASS or not _stays_first(sink, loss):
        return
    message = (
        f"{sink.name} normalizes dimension 0, the batch, on its way into {loss.name}: samples are compared, not "
        "classes; loss and gradient change. Pass the dimension of the classes."
    )
    yield _found(sink, loss, message, CHANGES, 1, is_safe=False)


def _is_batch_of_rows(sink: Op) -> bool:
    """Whether the first dimension is certainly one of samples: a layer's result of two dimensions and more."""
    found = list(origins(sink.operands[0], sink.guards, through=_BESIDE))
    for view in found:
        node = view.node
        while isinstance(node, Op) and effect(node) in ("unary", "squash") and node.operands:
            node = strip(node.operands[0])
        if not isinstance(node, Op) or not node.name.startswith(("linear", "conv")):
            return False
        shape = shape_of(node, view.guards)
        # One sample of a convolution has its channels first; single scores compete over the batch.
        least = int(node.name[-2]) + 2 if node.name.startswith("conv") else 2
        if shape.rank is None or shape.rank < least or shape.size(-1) == 1:
            return False
    return bool(found)


def _stays_first(sink: Op, loss: Op) -> bool:
    """Whether what `sink` normalized is still the first dimension where the loss gets it."""
    for fact in meanings(loss.operands[0], loss.guards):
        if fact.op is sink:
            dim = normalized_dim(sink, fact.view.chain)
            return dim is not None and dim.normalized().index == 0
    return False


def _named(loss: Op) -> str:
    return loss.name if effect(loss) == "loss" else "a loss"


def _found(sink: Op, loss: Op, message: str, claim: tuple[Verdict, ...], dim: int, is_safe: bool) -> Match:
    made = origin(sink)
    steps = ((made, f"{sink.name} is made without a dim"),) if made != sink.site and is_safe else ()
    return Match(
        sink=sink,
        message=message,
        claim=claim,
        guards=sink.guards,
        spine=(sink,),
        edits=(SetParameter(sink, "dim", const(dim)),),
        steps=(*steps, (loss.site, f"{_named(loss)} gets it")),
        safe=is_safe,
        fix_message="Write down the dimension that torch picks" if is_safe else "",
        completion="nll_loss",
    )


RULE = Rule(
    code="LOS211",
    name="softmax-dim",
    summary="a softmax without a dim, or over the batch, on its way to a loss",
    claim=("none", *CHANGES),
    fix="safe",
    sinks=frozenset({"softmax", "log_softmax", "softmin"}),
    match=match,
)

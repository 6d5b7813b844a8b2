"""# integer-bce-target (LOS306)

## What it does

Looks for integers or truth values, known to be so, that reach the target of a binary cross entropy.

## Why is this bad?

A binary cross entropy compares with probabilities, and torch wants them in the dtype of the input. It casts
nothing: for targets of dtype `long`, `int` or `bool` it raises, also where they are all zeros and ones.
`one_hot` makes integers, a comparison makes truth values, and `torch.full((n,), 1)` is integer, too, since
torch 1.7.

## Example

```python
import torch.nn.functional as F


def step(logits, labels):
    one_hot = F.one_hot(labels, num_classes=5)
    return F.binary_cross_entropy_with_logits(logits, one_hot)
```

Use instead:

```python
import torch.nn.functional as F


def step(logits, labels):
    one_hot = F.one_hot(labels, num_classes=5)
    return F.binary_cross_entropy_with_logits(logits, one_hot.float())
```

## Not flagged

Targets whose dtype is not known, such as those of a data set that is not in sight; tensors that are made like
another one (`ones_like(output)`); integers that were cast to float later; integers as the target of the other
losses, most of which cast them.

## Fix safety

The fix adds `.float()`. The program raised before, and zeros and ones are the same numbers as floats: safe.

## References

- [torch.nn.BCELoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html)
- [torch.nn.BCEWithLogitsLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html)
- [torch.full](https://docs.pytorch.org/docs/stable/generated/torch.full.html) on the dtype that it infers
"""

from collections.abc import Iterator

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at
from loss_lint.symbolic.dtypes import Integers, asks_for_dtype, integers
from loss_lint.symbolic.edits import Wrap
from loss_lint.symbolic.graph import Const, Op
from loss_lint.symbolic.labels import is_class_index
from loss_lint.symbolic.root import Root

_MAKES = {
    "one_hot": "one_hot makes integers",
    "full": "torch.full of an integer makes integers",
    "full_like": "full_like makes integers",
    "argmax": "argmax makes class indices",
    "getitem": "the data set returns class indices",
    **{f"to_{dtype}": f".{dtype}() makes integers" for dtype in ("long", "int", "short", "byte")},
    "to_bool": ".bool() makes truth values",
    **dict.fromkeys(("eq", "ne", "lt", "le", "gt", "ge"), "a comparison makes truth values"),
}


def match(sink: Op, root: Root) -> Iterator[Match]:
    if len(sink.operands) < 2:
        return
    for found in integers(sink.operands[1], sink.guards):
        if found is None or asks_for_dtype(found.view.guards) or _is_of_another_branch(found):
            continue
        view, maker = found.view, found.path[-1]
        moved = view.passes and view.passes[0].frame is sink.frame
        made = _MAKES.get(maker.name, f"{maker.name} makes integers")
        # What is loaded is an input of the expression.
        path = found.path[:-1] if is_class_index(maker) else found.path
        yield Match(
            sink=sink,
            message=(
                f"{sink.name} wants floats as its target, but {made} ({at(maker.site, sink.site)}); torch raises. "
                "Pass target.float()."
            ),
            claim=("raises",),
            guards=view.guards,
            spine=(sink, *path),
            edits=(Wrap(sink, 1, "to_float", argument=view.passes[0].site if moved else None),),
            passes=view.passes,
            steps=((maker.site, made),),
            safe=True,
            fix_message="Cast the target to float",
        )


def _is_of_another_branch(found: Integers) -> bool:
    """Whether a tensor that one branch makes is unpacked as another's pair is: `rows, indices = labels`."""
    return bool(found.view.guards) and any(
        op.name == "getitem"
        and not is_class_index(op)
        and isinstance(place := op.parameter("index"), Const)
        and type(place.value) is int
        for op in found.view.chain
    )


RULE = Rule(
    code="LOS306",
    name="integer-bce-target",
    summary="integers as the target of a binary cross entropy",
    claim=("raises",),
    fix="safe",
    sinks=frozenset({"binary_cross_entropy", "binary_cross_entropy_with_logits"}),
    match=match,
)

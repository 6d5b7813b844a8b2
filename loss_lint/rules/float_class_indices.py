"""# float-class-indices (LOS303)

## What it does

Looks for class indices, known to be so, that are cast to a float dtype on their way to cross entropy or
NLL.

## Why is this bad?

torch decides by the dtype what a target means: integers are class indices, floats are probabilities of the
same shape as the logits. Indices as floats fit neither, and it raises.

## Example

```python
import torch.nn.functional as F


def step(logits, one_hot):
    labels = one_hot.argmax(dim=1).float()
    return F.cross_entropy(logits, labels)
```

Use instead:

```python
import torch.nn.functional as F


def step(logits, one_hot):
    labels = one_hot.argmax(dim=1)
    return F.cross_entropy(logits, labels)
```

## Not flagged

Float targets of unknown meaning, which may be probabilities.

## Fix safety

The fix drops the cast. The program raised before and computes a loss afterwards: unsafe.
"""

from collections.abc import Iterator

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at
from loss_lint.symbolic.dtypes import asks_for_dtype
from loss_lint.symbolic.edits import Bypass, Wrap
from loss_lint.symbolic.graph import Op
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.targets import float_casts


def match(sink: Op, root: Root) -> Iterator[Match]:
    if len(sink.operands) < 2:
        return
    for cast, view in float_casts(sink.operands[1], sink.guards, root):
        if asks_for_dtype(view.guards):
            continue
        spine_end = view.chain[: view.chain.index(cast) + 1] if cast in view.chain else (*view.chain, cast)
        yield Match(
            sink=sink,
            message=(
                f"{sink.name} gets class indices as floats, cast at {at(cast.site, sink.site)}; torch raises, as it "
                "takes floats for probabilities. Drop the cast."
            ),
            claim=("raises",),
            guards=view.guards,
            spine=(sink, *spine_end),
            edits=(Bypass(cast),) if cast.name.startswith("to_") else (Wrap(sink, 1, "to_long"),),
            passes=view.passes,
            steps=((cast.site, "class indices become floats"),),
            fix_message="Drop the cast",
        )


RULE = Rule(
    code="LOS303",
    name="float-class-indices",
    summary="class indices cast to float",
    claim=("raises",),
    fix="unsafe",
    sinks=frozenset({"cross_entropy", "nll_loss"}),
    match=match,
)

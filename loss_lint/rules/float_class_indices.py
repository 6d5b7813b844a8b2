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
from itertools import takewhile

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at
from loss_lint.symbolic.dtypes import asks_for_dtype
from loss_lint.symbolic.edits import Bypass, Wrap
from loss_lint.symbolic.graph import Op, Pass
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.targets import float_casts
from loss_lint.symbolic.walk import View


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
            passes=_passes_of(cast, view),
            steps=((cast.site, "class indices become floats"),),
            fix_message="Drop the cast",
        )


def _passes_of(cast: Op, view: View) -> tuple[Pass, ...]:
    """The arguments between the loss and the cast: what comes into the function that casts is not wrong yet."""
    return tuple(takewhile(lambda entered: entered.frame is not cast.frame, view.passes))


RULE = Rule(
    code="LOS303",
    name="float-class-indices",
    summary="class indices cast to float",
    claim=("raises",),
    fix="unsafe",
    sinks=frozenset({"cross_entropy", "nll_loss"}),
    match=match,
)

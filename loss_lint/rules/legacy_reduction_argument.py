"""# legacy-reduction-argument (LOS107)

## What it does

Looks for losses that are given `size_average=` or `reduce=`, the arguments that `reduction=` replaced in
torch 0.4.1.

## Why is this bad?

The two booleans decide together, and silently win over a `reduction` beside them: `reduce=False` makes one loss
for each element, whatever `size_average` says; else `size_average=False` makes the sum, and everything else the
mean. Who reads such a call has to know that table to know what is trained on, and torch warns of it in every run.

## Example

```python
import torch.nn as nn

criterion = nn.CrossEntropyLoss(size_average=False)
```

Use instead:

```python
import torch.nn as nn

criterion = nn.CrossEntropyLoss(reduction="sum")
```

## Not flagged

Legacy arguments that are handed on and whose value is not known or `None`; parameters of these names of a project's
own losses; the unrelated `reduce=` of `scatter`.

## Fix safety

The fix writes the `reduction` that the arguments stand for, which changes no number: it is safe. There is none where
the arguments are no literals.

## References

- [torch.nn.CrossEntropyLoss, parameters `size_average` and `reduce`](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from loss_lint import catalogue
from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.symbolic.edits import Rename
from loss_lint.symbolic.facts import UNKNOWN, constant
from loss_lint.symbolic.graph import Const, Op, const, fresh_content, leaf
from loss_lint.symbolic.reductions import LEGACY, LEGACY_REDUCTION, legacy_string
from loss_lint.symbolic.root import Root

# What a project's own loss, which derives from torch's base class, is measured as.
_ANY_LOSS = "mse_loss"


def match(sink: Op, _: Root) -> Iterator[Match]:
    given = [constant(operand, sink.guards) for operand in sink.operands]
    if UNKNOWN in given or given == [None, None]:
        return
    meant = legacy_string(*given)
    legacy = [(name, value) for name, value in zip(LEGACY, given, strict=True) if value is not None]
    written = " and ".join(f"{name}={value!r}" for name, value in legacy)
    beside = constant(sink.parameter("reduction"), sink.guards)
    against = f', over the reduction="{beside}" beside' if isinstance(beside, str) and beside != meant else ""
    are, them = ("is a legacy argument", "it") if len(legacy) == 1 else ("are legacy arguments", "them")
    loss = _loss(sink, given)
    yield Match(
        sink=sink,
        message=(
            f'{written} {are} for reduction="{meant}"{against}, and torch warns of {them}. '
            f'Write reduction="{meant}"; no number changes.'
        ),
        claim=("none",),
        guards=sink.guards,
        spine=(loss,),
        edits=(Rename(loss, loss.name, (("reduction", const(meant)),), drop=LEGACY),),
        safe=True,
        fix_message=f'Use reduction="{meant}"',
    )


def _loss(sink: Op, given: list[object]) -> Op:
    """The loss of two unknowns that gets these arguments."""
    named = sink.parameter("loss")
    name = str(named.value) if isinstance(named, Const) and named.value else _ANY_LOSS
    known = catalogue.loss(name)
    assert known is not None
    operands = tuple(leaf("unknown", operand, sink.site) for operand in known.operands)
    return replace(
        sink,
        name=name,
        operands=operands,
        parameters=tuple((name, const(value)) for name, value in zip(LEGACY, given, strict=True)),
        slots=(None,) * len(operands),
        content=fresh_content(),
    )


RULE = Rule(
    code="LOS107",
    name="legacy-reduction-argument",
    summary="`size_average=` or `reduce=` in place of `reduction=`",
    claim=("none",),
    fix="safe",
    sinks=frozenset({LEGACY_REDUCTION}),
    match=match,
)

"""# mask-after-reduction (LOS104)

## What it does

Looks for a mask or per-sample weights that are multiplied onto a loss which torch has reduced to a scalar
already.

## Why is this bad?

The mask comes too late: the masked samples are in the mean already, and multiplying one number by a mask
and averaging again only scales it. What was to be ignored is trained on.

## Example

```python
import torch.nn.functional as F


def step(logits, labels):
    mask = (labels != 0).float()
    loss = F.cross_entropy(logits, labels)
    return (loss * mask).sum() / mask.sum()
```

Use instead:

```python
import torch.nn.functional as F


def step(logits, labels):
    mask = (labels != 0).float()
    loss = F.cross_entropy(logits, labels, reduction="none")
    return (loss * mask).sum() / mask.sum()
```

## Not flagged

Coefficients, and factors that are not visibly a tensor of several elements; a mask on the loss's inputs;
losses with `reduction="none"`.

## Fix safety

The fix sets `reduction="none"`, so that the mask meets one loss for each sample. It changes the loss, which
is the point: unsafe. Where the loss is made elsewhere (an earlier statement, the constructor of `self.criterion`), it
is edited there, if nothing else uses it; there is no fix where nothing reduces the product afterwards.
"""

from collections.abc import Iterator

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at
from loss_lint.symbolic.edits import SetParameter
from loss_lint.symbolic.facts import loss_terms, reduction
from loss_lint.symbolic.graph import Guards, Op, const
from loss_lint.symbolic.masks import mask_in
from loss_lint.symbolic.root import Root


def match(sink: Op, root: Root) -> Iterator[Match]:
    for slot in (0, 1) if sink.lossy else ():
        terms = loss_terms(sink.operands[slot], sink.guards)
        if not terms or not all(
            _is_reduced(term.node, term.guards) for term in terms if isinstance(term.node, Op)
        ):
            continue
        mask = mask_in(sink.operands[1 - slot], sink, terms, root)
        if mask is None:
            continue
        first = terms[0]
        assert isinstance(first.node, Op)
        is_reduced_behind = any(op.name in ("sum", "mean") for op in root.downstream(sink))
        yield Match(
            sink=sink,
            message=(
                f"{mask} is multiplied onto a scalar: {first.node.name} at {at(first.node.site, sink.site)} has been "
                'reduced already, so nothing is masked. Use reduction="none" and reduce behind the mask.'
            ),
            claim=("value", "gradient", "value+gradient"),
            guards=first.guards,
            spine=(sink, *first.chain, first.node),
            edits=(SetParameter(first.node, "reduction", const("none")),),
            passes=first.passes,
            steps=((first.node.site, f"{first.node.name} reduces to a scalar"),),
            fix_message='Use reduction="none"' if is_reduced_behind else "",
            completion="masked_mean",
        )


def _is_reduced(node: Op, guards: Guards) -> bool:
    return reduction(node, guards) in ("mean", "sum", "batchmean")


RULE = Rule(
    code="LOS104",
    name="mask-after-reduction",
    summary="a mask multiplied onto a loss that is a scalar already",
    claim=("value", "gradient", "value+gradient"),
    fix="unsafe",
    sinks=frozenset({"mul"}),
    match=match,
)

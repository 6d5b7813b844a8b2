"""# mean-loss-divided (LOS101)

## What it does

Looks for a loss that torch has averaged already (`reduction="mean"`, the default of every loss) and that is
then divided by a number of samples, tokens or masked elements.

## Why is this bad?

The average is divided by the batch size a second time. Loss and gradient shrink by that factor, so the
learning rate that was tuned for one batch size is wrong for every other, and with Adam the epsilon and the
weight decay weigh differently.

## Example

```python
import torch.nn.functional as F


def step(logits, labels):
    loss = F.cross_entropy(logits, labels)
    loss = loss / labels.size(0)
    loss.backward()
```

Use instead:

```python
import torch.nn.functional as F


def step(logits, labels):
    loss = F.cross_entropy(logits, labels)
    loss.backward()
```

## Not flagged

A division by the number of accumulation steps, of loss terms or heads, or by the world size; a loss with
`reduction="sum"` or `"none"`; a sum over a loop; a division inside a loop over the samples; a copy of the
loss that is only logged while the undivided one is trained on.

## Fix safety

The fix removes the division. It changes the loss and its gradient, which is the point: it is marked as
unsafe.

## References

- [torch.nn.CrossEntropyLoss, parameter `reduction`](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html)
"""

from collections.abc import Iterator

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.sentences import mean_loss_divided
from loss_lint.rules.wording import at
from loss_lint.symbolic.counts import divisions, is_step_count, runs_over, sample_count, sources
from loss_lint.symbolic.edits import Bypass
from loss_lint.symbolic.facts import loss_terms, reduction
from loss_lint.symbolic.graph import Guards, Op
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.walk import View

MEANS = frozenset({"mean", "batchmean"})


def match(sink: Op, root: Root) -> Iterator[Match]:
    if not sink.lossy or not sink.grad or len(sink.operands) != 2:
        return
    for loss_slot, divisor, spelled in divisions(sink):
        terms = loss_terms(sink.operands[loss_slot], sink.guards)
        if not terms or not all(_is_mean(term) for term in terms):
            continue
        related = frozenset[int]().union(*(sources(term.node) for term in terms))
        counted = sample_count(divisor, sink.guards, related, root.machine.conventions, spelled)
        if counted is None or is_step_count(divisor, root, spelled) or runs_over(divisor, sink.loops):
            continue
        first = terms[0]
        assert isinstance(first.node, Op)
        yield Match(
            sink=sink,
            message=mean_loss_divided(f"{first.node.name} at {at(first.node.site, sink.site)}", counted),
            claim=("value", "gradient", "value+gradient"),
            guards=first.guards,
            spine=(sink, *first.chain, first.node),
            edits=(Bypass(sink, loss_slot),),
            passes=first.passes,
            steps=((first.node.site, f"{first.node.name} averages over the batch"),),
            fix_message="Drop the division",
            harmless_here=not _matters(sink, first.node, root),
        )


def _is_mean(term: View) -> bool:
    assert isinstance(term.node, Op)
    if any(op.name in ("detach", "data_parallel", "all_gather") for op in term.chain):
        return False
    guards: Guards = term.guards
    return reduction(term.node, guards) in MEANS


def _matters(sink: Op, loss: Op, root: Root) -> bool:
    """Whether the divided loss is trained on: it reaches a backward, or is what the function returns."""
    if root.is_trained_on(sink):
        return True
    if root.is_trained_on(loss, without=sink):
        return False
    return root.is_returned(sink) or root.leads_to_return(sink)


RULE = Rule(
    code="LOS101",
    name="mean-loss-divided",
    summary="a mean loss divided by a number of samples again",
    claim=("value", "gradient", "value+gradient"),
    fix="unsafe",
    sinks=frozenset({"div", "mul"}),
    match=match,
)

"""# micro-batch-mean (LOS109)

## What it does

Looks for gradient accumulation that averages means over unequal numbers of elements: a loss that leaves some
targets out of its mean (masked or padded ones), or weighs them by class, divided by the number of accumulation steps.

## Why is this bad?

Each micro-batch's mean is divided by the number that this micro-batch counts. Averaged with equal weights, a
target in a micro-batch with few of them weighs more than one in a micro-batch with many. The result is another loss
than that of the whole batch, so accumulating is no longer the same as a larger batch, and short or mostly
masked samples dominate the training.

## Example

```python
import torch
import torch.nn.functional as F


def train(model, loader, optimizer, accumulation_steps, pad):
    for i, (x, y) in enumerate(loader):
        y = y.masked_fill(y == pad, -100)
        loss = F.cross_entropy(model(x), y)
        loss = loss / accumulation_steps
        loss.backward()
        if (i + 1) % accumulation_steps == 0:
            optimizer.step()
            optimizer.zero_grad()
```

Use instead:

```python
import torch
import torch.nn.functional as F


def train(model, windows, optimizer, pad):
    for window in windows:
        count = sum((y != pad).sum() for _, y in window)
        for x, y in window:
            y = y.masked_fill(y == pad, -100)
            loss = F.cross_entropy(model(x), y, reduction="sum")
            loss = loss / count
            loss.backward()
        optimizer.step()
        optimizer.zero_grad()
```

## Not flagged

Losses that count every element of batches of one size, also with an `ignore_index` that no target is seen to
carry; sums divided by a count; means that are multiplied by their count again; whatever is masked at the
same places in every sample.

## Fix safety

There is no fix: the targets of all micro-batches of a step have to be counted before the first of them is run.

## References

- [Gradient accumulation in transformers](https://huggingface.co/blog/gradient_accumulation)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from loss_lint.catalogue.names import counts_steps
from loss_lint.rules.match import CHANGES, Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at
from loss_lint.symbolic.accumulation import accumulating_loop, is_drawn_in
from loss_lint.symbolic.counted import Uneven, uneven
from loss_lint.symbolic.counts import divisions
from loss_lint.symbolic.facts import constant
from loss_lint.symbolic.graph import Op, Value
from loss_lint.symbolic.naming import name_of
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.walk import View, Walk, descend, effect


def match(sink: Op, root: Root) -> Iterator[Match]:
    if not sink.grad or not sink.lossy or len(sink.operands) != 2:
        return
    for slot, steps, spelled in divisions(sink):
        loop = accumulating_loop(sink, steps, spelled, root)
        if loop is None:
            continue
        by_index = counts_steps(spelled) or counts_steps(name_of(steps))
        for loss in _means(View(sink.operands[slot], sink.guards), Walk()):
            assert isinstance(loss.node, Op)
            if not is_drawn_in(loss.node.operands[1], loop, by_index=by_index):
                continue
            for found in uneven(loss):
                yield _match(sink, loss, found)
                return


def _match(sink: Op, loss: View, found: Uneven) -> Match:
    assert isinstance(loss.node, Op)
    return Match(
        sink=sink,
        message=(
            f"each micro-batch's {loss.node.name} ({at(loss.node.site, sink.site)}) is divided by {found.count}, which "
            "differs from one to the next: the mean of such means is another loss than the whole batch's, and so is "
            'its gradient. Use reduction="sum" and divide by what all micro-batches of a step count.'
        ),
        claim=CHANGES,
        guards=found.view.guards,
        spine=(sink, *loss.chain, loss.node),
        passes=loss.passes,
        steps=(
            (found.site, found.reason),
            (loss.node.site, f"{loss.node.name} divides by what it counts"),
        ),
        completion="micro_batches",
    )


def _means(view: View, walk: Walk) -> Iterator[View]:
    """The losses that are added up, with literal factors only: a count that multiplies one may undo its mean."""
    for seen in descend(view, walk, _KEEPING):
        node = seen.node
        if not isinstance(node, Op):
            continue
        if effect(node) == "loss":
            yield seen
            continue
        for operand in _terms(node, seen):
            yield from _means(replace(seen, node=operand, chain=(*seen.chain, node)), walk)


def _terms(op: Op, view: View) -> tuple[Value, ...]:
    match op.name:
        case "add":
            return op.operands
        case "sub":
            return op.operands[:1]
        case "mul":
            factors = [constant(operand, view.guards) for operand in op.operands]
            if isinstance(factors[0], int | float):
                return op.operands[1:]
            return op.operands[:1] if isinstance(factors[1], int | float) else ()
        case "div":
            divisor = constant(op.operands[1], view.guards)
            return op.operands[:1] if isinstance(divisor, int | float) else ()
        case _:
            return ()


# What leaves a scalar as it is; its mean is what a gathered one needs.
_KEEPING = frozenset({"to", "cpu", "cuda", "clone", "to_float", "to_double", "squeeze", "contiguous", "mean"})


RULE = Rule(
    code="LOS109",
    name="micro-batch-mean",
    summary="gradient accumulation that averages means of unequal counts",
    claim=CHANGES,
    fix="none",
    sinks=frozenset({"div", "mul"}),
    match=match,
)

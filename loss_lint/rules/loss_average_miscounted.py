"""# loss-average-miscounted (LOS103)

## What it does

Looks for an epoch's average loss whose sum and count do not fit: a sum of per-batch means divided by a number
of samples, or a sum of per-sample totals divided by a number of batches.

## Why is this bad?

The average that is printed, logged or compared is off by the batch size. Curves of runs with another batch size,
or of training and validation, cannot be compared, and thresholds, early stopping and schedulers that read the
number act on another one than their author believes. Training itself is not touched.

## Example

```python
import torch
import torch.nn.functional as F


@torch.no_grad()
def evaluate(model, loader):
    total = 0.0
    for images, labels in loader:
        total += F.cross_entropy(model(images), labels).item()
    return total / len(loader.dataset)
```

Use instead:

```python
import torch
import torch.nn.functional as F


@torch.no_grad()
def evaluate(model, loader):
    total = 0.0
    for images, labels in loader:
        total += F.cross_entropy(model(images), labels).item()
    return total / len(loader)
```

The last batch may be smaller than the others: multiply each loss by its batch size, and divide by the number of
samples, where that matters.

## Not flagged

A sum of means divided by the number of batches or by a print interval; a sum of `loss.item() * x.size(0)`, or of
losses with `reduction="sum"`, divided by the number of samples; a loader whose batches are single samples
(`DataLoader` without a `batch_size`); a divisor of which it is not known what it counts.

## Fix safety

The fix divides by the number of batches instead. It changes the reported number, which is the point: it is
marked as unsafe.

## References

- [torch.nn.CrossEntropyLoss, parameter `reduction`](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html)
- [torch.utils.data.DataLoader](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader)
"""

from collections.abc import Iterator
from dataclasses import replace

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at
from loss_lint.symbolic.edits import Bypass, GraphEdit, ReplaceOperand
from loss_lint.symbolic.epochs import Counted, Epoch
from loss_lint.symbolic.graph import Op, Value, fresh_content, leaf
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.sums import Total, as_sum, starts_at_zero, summand, totals


def match(sink: Op, root: Root) -> Iterator[Match]:
    if not sink.lossy or len(sink.operands) != 2:
        return
    found = [(sink, total) for total in totals(sink.operands[0], sink.guards)]
    for top, total in found or _summands(sink, root):
        epoch = Epoch(total.loops, total.view.guards, total.loss)
        counted = epoch.counts(sink.operands[1])
        if not _is_wrong(total, counted, epoch, root):
            continue
        if root.is_trained_on(sink) or _is_made_up_for(sink, epoch, root):
            continue
        yield _match(sink, top, total, epoch, root)


def _summands(sink: Op, root: Root) -> Iterator[tuple[Op, Total]]:
    """Losses that are divided first and added up then, with the addition: `total += loss.item() / n`."""
    for op in root.downstream(sink) if sink.loops else ():
        summed = as_sum(op) if op.name == "add" else None
        if summed is not None and summed.loop in sink.loops and starts_at_zero(summed.init, op.guards):
            total = summand(sink.operands[0], sink.guards, summed.loop)
            if total is not None:
                yield op, total
                return


def _is_wrong(total: Total, counted: Counted | None, epoch: Epoch, root: Root) -> bool:
    match total.power, counted:
        case 0, "samples":
            return not epoch.is_by_sample(root.machine)
        case 1, "iterations" if total.scaled or epoch.has_batches(root.ops):
            return not epoch.is_by_sample(root.machine)
        case _:
            return False


def _is_made_up_for(sink: Op, epoch: Epoch, root: Root) -> bool:
    """Whether the quotient is multiplied or divided by a count further on."""
    return any(
        epoch.counts_anything(operand, spelled)
        for op in root.downstream(sink, numbers=True)
        if op.name in ("mul", "div")
        for operand, spelled in zip(op.operands, op.spelled, strict=False)
    )


def _match(sink: Op, top: Op, total: Total, epoch: Epoch, root: Root) -> Match:
    loss, loop = total.loss, total.loop
    where = f"{loss.name} at {at(loss.site, sink.site)}"
    # Inside the loop only the batches so far have been added up.
    is_whole = top is not sink or loop not in sink.loops
    is_alone = len(total.loops) == 1 and not _is_product(sink.operands[1])
    own = loop.name if sink.frame is loop.frame and is_whole and is_alone else ""
    if total.power == 0:
        divisor = f"`len({own})`" if own else "the number of batches"
        message = (
            f"A sum over batches of {where}, a mean already, is divided by a number of samples; the reported "
            f"average is too small by the batch size. Divide by {divisor}, or multiply each loss by its batch size."
        )
        text = f"len({own})" if own and total.certain else None
        length: Value = loop.iterable or sink.operands[1]
    else:
        message = (
            f"A sum of per-sample losses, of {where}, is divided by a number of batches; the reported average "
            "is too large by the batch size. Divide by the number of samples."
        )
        text = f"len({own}.dataset)" if own and total.certain and epoch.has_dataset(root.ops) else None
        length = leaf("unknown", "samples", None)
    step = (
        "averages over its batch"
        if total.loss.parameter("reduction") and total.power == 0
        else "is summed up"
    )
    return Match(
        sink=sink,
        message=message,
        claim=("reported",),
        guards=total.view.guards,
        spine=tuple(dict.fromkeys((top, sink, *total.view.chain, loss))),
        edits=_edits(sink, total, length, text),
        passes=total.view.passes,
        steps=((loss.site, f"{loss.name} {step}"), (loop.site, "the batches are added up here")),
        fix_message="Divide by the number of batches"
        if total.power == 0
        else "Divide by the number of samples",
        completion="reported",
    )


def _is_product(value: Value) -> bool:
    return isinstance(value, Op) and value.name == "mul"


def _factors(value: Value) -> Iterator[Value]:
    """What is multiplied in a product that is written in place; anything else alone."""
    if isinstance(value, Op) and value.name == "mul":
        for operand in value.operands:
            yield from _factors(operand)
    else:
        yield value


def _edits(sink: Op, total: Total, length: Value, text: str | None) -> tuple[GraphEdit, ...]:
    """Another divisor: where it is `len(loader.dataset)`, written in place, the loader itself is counted."""
    divisor = sink.operands[1]
    for factor in _factors(divisor) if total.power == 0 and total.certain else ():
        dataset = factor.operands[0] if isinstance(factor, Op) and factor.name == "len" else None
        if isinstance(dataset, Op) and dataset.name == "getattr" and dataset.frame is sink.frame:
            return (Bypass(dataset),)
    fixed = _made(sink, "len", length)
    for loop in total.loops[:-1]:
        fixed = _made(sink, "mul", _made(sink, "len", loop.iterable or divisor), fixed)
    return (ReplaceOperand(sink, 1, fixed, text),)


def _made(sink: Op, name: str, *operands: Value) -> Op:
    return replace(
        sink,
        name=name,
        operands=operands,
        parameters=(),
        slots=(None,) * len(operands),
        spelled=("",) * len(operands),
        content=fresh_content(),
    )


RULE = Rule(
    code="LOS103",
    name="loss-average-miscounted",
    summary="an epoch's sum of losses divided by a number that does not fit it",
    claim=("reported",),
    fix="unsafe",
    sinks=frozenset({"div"}),
    match=match,
)

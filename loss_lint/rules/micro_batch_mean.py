"""# micro-batch-mean (LOS109)

## What it does

Looks for gradient accumulation that averages means over unequal numbers of elements: a loss that leaves some
targets out of its mean (masked or padded ones), or weighs them by class, divided by the number of accumulation steps.
The loss may be one that a model of transformers computes of its labels. Likewise a trainer's `compute_loss` that gets
`num_items_in_batch` and returns such a mean without using it.

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
same places in every sample; a trainer that is not seen to accumulate, or sets `model_accepts_loss_kwargs`.

## Fix safety

There is no fix: the targets of all micro-batches of a step have to be counted before the first of them is run.

## References

- [Gradient accumulation in transformers](https://huggingface.co/blog/gradient_accumulation)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from loss_lint.rules.match import CHANGES, Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.sentences import micro_batch_mean
from loss_lint.rules.wording import at
from loss_lint.symbolic.accumulation import accumulating_loop, is_called_steps, is_drawn_in
from loss_lint.symbolic.counted import Uneven, uneven
from loss_lint.symbolic.counts import divisions
from loss_lint.symbolic.facts import constant
from loss_lint.symbolic.graph import Op, Value, const, fresh_content
from loss_lint.symbolic.guards import literal_of, subject
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.walk import View, Walk, descend, effect


def match(sink: Op, root: Root) -> Iterator[Match]:
    if not sink.grad or not sink.lossy:
        return
    if sink.name == "framework_backward":
        yield from _uncounted(sink)
        return
    for slot, steps, spelled in divisions(sink) if len(sink.operands) == 2 else ():
        loop = accumulating_loop(sink, steps, spelled, root)
        if loop is None:
            continue
        by_index = is_called_steps(steps, spelled, root)
        for loss in _means(View(sink.operands[slot], sink.guards), Walk()):
            assert isinstance(loss.node, Op)
            if not is_drawn_in(loss.node.operands[1], loop, by_index=by_index):
                continue
            for found in uneven(loss):
                yield _match(sink, loss, found)
                return


def _uncounted(sink: Op) -> Iterator[Match]:
    """A step that is told how many targets all micro-batches have, and returns the mean of its own."""
    steps, count = sink.parameter("steps"), sink.parameter("count")
    if steps is None or count is None:
        return
    literal = literal_of(steps)
    if literal is not None and literal.value in (1, None):
        return
    for loss in _means(View(sink.operands[0], sink.guards), Walk()):
        assert isinstance(loss.node, Op)
        if any(subject(atom.condition) == count.content for atom in loss.guards):
            continue  # the mean for who does not count
        for found in uneven(loss):
            yield _match(loss.node, loss, found)
            return


def _match(sink: Op, loss: View, found: Uneven) -> Match:
    node = loss.node
    assert isinstance(node, Op)
    divided = sink is not node
    by_model = node.name == "model_loss"
    name = "loss of the model" if by_model else node.name
    where = f" ({at(node.site, sink.site)})" if divided else ""
    unused = "" if divided else ": num_items_in_batch is not used"
    spine = (_computed(node),) if by_model else (sink, *loss.chain, node) if divided else (node,)
    return Match(
        sink=sink,
        message=micro_batch_mean(f"{name}{where}", found.count, unused),
        claim=CHANGES,
        guards=found.view.guards,
        spine=spine,
        passes=loss.passes if divided else (),
        steps=((found.site, found.reason), (node.site, f"the {name} divides by what it counts")),
        completion="micro_batches",
    )


def _computed(loss: Op) -> Op:
    """What a model computes of its logits and the labels."""
    parameters = (("ignore_index", const(-100)), ("reduction", const("mean")))
    return replace(loss, name="cross_entropy", parameters=parameters, content=fresh_content())


def _means(view: View, walk: Walk) -> Iterator[View]:
    """The losses that are added up, with literal factors only: a count that multiplies one may undo its mean."""
    for seen in descend(view, walk, _KEEPING):
        node = seen.node
        if not isinstance(node, Op):
            continue
        if effect(node) == "loss" or node.name == "model_loss":
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
    sinks=frozenset({"div", "mul", "framework_backward"}),
    match=match,
)

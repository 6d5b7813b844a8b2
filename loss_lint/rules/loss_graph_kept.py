"""# loss-graph-kept (LOS502)

## What it does

Looks for a running total of losses that is only reported, to which the loss is added with its graph, and for a list of
losses that have been run backward already.

## Why is this bad?

A loss tensor holds the graph that computed it, and a total holds the graphs of all losses that were added to it.
After `backward()` the activations are gone, but every node of each graph stays: memory grows with each batch until
the total is dropped. Where nothing runs `backward()`, as in a validation loop without `no_grad()`, the
activations of all batches stay as well, and the loop ends in an out-of-memory error on a data set that is large
enough. The numbers are right: nothing else tells that something is wrong.

## Example

```python
import torch.nn.functional as F


def train(model, loader, optimizer):
    total = 0.0
    for images, labels in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss
    print(f"loss {total / len(loader):.4f}")
```

Use instead:

```python
import torch.nn.functional as F


def train(model, loader, optimizer):
    total = 0.0
    for images, labels in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.detach()
    print(f"loss {total / len(loader):.4f}")
```

`total += loss.item()` does as well; it waits for the GPU in each iteration, `detach()` does not.

## Not flagged

A total that is run backward itself, now or later; a loss that is added under `torch.no_grad()`, or as
`loss.item()`, `loss.detach()`, `loss.data` or `float(loss)`; a total that is detached in each iteration; a total
of which it is not known that it is only reported; a total in a function for evaluation, unless what trains is seen to
call it with gradients on; a total over the batches of one step, which starts anew where the
optimizer steps; a list that is emptied, shortened or replaced in the loop, or has a largest length; a loss that is
appended before it is run backward together with the others.

## Fix safety

The fix adds `loss.detach()`, which has the same number: it is safe.

## References

- [PyTorch FAQ: my model reports "cuda runtime error(2): out of memory"](https://docs.pytorch.org/docs/stable/notes/faq.html)
- [torch.Tensor.detach](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.detach.html)
"""

from collections.abc import Iterator
from itertools import takewhile

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at
from loss_lint.symbolic.accumulation import is_drawn_in
from loss_lint.symbolic.carried import added_to_total, is_of_total, is_total, restarts
from loss_lint.symbolic.classes import is_tensor
from loss_lint.symbolic.edits import Wrap
from loss_lint.symbolic.gradients import backward_of, losses_behind, run_backward
from loss_lint.symbolic.graph import NONE, Const, Guards, Loop, Object, Op, Site, Tuple, Value
from loss_lint.symbolic.guards import compatible, decided, implied, strip
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.trainable import is_of_a_model, readings
from loss_lint.symbolic.walk import View, Walk, effect, views


def match(sink: Op, root: Root) -> Iterator[Match]:
    if not (sink.grad and sink.loops and root.backward()) or root.is_trained_on(sink):
        return
    if sink.name == "append":
        yield from _match_list(sink, root)
        return
    found = added_to_total(sink)
    if found is None or _is_part_of_a_sum(sink, root):
        return
    slot, loop = found
    if (
        _is_short(loop)
        or _is_trained_on_behind(loop, sink.operands[slot], root)
        or _restarts_with_each_step(sink, loop, root)
    ):
        return
    for view, backward in _run_backward(sink, slot, root):
        # Where each iteration runs backward itself, nothing needs the graphs of all of them.
        if loop in backward.loops:
            if not _has_a_graph(sink.operands[slot], sink.guards):
                return
            yield _match(sink, slot, view, loop, backward)
            return
    yield from _match_evaluation(sink, slot, loop, root)


def _match_evaluation(sink: Op, slot: int, loop: Loop, root: Root) -> Iterator[Match]:
    """A total of losses that only becomes a number, in a loop that trains nothing, called by what does train.

    Who trains calls it where gradients are on; who calls it elsewhere is not known, and may turn them off.
    """
    if sink.frame.call is None or any(loop in backward.loops for backward in root.backward()):
        return
    if root.is_trained_on(sink) or not _becomes_a_number(sink.operands[slot], loop, root):
        return
    for view in losses_behind(View(sink.operands[slot], sink.guards), Walk()) if sink.lossy else ():
        if not (isinstance(view.node, Op) and view.node.frame is sink.frame and _is_of_a_model(view.node)):
            continue
        if any(is_drawn_in(target, loop, by_index=True) for target in view.node.operands[1:2]):
            yield _match(sink, slot, view, loop, None)
            return


def _is_of_a_model(loss: Op) -> bool:
    found = readings(View(loss.operands[0], loss.guards), Walk())
    return any(reading.state == "alive" and is_of_a_model(reading.view.node) for reading in found)


def _becomes_a_number(added: Value, loop: Loop, root: Root) -> bool:
    """Whether all that is seen to use the total behind `loop` makes a plain number of it."""
    pending = [
        op
        for op in root.ops
        if loop not in op.loops and any(is_total(operand, added, loop) for operand in op.operands)
    ]
    is_number = False
    while pending:
        op = pending.pop()
        if op.name in _NUMBERS:
            is_number = True
        elif op.name in _SCALES and (users := root.consumers(op)):
            pending.extend(users)
        else:
            return False
    return is_number


_NUMBERS = frozenset({"item", "detach", "tolist"})
_SCALES = frozenset({"div", "mul", "to", "cpu"})


def _match_list(sink: Op, root: Root) -> Iterator[Match]:
    """Losses that have been run backward, in a list that outlives the loop; nothing can train on them any more."""
    kept = strip(sink.parameter("to") or NONE)
    if not isinstance(kept, Object) or _is_shortened(kept, root):
        return
    outer = [loop for loop in sink.loops if loop not in kept.loops and not _is_short(loop)]
    for view, backward in _run_backward(sink, 0, root):
        common = [loop for loop in outer if loop in backward.loops]
        if common and not _retains(backward) and _has_a_graph(sink.operands[0], sink.guards):
            yield _match(sink, 0, view, common[0], backward)
            return


def _is_short(loop: Loop) -> bool:
    """Whether a loop runs over a few things that the program lists or counts, such as the parts of a loss."""
    match strip(loop.iterable) if loop.iterable is not None else None:
        case Tuple():
            return True
        case Op(name="range", operands=operands):
            numbers = [strip(operand) for operand in operands]
            return all(isinstance(one, Const) and one.value in _FEW for one in numbers)
        case _:
            return loop.unrolled


_FEW = range(-8, 9)


def _is_shortened(kept: Object, root: Root) -> bool:
    return any(op.name == "shorten" and op.operands[0].content == kept.content for op in root.ops)


def _retains(backward: Op) -> bool:
    return any(name in ("retain_graph", "create_graph") for name, _ in backward.parameters)


def _has_a_graph(value: Value, guards: Guards) -> bool:
    """Whether a gradient goes on from some reading of what is added: a loss that was cut is LOS501's."""
    return any(reading.state == "alive" for reading in readings(View(value, guards), Walk()))


def _is_trained_on_behind(loop: Loop, added: Value, root: Root) -> bool:
    """Whether the total that a loop leaves is run backward."""
    return any(
        is_of_total(value, added, loop)
        for backward in root.backward()
        for value in (*backward.operands, *(value for _, value in backward.parameters))
    )


def _restarts_with_each_step(sink: Op, loop: Loop, root: Root) -> bool:
    """Whether the total starts anew wherever the optimizer steps: of a few batches, whose gradients add up too."""
    stepping = [op for op in root.ops if op.name == "step" and loop in op.loops]
    return any(implied(op.guards, guards) for guards in restarts(sink, loop) if guards for op in stepping)


def _run_backward(sink: Op, slot: int, root: Root) -> Iterator[tuple[View, Op]]:
    """The losses in what is added, with the `backward()` on each."""
    value = sink.operands[slot]
    for view in losses_behind(View(value, sink.guards), Walk()) if sink.lossy else ():
        for backward in backward_of(view, root, without=sink):
            if compatible(decided(view.guards), backward.guards):
                yield view, backward
    for view, backward in run_backward(value, root, Walk()):
        if compatible(decided(view.guards), backward.guards):
            yield view, backward


def _is_part_of_a_sum(sink: Op, root: Root) -> bool:
    """Whether `sink` is `total + first` of `total + first + second`, which is looked at as a whole."""
    return any(
        consumer.name == "add"
        and _encloses(consumer.site, sink.site)
        and added_to_total(consumer) is not None
        for consumer in root.consumers(sink)
    )


def _encloses(outer: Site, inner: Site) -> bool:
    return (
        outer.path == inner.path
        and outer != inner
        and (outer.line, outer.column) <= (inner.line, inner.column)
        and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)
    )


def _match(sink: Op, slot: int, view: View, loop: Loop, backward: Op | None) -> Match:
    loss, is_list = view.node, sink.name == "append"
    known = isinstance(loss, Op) and effect(loss) == "loss"
    named = f" ({loss.name} at {at(loss.site, sink.site)})" if known and isinstance(loss, Op) else ""
    steps = [(loop.site, "appended in this loop" if is_list else "added up in this loop")]
    if backward is not None:
        steps.insert(0, (backward.site, "the loss is run backward here"))
    if known and isinstance(loss, Op):
        steps.insert(0, (loss.site, f"{loss.name} is computed"))
    # A function that is given a loss and runs it backward keeps its graph itself.
    ran = sink.frame if backward is None else backward.frame
    passes = tuple(takewhile(lambda entered: entered.frame is not ran, view.passes))
    moved = passes and passes[0].frame is sink.frame
    if backward is None:
        advice = "Nothing runs backward here: put the loop under `torch.no_grad()`, or add `loss.item()`."
    else:
        advice = f"{'Append' if is_list else 'Add'} `loss.detach()` or `loss.item()`."
    return Match(
        sink=sink,
        message=(
            f"The {'list' if is_list else 'running total'} keeps the graph of each loss that is "
            f"{'appended' if is_list else 'added'}{named}: memory grows with every batch, the number is the same. "
            f"{advice}"
        ),
        claim=("memory",),
        guards=view.guards,
        spine=(sink, *view.chain, *((loss,) if isinstance(loss, Op) else ())),
        edits=(
            Wrap(
                sink,
                slot,
                "detach",
                argument=passes[0].site if moved else None,
                is_written=_is_tensor(sink.operands[slot], sink.guards, view)
                and not (not is_list and _starts_as_none(sink.operands[1 - slot], sink.guards)),
            ),
        ),
        passes=passes,
        steps=tuple(steps),
        completion=None if is_list else "running_total",
        safe=True,
        fix_message="Detach what is added",
    )


def _is_tensor(value: Value, guards: Guards, found: View) -> bool:
    """Whether everything that `value` may be can be detached: a tensor, or what is run backward."""
    nodes = [view.node for view in views(value, guards, Walk(every=True))]
    return bool(nodes) and all(is_tensor(node) or node is found.node for node in nodes)


def _starts_as_none(total: Value, guards: Guards) -> bool:
    """Whether a total starts as the first loss, which has to be detached as well."""
    return any(view.node.content == NONE.content for view in views(total, guards, Walk(every=True)))


RULE = Rule(
    code="LOS502",
    name="loss-graph-kept",
    summary="a loss added to a running total for reporting, its graph kept alive",
    claim=("memory",),
    fix="safe",
    sinks=frozenset({"add", "append"}),
    match=match,
)

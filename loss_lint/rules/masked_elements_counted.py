"""# masked-elements-counted (LOS110)

## What it does

Looks for `.mean()` of a loss by element (`reduction="none"`) that was masked, that ignores some targets, or that
weighs them by class. Off by default: `--select LOS110`.

## Why is this bad?

What is masked or ignored is a zero, and the mean counts it: the loss gets the smaller the more is masked, and a batch
with much padding teaches less than one with little. `reduction="mean"` leaves ignored targets out, and divides by
the sum of the class weights. Some methods count what is masked on purpose (FixMatch weighs its unlabeled
loss by the share of confident samples), which is why the rule is off by default.

## Example

```python
import torch.nn.functional as F


def token_loss(logits, labels):
    mask = (labels != 0).float()
    loss = F.cross_entropy(logits, labels, reduction="none")
    return (loss * mask).mean()
```

Use instead:

```python
import torch.nn.functional as F


def token_loss(logits, labels):
    mask = (labels != 0).float()
    loss = F.cross_entropy(logits, labels, reduction="none")
    return (loss * mask).sum() / mask.sum()
```

## Not flagged

Sums divided by the mask's sum; means that are divided again; a mask that is normalized; what is selected by the mask
(`loss[mask].mean()`); weights by sample; a sum of two masked losses, whose masks may cover all elements;
`ignore_index=-100` where no target is seen to carry it.

## Fix safety

The fix lets torch take the mean, where nothing but the mean uses the loss; a mask's sum is left to the author. It
changes the loss, which is the point: unsafe.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from loss_lint.rules.match import CHANGES, Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at
from loss_lint.symbolic.collators import IGNORED
from loss_lint.symbolic.counted import carriers, is_soft, weighing
from loss_lint.symbolic.counts import is_mask
from loss_lint.symbolic.edits import Bypass, GraphEdit, ReplaceOperand, SetParameter
from loss_lint.symbolic.facts import UNKNOWN, constant, reduction
from loss_lint.symbolic.graph import Op, Value, const, fresh_content
from loss_lint.symbolic.naming import name_of
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.walk import View, Walk, descend, effect

_KEEPING = frozenset(
    {"to", "cpu", "cuda", "clone", "to_float", "to_double", "to_half", "to_bfloat16", "contiguous", "view", "reshape",
     "flatten", "squeeze"}
)  # fmt: skip
_BY_CLASS = frozenset({"cross_entropy", "nll_loss"})


@dataclass(frozen=True, slots=True)
class _Product:
    """A loss by element, and what it is multiplied by, element by element."""

    loss: View
    factors: tuple[Value, ...] = ()


def match(sink: Op, root: Root) -> Iterator[Match]:
    if not sink.lossy or not sink.grad or sink.parameter("dim") is not None or _is_divided_again(sink, root):
        return
    for product in _products(View(sink.operands[0], sink.guards), Walk()):
        found = _masked(sink, product) or _ignoring(sink, product) or _weighed(sink, product)
        if found is not None:
            yield found
            return


def _is_divided_again(sink: Op, root: Root) -> bool:
    """Whether the mean is divided by the share of what counts: `(loss * mask).mean() / mask.mean()`."""
    return any(
        op.name == "div" and not isinstance(constant(op.operands[1], op.guards), int | float)
        for op in root.consumers(sink)
    )


def _products(view: View, walk: Walk) -> Iterator[_Product]:
    for seen in descend(view, walk, _KEEPING):
        node = seen.node
        if not isinstance(node, Op):
            continue
        if effect(node) == "loss":
            if reduction(node, seen.guards) == "none":
                yield _Product(seen)
        elif node.name == "mul":
            for operand, other in (node.operands, node.operands[::-1]):
                for inner in _products(seen.below(node, operand), walk):
                    yield replace(inner, factors=(*inner.factors, other))
        elif node.name == "neg":
            yield from _products(seen.below(node, node.operands[0]), walk)


def _masked(sink: Op, product: _Product) -> Match | None:
    mask = next((factor for factor in product.factors if is_mask(factor)), None)
    if mask is None:
        return None
    called = f"`{name_of(mask)}`" if name_of(mask) else "the mask"
    message = (
        f"mean() counts what {called} leaves out as zeros: the loss and its gradient get smaller the more is masked. "
        f"Divide the sum by the sum of the mask."
    )
    return _match(sink, product, message, _divided(sink, _made(sink, "sum", mask)))


def _ignoring(sink: Op, product: _Product) -> Match | None:
    loss = product.loss.node
    assert isinstance(loss, Op)
    ignored = loss.parameter("ignore_index")
    if loss.name not in _BY_CLASS or ignored is None or not _ignores(ignored, product.loss):
        return None
    index = constant(ignored, product.loss.guards)
    which = f" (ignore_index={index})" if isinstance(index, int) else ""
    message = (
        f"{loss.name} at {at(loss.site, sink.site)} gives zeros for targets that it ignores{which}, and mean() counts "
        'them: loss and gradient get smaller the more is ignored. Use reduction="mean", or divide by the number of '
        "targets that count."
    )
    if not product.factors:
        return _match(sink, product, message, _by_torch(sink, loss), "partly_ignored")
    kept = _made(sink, "ne", loss.operands[1], const(index) if isinstance(index, int) else IGNORED)
    return _match(sink, product, message, _divided(sink, _made(sink, "sum", kept)), "partly_ignored")


def _ignores(ignored: Value, loss: View) -> bool:
    """Whether targets are certainly ignored: the program says which, and -100 occurs."""
    assert isinstance(loss.node, Op)
    index = constant(ignored, loss.guards)
    if index is UNKNOWN:
        return "pad" in name_of(ignored).lower()
    if index != -100:
        return isinstance(index, int)
    target = replace(loss, node=loss.node.operands[1], chain=(), passes=())
    return next(carriers(target, IGNORED, Walk()), None) is not None


def _weighed(sink: Op, product: _Product) -> Match | None:
    loss = product.loss.node
    assert isinstance(loss, Op)
    weight = loss.parameter("weight")
    if (
        loss.name not in _BY_CLASS
        or weight is None
        or product.factors
        or is_soft(loss.operands[1], product.loss)
    ):
        return None
    if next(weighing(weight, product.loss), None) is None:
        return None
    message = (
        f"mean() divides by the number of targets, {loss.name} at {at(loss.site, sink.site)} by the sum of their class "
        'weights: loss and gradient differ by that factor from batch to batch. Use reduction="mean".'
    )
    return _match(sink, product, message, _by_torch(sink, loss))


def _match(
    sink: Op,
    product: _Product,
    message: str,
    repaired: tuple[Op, tuple[GraphEdit, ...]],
    completion: str | None = None,
) -> Match:
    loss = product.loss
    assert isinstance(loss.node, Op)
    top, edits = repaired
    return Match(
        sink=sink,
        message=message,
        claim=CHANGES,
        guards=loss.guards,
        spine=(top, *(() if top is sink else (sink,)), *loss.chain, loss.node),
        edits=edits,
        passes=loss.passes,
        steps=((loss.node.site, f"{loss.node.name} gives one loss for each element"),),
        fix_message='Use reduction="mean"',
        completion=completion,
    )


def _by_torch(sink: Op, loss: Op) -> tuple[Op, tuple[GraphEdit, ...]]:
    return sink, (SetParameter(loss, "reduction", const("mean")), Bypass(sink))


def _divided(sink: Op, count: Op) -> tuple[Op, tuple[GraphEdit, ...]]:
    """The sum over a count in place of the mean."""
    top = _made(sink, "identity", sink)
    divided = _made(sink, "div", _made(sink, "sum", sink.operands[0]), count)
    return top, (ReplaceOperand(top, 0, divided),)


def _made(sink: Op, name: str, *operands: Value) -> Op:
    """An operation at the place of `sink` that the program does not have."""
    return replace(
        sink,
        name=name,
        operands=operands,
        parameters=(),
        slots=(None,) * len(operands),
        spelled=("",) * len(operands),
        content=fresh_content(),
        made=None,
    )


RULE = Rule(
    code="LOS110",
    name="masked-elements-counted",
    summary="a mean that counts masked or ignored elements as zeros; off by default",
    claim=CHANGES,
    fix="unsafe",
    sinks=frozenset({"mean"}),
    match=match,
    default=False,
)

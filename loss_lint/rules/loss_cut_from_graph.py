"""# loss-cut-from-graph (LOS501)

## What it does

Looks for a loss that is made a new tensor before it is run backward: `torch.tensor(loss)`, `Variable(loss)`, or
what is made of its `.data`, `.item()` or `.detach()`.

## Why is this bad?

The new tensor has the loss's number, but not the graph that computed it. Made to require a gradient, it takes the
whole gradient itself: `backward()` runs, no parameter gets any, and the optimizer steps without changing anything.
The loss is logged all the while, as high as on the first day. Without `requires_grad=True`, torch raises "element
0 of tensors does not require grad", and that message is what the wrong cure is often written for: what is wrong
lies before the loss then.

## Example

```python
import torch
import torch.nn.functional as F


def step(model, images, labels, optimizer):
    loss = F.cross_entropy(model(images), labels)
    loss = torch.tensor(loss, requires_grad=True)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
```

Use instead:

```python
import torch
import torch.nn.functional as F


def step(model, images, labels, optimizer):
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
```

## Not flagged

`loss.requires_grad_()` on a loss that has its graph; copies that are logged, compared or returned as numbers; a
detached factor or term beside others that a gradient reaches (a weight, a baseline, a target); a zero that a sum
of losses starts with.

## Fix safety

The fix takes the cut out. It makes the model train, which is the point: it is marked as unsafe.

## References

- [torch.tensor: it copies data, and `torch.tensor(x)` is `x.detach().clone()`](https://docs.pytorch.org/docs/stable/generated/torch.tensor.html)
- [torch.Tensor.detach](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.detach.html)
"""

from collections.abc import Iterator

from loss_lint.findings import Verdict
from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.sentences import loss_cut_from_graph
from loss_lint.rules.wording import at
from loss_lint.symbolic.edits import Bypass
from loss_lint.symbolic.flow import BACKWARD
from loss_lint.symbolic.gradients import CUTS, behind_cut, ways_back
from loss_lint.symbolic.graph import Guards, Leaf, Op, Value
from loss_lint.symbolic.guards import truth
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.walk import View, Walk, effect, origins

# What makes a number of a loss: its `backward()` is a mistake that no run survives.
_NUMBERS = frozenset({"item", "tolist", "numpy", "array"})


def match(sink: Op, root: Root) -> Iterator[Match]:
    values = (*sink.operands[:1], *(value for name, value in sink.parameters if name == "loss"))
    for value in values:
        walk = Walk()
        ways = list(ways_back(View(value, sink.guards), walk))
        alive = any(way.end in ("loss", "unknown") for way in ways) or walk.exhausted
        for way in ways:
            cut = way.view.node
            if way.end != "cut" or not isinstance(cut, Op) or cut.name in _NUMBERS:
                continue
            required = _requiring(way.view)
            certain = way.view.guards <= sink.guards
            if required is None and (alive or not certain):
                continue
            behind = next(behind_cut(way.view, Walk()), None)
            if behind is not None:
                yield _match(sink, way.view, required, behind)
            elif required is not None and _stands_for_a_loss(way.view, root):
                yield _match(sink, way.view, required, None)


def _requiring(view: View) -> Op | None:
    """What makes a cut value require a gradient: the cut itself, or what is done to it afterwards."""
    cut = view.node
    assert isinstance(cut, Op)
    asked = cut.parameter("requires_grad")
    if asked is not None and truth(asked) is True:
        return cut
    for op in view.chain:
        mode = op.parameter("mode") if op.name == "requires_grad_" else None
        if op.name == "requires_grad_" and (mode is None or truth(mode) is True):
            return op
    return None


def _stands_for_a_loss(view: View, root: Root) -> bool:
    """Whether a new tensor is run backward as it is, and an optimizer steps: what it was made of is the loss."""
    cut = view.node
    assert isinstance(cut, Op)
    if any(effect(op) not in ("keep", "cast") for op in view.chain):
        return False
    computed = any(_is_computed(seen.node) for seen in origins(cut.operands[0], view.guards))
    return computed and any(op.name == "step" for op in root.ops)


def _is_computed(node: Value) -> bool:
    return (isinstance(node, Leaf) and node.role == "call") or (
        isinstance(node, Op) and node.lossy and effect(node) != "create"
    )


def _match(sink: Op, view: View, required: Op | None, behind: View | None) -> Match:
    cut = view.node
    assert isinstance(cut, Op)
    loss = behind.node if behind is not None else None
    named = f" ({loss.name} at {at(loss.site, cut.site)})" if isinstance(loss, Op) else ""
    chain = behind.chain[len(view.chain) :] if behind is not None else (cut,)
    cuts = (cut, *(op for op in chain if op is not cut and op.name in CUTS))
    before = (
        view.chain[view.chain.index(required) :] if required in view.chain and required is not None else ()
    )
    effect_of_it = (
        f"backward() at {at(sink.site, cut.site)} reaches no parameter and nothing trains"
        if required is not None
        else f"backward() at {at(sink.site, cut.site)} raises"
    )
    claim: tuple[Verdict, ...] = ("raises",) if required is None else ("no-gradient",)
    guards: Guards = behind.guards if behind is not None else view.guards
    steps = [(cut.site, "cut from its graph"), (sink.site, "run backward")]
    if isinstance(loss, Op):
        steps.insert(0, (loss.site, f"{loss.name} is computed"))
    return Match(
        sink=cut,
        message=loss_cut_from_graph(_SPELLED.get(cut.name, cut.name), named, effect_of_it),
        claim=claim,
        guards=guards,
        spine=(*before, *chain, *((loss,) if isinstance(loss, Op) else ())),
        edits=tuple(Bypass(op) for op in cuts),
        steps=tuple(steps),
        fix_message="Keep the loss in its graph",
    )


_SPELLED = {
    "tensor": "torch.tensor",
    "variable": "Variable",
    "detach": "detach()",
    "float_tensor": "FloatTensor",
    "double_tensor": "DoubleTensor",
    "half_tensor": "HalfTensor",
    "new_tensor": "new_tensor()",
}


RULE = Rule(
    code="LOS501",
    name="loss-cut-from-graph",
    summary="a loss made a new tensor before it is run backward",
    claim=("no-gradient", "raises"),
    fix="unsafe",
    sinks=BACKWARD,
    match=match,
)

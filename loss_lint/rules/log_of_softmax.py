"""# log-of-softmax (LOS205)

## What it does

Looks for the logarithm of a softmax, taken in two steps, on its way into a loss.

## Why is this bad?

On mild logits the numbers equal those of `log_softmax`. On large ones the softmax underflows to zero, its
logarithm is `-inf` and the gradient `nan`; one such batch ruins the weights. `log_softmax` computes both at
once and stays finite.

## Example

```python
import torch
import torch.nn.functional as F


def step(logits, labels):
    log_probabilities = torch.log(F.softmax(logits, dim=1))
    return F.nll_loss(log_probabilities, labels)
```

Use instead:

```python
import torch.nn.functional as F


def step(logits, labels):
    log_probabilities = F.log_softmax(logits, dim=1)
    return F.nll_loss(log_probabilities, labels)
```

## Not flagged

`log(p + eps)` and clamped probabilities, which are finite; entropies, where the probability multiplies its
own logarithm; weights that are learned and only start as a softmax; logarithms that no loss in sight uses.

## Fix safety

The fix merges both steps into `log_softmax`. Where the two steps gave a finite number, it is the same:
safe.

## References

- [torch.nn.functional.log_softmax](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html)
"""

from collections.abc import Iterator

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at, origin, spelled
from loss_lint.symbolic.edits import Bypass, Rename
from loss_lint.symbolic.facts import meanings
from loss_lint.symbolic.graph import Op, Value
from loss_lint.symbolic.root import BACKWARD, Root, parts
from loss_lint.symbolic.walk import Walk, keeps_numbers, origins


def match(sink: Op, root: Root) -> Iterator[Match]:
    if len(sink.operands) != 1:
        return
    readings = sum(1 for _ in origins(sink.operands[0], sink.guards, Walk(every=True)))
    facts = list(meanings(sink.operands[0], sink.guards))
    if len(facts) != readings:
        return  # where it is no softmax, log_softmax would be wrong
    for fact in facts:
        if fact.meaning != "probabilities" or fact.op.name == "softmin":
            continue
        loss = _loss_behind(sink, fact.op, root)
        if loss is None:
            continue
        name = spelled(fact.op)
        is_once_more = loss.name == "cross_entropy"  # which takes the log-softmax itself
        yield Match(
            sink=sink,
            message=(
                f"the log of {name} at {at(origin(fact.op), sink.site)} is -inf, and its gradient nan, once a "
                "probability underflows; on mild logits nothing differs. Use log_softmax."
            ),
            claim=("unstable",),
            guards=fact.view.guards,
            spine=(sink, *fact.view.chain, fact.op),
            edits=(Bypass(fact.op) if is_once_more else Rename(fact.op, "log_softmax"), Bypass(sink)),
            passes=fact.view.passes,
            steps=(
                (fact.op.site, f"{name} makes probabilities"),
                (loss.site, f"{loss.name} uses their logarithm"),
            ),
            safe=True,
            fix_message="Pass the logits" if is_once_more else "Use log_softmax",
            completion="cross_entropy" if is_once_more else "nll_loss",
        )


def _is_detached(softmax: Op) -> bool:
    """Whether the logits are cut from the graph, so that no gradient can become nan."""
    return any(
        view.chain and view.chain[-1].name == "detach"
        for view in origins(softmax.operands[0], softmax.guards)
    )


_PRODUCTS = frozenset({"mul", "einsum", "matmul", "bmm", "mm", "dot", "tensordot"})
_LOSSES = frozenset({"nll_loss", "cross_entropy", "kl_div", "ctc_loss"})


def _loss_behind(log: Op, softmax: Op, root: Root) -> Op | None:
    """The loss or backward that the logarithm goes into, if it is no entropy on the way."""
    found: Op | None = None
    reached = list(root.downstream(log))
    leading = {id(log), *map(id, reached)}
    for op in reached:
        if op.name in _PRODUCTS and any(_comes_from(operand, softmax) for operand in op.operands):
            return None  # an entropy
        if (
            op.name in _LOSSES and any(id(part) in leading for part in parts(op.operands[0]))
        ) or op.name in BACKWARD:
            found = found or op
    if found is None and log.grad and "loss" in root.name.lower() and not _is_detached(softmax):
        found = next((op for op in reached if root.is_returned(op)), None)
    return found


def _comes_from(operand: Value, softmax: Op) -> bool:
    """Whether an operand is the probabilities themselves."""
    pending = [operand]
    for _ in range(8):
        if not pending:
            return False
        for part in parts(pending.pop()):
            if part.content == softmax.content:
                return True
            if isinstance(part, Op) and (part.name == "neg" or keeps_numbers(part)):
                pending.append(part.operands[0])
    return False


RULE = Rule(
    code="LOS205",
    name="log-of-softmax",
    summary="the log of a softmax on its way into a loss",
    claim=("unstable",),
    fix="safe",
    sinks=frozenset({"log"}),
    match=match,
)

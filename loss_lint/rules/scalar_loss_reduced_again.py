"""# scalar-loss-reduced-again (LOS102)

## What it does

Looks for `.mean()` and `.sum()` of a loss that is a single number already.

## Why is this bad?

It changes nothing: the mean and the sum of one number are that number. But it says that the author believes
the loss to be a vector, and the next step of that belief (a mask, a weight, a division) does change the
numbers. With a `dim` that a scalar does not have, torch raises.

## Example

```python
import torch.nn.functional as F


def step(logits, labels):
    return F.cross_entropy(logits, labels).mean()
```

Use instead:

```python
import torch.nn.functional as F


def step(logits, labels):
    return F.cross_entropy(logits, labels)
```

## Not flagged

Losses that `DataParallel` gathers into a vector, also under a guard such as `n_gpu > 1`; stacked losses; a
sum with terms whose shape is not known; `reduction="none"`.

## Fix safety

The fix removes the call. No number changes: it is safe.
"""

from collections.abc import Iterator

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at
from loss_lint.symbolic.edits import Bypass
from loss_lint.symbolic.facts import UNKNOWN, constant, loss_terms, shape
from loss_lint.symbolic.focal import focal_of_mean
from loss_lint.symbolic.graph import Op, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.naming import name_of
from loss_lint.symbolic.root import Root, parts

# Conditions that ask whether several devices may have computed the loss.
_DEVICE_WORDS = ("gpu", "device_count", "parallel", "distributed", "world_size", "devices")


def match(sink: Op, root: Root) -> Iterator[Match]:
    operand = sink.operands[0]
    if not sink.lossy or shape(operand, sink.guards) != "scalar" or _may_be_gathered(sink):
        return
    terms = loss_terms(operand, sink.guards)
    if not terms or any(term.passes and term.passes[0].frame is sink.frame for term in terms):
        return
    first = terms[0]
    assert isinstance(first.node, Op)
    if any(focal_of_mean(op) is not None for term in terms for op in term.chain):
        return  # LOS108: the mean is right here, and what is wrong is the one before
    dim = constant(sink.parameter("dim"), sink.guards) if sink.parameter("dim") is not None else None
    if dim is UNKNOWN:
        return
    raises = dim not in (None, 0, -1)
    place = at(first.node.site, sink.site)
    effect = f"torch raises, as there is no dimension {dim}" if raises else "this changes nothing"
    yield Match(
        sink=sink,
        message=f"{first.node.name} at {place} is a scalar already; {effect}. Drop the .{sink.name}().",
        claim=("raises",) if raises else ("none",),
        guards=sink.guards,
        spine=(sink, *first.chain, first.node),
        edits=(Bypass(sink),),
        passes=first.passes,
        steps=((first.node.site, f"{first.node.name} reduces to a scalar"),),
        safe=True,
        fix_message=f"Drop the .{sink.name}()",
    )


def _may_be_gathered(sink: Op) -> bool:
    return any(_mentions_devices(atom.condition) for atom in sink.guards)


def _mentions_devices(condition: Value) -> bool:
    pending = [condition]
    for _ in range(30):
        if not pending:
            return False
        for part in parts(pending.pop()):
            if any(word in name_of(part).lower() for word in _DEVICE_WORDS):
                return True
            plain = strip(part)
            if isinstance(plain, Op):
                pending.extend(plain.operands)
            elif any(word in str(getattr(plain, "name", "")).lower() for word in _DEVICE_WORDS):
                return True
    return False


RULE = Rule(
    code="LOS102",
    name="scalar-loss-reduced-again",
    summary="`.mean()` or `.sum()` of a loss that is a scalar already",
    claim=("none", "raises"),
    fix="safe",
    sinks=frozenset({"mean", "sum"}),
    match=match,
    unanimous=True,
)

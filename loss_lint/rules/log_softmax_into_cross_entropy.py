"""# log-softmax-into-cross-entropy (LOS202)

## What it does

Looks for log-probabilities, from a log-softmax, that reach the input of cross entropy.

## Why is this bad?

Cross entropy applies log-softmax itself, and the log-softmax of a log-softmax over the same dimension is
itself: the numbers are right, the work is done twice, and readers are misled. Over another dimension than
the classes' the loss is wrong.

## Example

```python
import torch.nn.functional as F


def step(logits, labels):
    return F.cross_entropy(F.log_softmax(logits, dim=1), labels)
```

Use instead:

```python
import torch.nn.functional as F


def step(logits, labels):
    return F.cross_entropy(logits, labels)
```

## Not flagged

Log-probabilities into `nll_loss`, where they belong; an output that holds log-probabilities in one branch
only.

## Fix safety

The fix removes the log-softmax from the loss's input. No number changes where the dimensions agree: it is
safe there.
"""

from collections.abc import Iterator

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.sentences import log_softmax_into_cross_entropy
from loss_lint.rules.wording import at, origin
from loss_lint.symbolic.dims import normalized_dim
from loss_lint.symbolic.edits import Bypass
from loss_lint.symbolic.facts import Fact, constant, keeps_rows, meanings
from loss_lint.symbolic.graph import Const, Op, Tuple, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.walk import Walk, origins


def match(sink: Op, root: Root) -> Iterator[Match]:
    facts = [
        fact
        for fact in meanings(sink.operands[0], sink.guards)
        if fact.meaning == "log_probabilities" and keeps_rows(fact.view.chain) and _keeps_classes(fact)
    ]
    if not facts:
        return
    wrong = next((fact for fact in facts if _normalizes_another_dim(fact)), None)
    if wrong is None and (
        len(facts) != sum(1 for _ in origins(sink.operands[0], sink.guards, Walk(every=True)))
        or not all(_normalizes_classes(fact) for fact in facts)
    ):
        return
    fact = wrong or facts[0]
    place = at(origin(fact.op), sink.site)
    effect = f"{_wrong_dim(fact)}: the loss changes" if wrong else "this changes nothing"
    yield Match(
        sink=sink,
        message=log_softmax_into_cross_entropy(f"log_softmax at {place}", effect),
        claim=("value", "gradient", "value+gradient") if wrong else ("none",),
        guards=fact.view.guards if wrong else sink.guards,
        spine=(sink, *fact.view.chain, fact.op),
        edits=tuple(Bypass(op) for op in fact.ops),
        passes=fact.view.passes,
        steps=((origin(fact.op), "log_softmax makes log-probabilities"),),
        safe=not wrong,
        fix_message="Pass the logits",
    )


def _keeps_classes(fact: Fact) -> bool:
    """Whether no indexing can have picked some of the classes, which are then no longer normalized."""
    for op in fact.view.chain:
        if op.name != "getitem" or len(op.operands) < 2:
            continue
        index = strip(op.operands[1])
        if isinstance(index, Tuple) and not _is_whole(strip(index.items[-1])):
            return False
    return True


def _is_whole(index: Value) -> bool:
    """`:`, which takes all there is."""
    return (
        isinstance(index, Op)
        and index.name == "slice"
        and all(isinstance(part, Const) and part.value is None for part in index.operands)
    )


_RESHAPES = frozenset(
    {"view", "reshape", "flatten", "permute", "transpose", "t", "mt", "movedim", "squeeze", "unsqueeze", "getitem",
     "unflatten", "gather", "index_select", "select", "stack"}
)  # fmt: skip


def _dim(fact: Fact) -> object:
    given = fact.op.parameter("dim")
    return None if given is None else constant(given, fact.view.guards)


def _is_reshaped(fact: Fact) -> bool:
    return any(op.name in _RESHAPES for op in fact.view.chain)


def _normalizes_classes(fact: Fact) -> bool:
    """Whether the classes are what was normalized: dimension 1, or the last one."""
    place = normalized_dim(fact.op, fact.view.chain)
    if place is not None:
        return place.normalized().index in (1, -1)
    dim = _dim(fact)
    if dim is None or dim in (1, -1):
        return True
    return isinstance(dim, int) and dim >= 2 and _is_reshaped(fact)


def _normalizes_another_dim(fact: Fact) -> bool:
    """Whether it is certain that another dimension was: the classes of three dimensions and more are the second."""
    place = normalized_dim(fact.op, fact.view.chain)
    if place is not None:
        place = place.normalized()
        return place.index >= 2 or (place.index == 0 and place.rank is not None)
    dim = _dim(fact)
    return isinstance(dim, int) and dim >= 2 and not _is_reshaped(fact)


def _wrong_dim(fact: Fact) -> str:
    dim = _dim(fact)
    place = normalized_dim(fact.op, fact.view.chain)
    moved = place.normalized().index if place is not None else dim
    then = "" if moved == dim else f", which is dimension {moved} here"
    return f"it normalizes dimension {dim}{then}, not the classes"


RULE = Rule(
    code="LOS202",
    name="log-softmax-into-cross-entropy",
    summary="log-probabilities fed to cross entropy",
    claim=("none", "value", "gradient", "value+gradient"),
    fix="safe",
    sinks=frozenset({"cross_entropy"}),
    match=match,
)

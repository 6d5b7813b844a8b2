"""# probabilities-into-nll (LOS203)

## What it does

Looks for probabilities, from a softmax, a sigmoid or `exp(a) / exp(a).sum(...)`, that reach the input of
`nll_loss`.

## Why is this bad?

`nll_loss` takes no logarithm: it picks the number at the target and negates it. Fed with log-probabilities
that is the cross entropy. Fed with probabilities it is minus the target's probability: a loss between -1
and 0 that punishes a confident mistake hardly more than an unsure one. Its gradient vanishes exactly where
the model is most wrong, so training stalls on the hard samples.

## Example

```python
import torch.nn.functional as F


def step(logits, labels):
    return F.nll_loss(F.softmax(logits, dim=1), labels)
```

Use instead:

```python
import torch.nn.functional as F


def step(logits, labels):
    return F.nll_loss(F.log_softmax(logits, dim=1), labels)
```

## Not flagged

Log-probabilities, also those of `torch.log(probabilities + eps)`; NLL as a way to pick the target's
probability: `-F.nll_loss(p, y)`, `1 + F.nll_loss(p, y)`, or one number for each sample that nothing in sight
averages; a softmax that is then scaled, mixed or otherwise computed with, since what that means is not known.
The logarithm of a softmax in two steps is log-of-softmax (LOS205).

## Fix safety

The fix makes the softmax a log-softmax. It changes the loss and its gradient, which is the point: it is
marked as unsafe. A softmax that stands elsewhere, such as in a model that may be used for prediction too, is left
to you.

## References

- [torch.nn.NLLLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html): "The input given
  through a forward call is expected to contain log-probabilities of each class."
"""

from collections.abc import Iterator

from loss_lint.rules.match import CHANGES, Match, logarithm
from loss_lint.rules.rule import Rule
from loss_lint.rules.sentences import probabilities_into_nll
from loss_lint.rules.wording import at, origin, spelled
from loss_lint.symbolic.edits import GraphEdit, Rename
from loss_lint.symbolic.facts import Fact, Meaning, keeps_rows, meanings
from loss_lint.symbolic.graph import Op, const
from loss_lint.symbolic.picked import is_pick
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.settings import activated, has_right_setting

_WANTED: frozenset[Meaning] = frozenset({"log_probabilities", "log_of_probabilities", "logsigmoid"})


def match(sink: Op, root: Root) -> Iterator[Match]:
    facts = [
        fact
        for fact in meanings(sink.operands[0], sink.guards)
        if fact.meaning in ("probabilities", "sigmoid")
        and keeps_rows(fact.view.chain)
        and not has_right_setting(sink.operands[0], sink.guards, activated(fact.op), _WANTED)
    ]
    if not facts or is_pick(sink, root):
        return
    for fact in facts:
        name, place = spelled(fact.op), at(origin(fact.op), sink.site)
        edits, instead = _repair(sink, fact)
        yield Match(
            sink=sink,
            message=probabilities_into_nll(f"{name} at {place} makes them", instead),
            claim=CHANGES,
            guards=fact.view.guards,
            spine=(sink, *fact.view.chain, fact.op),
            edits=edits,
            passes=fact.view.passes,
            steps=((origin(fact.op), f"{name} makes probabilities"),),
            fix_message=instead,
        )


def _repair(sink: Op, fact: Fact) -> tuple[tuple[GraphEdit, ...], str]:
    if all(op.name == "sigmoid" for op in fact.ops):
        return tuple(Rename(op, "log_softmax", (("dim", const(1)),)) for op in fact.ops), "Use log_softmax"
    return logarithm(sink, fact)


RULE = Rule(
    code="LOS203",
    name="probabilities-into-nll",
    summary="probabilities fed to NLL",
    claim=CHANGES,
    fix="unsafe",
    sinks=frozenset({"nll_loss"}),
    match=match,
)

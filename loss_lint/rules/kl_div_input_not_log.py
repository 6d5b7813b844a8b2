"""# kl-div-input-not-log (LOS209)

## What it does

Looks for a KL divergence whose input is no logarithm (probabilities or raw logits), and for one whose target is of
another kind than it is told: log-probabilities without `log_target=True`, or probabilities with it.

## Why is this bad?

`kl_div(input, target)` computes `target * (log(target) - input)` and takes the logarithm of the target alone. Fed
with probabilities as its input it is no divergence: it is not zero where both distributions agree, it may be
negative, and its gradient no longer pulls one towards the other. Of a target that is a logarithm already it takes
the logarithm of negative numbers, which is nan; with `log_target=True` it takes the exponential of probabilities,
which are then no longer any.

## Example

```python
import torch.nn.functional as F


def distillation_loss(student_logits, teacher_logits):
    student = F.softmax(student_logits, dim=1)
    teacher = F.softmax(teacher_logits, dim=1)
    return F.kl_div(student, teacher, reduction="batchmean")
```

Use instead:

```python
import torch.nn.functional as F


def distillation_loss(student_logits, teacher_logits):
    student = F.log_softmax(student_logits, dim=1)
    teacher = F.softmax(teacher_logits, dim=1)
    return F.kl_div(student, teacher, reduction="batchmean")
```

## Not flagged

Log-probabilities against probabilities, and against log-probabilities with `log_target=True`; logarithms of
mixtures and of clamped probabilities; a target that comes from elsewhere; `log_target` decided by a caller. The
logarithm of a softmax in two steps is log-of-softmax (LOS205).

## Fix safety

The fix makes the softmax a log-softmax. It changes the loss and its gradient, which is the point: it is marked as
unsafe. What `log_target` says, and which operand is which, is left to you.

## References

- [torch.nn.KLDivLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html): "this loss expects
  the argument input in the log-space."
"""

from collections.abc import Iterator
from dataclasses import dataclass

from loss_lint.rules.match import CHANGES, Match, logarithm
from loss_lint.rules.rule import Rule
from loss_lint.rules.sentences import kl_div_operand
from loss_lint.rules.wording import at, origin, spelled
from loss_lint.symbolic.edits import GraphEdit, Rename, ReplaceOperand, SetParameter, Wrap
from loss_lint.symbolic.facts import Fact, Meaning, meanings
from loss_lint.symbolic.graph import Const, Op, Value, const
from loss_lint.symbolic.guards import compatible
from loss_lint.symbolic.logits import raw_logits
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.settings import activated, has_right_setting
from loss_lint.symbolic.walk import View, views

_LOGARITHMS: frozenset[Meaning] = frozenset({"log_probabilities", "log_of_probabilities", "logsigmoid"})
_NO_LOGARITHMS: frozenset[Meaning] = frozenset({"probabilities", "sigmoid"})


@dataclass(frozen=True, slots=True)
class _Wrong:
    """What is wrong with one operand: how it reads, what makes it so, and what makes it right."""

    says: str
    instead: str
    op: Op
    makes: str
    view: View  # to the operation that decided it
    edits: tuple[GraphEdit, ...]


def match(sink: Op, root: Root) -> Iterator[Match]:
    targets = list(meanings(sink.operands[1], sink.guards))
    found = [*_inputs(sink, targets)] or [*_targets(sink, targets)] or [*_logits(sink)]
    for wrong in found:
        yield Match(
            sink=sink,
            message=kl_div_operand(wrong.says, wrong.instead),
            claim=CHANGES,
            guards=wrong.view.guards,
            spine=(sink, *wrong.view.chain, *_ops(wrong.view.node)),
            edits=wrong.edits,
            passes=wrong.view.passes,
            steps=((origin(wrong.op), f"{spelled(wrong.op)} makes {wrong.makes}"),),
            fix_message=wrong.instead,
        )


def _ops(node: Value) -> tuple[Op, ...]:
    return (node,) if isinstance(node, Op) else ()


def _inputs(sink: Op, targets: list[Fact]) -> Iterator[_Wrong]:
    """Probabilities as the input: what stands there was meant to be a logarithm, or the target."""
    for fact in meanings(sink.operands[0], sink.guards):
        if fact.meaning not in _NO_LOGARITHMS:
            continue
        if has_right_setting(sink.operands[0], sink.guards, activated(fact.op), _LOGARITHMS):
            continue
        place = f"{spelled(fact.op)} at {at(origin(fact.op), sink.site)}"
        beside = next((one for one in targets if compatible(one.view.guards, fact.view.guards)), None)
        if beside is not None and beside.meaning in _LOGARITHMS and _log_target(sink) is False:
            other = f"{spelled(beside.op)} at {at(origin(beside.op), sink.site)}"
            says = f"has its operands swapped: {place} is its input, {other} its target"
            edits: tuple[GraphEdit, ...] = (
                ReplaceOperand(sink, 0, sink.operands[1]),
                ReplaceOperand(sink, 1, sink.operands[0]),
            )
            yield _Wrong(says, "Exchange them", fact.op, "probabilities", fact.view, edits)
            continue
        if all(op.name == "sigmoid" for op in fact.ops):
            edits, instead = tuple(Rename(op, "logsigmoid") for op in fact.ops), "Use logsigmoid"
        else:
            edits, instead = logarithm(sink, fact)
        if beside is not None and beside.meaning in _NO_LOGARITHMS and _log_target(sink) is True:
            edits = (*edits, SetParameter(sink, "log_target", const(False)))
            instead += " and drop log_target=True"
        says = f"wants log-probabilities as its input and gets probabilities: {place}"
        yield _Wrong(says, instead, fact.op, "probabilities", fact.view, edits)


def _targets(sink: Op, targets: list[Fact]) -> Iterator[_Wrong]:
    """A target of another kind than `log_target` says."""
    log_target = _log_target(sink)
    for fact in targets:
        place = f"{spelled(fact.op)} at {at(origin(fact.op), sink.site)}"
        if log_target is False and fact.meaning in _LOGARITHMS:
            says = f"wants probabilities as its target and gets log-probabilities: {place}"
            instead, makes, right = "Pass probabilities, or log_target=True", "log-probabilities", True
        elif log_target is True and fact.meaning in _NO_LOGARITHMS:
            says = f"is told log_target=True and gets probabilities as its target: {place}"
            instead, makes, right = "Pass log-probabilities, or drop log_target=True", "probabilities", False
        else:
            continue
        edits = (SetParameter(sink, "log_target", const(right)),)
        yield _Wrong(says, instead, fact.op, makes, fact.view, edits)


def _logits(sink: Op) -> Iterator[_Wrong]:
    """Raw logits as the input."""
    for raw in raw_logits(sink.operands[0], sink.guards):
        layer = raw.layer
        if has_right_setting(sink.operands[0], sink.guards, frozenset({layer.content}), _LOGARITHMS):
            continue
        says = (
            "wants log-probabilities as its input and gets raw logits: "
            f"{layer.name} at {at(origin(layer), sink.site)} is the last layer"
        )
        edits = (Wrap(sink, 0, "log_softmax", (("dim", const(-1)),), is_written=False),)
        yield _Wrong(says, "Use log_softmax", layer, "raw logits", raw.view, edits)


def _log_target(sink: Op) -> bool | None:
    """What the loss is told of its target; None where that is not written down."""
    given = sink.parameter("log_target")
    if given is None:
        return None
    nodes = [view.node for view in views(given, sink.guards)]
    told = {bool(node.value) if isinstance(node, Const) else None for node in nodes}
    return told.pop() if len(told) == 1 else None


RULE = Rule(
    code="LOS209",
    name="kl-div-input-not-log",
    summary="an input of KL divergence that is no logarithm, or a target of the wrong kind",
    claim=CHANGES,
    fix="unsafe",
    sinks=frozenset({"kl_div"}),
    match=match,
)

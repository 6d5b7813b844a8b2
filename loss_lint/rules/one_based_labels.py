"""# one-based-labels (LOS603)

## What it does

Looks for class indices that a map numbers from 1 upwards, in a loss whose input has as many logits as the map has
classes.

## Why is this bad?

torch counts classes from 0: for `n` logits the class indices are 0 to `n - 1`. The last label of a map that starts at
1 is `n`, and torch raises when it occurs: on the CPU with an index that is out of bounds, on a GPU with an assertion
that names neither. Until then the first logit learns a class that never comes.

## Example

```python
import torch
import torch.nn as nn
import torch.nn.functional as F

CLASSES = {"cat": 1, "dog": 2, "bird": 3}
model = nn.Linear(64, 3)


def step(x, names):
    labels = torch.tensor([CLASSES[name] for name in names])
    return F.cross_entropy(model(x), labels)
```

Use instead:

```python
import torch
import torch.nn as nn
import torch.nn.functional as F

CLASSES = {"cat": 0, "dog": 1, "bird": 2}
model = nn.Linear(64, 3)


def step(x, names):
    labels = torch.tensor([CLASSES[name] for name in names])
    return F.cross_entropy(model(x), labels)
```

## Not flagged

Maps in which 0 stands for a background class or for padding, with a logit more than classes; labels from which 1 is
taken, at the loss or where they are read; maps whose last number the loss ignores; numbers of logits or classes
that are not known.

## Fix safety

The fix takes 1 from the target at the loss. What turns predictions into names again has to follow, and
checkpoints that were trained without the last class mean another one: unsafe.

## References

- [torch.nn.CrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html): "The
  target that this criterion expects should contain either: Class indices in the range [0, C)".
"""

import ast
from collections.abc import Iterator
from dataclasses import replace

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at
from loss_lint.symbolic.edits import ReplaceOperand
from loss_lint.symbolic.graph import Op, Value, const, fresh_content
from loss_lint.symbolic.guards import compatible
from loss_lint.symbolic.numberings import Numbering, classes, numberings
from loss_lint.symbolic.numbers import integer
from loss_lint.symbolic.places import Places
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.walk import View, views


def match(sink: Op, root: Root) -> Iterator[Match]:
    if len(sink.operands) < 2:
        return
    for found in numberings(sink.operands[1], sink.guards):
        if found.first != 1 or _may_ignore(sink, found):
            continue
        inputs = list(views(sink.operands[0], found.guards))
        beside = next((view for view in inputs if classes(view).equals(found.many)), None)
        if beside is None or not compatible(beside.guards, found.guards):
            continue
        yield _match(sink, found, beside, root)


def _match(sink: Op, found: Numbering, beside: View, root: Root) -> Match:
    number = found.many.number
    logits = "as many logits as classes" if number is None else f"{number} logits"
    last = "the last label" if number is None else f"label {number}"
    moved = bool(found.passes) and found.passes[0].frame is sink.frame
    place = at(found.site, sink.site)
    return Match(
        sink=sink,
        message=(
            f"{sink.name} gets class indices that the map at {place} numbers from 1, and {logits}, of which the first "
            f"is 0; torch raises when {last} occurs. Number the classes "
            "from 0, or take 1 from the target."
        ),
        claim=("raises",),
        guards=beside.guards | found.guards,
        spine=(sink,),
        edits=(ReplaceOperand(sink, 1, _one_less(sink), None if moved else _one_less_written(sink, root)),),
        passes=found.passes,
        steps=((found.site, "the classes are numbered from 1"),),
        fix_message="Take 1 from the target",
        completion="one_based_classes",
    )


def _one_less(sink: Op) -> Value:
    """The target less 1."""
    operands = (sink.operands[1], const(1))
    return replace(
        sink,
        name="sub",
        operands=operands,
        parameters=(),
        slots=(None, None),
        spelled=(),
        content=fresh_content(),
    )


def _one_less_written(sink: Op, root: Root) -> str | None:
    slot = sink.slots[1]
    written = Places(root.machine).text(slot) if slot is not None else ""
    if not written:
        return None
    return (
        f"{written} - 1" if isinstance(ast.parse(written, mode="eval").body, _ATOMS) else f"({written}) - 1"
    )


_ATOMS = (ast.Name, ast.Attribute, ast.Call, ast.Subscript)


def _may_ignore(sink: Op, found: Numbering) -> bool:
    """Whether the loss may ignore the number that has no logit."""
    ignored = sink.parameter("ignore_index")
    if ignored is None:
        return False
    number = integer(ignored, sink.guards)
    return number is None or (number > 0 and found.many.number in (None, number))


RULE = Rule(
    code="LOS603",
    name="one-based-labels",
    summary="class indices that start at 1, with as many logits as classes",
    claim=("raises",),
    fix="unsafe",
    sinks=frozenset({"cross_entropy", "nll_loss", "multi_margin_loss"}),
    match=match,
    by_shape=True,
)

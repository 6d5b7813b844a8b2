"""# string-target (LOS604)

## What it does

Looks for strings that are made into a tensor.

## Why is this bad?

A tensor holds numbers only, so torch raises. Names of classes need a map from each name to its class index,
and that map has to be the same in every run.

## Example

```python
import torch
import torch.nn.functional as F


def step(logits):
    labels = torch.tensor(["A", "C", "B", "A"])
    return F.cross_entropy(logits, labels)
```

Use instead:

```python
import torch
import torch.nn.functional as F

CLASSES = {"A": 0, "B": 1, "C": 2}


def step(logits):
    labels = torch.tensor([CLASSES[name] for name in ["A", "C", "B", "A"]])
    return F.cross_entropy(logits, labels)
```

## Not flagged

Lists whose elements are not known to be strings.

## Fix safety

There is no fix: which index a name stands for is for the author to say. The message shows the map that is
missing.
"""

from collections.abc import Iterator

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.symbolic.graph import Const, Op, Tuple, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.targets import are_strings
from loss_lint.symbolic.walk import origins

MAX_NAMES = 6


def match(sink: Op, root: Root) -> Iterator[Match]:
    if not sink.operands:
        return
    for view in origins(sink.operands[0], sink.guards, through=frozenset({"array"})):
        if not are_strings(view.node, view.guards):
            return
        names = _strings(view.node)
        if any(op.parameter("dtype") is not None for op in view.chain):
            return
        classes = sorted(set(names)) or ["<name>"]
        shown = ", ".join(f"{name!r}: {index}" for index, name in enumerate(classes[:MAX_NAMES]))
        if len(classes) > MAX_NAMES:
            shown += ", ..."
        yield Match(
            sink=sink,
            message=(
                "strings cannot become a tensor; torch raises. "
                f"Map each name to its class index first: {{{shown}}}."
            ),
            claim=("raises",),
            guards=view.guards,
            spine=(sink,),
            passes=view.passes,
            completion="strings",
        )
        return


def _strings(value: Value) -> list[str]:
    """The strings of a literal sequence."""
    if not isinstance(value, Tuple):
        return []
    names = [strip(item) for item in value.items]
    return [str(name.value) for name in names if isinstance(name, Const)]


RULE = Rule(
    code="LOS604",
    name="string-target",
    summary="strings made into a tensor",
    claim=("raises",),
    fix="none",
    sinks=frozenset({"tensor", "as_tensor", "long_tensor", "float_tensor", "from_numpy", "int_tensor"}),
    match=match,
)

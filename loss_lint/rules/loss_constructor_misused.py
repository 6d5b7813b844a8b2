"""# loss-constructor-misused (LOS402)

## What it does

Looks for a loss class that is constructed with what belongs into its call, a list or a number as its class
weights, and a `reduction` that torch does not know.

## Why is this bad?

`nn.CrossEntropyLoss(logits, labels)` makes a loss with `weight=logits` and `size_average=labels`, and computes
nothing. torch raises "Boolean value of Tensor with more than one value is ambiguous", which says nothing of what
is wrong. A list as weights raises "cannot assign 'list' object to buffer 'weight'". An unknown reduction is taken
without a word, and raises where the loss is called first: after the data has been loaded and the model been built,
or in a branch that nobody has tried.

## Example

```python
from torch import nn


def train(model, loader, optimizer):
    for images, labels in loader:
        loss = nn.CrossEntropyLoss(model(images), labels)
        loss.backward()
        optimizer.step()
```

Use instead:

```python
from torch import nn


def train(model, loader, optimizer):
    for images, labels in loader:
        loss = nn.CrossEntropyLoss()(model(images), labels)
        loss.backward()
        optimizer.step()
```

## Not flagged

A tensor as class weight; legacy booleans (`nn.MSELoss(False)` is `size_average=False`); arguments of which it is
not known what they are; a project's own class of that name; `"elementwise_mean"`, which torch still takes.

## Fix safety

The fix of tensors in the constructor is a call of an instance, that of an unknown reduction is `"mean"`. Neither is
certain to be what was meant: both are marked as unsafe. A list of weights is left to the author.

## References

- [torch.nn.CrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html)
"""

from collections.abc import Iterator
from dataclasses import replace

from loss_lint import catalogue
from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.symbolic.edits import Instantiate, SetParameter
from loss_lint.symbolic.graph import (
    Const,
    External,
    Object,
    Op,
    Tuple,
    Value,
    const,
    fresh_content,
    leaf,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.objects import CONSTRUCTION
from loss_lint.symbolic.root import BACKWARD, Root
from loss_lint.symbolic.walk import effect, views

# Parameters that torch asks for their truth, or compares: no tensor of several elements can be there.
_NO_TENSORS = frozenset({"size_average", "reduce", "delta"})
_WEIGHTS = frozenset({"weight", "pos_weight"})
_REDUCTIONS = ("none", "mean", "sum")
# Deprecated, with a warning.
_STILL_TAKEN = frozenset({"elementwise_mean"})
# Losses that look a class's weight up; others multiply their elements by it.
_BY_CLASS = frozenset({"cross_entropy", "nll_loss", "multi_margin_loss"})
_LOSSES = frozenset(loss.name for loss in catalogue.LOSSES)

# What makes tensors of whatever it is given, or takes nothing else.
_MAKES_TENSORS = frozenset(
    {"softmax", "log_softmax", "sigmoid", "logsigmoid", "squash", "layer", "loss", "one_hot", "argmax", "cast",
     "combine", "unary"}
)  # fmt: skip
_MOVES = frozenset(
    {"to", "cuda", "cpu", "view", "reshape", "squeeze", "unsqueeze", "detach", "contiguous", "permute"}
)


def match(sink: Op, root: Root) -> Iterator[Match]:
    if sink.name != CONSTRUCTION:
        if sink.made is None:  # what a class was given stands at its construction
            yield from _of_reduction(sink, sink.name, sink.parameter("reduction"))
        return
    named = sink.parameter("loss")
    loss = str(named.value) if isinstance(named, Const) else ""
    tensors = [value for name, value in sink.parameters if name != "loss"]
    if _is_given_tensors(sink, tensors, root):
        yield _tensors(sink, loss, tensors)
        return
    for name in _WEIGHTS:
        given = sink.parameter(name)
        if given is not None and _kind(given) is not None:
            yield _weight(sink, loss, name, given)
    yield from _of_reduction(sink, loss, sink.parameter("reduction"))


# Tensors in the constructor


def _is_given_tensors(sink: Op, values: list[Value], root: Root) -> bool:
    """Whether a constructor gets tensors where none can be."""
    wrong = [value for name, value in sink.parameters if name in _NO_TENSORS]
    if not wrong or len(values) < 2 or any(_is_literal(value) for value in values[:2]):
        return False
    if any(_is_tensor(value, sink) for value in wrong):
        return True
    # Nobody runs backward on a loss's instance, or calculates with it: the program takes it for the loss.
    created = strip(sink.operands[0]).content
    return any(
        strip(operand).content == created
        for op in root.ops
        if op.name in BACKWARD or effect(op) == "arithmetic"
        for operand in op.operands
    )


def _is_literal(value: Value) -> bool:
    return any(isinstance(view.node, Const) for view in views(value, frozenset()))


def _is_tensor(value: Value, sink: Op) -> bool:
    """Whether every reading of a value is a tensor, as far as operations tell."""
    nodes = [view.node for view in views(value, sink.guards)]
    return bool(nodes) and all(
        isinstance(node, Op) and (effect(node) in _MAKES_TENSORS or node.name in _MOVES) for node in nodes
    )


def _tensors(sink: Op, loss: str, values: list[Value]) -> Match:
    cls = _spelled(loss)
    call = _call_of(sink, loss, tuple(values[:2]), ())
    return Match(
        sink=sink,
        message=(
            f"{cls} gets tensors in its constructor, which takes them for its settings and computes no loss; torch "
            f"raises. Call an instance: `{cls}()(input, target)`."
        ),
        claim=("raises",),
        guards=sink.guards,
        spine=(call,),
        edits=(Instantiate(call),),
        completion="constructor",
        fix_message="Call an instance",
    )


def _call_of(sink: Op, loss: str, values: tuple[Value, ...], parameters: tuple[tuple[str, Value], ...]) -> Op:
    """The loss as a call with these operands; those that are missing are unknown."""
    known = catalogue.loss(loss)
    assert known is not None
    missing = tuple(leaf("unknown", name, sink.site) for name in known.operands[len(values) :])
    operands = values + missing
    return replace(
        sink,
        name=loss,
        operands=operands,
        parameters=parameters,
        slots=(None,) * len(operands),
        spelled=("",) * len(operands),
        content=fresh_content(),
    )


def _spelled(loss: str) -> str:
    """A loss's class as programs write it."""
    spelled, _ = catalogue.operation(loss).modules[0]
    return f"nn.{spelled.rpartition('.')[2]}"


# Class weights


def _kind(given: Value) -> str | None:
    """What is given as class weights, if that is certainly no tensor."""
    match strip(given):
        case Const(value=bool() | int() | float() as number):
            return f"the number {number}" if not isinstance(number, bool) else str(number)
        case Tuple():
            return "a tuple"
        case Object(cls=External(name="builtins.list")):
            return "a list"
        case _:
            return None


def _weight(sink: Op, loss: str, name: str, given: Value) -> Match:
    # As many as fit, whatever is written down: one for each of two classes, or one for all.
    numbers = Tuple((const(1.0), const(2.0)) if loss in _BY_CLASS else (const(1.0),), fresh_content())
    tensor = replace(
        sink,
        name="tensor",
        operands=(numbers,),
        parameters=(),
        slots=(None,),
        spelled=("",),
        content=fresh_content(),
    )
    plain = strip(given)
    call = _call_of(sink, loss, (), ((name, plain if isinstance(plain, Const) else numbers),))
    return Match(
        sink=sink,
        message=(
            f"{_spelled(loss)} gets {_kind(given)} as `{name}`, which has to be a tensor; torch raises. "
            f"Write `{name}=torch.tensor(...)`."
        ),
        claim=("raises",),
        guards=sink.guards,
        spine=(call,),
        edits=(SetParameter(call, name, tensor),),
    )


# Reductions


def _of_reduction(sink: Op, loss: str, given: Value | None) -> Iterator[Match]:
    plain = strip(given) if given is not None else None
    if not isinstance(plain, Const):
        return
    known = (*_REDUCTIONS, "batchmean") if loss == "kl_div" else _REDUCTIONS
    if isinstance(plain.value, str) and plain.value in (*known, *_STILL_TAKEN):
        return
    call = sink if sink.name == loss else _call_of(sink, loss, (), (("reduction", plain),))
    choices = ", ".join(f'"{one}"' for one in known)
    yield Match(
        sink=sink,
        message=(
            f"{loss} has no reduction {plain.value!r}; torch raises where the loss is called. Use one of {choices}."
        ),
        claim=("raises",),
        guards=sink.guards,
        spine=(call,),
        edits=(SetParameter(call, "reduction", const("mean" if plain.value else "none")),),
        fix_message="Use a reduction that torch knows",
    )


RULE = Rule(
    code="LOS402",
    name="loss-constructor-misused",
    summary="a loss class constructed with tensors, a list of weights or an unknown reduction",
    claim=("raises",),
    fix="unsafe",
    sinks=_LOSSES | {CONSTRUCTION},
    match=match,
)

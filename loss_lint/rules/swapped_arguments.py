"""# swapped-arguments (LOS401)

## What it does

Looks for a loss whose input and target have changed places: the labels of a batch are given as the input, and what
a model made of the batch as the target.

## Why is this bad?

Losses of classification are not symmetric. With class indices torch raises, which at least is seen. With one-hot rows
or the zeros and ones of a binary loss nothing raises: the loss is another number, and its gradient pushes the outputs
wherever the labels' logarithm says, not towards the labels.

## Example

```python
import torch.nn.functional as F


def train(model, loader, optimizer):
    for images, labels in loader:
        loss = F.binary_cross_entropy_with_logits(labels, model(images))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
```

Use instead:

```python
import torch.nn.functional as F


def train(model, loader, optimizer):
    for images, labels in loader:
        loss = F.binary_cross_entropy_with_logits(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
```

## Not flagged

Losses that are symmetric (MSE, L1, Huber); KL divergence, of which both directions are in use; distillation, where
both operands come out of models; a prediction that is merely called `y`; a project's own loss with another order of
arguments; operands of which it is not known where they come from.

## Fix safety

The fix swaps the arguments. It changes the loss, which is the point: it is marked as unsafe.

## References

- [torch.nn.functional.cross_entropy](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html)
"""

from collections.abc import Iterator

from loss_lint.findings import Verdict
from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at
from loss_lint.symbolic.dtypes import integers
from loss_lint.symbolic.edits import Swap
from loss_lint.symbolic.graph import NO_GUARDS, Guards, Leaf, Op, Site, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.loaders import stands_for_a_batch
from loss_lint.symbolic.places import Places
from loss_lint.symbolic.root import Root
from loss_lint.symbolic.single import is_of_a_batch
from loss_lint.symbolic.trainable import is_of_a_model, readings
from loss_lint.symbolic.walk import View, Walk, effect, views

_BY_CLASS = frozenset({"cross_entropy", "nll_loss", "multi_margin_loss"})
_ELEMENTWISE = frozenset(
    {"binary_cross_entropy", "binary_cross_entropy_with_logits", "multilabel_soft_margin_loss"}
)

# How many operations are looked through for the batch that they are computed from.
_MOST = 60

_LABEL_WORDS = frozenset(
    {"label", "labels", "target", "targets", "gt", "gts", "truth", "ground_truth", "y_true", "true", "lbl", "lbls",
     "labels_batch", "batch_labels", "true_labels", "y_batch", "batch_y", "gt_labels", "one_hot", "mask", "masks"}
)  # fmt: skip


def match(sink: Op, root: Root) -> Iterator[Match]:
    if len(sink.operands) < 2:
        return
    labels = _labels(sink.operands[0], sink.guards)
    outputs = _outputs(sink.operands[1], sink.guards) if labels is not None else None
    if labels is None or outputs is None:
        return
    if sink.name in _BY_CLASS and any(effect(op) == "softmax" for op in outputs.chain):
        return  # probabilities as a target are meant to be one
    named = _is_called_a_label(sink, root)
    is_sure = named or _share_a_batch(labels.node, outputs.node)
    if not is_sure and not _are_integers(sink.operands[0], sink.guards):
        return
    call = outputs.node
    assert isinstance(call, Op | Leaf)
    site: Site = call.site or sink.site
    claim: tuple[Verdict, ...] = ("value", "gradient", "value+gradient")
    if sink.name in _BY_CLASS:
        claim = ("raises", *claim)
    # A function that calls its own parameter a label has put it at the wrong place itself.
    passes = () if named else labels.passes
    moved = bool(passes) and passes[0].frame is sink.frame
    yield Match(
        sink=sink,
        message=(
            f"{sink.name} gets the labels as its input, and what the model makes at {at(site, sink.site)} as its "
            "target; the loss is another one, or torch raises. Swap them: the model's output comes first."
        ),
        claim=claim,
        guards=labels.guards | outputs.guards,
        spine=(sink,),
        edits=(Swap(sink, is_written=not moved),),
        passes=passes,
        steps=((site, "the model's output"),),
        fix_message="Swap input and target",
    )


def _is_called_a_label(sink: Op, root: Root) -> bool:
    """Whether the first argument is written as a name for labels: `labels`, `self.targets`."""
    slot = sink.slots[0]
    written = Places(root.machine).text(slot) if slot is not None else ""
    return written.rpartition(".")[2].strip().lower() in _LABEL_WORDS


def _labels(value: Value, guards: Guards) -> View | None:
    """A reading of an input that is no more than data of a batch in every reading; None for any other."""
    walk = Walk()
    found = list(readings(View(value, guards), walk))
    if not found or walk.exhausted or any(one.state != "data" for one in found):
        return None
    return next((one.view for one in found if _is_loaded(one.view.node)), None) or (
        found[0].view if _are_integers(value, guards) else None
    )


def _are_integers(value: Value, guards: Guards) -> bool:
    """Whether a value is integers in every reading: no loss takes these as its input."""
    found = list(integers(value, guards))
    return bool(found) and None not in found


def _is_loaded(node: Value) -> bool:
    """Whether a value is a part of what a loop hands out, or what a loader makes batches of."""
    return _element(node) is not None or (isinstance(node, Op) and is_of_a_batch(node))


def _outputs(value: Value, guards: Guards) -> View | None:
    """A reading of a target that comes out of a model in every reading; None for any other."""
    walk = Walk()
    found = list(readings(View(value, guards), walk))
    made = [one.view for one in found if is_of_a_model(one.view.node)]
    learned = [one for one in found if isinstance(one.view.node, Op) and one.view.node.name == "learned"]
    if not made or walk.exhausted or len(made) + len(learned) < len(found):
        return None
    return made[0]


def _element(node: Value) -> Leaf | None:
    """What a loop handed out, of which `node` is a part."""
    plain = strip(node)
    while isinstance(plain, Op) and plain.name in ("getitem", "getattr") and plain.operands:
        plain = strip(plain.operands[0])
    return plain if isinstance(plain, Leaf) and plain.role == "element" else None


def _share_a_batch(labels: Value, output: Value) -> bool:
    """Whether a model was given another part of the batch that the labels are a part of."""
    given = [
        part
        for operand in (output.operands if isinstance(output, Op | Leaf) else ())
        for part in _within(operand)
    ]
    if any(part.content == strip(labels).content for part in given):
        return False
    elements = {whole.content for part in given if (whole := _element(part)) is not None}
    whole = _element(labels)
    if whole is not None and whole.content in elements and whole.content != strip(labels).content:
        return True
    rows = {part.content for part in given if stands_for_a_batch(part)}
    return any(part.content in rows for part in _within(labels))


def _within(value: Value) -> Iterator[Value]:
    """A value and the operands of its operations and calls, up to some number."""
    pending, walk = [value], Walk()
    for _ in range(_MOST):
        if not pending:
            return
        for view in views(pending.pop(), NO_GUARDS, walk):
            part = view.node
            yield part
            if isinstance(part, Op) or (isinstance(part, Leaf) and part.role == "call"):
                pending.extend(part.operands)


RULE = Rule(
    code="LOS401",
    name="swapped-arguments",
    summary="labels as a loss's input and a model's output as its target",
    claim=("value", "gradient", "value+gradient", "raises"),
    fix="unsafe",
    sinks=_BY_CLASS | _ELEMENTWISE,
    match=match,
)

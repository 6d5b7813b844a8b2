"""# label-map-refitted (LOS602)

## What it does

Looks for encoders of class labels that are fitted again on another split: `fit_transform` on the test labels after
the training labels (or `fit`, then `transform`), one encoder in each data set, `pd.factorize` or `.cat.codes` by split.

## Why is this bad?

An encoder numbers the classes that occur in what it is fitted on. Where a split lacks a class, all classes
behind it move up by one: the same index means another class in training and in evaluation. The numbers still
look plausible, and accuracy and loss of the evaluation are those of another problem.

## Example

```python
import torch
import torch.nn.functional as F
from sklearn.preprocessing import LabelEncoder


def losses(model, train, y_train, test, y_test):
    encoder = LabelEncoder()
    train_labels = torch.tensor(encoder.fit_transform(y_train))
    test_labels = torch.tensor(encoder.fit_transform(y_test))
    return F.cross_entropy(model(train), train_labels), F.cross_entropy(model(test), test_labels)
```

Use instead:

```python
import torch
import torch.nn.functional as F
from sklearn.preprocessing import LabelEncoder


def losses(model, train, y_train, test, y_test):
    encoder = LabelEncoder()
    train_labels = torch.tensor(encoder.fit_transform(y_train))
    test_labels = torch.tensor(encoder.transform(y_test))
    return F.cross_entropy(model(train), train_labels), F.cross_entropy(model(test), test_labels)
```

## Not flagged

Encoders that are fitted before the split, or on a list of all classes; feature columns, scalers and vectorizers,
which number no classes; several label columns with an encoder each; the parts of a stratified split, in which
all classes occur; labels that are not known to be splits of one data set.

## Fix safety

The fix writes `transform` for the second `fit_transform` of one encoder in a function, where names say that the first
was of training labels. A label that occurs in no training sample makes `transform` raise: unsafe. Elsewhere, which
encoder has been fitted on the training labels is for the author to say.

## References

- [sklearn.preprocessing.LabelEncoder](https://scikit-learn.org/stable/modules/generated/sklearn.preprocessing.LabelEncoder.html)
- [torch.nn.CrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html) on class
  indices
"""

from collections.abc import Iterator

from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.rules.wording import at
from loss_lint.symbolic.edits import Call
from loss_lint.symbolic.encoders import Fit, are_splits, fits, is_training
from loss_lint.symbolic.graph import Op
from loss_lint.symbolic.naming import name_of
from loss_lint.symbolic.root import Root

_BY_CLASS = frozenset({"cross_entropy", "nll_loss", "multi_margin_loss"})
# What labels of another split go through that no loss need take.
_LABELS = frozenset({"tensor", "as_tensor", "from_numpy", "long_tensor", "eq"})


def match(sink: Op, root: Root) -> Iterator[Match]:
    if len(sink.operands) < 2:
        return
    for own in fits(sink.operands[1], sink.guards):
        for other in _others(root):
            if are_splits(own.labels, other.labels):
                first, again = sorted((own, other), key=lambda fit: (fit.op.site.path, fit.op.site.line))
                yield _match(sink, own, first, again)


def _others(root: Root) -> Iterator[Fit]:
    for op in root.ops:
        if op.name in _BY_CLASS and len(op.operands) > 1:
            yield from fits(op.operands[1], op.guards)
        elif op.name in _LABELS:
            for operand in op.operands:
                yield from fits(operand, op.guards)


def _match(sink: Op, own: Fit, first: Fit, again: Fit) -> Match:
    place = again.op
    if first.op.site == place.site:
        message = "the classes of each split are numbered on their own here"
    else:
        message = (
            f"the classes of this split are numbered anew, after those of another one at "
            f"{at(first.op.site, place.site)}"
        )
    return Match(
        sink=place,
        message=(
            f"{message}; where one lacks a class, the same index means another class ({sink.name} at "
            f"{at(sink.site, place.site)}). Fit on the training labels alone, and transform the others."
        ),
        claim=("value",),
        guards=own.guards,
        spine=(sink,),
        steps=(
            (first.op.site, "the classes of one split are numbered"),
            (place.site, "those of another split are numbered on their own"),
            (sink.site, f"{sink.name} takes the indices as its target"),
        ),
        completion="refitted_classes",
        edits=(Call(place, "transform"),) if _is_of_training(first, again) else (),
        fix_message="Transform with what was fitted",
    )


def _is_of_training(first: Fit, again: Fit) -> bool:
    """Whether one encoder is fitted on training labels, then again by `fit_transform` in the same function."""
    one, other = first.op, again.op
    return (
        name_of(other) == "fit_transform"
        and one.operands[0].content == other.operands[0].content
        and one.frame is other.frame
        and one.site.line < other.site.line
        and one.guards <= other.guards
        and one.loops == other.loops
        and is_training(first.labels)
    )


RULE = Rule(
    code="LOS602",
    name="label-map-refitted",
    summary="an encoder of class labels fitted again on another split",
    claim=("value",),
    fix="unsafe",
    sinks=_BY_CLASS,
    match=match,
)

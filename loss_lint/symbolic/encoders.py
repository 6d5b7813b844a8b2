"""Facts about encoders: class indices that were numbered by what occurs in some labels, and labels that are splits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from loss_lint.symbolic.fitting import is_encoder
from loss_lint.symbolic.graph import Const, External, Guards, Leaf, Method, Op, Pass, Tuple, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.naming import name_of
from loss_lint.symbolic.walk import View, Walk, effect, views


@dataclass(frozen=True, slots=True)
class Fit:
    """Class indices that number what occurs in `labels`: `op` is what numbers them, under the conditions `guards`."""

    op: Op
    labels: Value
    guards: Guards
    passes: tuple[Pass, ...]


_FACTORIZE = frozenset({"pandas.factorize", "pandas.core.algorithms.factorize"})
_CATEGORIES = frozenset({"pandas.Categorical", "pandas.core.arrays.categorical.Categorical"})
# Methods that hand numbers on as they are.
_HANDED_ON = frozenset(
    {"to_numpy", "tolist", "to_list", "astype", "values", "reshape", "ravel", "flatten", "copy"}
)
_CARRIERS = frozenset(
    {"tensor", "as_tensor", "long_tensor", "int_tensor", "float_tensor", "array", "from_numpy", "numpy", "list",
     "tuple", "getitem", "one_hot"}
)  # fmt: skip
_OF_MANY = frozenset({"cat", "stack", "where", "zip"})
_MAX_ITEMS = 4


def fits(value: Value, guards: Guards, walk: Walk | None = None) -> Iterator[Fit]:
    """Ways on which `value` holds class indices that were numbered by what occurs in some labels."""
    walk = walk or Walk()
    for view in views(value, guards, walk):
        found = _fit(view)
        if found is not None:
            yield found
            continue
        for inner in _handed_on(view.node):
            for fit in fits(inner, view.guards, walk):
                yield Fit(fit.op, fit.labels, fit.guards, (*view.passes, *fit.passes))


def _handed_on(node: Value) -> tuple[Value, ...]:
    """What holds the numbers that `node` hands on."""
    match node:
        case Tuple(items=items):
            return items[:_MAX_ITEMS]
        case Leaf(role="element" | "repeated", operands=(inner, *_)):
            return (inner,)
        case Leaf(role="call", name=name, operands=(function, *_)) if name in _HANDED_ON:
            read = strip(function)
            return read.operands[:1] if isinstance(read, Op) else ()
        case Method(name=name, receiver=receiver) if name in _HANDED_ON:
            return (receiver,)
        case Op(name="getattr", operands=(inner, *_)) if name_of(node) in _HANDED_ON:
            return (inner,)
        case Op(name=name, operands=operands) if name in _OF_MANY:
            return operands
        case Op(name=name, operands=operands) if name in _CARRIERS or effect(node) in (
            "keep",
            "cast",
            "select",
        ):
            return operands[:1]
        case _:
            return ()


def _fit(view: View) -> Fit | None:
    match view.node:
        case Leaf(role="call", name="fit_transform", operands=(function, labels, *_)):
            method = strip(function)
            if isinstance(method, Op) and method.operands and _is_encoder(method.operands[0], view.guards):
                return Fit(method, labels, view.guards, view.passes)
        case Leaf(role="call", name="transform", operands=(function, labels)):
            fit = _fitted(function, labels, view.guards)
            return None if fit is None else Fit(fit, labels, view.guards, view.passes)
        case Op(name="getitem", operands=(call,)) as op if _index(op) == 0:
            factorized = _factorized(strip(call))
            return None if factorized is None else Fit(op, factorized, view.guards, view.passes)
        case Op(name="getattr", operands=(owner,)) as op if name_of(op) == "codes":
            categories = _categories(strip(owner))
            return None if categories is None else Fit(op, categories, view.guards, view.passes)
        case _:
            pass
    return None


def _is_encoder(value: Value, guards: Guards) -> bool:
    """Whether a value is a new encoder, or one that was fitted before: fitting again forgets what it knew."""
    found = [view.node for view in views(value, guards)]
    return bool(found) and all(is_encoder(node) for node in found)


def _fitted(method: Value, labels: Value, guards: Guards) -> Op | None:
    """The `fit` on these very labels that an encoder's `transform` goes by."""
    read = strip(method)
    fitted = strip(read.operands[0]) if isinstance(read, Op) and read.operands else None
    if not isinstance(fitted, Leaf) or fitted.role != "call" or len(fitted.operands) != 2:
        return None
    fit = strip(fitted.operands[0])
    if not isinstance(fit, Op) or not fit.operands or not _is_encoder(fit.operands[0], guards):
        return None
    return fit if strip(fitted.operands[1]).content == strip(labels).content else None


def _factorized(call: Value) -> Value | None:
    if not isinstance(call, Leaf) or call.role != "call" or not call.operands:
        return None
    if call.name in _FACTORIZE and len(call.operands) == 2:
        return call.operands[1]
    method = strip(call.operands[0])
    is_method = call.name == "factorize" and len(call.operands) == 1
    return method.operands[0] if is_method and isinstance(method, Op) and method.operands else None


def _categories(owner: Value) -> Value | None:
    """The labels of `pd.Categorical(labels)`, or of `labels.astype("category").cat`."""
    if isinstance(owner, Leaf) and owner.role == "call" and owner.name in _CATEGORIES:
        return owner.operands[1] if len(owner.operands) == 2 else None
    if isinstance(owner, Op) and owner.name == "getattr" and name_of(owner) == "cat" and owner.operands:
        column = strip(owner.operands[0])
        is_cast = isinstance(column, Op) and column.name == "astype"
        given = column.parameter("dtype") if is_cast and isinstance(column, Op) else None
        if isinstance(column, Op) and isinstance(given, Const) and given.value == "category":
            return column.operands[0]
    return None


def _index(op: Op) -> object:
    index = op.parameter("index")
    return index.value if isinstance(index, Const) else None


# Two values side by side

Likeness = Literal["same", "splits", "different"]

_SPLIT = re.compile(
    r"(?<![a-z])([xy]?)(train|training|test|testing|val|valid|validation|dev|eval)"
    r"(?=$|[^a-z]|set|data|df|label|loader|file|path|csv|x$|y$)"
)
_DEPTH = 12


def are_splits(one: Value, other: Value) -> bool:
    """Whether two values are the same of two splits of a data set.

    They are computed alike, and differ in one name or literal that says which split it is, or in which part of
    one split it is. Parts of a stratified split hold the same classes and count for none.
    """
    return _likeness(one, other, _DEPTH) == "splits"


def is_training(labels: Value, depth: int = _DEPTH) -> bool:
    """Whether a name or a literal in what the labels are computed from says that they are to be trained on."""
    node = strip(labels)
    match node:
        case Const(value=str() as text):
            return _says_training(text)
        case Leaf(role="parameter" | "global" | "unknown", name=name) if _says_training(name):
            return True
        case Leaf(operands=operands) if depth:
            return any(is_training(operand, depth - 1) for operand in operands)
        case Op(operands=operands) if depth:
            call = strip(operands[0]) if operands else node
            if node.name == "getitem" and isinstance(call, Leaf) and _is_split(call):
                index = _index(node)
                return isinstance(index, int) and index % 2 == 0
            parameters = (value for _, value in node.parameters)
            return any(is_training(value, depth - 1) for value in (*operands, *parameters))
        case _:
            return False


def _says_training(text: str) -> bool:
    words = [found[2] for found in _SPLIT.finditer(text.lower())]
    return bool(words) and all(word.startswith("train") for word in words)


def _is_split(call: Leaf) -> bool:
    return call.name.rpartition(".")[2] == "train_test_split"


def _likeness(one: Value, other: Value, depth: int) -> Likeness:
    left, right = strip(one), strip(other)
    if left.content == right.content:
        return "same"
    if depth == 0:
        return "different"
    match left, right:
        case Const(value=str() as first), Const(value=str() as second):
            return _by_word(first, second)
        case External(name=first), External(name=second) if first == second:
            return "same"
        case Leaf(role="call"), Leaf(role="call") if left.keywords == right.keywords:
            return _of_parts(left.operands, right.operands, depth)
        case Leaf(role="parameter" | "global" | "unknown"), Leaf() if left.role == right.role and left.name:
            return _by_word(left.name, right.name)
        case Leaf(), Leaf() if left.role == right.role and left.operands:
            return _of_parts(left.operands, right.operands, depth)
        case Method(), Method() if left.name == right.name:
            return _likeness(left.receiver, right.receiver, depth - 1)
        case Tuple(items=first), Tuple(items=second):
            return _of_parts(first, second, depth)
        case Op(), Op() if left.name == right.name:
            return "splits" if _are_parts_of_one(left, right) else _of_ops(left, right, depth)
        case _:
            return "different"


def _of_ops(left: Op, right: Op, depth: int) -> Likeness:
    if [name for name, _ in left.parameters] != [name for name, _ in right.parameters]:
        return "different"
    own = (*left.operands, *(value for _, value in left.parameters))
    return _of_parts(own, (*right.operands, *(value for _, value in right.parameters)), depth)


def _of_parts(first: tuple[Value, ...], second: tuple[Value, ...], depth: int) -> Likeness:
    if len(first) != len(second):
        return "different"
    found = {_likeness(one, other, depth - 1) for one, other in zip(first, second, strict=True)}
    return "different" if "different" in found else ("splits" if "splits" in found else "same")


def _by_word(first: str, second: str) -> Likeness:
    """Names that differ in the split that they name: `y_train` and `y_test`, `train.csv` and `test.csv`."""
    if first == second:
        return "same"
    one, other = (_SPLIT.sub(r"\1*", text.lower()) for text in (first, second))
    return "splits" if one == other and "*" in one else "different"


def _are_parts_of_one(left: Op, right: Op) -> bool:
    """Whether two items are parts of one split: `train_test_split(x, y)[2]` and `[3]`, `y[:n]` and `y[n:]`, masks."""
    if left.name != "getitem" or left.operands[0].content != right.operands[0].content:
        return False
    if len(left.operands) == len(right.operands) == 2:
        one, other = strip(left.operands[1]), strip(right.operands[1])
        return (
            isinstance(one, Op)
            and isinstance(other, Op)
            and (_are_slices(one, other) or _are_masks(one, other))
        )
    call = strip(left.operands[0])
    first, second = _index(left), _index(right)
    return (
        isinstance(call, Leaf)
        and _is_split(call)
        and "stratify" not in call.keywords
        and isinstance(first, int)
        and isinstance(second, int)
        and first // 2 == second // 2
    )


def _are_slices(one: Op, other: Op) -> bool:
    return one.name == other.name == "slice"


def _are_masks(one: Op, other: Op) -> bool:
    """Whether two masks are each other's rest: `date < last` and `date >= last`, `mask` and `~mask`."""
    if "logical_not" in (one.name, other.name) and one.name != other.name:
        inverted, mask = (one, other) if one.name == "logical_not" else (other, one)
        return inverted.operands[0].content == mask.content
    same = [left.content for left in one.operands] == [right.content for right in other.operands]
    return same and frozenset({one.name, other.name}) in _OPPOSITES


_OPPOSITES = frozenset({frozenset({"lt", "ge"}), frozenset({"le", "gt"}), frozenset({"eq", "ne"})})

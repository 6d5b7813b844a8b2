"""Readings: a value under the conditions of a path, a part of a value, and which values are objects."""

from __future__ import annotations

from loss_lint.symbolic.graph import (
    Alternatives,
    BoundMethod,
    Class,
    Const,
    External,
    Function,
    Guards,
    Lazy,
    Method,
    Namespace,
    Object,
    Partial,
    Pass,
    Phi,
    Super,
    Tuple,
    Value,
    alternatives,
)
from loss_lint.symbolic.guards import compatible, strip


def narrowed(value: Value, guards: Guards) -> Value:
    """`value` as it can be under `guards`."""
    if not isinstance(value, Alternatives) or not guards:
        return value
    possible = [(own, branch) for own, branch in value.branches if compatible(own, guards)]
    if len(possible) == len(value.branches) or not possible:
        return value
    if len(possible) == 1:
        own, branch = possible[0]
        if own <= guards:
            return narrowed(branch, guards)
    return alternatives(possible)


def rewrap(original: Value, part: Value) -> Value:
    """A part of a value that entered a function entered it at the same argument."""
    if isinstance(original, Pass) and not isinstance(part, Const):
        inner = rewrap(original.value, part)
        return Pass(inner, original.site, original.call, original.frame, part.content)
    return part


def is_object_like(value: Value) -> bool:
    """Whether attributes and calls of `value` mean something that the evaluator follows."""
    value = strip(value)
    if isinstance(value, Alternatives):
        return any(is_object_like(branch) for _, branch in value.branches)
    if isinstance(value, Phi):
        return value.init is not None and is_object_like(value.init)
    return isinstance(
        value,
        Object
        | Class
        | External
        | Tuple
        | Namespace
        | BoundMethod
        | Function
        | Partial
        | Super
        | Method
        | Lazy,
    )

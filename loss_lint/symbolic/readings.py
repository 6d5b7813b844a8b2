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
from loss_lint.symbolic.guards import compatible, implied, strip


def narrowed(value: Value, guards: Guards) -> Value:
    """`value` as it can be under `guards`."""
    if not guards:
        return value
    if isinstance(value, Pass):
        inner = narrowed(value.value, guards)
        return value if inner is value.value else rewrap(value, inner)
    if not isinstance(value, Alternatives):
        return value
    possible = [(own, branch) for own, branch in value.branches if compatible(own, guards)]
    if not possible:
        return value
    if len(possible) == 1:
        own, branch = possible[0]
        if implied(guards, own):
            return narrowed(branch, guards)
    return value if len(possible) == len(value.branches) else alternatives(possible)


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

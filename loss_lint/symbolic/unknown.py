"""Calls that are not followed, as leaves that keep what went into them."""

from __future__ import annotations

from loss_lint.symbolic.graph import (
    Argument,
    Class,
    Const,
    External,
    Function,
    Leaf,
    Method,
    Object,
    Op,
    Site,
    Value,
    fresh_content,
)
from loss_lint.symbolic.guards import strip


def unknown_call(
    function: Value,
    arguments: tuple[Argument, ...],
    site: Site,
    reason: str = "a call that is not followed",
    *,
    grad: bool = True,
) -> Leaf:
    operands = (function, *(argument.value for argument in arguments))
    keywords = tuple(argument.keyword for argument in arguments)
    return Leaf(
        "call", spelled(function), operands, site, fresh_content(), reason, keywords=keywords, grad=grad
    )


def spelled(function: Value) -> str:
    plain = strip(function)
    match plain:
        case (
            Leaf(name=name) | External(name=name) | Method(name=name) | Function(name=name) | Class(name=name)
        ):
            return name
        case Op(name="getattr"):
            attribute = plain.parameter("name")
            return str(attribute.value) if isinstance(attribute, Const) else ""
        case Object(cls=cls):
            return cls.name.rpartition(".")[2]
        case _:
            return ""

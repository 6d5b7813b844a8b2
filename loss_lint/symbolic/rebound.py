"""Losses that an object is made with, and that one of its methods may exchange before another one uses them."""

from __future__ import annotations

import ast
from dataclasses import replace

from loss_lint.symbolic import objects
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import FALSE, Class, External, Function, Object, alternatives, leaf
from loss_lint.symbolic.guards import guards_of, strip


def open_exchanged_losses(created: Object, act: Activation) -> None:
    """Let each loss of a new object that a method other than the constructor sets anew be that loss or another.

    It is the one that it was made with unless someone calls that method: what follows from it may be wrong, but not
    redundant.
    """
    record = act.state.heap.known(created.content)  # what was put off has no loss in it
    losses = (
        {name: value for name, value in record.attributes.items() if _is_loss(strip(value))} if record else {}
    )
    if not losses or not isinstance(created.cls, Class):
        return
    exchanged = _set_after_construction(created.cls, act)
    for name, value in losses.items():
        if name in exchanged:
            asked = replace(
                leaf("unknown", "", None, reason="whether a method has been called"), default=FALSE
            )
            before, after = guards_of(asked, False), guards_of(asked, True)
            assert before is not None
            assert after is not None
            other = leaf("unknown", name, created.site, reason="what another method sets")
            joined = alternatives([(before, value), (after, other)])
            act.state.heap.set_attribute(created.content, name, joined)


def _is_loss(value: object) -> bool:
    return isinstance(value, Object) and isinstance(value.cls, External) and value.cls.name.endswith("Loss")


def _set_after_construction(cls: Class, act: Activation) -> set[str]:
    """The attributes that methods set which the constructor does not call."""
    methods = dict(objects.methods(cls, act))
    constructing = {"__init__"}
    pending = ["__init__"]
    while pending:
        for _, called in _called(methods.get(pending.pop())):
            if called in methods and called not in constructing:
                constructing.add(called)
                pending.append(called)
    return {
        attribute
        for name, method in methods.items()
        if name not in constructing
        for holder, attribute in _bound(method)
        if holder == "self"
    }


def _bound(method: Function) -> frozenset[tuple[str, str]]:
    node = method.node
    return frozenset() if isinstance(node, ast.Lambda) else method.module.bound_attributes(node)


def _called(method: Function | None) -> frozenset[tuple[str, str]]:
    if method is None or isinstance(method.node, ast.Lambda):
        return frozenset()
    return method.module.called_methods(method.node)

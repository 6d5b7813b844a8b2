"""Decorators of the project: what they make of a function or class, and what they register on the way."""

from __future__ import annotations

import ast
from dataclasses import replace

from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.assign import site_of
from loss_lint.symbolic.definitions import HARMLESS_DECORATORS, decorator_names
from loss_lint.symbolic.graph import Argument, BoundMethod, Class, Function, Import, Lazy, Value
from loss_lint.symbolic.guards import strip

# What makes a method something else than a function of its receiver: left to attribute access.
_DESCRIPTORS = frozenset({"staticmethod", "classmethod", "property", "cached_property"})

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def decorated(defined: Function | Class, node: Definition, act: Activation) -> Value:
    """What the name of a definition is bound to: its decorators of the project run, nearest first.

    Where one of them is not known, or makes something else than a function or class, the definition stays as it is:
    a function is then not followed when it is called.
    """
    names = decorator_names(node)
    if all(name in HARMLESS_DECORATORS for name in names) or not _DESCRIPTORS.isdisjoint(names):
        return defined
    value: Value = replace(defined, bare=True) if isinstance(defined, Function) else defined
    for name, decorator in reversed(list(zip(names, node.decorator_list, strict=True))):
        if name in HARMLESS_DECORATORS:
            continue
        made = _applied(decorator, value, name, act)
        if made is None and isinstance(defined, Function):
            return defined
        value = made or value
    return value


def _applied(decorator: ast.expr, value: Value, name: str, act: Activation) -> Value | None:
    """What a decorator makes of `value`; None where that is not followed."""
    if _is_elsewhere(decorator, act) and "regist" not in name.lower():
        return None  # reading another file for each decorator would cost more than it shows
    function = strip(act.machine.evaluate(decorator, act))
    if isinstance(function, Lazy):
        function = strip(act.machine.force(function))
    if not isinstance(function, Function | BoundMethod):
        return None
    site = site_of(decorator, act)
    made = strip(act.machine.call_now(function, (Argument(None, value, site),), site, act))
    act.state.heap.settle()  # a registry runs the same function for each of hundreds of definitions
    if made.content == value.content:
        return value
    if isinstance(made, Function) and isinstance(value, Function):
        return replace(made, bare=True, wraps=value)
    return made if isinstance(made, Class) else None


def _is_elsewhere(decorator: ast.expr, act: Activation) -> bool:
    """Whether a decorator is imported from a file that nothing has looked at yet."""
    root = decorator
    while isinstance(root, ast.Call | ast.Attribute):
        root = root.func if isinstance(root, ast.Call) else root.value
    scope: Activation | None = act
    while isinstance(root, ast.Name) and scope is not None:
        held = scope.state.names.get(root.id)
        if held is not None:
            return isinstance(held, Import)
        scope = scope.enclosing
    return True

"""Operators: literal arithmetic is done, all other is an operation of the graph."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from loss_lint.symbolic import containers, limits, mappings, strings
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.assign import site_of
from loss_lint.symbolic.graph import (
    FALSE,
    NO_GUARDS,
    TRUE,
    Alternatives,
    Const,
    Object,
    Op,
    Site,
    Tuple,
    Value,
    alternatives,
    const,
    external,
    fresh_content,
    leaf,
    tuple_of,
)
from loss_lint.symbolic.guards import strip, truth
from loss_lint.symbolic.heap import Item, Record
from loss_lint.symbolic.limits import MAX_ITEMS

_LITERAL: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
}


def binary(
    name: str,
    left: Value,
    right: Value,
    node: ast.expr | ast.stmt,
    left_node: ast.expr,
    right_node: ast.expr,
    act: Activation,
) -> Value:
    one, other = strip(left), strip(right)
    folded = literal(name, one, other)
    if folded is not None:
        return folded
    if name == "add":
        if isinstance(one, Tuple) and isinstance(other, Tuple):
            if len(one.items) + len(other.items) <= MAX_ITEMS:
                return tuple_of(one.items + other.items)
            limits.count("items")
            return act.machine.op(name, (left, right), (), node, (left_node, right_node), act)
        joined = _joined_lists(one, other, site_of(node, act), act)
        if joined is not None:
            return joined
    if name == "logical_or" and isinstance(one, Object):
        merged = _merged_dicts(one, right, site_of(node, act), act)
        if merged is not None:
            return merged
    if name == "mul" and isinstance(one, Object) and isinstance(other, Const):
        multiplied = _repeated_list(one, other.value, site_of(node, act), act)
        if multiplied is not None:
            return multiplied
    if name == "mul" and isinstance(one, Object) and one.cls.name == "builtins.list":
        elements = act.machine.known_elements(one, act)  # `[-100] * n`: what is repeated is known
        left = left if elements is None else tuple_of(tuple(elements))
    return act.machine.op(name, (left, right), (), node, (left_node, right_node), act)


def _merged_dicts(left: Object, right: Value, site: Site, act: Activation) -> Value | None:
    """`defaults | overrides`."""
    if act.machine.items_of(left, act) is None or act.machine.items_of(right, act) is None:
        return None
    merged = containers.copied(left, site, act)
    mappings.merge(merged, right, site, act)
    return merged


def _repeated_list(left: Object, times: object, site: Site, act: Activation) -> Value | None:
    """`["cat"] * 4`."""
    record = act.state.heap.get(left.content)
    if record is None or record.open or left.cls.name != "builtins.list" or type(times) is not int:
        return None
    size = times * len(record.items)
    if size > MAX_ITEMS:
        limits.count("items")
    if not 0 < size <= MAX_ITEMS:
        return None
    made = Object(left.cls, site, fresh_content(), act.loops)
    act.state.heap.set(made.content, Record({}, record.items * times))
    return made


def literal(name: str, left: Value, right: Value) -> Value | None:
    """The result of an operation on literals; None for any others."""
    one, other = strip(left), strip(right)
    if isinstance(one, Const) and name == "remainder" and isinstance(one.value, str):
        return strings.interpolated(one.value, other)
    if not (isinstance(one, Const) and isinstance(other, Const)):
        return None
    if name == "add" and isinstance(one.value, str):
        return strings.joined(one.value, other.value)
    return _fold(name, one.value, other.value)


def _fold(name: str, left: Any, right: Any) -> Value | None:
    """The result on numbers; nothing that could grow large."""
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    function = _LITERAL.get(name)
    if function is None or not numbers:
        return None
    try:
        return const(function(left, right))
    except (ArithmeticError, ValueError):
        return None


# Containers that `+` puts together.
_ADDED = frozenset({"builtins.list", "torch.nn.Sequential", "torch.nn.ModuleList"})


def _joined_lists(left: Value, right: Value, site: Site, act: Activation) -> Value | None:
    names = {one.cls.name for one in (left, right) if isinstance(one, Object)}
    if len(names) != 1 or not names <= _ADDED:
        return None
    parts: list[Item] = []
    for side in (left, right):
        entries = act.machine.entries_of(side, act)
        if entries is None and isinstance(side, Op) and side.name in _LISTS:
            entries = (Item(None, leaf("many", "modules", side.site, (side,), "an unknown list"), NO_GUARDS),)
        if entries is None or not isinstance(side, Object | Op):
            return None
        parts.extend(entries)
    if len(parts) > MAX_ITEMS:
        limits.count("items")
        return None
    joined = Object(external(names.pop()), site, fresh_content(), act.loops)
    act.state.heap.set(joined.content, Record({}, tuple(parts)))
    return joined


# Operations that make lists, or cut them.
_LISTS = frozenset({"list", "comprehension", "getitem"})


def comparison(name: str, left: Value, right: Value, act: Activation, site: Site | None = None) -> Value:
    """`eq` or `is`, literal on the right; over a joined value, decided branch by branch."""
    if isinstance(strip(left), Const) and not isinstance(strip(right), Const):
        left, right = right, left
    plain = strip(left)
    if isinstance(plain, Alternatives) and isinstance(strip(right), Const):
        return alternatives(
            [(guards, comparison(name, branch, right, act, site)) for guards, branch in plain.branches], site
        )
    where = site or Site(act.module.path, 1, 0, 1, 0)
    made = act.machine.python_op(name, (left, right), where, act)
    known = truth(made)
    return made if known is None else (TRUE if known else FALSE)


def item_assigned(holder: Value, value: Value, target: ast.Subscript, act: Activation) -> Value | None:
    """The tensor that `holder` is after `holder[index] = value`; None for containers, which change in place."""
    plain = strip(holder)
    if not isinstance(plain, Op) or plain.name == "getattr":
        return None
    if plain.name == "getitem" and not isinstance(strip(plain.operands[0]), Op):
        return None
    index = act.machine.evaluate(target.slice, act)
    return act.machine.op(
        "setitem",
        (holder, index, value),
        (),
        site_of(target, act),
        (site_of(target.value, act), site_of(target.slice, act), None),
        act,
    )

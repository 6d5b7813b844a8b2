"""Expressions: source syntax to nodes of the graph."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from loss_lint.symbolic import comprehensions, containers, limits, sequences
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.assign import assign, site_of
from loss_lint.symbolic.definitions import define_lambda
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    NONE,
    Argument,
    Const,
    External,
    Guards,
    Method,
    Op,
    Value,
    alternatives,
    const,
    leaf,
    only,
    tuple_of,
)
from loss_lint.symbolic.guards import compatible, guards_of, strip, truth
from loss_lint.symbolic.heap import Item, last_of_each
from loss_lint.symbolic.limits import MAX_ITEMS

BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.FloorDiv: "floor_divide",
    ast.Mod: "remainder",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.BitAnd: "logical_and",
    ast.BitOr: "logical_or",
    ast.BitXor: "logical_xor",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
}
COMPARISON: dict[type[ast.cmpop], str] = {
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.In: "in",
}


def evaluate(node: ast.expr, act: Activation) -> Value:
    handler = _EXPRESSIONS.get(type(node))
    if handler is None:
        return leaf("unknown", "", site_of(node, act), reason=type(node).__name__)
    return handler(node, act)


def _constant(node: ast.Constant, act: Activation) -> Value:
    return const(node.value)


def _name(node: ast.Name, act: Activation) -> Value:
    return act.machine.look_up(node.id, act, site_of(node, act))


def _attribute(node: ast.Attribute, act: Activation) -> Value:
    return act.machine.attribute(
        evaluate(node.value, act), node.attr, site_of(node, act), site_of(node.value, act), act
    )


def _subscript(node: ast.Subscript, act: Activation) -> Value:
    base = evaluate(node.value, act)
    index = evaluate(node.slice, act)
    return act.machine.item(base, index, site_of(node, act), act, site_of(node.value, act))


def _slice(node: ast.Slice, act: Activation) -> Value:
    parts = tuple(
        const(None) if part is None else evaluate(part, act) for part in (node.lower, node.upper, node.step)
    )
    return act.machine.python_op("slice", parts, site_of(node, act), act)


def _tuple(node: ast.Tuple, act: Activation) -> Value:
    if any(isinstance(element, ast.Starred) for element in node.elts):
        return act.machine.known_tuple(_flattened(node.elts, act), site_of(node, act))
    return tuple_of(tuple(evaluate(element, act) for element in node.elts))


def _flattened(elements: list[ast.expr], act: Activation) -> list[Value] | None:
    """The elements with `*known` spread out; None where something spread is not known."""
    values: list[Value] = []
    for element in elements:
        if isinstance(element, ast.Starred):
            spread = act.machine.known_elements(evaluate(element.value, act), act)
            if spread is None:
                return None
            if len(values) + len(spread) > MAX_ITEMS:
                limits.count("items")
                return None
            values.extend(spread)
        else:
            values.append(evaluate(element, act))
    return values


def _list(node: ast.List | ast.Set, act: Activation) -> Value:
    kind = "list" if isinstance(node, ast.List) else "set"
    if len(node.elts) == 1 and isinstance(node.elts[0], ast.Starred):
        spread = act.machine.evaluate(node.elts[0].value, act)
        if act.machine.known_elements(spread, act) is None:
            return act.machine.python_op(kind, (spread,), site_of(node, act), act)
    if kind == "set":
        values = _flattened(node.elts, act)
        if values is not None:
            return act.machine.python_op("set", (tuple_of(tuple(values)),), site_of(node, act), act)
        return act.machine.new_object("builtins.set", site_of(node, act), act, is_open=True)
    return act.machine.new_object("builtins.list", site_of(node, act), act, _entries(node.elts, act))


def _entries(elements: list[ast.expr], act: Activation) -> tuple[Item, ...]:
    """A list's elements, with `*spread` spread out as far as it is known."""
    items: list[Item] = []
    for element in elements:
        if isinstance(element, ast.Starred):
            spread = evaluate(element.value, act)
            site = site_of(element, act)
            unknown = leaf("many", "elements", site, (spread,), "an unknown list is unpacked")
            known = act.machine.entries_of(spread, act)
            if known is not None and len(items) + len(known) > MAX_ITEMS:
                limits.count("items")
                known = None
            items.extend((Item(None, unknown, NO_GUARDS),) if known is None else known)
        else:
            items.append(Item(None, evaluate(element, act), NO_GUARDS))
    return tuple(items)


def _dict(node: ast.Dict, act: Activation) -> Value:
    items: list[Item] = []
    is_open = False
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            spread = act.machine.items_of(evaluate(value, act), act)
            if spread is None:
                is_open = True
                items.clear()  # an unknown mapping may hold the same keys
            else:
                items.extend(spread)
            continue
        items.append(Item(strip(evaluate(key, act)), evaluate(value, act), NO_GUARDS))
    return act.machine.new_object(
        "builtins.dict", site_of(node, act), act, last_of_each(items), is_open=is_open
    )


def _call(node: ast.Call, act: Activation) -> Value:
    function = evaluate(node.func, act)
    arguments: list[Argument] = []
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            spread = evaluate(argument.value, act)
            known = act.machine.known_elements(spread, act)
            if known is None:
                arguments.append(Argument("*", spread, site_of(argument, act)))
            else:
                arguments.extend(Argument(None, value, site_of(argument, act)) for value in known)
        else:
            arguments.append(Argument(None, evaluate(argument, act), site_of(argument, act)))
    for keyword in node.keywords:
        value = evaluate(keyword.value, act)
        if keyword.arg is not None:
            arguments.append(Argument(keyword.arg, value, site_of(keyword.value, act)))
            continue
        spread_items = act.machine.items_of(value, act)
        if spread_items is not None and all(
            isinstance(item.key, Const) and isinstance(item.key.value, str) for item in spread_items
        ):
            arguments.extend(
                Argument(str(item.key.value), only(item.value, item.guards), site_of(keyword.value, act))
                for item in spread_items
                if isinstance(item.key, Const)
            )
        else:
            arguments.append(Argument("**", value, site_of(keyword.value, act)))
    result = act.machine.call(function, tuple(arguments), site_of(node, act), act)
    if isinstance(function, Method) and function.name == "sort" and isinstance(node.func, ast.Attribute):
        receiver = strip(function.receiver)
        if isinstance(receiver, Op) and receiver.name in ("list", "comprehension"):
            assign(node.func.value, act.machine.python_op("sorted", (receiver,), receiver.site, act), act)
    _grow(function, tuple(arguments), node, act)
    _fill(function, node, act)
    changed = _changed_in_place(node)
    if isinstance(result, Op) and changed is None and _is_in_place(function) and node.args:
        changed = node.args[0]
    if isinstance(changed, ast.Name | ast.Attribute) and isinstance(result, Op):
        _rename(changed, result, act)
    if isinstance(node.func, ast.Attribute) and node.func.attr == "resize":
        receiver = strip(function.receiver if isinstance(function, Method) else _owner(function))
        resized = node.func.value
        if isinstance(receiver, Op) and isinstance(resized, ast.Name | ast.Attribute):
            _rename(resized, result, act)  # an array of numpy's has another shape from here on
    return result


def _fill(function: Value, node: ast.Call, act: Activation) -> None:
    """`index = {name: i for ...}`, then `index.update(more)`: the map is no longer what the loop made."""
    if not (
        isinstance(node.func, ast.Attribute) and node.func.attr in ("update", "setdefault", "pop", "clear")
    ):
        return
    receiver = strip(function.receiver if isinstance(function, Method) else _owner(function))
    if isinstance(receiver, Op) and _is_map(receiver):
        changed = act.machine.python_op("setitem", (receiver,), site_of(node, act), act)
        assign(node.func.value, changed, act)


def _owner(attribute: Value) -> Value:
    """What an attribute of which nothing is known was read from."""
    return attribute.operands[0] if isinstance(attribute, Op) and attribute.name == "getattr" else attribute


def _is_map(op: Op) -> bool:
    kind = op.parameter("kind")
    return op.name == "dict" or (
        op.name == "comprehension" and isinstance(kind, Const) and kind.value == "dict"
    )


def _grow(function: Value, arguments: tuple[Argument, ...], node: ast.Call, act: Activation) -> None:
    """`modules = list(net.children())`, then `modules.append(last)`: what was there is unknown, the last is not."""
    if not (isinstance(function, Method) and function.name in ("append", "extend", "insert")):
        return
    receiver = strip(function.receiver)
    if (
        isinstance(receiver, Op)
        and receiver.name in ("list", "comprehension")
        and isinstance(node.func, ast.Attribute)
    ):
        holder = containers.grown_from(receiver, act)
        containers.call_method(holder, holder, function.name, arguments, site_of(node, act), act)
        assign(node.func.value, holder, act)


def _is_in_place(function: Value) -> bool:
    """Whether a function changes its first argument: `torch.relu_(x)`."""
    plain = strip(function)
    return isinstance(plain, External) and plain.name.endswith("_") and plain.name.startswith("torch.")


def _rename(changed: ast.Name | ast.Attribute, result: Value, act: Activation) -> None:
    """The tensor under `changed` is `result` from here on, under its other names too."""
    before = strip(evaluate(changed, act))
    assign(changed, result, act)
    if isinstance(before, Op):
        for name, value in act.state.names.items():
            if strip(value) is before:
                act.state.names[name] = result


def _changed_in_place(node: ast.Call) -> ast.expr | None:
    """The variable that a call changes (`x.div_(n)`, `x.mul_(a).add_(b)`), which holds the result from then on."""
    current: ast.expr = node
    while isinstance(current, ast.Call):
        function = current.func
        if not isinstance(function, ast.Attribute) or function.attr.startswith("_"):
            return None
        if not function.attr.endswith("_"):
            return None
        current = function.value
    return current if isinstance(current, ast.Name | ast.Attribute) else None


def _binary(node: ast.BinOp, act: Activation) -> Value:
    left, right = evaluate(node.left, act), evaluate(node.right, act)
    return act.machine.binary(node.op, left, right, node, node.left, node.right, act)


def _unary(node: ast.UnaryOp, act: Activation) -> Value:
    operand = evaluate(node.operand, act)
    if isinstance(node.op, ast.Not):
        return negation(operand, node, act)
    plain = strip(operand)
    if isinstance(node.op, ast.USub):
        if isinstance(plain, Const) and isinstance(plain.value, int | float):
            return const(-plain.value)
        return act.machine.op("neg", (operand,), (), node, (node.operand,), act)
    if isinstance(node.op, ast.Invert):
        return act.machine.op("logical_not", (operand,), (), node, (node.operand,), act)
    return operand


def negation(operand: Value, node: ast.expr, act: Activation) -> Value:
    known = truth(operand)
    if known is not None:
        return const(not known)
    plain = strip(operand)
    if isinstance(plain, Op) and plain.name == "not":
        return plain.operands[0]
    return act.machine.python_op("not", (operand,), site_of(node, act), act)


def _logical(node: ast.BoolOp, act: Activation) -> Value:
    """`a and b`, `a or b`: later operands are evaluated under what the earlier ones decided."""
    decides = isinstance(node.op, ast.Or)
    values: list[Value] = []
    entry = act.state.guards
    for operand in node.values:
        value = evaluate(operand, act)
        known = truth(value)
        if known is decides:
            values.append(value)
            break
        if known is None or operand is node.values[-1]:
            values.append(value)
        guards = guards_of(value, not decides)
        if guards is not None and compatible(act.state.guards, guards):
            act.state.guards |= guards
    act.state.guards = entry
    if len(values) == 1:
        return values[0]
    return act.machine.python_op("or" if decides else "and", tuple(values), site_of(node, act), act)


def _conditional(node: ast.IfExp, act: Activation) -> Value:
    condition = evaluate(node.test, act)
    branches: list[tuple[Guards, Value]] = []
    entry = act.state.guards
    for polarity, expression in ((True, node.body), (False, node.orelse)):
        guards = guards_of(condition, polarity)
        if guards is None or not compatible(entry, guards):
            continue
        act.state.guards = entry | guards
        branches.append((guards, evaluate(expression, act)))
        act.state.guards = entry
    if not branches:
        return leaf("unknown", "", site_of(node, act), reason="an impossible condition")
    return branches[0][1] if len(branches) == 1 else alternatives(branches, site_of(node, act))


def _compare(node: ast.Compare, act: Activation) -> Value:
    left = evaluate(node.left, act)
    results: list[Value] = []
    for operator, expression in zip(node.ops, node.comparators, strict=True):
        right = evaluate(expression, act)
        results.append(_comparison(operator, left, right, node, act))
        left = right
    if len(results) == 1:
        return results[0]
    return act.machine.python_op("and", tuple(results), site_of(node, act), act)


def _comparison(operator: ast.cmpop, left: Value, right: Value, node: ast.Compare, act: Activation) -> Value:
    match operator:
        case ast.Eq():
            return act.machine.equality(left, right, act, site_of(node, act))
        case ast.NotEq():
            return negation(act.machine.equality(left, right, act, site_of(node, act)), node, act)
        case ast.Is():
            return act.machine.identity(left, right, act, site_of(node, act))
        case ast.IsNot():
            return negation(act.machine.identity(left, right, act, site_of(node, act)), node, act)
        case ast.NotIn():
            return negation(_contains(left, right, node, act), node, act)
        case ast.In():
            return _contains(left, right, node, act)
    name = COMPARISON[type(operator)]
    one, other = strip(left), strip(right)
    if isinstance(one, Const) and isinstance(other, Const):
        known = _compare_constants(name, one.value, other.value)
        if known is not None:
            return const(known)
    if isinstance(one, Op) and one.name == "len" and isinstance(other, Const):
        known = _compare_length(name, sequences.least_length(one.operands[0], act), other.value)
        if known is not None:
            return const(known)
    return act.machine.op(name, (left, right), (), node, (node.left, node.comparators[0]), act)


def _compare_constants(name: str, left: Any, right: Any) -> bool | None:
    try:
        match name:
            case "lt":
                return bool(left < right)
            case "le":
                return bool(left <= right)
            case "gt":
                return bool(left > right)
            case "ge":
                return bool(left >= right)
    except TypeError:
        return None
    return None


def _compare_length(name: str, least: int, number: object) -> bool | None:
    """What holds of every length that is not below `least`."""
    if not isinstance(number, int):
        return None
    if name in ("lt", "le"):
        return False if (least >= number if name == "lt" else least > number) else None
    return True if (least > number if name == "gt" else least >= number) else None


def _contains(left: Value, right: Value, node: ast.Compare, act: Activation) -> Value:
    """`x in ("a", "b")` is a disjunction of equalities."""
    elements = act.machine.known_elements(right, act)
    if elements is not None and 0 < len(elements) <= 8:
        tests = tuple(act.machine.equality(left, element, act, site_of(node, act)) for element in elements)
        known = [truth(test) for test in tests]
        if True in known:
            return const(True)
        still_open = tuple(test for test, decided in zip(tests, known, strict=True) if decided is None)
        if not still_open:
            return const(False)
        if len(still_open) == 1:
            return still_open[0]
        return act.machine.python_op("or", still_open, site_of(node, act), act)
    return act.machine.python_op("in", (left, right), site_of(node, act), act)


def _walrus(node: ast.NamedExpr, act: Activation) -> Value:
    value = evaluate(node.value, act)
    assign(node.target, value, act)
    return value


def _lambda(node: ast.Lambda, act: Activation) -> Value:
    return define_lambda(node, act)


def _await(node: ast.Await, act: Activation) -> Value:
    return evaluate(node.value, act)


def _yield(node: ast.Yield | ast.YieldFrom, act: Activation) -> Value:
    act.is_generator = True
    value = NONE if node.value is None else evaluate(node.value, act)
    if act.yielded is not None:
        holder = act.yielded
        if isinstance(node, ast.YieldFrom):
            containers.extend(holder, value, site_of(node, act), act)
        else:
            containers.append(holder, value, act)
    return leaf("unknown", "", site_of(node, act), reason="what is sent into a generator")


def _formatted(node: ast.JoinedStr, act: Activation) -> Value:
    parts: list[str] = []
    for part in node.values:
        value = (
            strip(evaluate(part.value, act))
            if isinstance(part, ast.FormattedValue)
            else strip(evaluate(part, act))
        )
        if not isinstance(value, Const):
            return leaf("unknown", "", site_of(node, act), reason="a formatted string")
        parts.append(str(value.value))
    return const("".join(parts))


def _starred(node: ast.Starred, act: Activation) -> Value:
    return evaluate(node.value, act)


_EXPRESSIONS: dict[type[ast.expr], Callable[[Any, Activation], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.Tuple: _tuple,
    ast.List: _list,
    ast.Set: _list,
    ast.Dict: _dict,
    ast.Call: _call,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _logical,
    ast.IfExp: _conditional,
    ast.Compare: _compare,
    ast.NamedExpr: _walrus,
    ast.Lambda: _lambda,
    ast.Await: _await,
    ast.Yield: _yield,
    ast.YieldFrom: _yield,
    ast.JoinedStr: _formatted,
    ast.Starred: _starred,
    ast.ListComp: comprehensions.evaluate,
    ast.SetComp: comprehensions.evaluate,
    ast.GeneratorExp: comprehensions.evaluate,
    ast.DictComp: comprehensions.evaluate,
}

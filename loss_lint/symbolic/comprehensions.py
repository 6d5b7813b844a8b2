"""Comprehensions: known containers element by element, others as one operation over a symbolic element."""

from __future__ import annotations

import ast

from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.assign import assign, site_of
from loss_lint.symbolic.graph import NO_GUARDS, Loop, Op, Value, const, tuple_of
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.heap import Item
from loss_lint.symbolic.loops import MAX_UNROLLED

Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
_KINDS = {ast.ListComp: "list", ast.SetComp: "set", ast.GeneratorExp: "list", ast.DictComp: "dict"}


def evaluate(node: Comprehension, act: Activation) -> Value:
    names = dict(act.state.names)
    loops = act.loops
    try:
        return _evaluate(node, act)
    finally:
        act.state.names = names
        act.loops = loops


def _evaluate(node: Comprehension, act: Activation) -> Value:
    kind = _KINDS[type(node)]
    first = node.generators[0]
    iterable = act.machine.evaluate(first.iter, act)
    elements = act.machine.known_elements(iterable, act)
    simple = len(node.generators) == 1 and not first.ifs
    if elements is not None and simple and len(elements) <= MAX_UNROLLED:
        items: list[Item] = []
        for element in elements:
            assign(first.target, element, act)
            items.append(_element(node, act))
        return act.machine.new_object(f"builtins.{kind}", site_of(node, act), act, tuple(items))
    entries = _known_entries(iterable, act) if kind == "dict" and simple else None
    if entries is not None:
        return _of_entries(node, entries, act)
    return _symbolic(node, kind, iterable, act)


def _known_entries(iterable: Value, act: Activation) -> list[Item] | None:
    """The keys that are known of a dict whose `.items()` are gone through, where there may be more."""
    plain = strip(iterable)
    if not (isinstance(plain, Op) and plain.name == "items"):
        return None
    record = act.state.heap.get(strip(plain.operands[0]).content)
    return [item for item in record.items if item.key is not None] if record is not None else None


def _of_entries(node: Comprehension, entries: list[Item], act: Activation) -> Value:
    """`{key: move(value) for key, value in batch.items()}`: a dict of which the same keys are known."""
    made: list[Item] = []
    for entry in entries[:MAX_UNROLLED]:
        assert entry.key is not None
        assign(node.generators[0].target, tuple_of((entry.key, entry.value)), act)
        made.append(_element(node, act)._replace(guards=entry.guards))
    return act.machine.new_object("builtins.dict", site_of(node, act), act, tuple(made), is_open=True)


def _element(node: Comprehension, act: Activation) -> Item:
    if isinstance(node, ast.DictComp):
        key = strip(act.machine.evaluate(node.key, act))
        return Item(key, act.machine.evaluate(node.value, act), NO_GUARDS)
    return Item(None, act.machine.evaluate(node.elt, act), NO_GUARDS)


def _symbolic(node: Comprehension, kind: str, iterable: Value, act: Activation) -> Value:
    """`comprehension(element, iterable)`; a dict's element is the pair of key and value."""
    for index, generator in enumerate(node.generators):
        source = iterable if index == 0 else act.machine.evaluate(generator.iter, act)
        loop = Loop(site_of(generator.iter, act), source)
        act.loops = (*act.loops, loop)
        element = act.machine.element(source, loop, site_of(generator.target, act), act)
        assign(generator.target, element, act)
        for condition in generator.ifs:
            act.machine.evaluate(condition, act)
    item = _element(node, act)
    value = item.value if item.key is None else tuple_of((item.key, item.value))
    return act.machine.python_op(
        "comprehension", (value, iterable), site_of(node, act), act, (("kind", const(kind)),)
    )

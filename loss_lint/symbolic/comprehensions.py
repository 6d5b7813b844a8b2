"""Comprehensions: known containers element by element, others as one operation over a symbolic element."""

from __future__ import annotations

import ast

from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.assign import assign, site_of
from loss_lint.symbolic.graph import NO_GUARDS, Loop, Op, Value, const, tuple_of
from loss_lint.symbolic.guards import compatible, guards_of, strip
from loss_lint.symbolic.heap import Item, is_repeated, last_of_each
from loss_lint.symbolic.unrolling import MAX_UNROLLED

Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
_KINDS = {ast.ListComp: "list", ast.SetComp: "set", ast.GeneratorExp: "list", ast.DictComp: "dict"}


def evaluate(node: Comprehension, act: Activation) -> Value:
    names, loops, entry = dict(act.state.names), act.loops, act.state.guards
    try:
        return _evaluate(node, act)
    finally:
        # A walrus inside binds in the scope around.
        leaked = {
            name: act.state.names[name] for name in act.module.walrus_names(node) if name in act.state.names
        }
        act.state.names = names | leaked
        act.loops, act.state.guards = loops, entry


def _evaluate(node: Comprehension, act: Activation) -> Value:
    kind = _KINDS[type(node)]
    iterable = act.machine.evaluate(node.generators[0].iter, act)
    if _is_known(iterable, act):
        items = _items(node, node.generators, iterable, act)
        if items is not None:
            kept = last_of_each(items) if kind == "dict" else tuple(items)
            return act.machine.new_object(f"builtins.{kind}", site_of(node, act), act, kept)
    simple = len(node.generators) == 1 and not node.generators[0].ifs
    entries = _known_entries(iterable, act) if kind == "dict" and simple else None
    if entries is not None:
        return _of_entries(node, entries, act)
    return _symbolic(node, kind, iterable, act)


def _is_known(iterable: Value, act: Activation) -> bool:
    return act.machine.entries_of(iterable, act, MAX_UNROLLED) is not None


def _items(
    node: Comprehension, generators: list[ast.comprehension], iterable: Value, act: Activation
) -> list[Item] | None:
    """The items one by one, each under the conditions that it passed; None where something inside is not known."""
    generator, rest = generators[0], generators[1:]
    entries = act.machine.entries_of(iterable, act, MAX_UNROLLED)
    if entries is None or any(is_repeated(entry.value) for entry in entries):
        return None
    found: list[Item] = []
    entry_guards = act.state.guards
    for entry in entries:
        if not act.machine.spend():
            act.state.guards = entry_guards
            return None
        act.state.guards = entry_guards | entry.guards
        assign(generator.target, entry.value, act)
        passes = [guards_of(act.machine.evaluate(test, act), True) for test in generator.ifs]
        if any(guards is None or not compatible(act.state.guards, guards) for guards in passes):
            continue
        own = entry.guards.union(*(guards for guards in passes if guards is not None)) - entry_guards
        act.state.guards |= own
        if not rest:
            inner = [_element(node, act)]
        else:
            nested = _items(node, rest, act.machine.evaluate(rest[0].iter, act), act)
            if nested is None:
                return None
            inner = nested
        found.extend(Item(item.key, item.value, item.guards | own) for item in inner)
    act.state.guards = entry_guards
    return found


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

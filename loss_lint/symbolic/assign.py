"""Assignment targets: names, attributes, items, and unpacking."""

from __future__ import annotations

import ast
from dataclasses import replace

from loss_lint.symbolic import containers, namespaces, objects, sequences
from loss_lint.symbolic.activation import Activation, otherwise
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    Alternatives,
    Const,
    Guards,
    Leaf,
    Object,
    Site,
    Value,
    const,
    leaf,
    may_hold_loss,
)
from loss_lint.symbolic.guards import compatible, strip
from loss_lint.symbolic.heap import OPEN, Item, Record


def site_of(node: ast.expr | ast.stmt, act: Activation) -> Site:
    return act.module.site(node)


def assign(target: ast.expr, value: Value, act: Activation) -> None:
    match target:
        case ast.Name(id=name):
            bind(name, value, act)
        case ast.Attribute(value=owner, attr=attribute):
            holder = act.machine.evaluate(owner, act)
            act.machine.set_attribute(holder, attribute, value, act)
            if attribute == "requires_grad" and isinstance(owner, ast.Name) and may_hold_loss(holder):
                site, slot = site_of(target, act), site_of(owner, act)
                mode = (("mode", value),)
                bind(owner.id, act.machine.op("requires_grad_", (holder,), mode, site, (slot,), act), act)
        case ast.Subscript(value=owner, slice=index):
            holder = act.machine.evaluate(owner, act)
            set_item(holder, act.machine.evaluate(index, act), value, site_of(target, act), act)
            changed = act.machine.item_assigned(holder, value, target, act)
            if changed is not None:
                assign(owner, changed, act)
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            unpack(elements, value, act)
        case ast.Starred(value=inner):
            assign(inner, value, act)


def bind(name: str, value: Value, act: Activation) -> None:
    if name in act.global_names:
        home = act.enclosing
        while home is not None and home.enclosing is not None and name not in home.state.names:
            home = home.enclosing
        if home is not None:
            act.machine.modules.rebind(home.state.names, name, value)
    act.state.names[name] = value


def _at_its_name(item: Value, site: Site) -> Value:
    """What a loop hands out among others, at the name that it is bound to: `a` of `for a, b in zip(..)`."""
    if not (isinstance(item, Leaf) and item.role in ("element", "index") and item.site is not None):
        return item
    whole = item.site
    encloses = (whole.path, whole.line) == (site.path, site.line) and (
        whole.column <= site.column and site.end_column <= whole.end_column
    )
    return replace(item, site=site) if encloses else item


def unpack(elements: list[ast.expr], value: Value, act: Activation) -> None:
    """`a, *b, c = value`."""
    starred = [index for index, element in enumerate(elements) if isinstance(element, ast.Starred)]
    star = starred[0] if starred else len(elements)
    site = site_of(elements[0], act) if elements else None
    for index, element in enumerate(elements):
        if index < star:
            item = act.machine.item(value, const(index), site_of(element, act), act)
            assign(element, _at_its_name(item, site_of(element, act)), act)
        elif index == star:
            assign(element, _middle(value, star, len(elements) - star - 1, site, act), act)
        else:
            position = const(index - len(elements))
            assign(element, act.machine.item(value, position, site_of(element, act), act), act)


def _middle(value: Value, before: int, behind: int, site: Site | None, act: Activation) -> Value:
    """What `*middle` gets of `a, *middle, b = value`."""
    entries = act.machine.entries_of(value, act)
    cut = None if entries is None else sequences.cut(entries, slice(before, -behind if behind else None))
    if cut is None or site is None:
        return leaf("unknown", "rest", site, (value,), "a starred target")
    return act.machine.new_object("builtins.list", site, act, cut)


def set_item(holder: Value, key: Value, value: Value, site: Site, act: Activation) -> None:
    """`holder[key] = value` for dicts and lists whose contents are known."""
    holder, key = strip(act.machine.resolved(holder, act)), strip(key)
    if isinstance(holder, Alternatives):
        for guards, branch in holder.branches:
            _set_item_under(guards - act.state.guards, branch, key, value, site, act)
        return
    if namespaces.is_names(holder):
        namespaces.set_item(holder, key, value, act)
    if _is_frame(holder):
        _set_column(holder, key, value, site, act)
    if not isinstance(holder, Object):
        return
    record = act.state.heap.get(holder.content)
    if record is None:
        return
    if not isinstance(key, Const):
        # What an unknown key leads to is kept under a name that no attribute can have.
        entry = act.machine.python_op("map_entry", (key, value), site, act)
        attributes = {**record.attributes, "[]": entry}
        act.state.heap.set(holder.content, Record(attributes, record.items, open=True))
        return
    if objects.external_base(holder.cls, act) in containers.SEQUENCES and isinstance(key.value, int):
        where = None if record.open else sequences.place(record.items, key.value)
        if where is None:
            forget_items(holder, act)
            return
        items = list(record.items)
        items[where] = Item(items[where].key, value, NO_GUARDS)
    else:
        items = [entry for entry in record.items if entry.key is None or entry.key.content != key.content]
        before = [
            entry for entry in record.items if entry.key is not None and entry.key.content == key.content
        ]
        position = record.items.index(before[0]) if before else len(items)
        items.insert(position, Item(key, value, NO_GUARDS))
    act.state.heap.set(holder.content, Record(record.attributes, tuple(items), record.open))


def _is_frame(value: Value) -> bool:
    """Whether a value is a table that pandas made: of its columns only those that the program sets are known."""
    return isinstance(value, Leaf) and value.role == "call" and value.name.startswith("pandas.")


def _set_column(frame: Value, key: Value, value: Value, site: Site, act: Activation) -> None:
    record = act.state.heap.get(frame.content)
    known = record.items if record is not None else ()
    if isinstance(key, Const):
        kept = tuple(item for item in known if item.key is None or item.key.content != key.content)
        act.state.heap.set(frame.content, Record({}, (*kept, Item(key, value, NO_GUARDS)), open=True))
    elif known:  # it may be any of them
        unknown = leaf("unknown", "", site, reason="an item that may have been set anew")
        items = tuple(Item(item.key, unknown, NO_GUARDS) for item in known)
        act.state.heap.set(frame.content, Record({}, items, open=True))


def _set_item_under(
    guards: Guards, holder: Value, key: Value, value: Value, site: Site, act: Activation
) -> None:
    """One of several containers gets an item: under the conditions that choose it."""
    if not compatible(guards, act.state.guards):
        return
    if not guards:
        set_item(holder, key, value, site, act)
        return
    heap = act.state.heap
    act.state.heap = heap.fork()
    set_item(holder, key, value, site, act)
    act.state.heap = act.state.heap.join(heap, guards, otherwise(guards, act))


def delete_item(holder: Value, key: Value, act: Activation) -> None:
    """`del holder[key]`."""
    plain, key = strip(act.machine.resolved(holder, act)), strip(key)
    record = act.state.heap.get(plain.content) if isinstance(plain, Object) else None
    if record is None or not isinstance(plain, Object):
        return
    containers.note_shortened(plain, plain.site, act)
    items = sequences.under(record.items, act.state.guards)
    if isinstance(key, Const) and not containers.in_inner_loop(plain, act):
        if objects.external_base(plain.cls, act) in containers.MAPPINGS:
            kept = tuple(one for one in items if one.key is None or one.key.content != key.content)
            act.state.heap.set(plain.content, Record(record.attributes, kept, record.open))
            return
        where = sequences.place(items, key.value) if isinstance(key.value, int) else None
        if where is not None and not record.open:
            kept = (*items[:where], *items[where + 1 :])
            act.state.heap.set(plain.content, Record(record.attributes, kept))
            return
    forget_items(holder, act)


def forget_items(holder: Value, act: Activation) -> None:
    """The object may hold anything from here on."""
    holder = strip(holder)
    if isinstance(holder, Object):
        record = act.state.heap.get(holder.content) or OPEN
        act.state.heap.set(holder.content, Record(record.attributes, (), open=True))

"""Methods of dicts and what is like them, key by key."""

from __future__ import annotations

from loss_lint.symbolic import containers, limits, model_outputs, sequences
from loss_lint.symbolic.activation import Activation, otherwise
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    NONE,
    Alternatives,
    Argument,
    Atom,
    Const,
    Object,
    Site,
    Value,
    alternatives,
    const,
    leaf,
    tuple_of,
)
from loss_lint.symbolic.guards import implied, strip
from loss_lint.symbolic.heap import OPEN, Item, Record
from loss_lint.symbolic.limits import MAX_PAIRS


def call_method(
    receiver: Value,
    holder: Object,
    record: Record,
    name: str,
    arguments: tuple[Argument, ...],
    site: Site,
    act: Activation,
) -> Value | None:
    values = [argument.value for argument in arguments if argument.keyword is None]
    match name, values:
        case "to_tuple", []:
            return model_outputs.to_tuple(record, act)
        case "items", []:
            return _entries(record, site, act, receiver)
        case "keys", [] if not record.open:
            keys = tuple(
                Item(None, entry.key, entry.guards) for entry in record.items if entry.key is not None
            )
            return act.machine.new_object("builtins.list", site, act, keys)
        case "values", [] if not record.open:
            return containers.list_of(record.items, site, act)
        case (("keys" | "values"), []):
            return act.machine.python_op(name, (receiver,), site, act)
        case "get", [key, *default]:
            return get(receiver, record, key, default[0] if default else NONE, site, act)
        case "pop", [key, *default]:
            return _pop_key(receiver, holder, record, key, default, site, act)
        case "setdefault", [key, *default]:
            return _set_default(receiver, holder, record, key, default[0] if default else NONE, site, act)
        case "update", _ if len(values) <= 1:
            return _update(holder, values, arguments, site, act)
        case _:
            return None


def _with_key(record: Record, key: Value, act: Activation) -> list[Item]:
    items = sequences.under(record.items, act.state.guards)
    return [entry for entry in items if entry.key is not None and entry.key.content == strip(key).content]


def get(receiver: Value, record: Record, key: Value, default: Value, site: Site, act: Activation) -> Value:
    """`d.get(key, default)`: what the key holds, the default where it is certainly not there."""
    if not isinstance(strip(key), Const):
        found = act.machine.item(receiver, key, site, act)
        if (
            not isinstance(found, Alternatives)
            or default is NONE
            or any(len(guards) != 1 for guards, _ in found.branches)
        ):
            return found
        # None of the keys: all of the conditions under which one of them was asked for fail.
        others = frozenset(
            Atom(atom.content, False, atom.condition) for guards, _ in found.branches for atom in guards
        )
        return alternatives([*found.branches, (others, default)], site)
    entries = _with_key(record, key, act)
    if not entries:
        return act.machine.item(receiver, key, site, act) if record.open else default
    found = act.machine.item(receiver, key, site, act)
    if record.open or len(entries) > 1 or not entries[0].guards:
        return found
    guards = entries[0].guards
    return alternatives([(guards, entries[0].value), (otherwise(guards, act), default)], site)


def _pop_key(
    receiver: Value,
    holder: Object,
    record: Record,
    key: Value,
    default: list[Value],
    site: Site,
    act: Activation,
) -> Value:
    value = get(receiver, record, key, default[0] if default else NONE, site, act)
    plain = strip(key)
    if isinstance(plain, Const):
        kept = tuple(
            entry for entry in record.items if entry.key is None or entry.key.content != plain.content
        )
        containers.store(holder, record, kept, act)
    else:
        containers.store(holder, record, (), act, is_open=True)
    return value


def _set_default(
    receiver: Value, holder: Object, record: Record, key: Value, default: Value, site: Site, act: Activation
) -> Value:
    from loss_lint.symbolic.assign import set_item

    entries = _with_key(record, key, act)
    if record.open or not isinstance(strip(key), Const) or (entries and entries[0].guards):
        if not entries:
            containers.store(holder, record, (), act, is_open=True)
            return leaf("call", "setdefault", site, (receiver, key, default), "what a changed dict holds")
        return act.machine.item(receiver, key, site, act)
    if entries:
        return act.machine.item(receiver, key, site, act)
    set_item(holder, key, default, site, act)
    return default


def _update(
    holder: Object, values: list[Value], arguments: tuple[Argument, ...], site: Site, act: Activation
) -> Value:
    """`d.update(other, key=value)`: key by key; an unknown one may have replaced anything."""
    for value in values:
        merge(holder, value, site, act)
    for argument in arguments:
        if argument.keyword == "**":
            merge(holder, argument.value, site, act)
        elif argument.keyword is not None:
            from loss_lint.symbolic.assign import set_item

            set_item(holder, const(argument.keyword), argument.value, site, act)
    return NONE


def merge(holder: Object, value: Value, site: Site, act: Activation) -> None:
    """Set each of a mapping's keys (or of a list of pairs) in `holder`."""
    from loss_lint.symbolic.assign import set_item

    added = mapping_items(value, act)
    record = act.state.heap.get(holder.content) or OPEN
    if added is None:
        containers.store(holder, record, (), act, is_open=True)
        return
    for key, held, guards in added:
        if guards and not implied(act.state.guards, guards):
            record = act.state.heap.get(holder.content) or OPEN
            containers.store(holder, record, (*record.items, Item(key, held, guards)), act)
        elif key is not None:
            set_item(holder, key, held, site, act)


def mapping_items(value: Value, act: Activation) -> tuple[Item, ...] | None:
    """The keyed items of a dict, or of a list of pairs."""
    known = act.machine.items_of(value, act)
    if known is not None:
        return known
    pairs = act.machine.known_elements(value, act)
    if pairs is None:
        return None
    items: list[Item] = []
    for pair in pairs:
        sides = act.machine.known_elements(pair, act)
        if sides is None or len(sides) != 2:
            return None
        items.append(Item(strip(sides[0]), sides[1], NO_GUARDS))
    return tuple(items)


def _entries(record: Record, site: Site, act: Activation, receiver: Value) -> Value:
    if len(record.items) > MAX_PAIRS:
        limits.count("items")
    elif not record.open and all(entry.key is not None for entry in record.items):
        pairs = tuple(
            Item(None, tuple_of((entry.key, entry.value)), entry.guards)
            for entry in record.items
            if entry.key is not None
        )
        return act.machine.new_object("builtins.list", site, act, pairs)
    return act.machine.python_op("items", (receiver,), site, act)

"""Containers: lists, dicts, and torch's Sequential, ModuleList and ModuleDict."""

from __future__ import annotations

from loss_lint.symbolic.activation import Activation, otherwise
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    NONE,
    Argument,
    Const,
    External,
    Object,
    Site,
    Tuple,
    Value,
    alternatives,
    leaf,
    tuple_of,
)
from loss_lint.symbolic.guards import compatible, strip
from loss_lint.symbolic.heap import OPEN, Item, Record

MODULE_CONTAINERS = frozenset({"torch.nn.Sequential", "torch.nn.ModuleList", "torch.nn.ModuleDict"})


def initialize(created: Object, name: str, arguments: tuple[Argument, ...], act: Activation) -> bool:
    """Fill a container of modules from its constructor's arguments; False for any other class."""
    if name not in MODULE_CONTAINERS:
        return False
    before = act.state.heap.get(created.content) or OPEN
    items = _initial_items(name, arguments, act)
    act.state.heap.set(
        created.content, Record(before.attributes, items if items is not None else (), items is None)
    )
    return True


def _initial_items(name: str, arguments: tuple[Argument, ...], act: Activation) -> tuple[Item, ...] | None:
    if any(argument.keyword in ("*", "**") for argument in arguments):
        return _spread_items(arguments, act)
    if len(arguments) == 1:
        named = act.machine.items_of(arguments[0].value, act)
        if named is not None:
            return named
        if name != "torch.nn.Sequential":
            return _listed(arguments[0].value, act)
    return tuple(Item(None, argument.value, NO_GUARDS) for argument in arguments)


def _listed(value: Value, act: Activation) -> tuple[Item, ...] | None:
    """A list's items, with the guards under which they are there."""
    plain = strip(value)
    if isinstance(plain, Object) and isinstance(plain.cls, External) and plain.cls.name == "builtins.list":
        record = act.state.heap.get(plain.content)
        if record is not None and not record.open:
            return record.items
    if isinstance(plain, Tuple):
        return tuple(Item(None, value, NO_GUARDS) for value in plain.items)
    return None


def _spread_items(arguments: tuple[Argument, ...], act: Activation) -> tuple[Item, ...] | None:
    """`Sequential(*layers, last)`: what is unknown becomes one unknown module."""
    items: list[Item] = []
    for argument in arguments:
        if argument.keyword == "**":
            return None
        if argument.keyword == "*":
            listed = _listed(argument.value, act)
            unknown = leaf(
                "unknown", "modules", argument.site, (argument.value,), "an unknown list of modules"
            )
            items.extend((Item(None, unknown, NO_GUARDS),) if listed is None else listed)
        else:
            items.append(Item(None, argument.value, NO_GUARDS))
    return tuple(items)


def run_sequential(holder: Object, record: Record, argument: Argument, site: Site, act: Activation) -> Value:
    """The modules one after the other; one that is there under guards is passed by otherwise."""
    value = argument.value
    entry = act.state.guards
    if record.open and not record.items:
        return leaf("call", "", site, (holder, value), "a Sequential whose modules are not known")
    for entry_item in record.items:
        more = entry_item.guards - entry
        if not compatible(entry, more):
            continue
        act.state.guards = entry | more
        # Between two modules nothing is written: the call stands for the operand's place.
        applied = act.machine.call(entry_item.value, (Argument(None, value, site),), site, act)
        act.state.guards = entry
        value = applied if not more else alternatives([(more, applied), (otherwise(more, act), value)], site)
    if record.open:
        return leaf("call", "", site, (holder, value), "a Sequential that may hold more modules")
    return value


def call_method(
    receiver: Value, holder: Object, name: str, arguments: tuple[Argument, ...], site: Site, act: Activation
) -> Value | None:
    """A method of a list, dict or container of modules; None for one that is not known."""
    record = act.state.heap.get(holder.content) or OPEN
    values = [argument.value for argument in arguments]
    match name, values:
        case "append" | "add", [value]:
            _store(holder, record, (*record.items, _appended(value, holder, act)), act)
            return receiver if holder.cls.name.startswith("torch.") else NONE
        case (("add_module" | "register_module"), [key, value]):
            plain = strip(key)
            if isinstance(plain, Const) and isinstance(plain.value, str):
                act.state.heap.set_attribute(holder.content, plain.value, value)
                record = act.state.heap.get(holder.content) or OPEN
            _store(holder, record, (*record.items, _appended(value, holder, act)), act)
            return NONE
        case "extend", [value]:
            listed = _listed(value, act)
            if listed is None or in_inner_loop(holder, act):
                unknown = leaf("unknown", "modules", site, (value,), "an unknown list")
                listed = (Item(None, unknown, NO_GUARDS),)
            _store(holder, record, (*record.items, *listed), act)
            return NONE
        case "insert", [position, value]:
            _insert(holder, record, strip(position), value, act)
            return receiver if holder.cls.name.startswith("torch.") else NONE
        case "reverse", []:
            _store(holder, record, record.items[::-1], act)
            return NONE
        case (("pop" | "remove" | "clear" | "sort" | "update" | "setdefault"), _):
            _store(holder, record, (), act, is_open=True)
            return leaf("call", name, site, (receiver, *values), "what a changed container holds")
        case "items", []:
            return _entries(holder, record, site, act, receiver)
        case "values", []:
            if not record.open:
                return act.machine.new_object(
                    "builtins.list",
                    site,
                    act,
                    tuple(Item(None, entry.value, entry.guards) for entry in record.items),
                )
            return None
        case "get", [key, *default]:
            found = act.machine.item(receiver, key, site, act)
            if (
                isinstance(strip(key), Const)
                and default
                and not any(
                    entry.key is not None and entry.key.content == strip(key).content
                    for entry in record.items
                )
            ):
                return found if record.open else default[0]
            return found
        case _:
            return None


def _insert(holder: Object, record: Record, position: Value, value: Value, act: Activation) -> None:
    if not (isinstance(position, Const) and isinstance(position.value, int)) or in_inner_loop(holder, act):
        _store(holder, record, (), act, is_open=True)
        return
    items = list(record.items)
    items.insert(position.value, Item(None, value, NO_GUARDS))
    _store(holder, record, tuple(items), act)


def _entries(holder: Object, record: Record, site: Site, act: Activation, receiver: Value) -> Value:
    if not record.open and all(entry.key is not None for entry in record.items):
        pairs = tuple(
            Item(None, tuple_of((entry.key, entry.value)), entry.guards)
            for entry in record.items
            if entry.key is not None
        )
        return act.machine.new_object("builtins.list", site, act, pairs)
    return act.machine.python_op("items", (receiver,), site, act)


def in_inner_loop(holder: Object, act: Activation) -> bool:
    """Whether the container was made outside the loop that changes it now."""
    if not act.loops:
        return False
    loop = act.loops[-1].site
    return (
        not (
            loop.path == holder.site.path
            and (loop.line, loop.column) <= (holder.site.line, holder.site.column)
            and (holder.site.end_line, holder.site.end_column) <= (loop.end_line, loop.end_column)
        )
        and act.loops[-1].iterable is not None
    )


def _appended(value: Value, holder: Object, act: Activation) -> Item:
    """What `append` adds; in a loop it adds nobody knows how many of them."""
    if in_inner_loop(holder, act):
        repeated = leaf("repeated", "", holder.site, (value,), "items appended in a loop")
        return Item(None, repeated, NO_GUARDS)
    return Item(None, value, NO_GUARDS)


def _store(
    holder: Object, record: Record, items: tuple[Item, ...], act: Activation, *, is_open: bool | None = None
) -> None:
    act.state.heap.set(
        holder.content, Record(record.attributes, items, record.open if is_open is None else is_open)
    )

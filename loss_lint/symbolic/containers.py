"""Containers: lists, dicts, and torch's Sequential, ModuleList and ModuleDict."""

from __future__ import annotations

import ast

from loss_lint.symbolic import children, limits, mappings, model_outputs, objects, sequences
from loss_lint.symbolic.activation import Activation, otherwise
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    NONE,
    Argument,
    Const,
    Leaf,
    Object,
    Op,
    Phi,
    Site,
    Value,
    alternatives,
    const,
    external,
    fresh_content,
    leaf,
)
from loss_lint.symbolic.guards import compatible, strip
from loss_lint.symbolic.heap import OPEN, Item, Record, is_repeated
from loss_lint.symbolic.limits import MAX_ITEMS
from loss_lint.symbolic.readings import narrowed

MODULE_CONTAINERS = frozenset({"torch.nn.Sequential", "torch.nn.ModuleList", "torch.nn.ModuleDict"})
SEQUENCES = frozenset(
    {
        "builtins.list",
        "builtins.set",
        "collections.deque",
        "torch.nn.Sequential",
        "torch.nn.ModuleList",
        "torch.nn.ParameterList",
        "typing.NamedTuple",
    }
)
# What `+=` adds to in place.
GROWING = frozenset({"builtins.list", "torch.nn.ModuleList", "torch.nn.Sequential"})
MAPPINGS = frozenset(
    {
        "builtins.dict",
        "torch.nn.ModuleDict",
        "torch.nn.ParameterDict",
        "collections.OrderedDict",
        "collections.defaultdict",
        model_outputs.BASE,
    }
)


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
        if name == "torch.nn.ModuleDict":
            return mappings.mapping_items(arguments[0].value, act)
        if name != "torch.nn.Sequential":
            return act.machine.entries_of(arguments[0].value, act) or (_many(arguments[0]),)
    return tuple(Item(None, argument.value, NO_GUARDS) for argument in arguments)


def _many(argument: Argument) -> Item:
    return Item(
        None,
        leaf("many", "modules", argument.site, (argument.value,), "an unknown list of modules"),
        NO_GUARDS,
    )


def _spread_items(arguments: tuple[Argument, ...], act: Activation) -> tuple[Item, ...] | None:
    """`Sequential(*layers, last)`: what is unknown becomes one unknown module."""
    items: list[Item] = []
    for argument in arguments:
        if argument.keyword == "**":
            return None
        if argument.keyword == "*":
            listed = act.machine.entries_of(argument.value, act)
            items.extend((_many(argument),) if listed is None else listed)
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
        module, given = _repeated_module(entry_item, value, site)
        applied = act.machine.call(module, (Argument(None, given, site),), site, act)
        act.state.guards = entry
        value = applied if not more else alternatives([(more, applied), (otherwise(more, act), value)], site)
    if record.open:
        return leaf("call", "", site, (holder, value), "a Sequential that may hold more modules")
    return value


def _repeated_module(entry: Item, value: Value, site: Site) -> tuple[Value, Value]:
    """A module that a loop added any number of times: the last of them, and what the others made of `value`."""
    match entry.value:
        case Leaf(role="repeated", operands=(module, *_)) if all(
            isinstance(atom.condition, Leaf) and atom.condition.name == "loop ran" for atom in entry.guards
        ):
            return module, leaf("call", "", site, (module, value), "modules added in a loop")
    return entry.value, value


def call_method(
    receiver: Value, holder: Object, name: str, arguments: tuple[Argument, ...], site: Site, act: Activation
) -> Value | None:
    """A method of a list, dict or container of modules; None for one that is not known."""
    base = objects.external_base(holder.cls, act)
    if base == "typing.NamedTuple":
        return _named_tuple_method(receiver, holder, name, arguments, site, act)
    record = act.state.heap.get(holder.content) or OPEN
    values = [argument.value for argument in arguments if argument.keyword is None]
    if base in MAPPINGS:
        done = mappings.call_method(receiver, holder, record, name, arguments, site, act)
        if done is not None:
            return done
    match name, values:
        case "append" | "add", [value]:
            if base == "builtins.list" and _grows(holder, act):
                act.machine.op("append", (value,), (("to", holder),), site, (arguments[0].site,), act)
            append(holder, value, act)
            return receiver if base.startswith("torch.") else NONE
        case (("add_module" | "register_module"), [key, value]):
            plain = strip(key)
            if isinstance(plain, Const) and isinstance(plain.value, str):
                act.state.heap.set_attribute(holder.content, plain.value, value)
                record = act.state.heap.get(holder.content) or OPEN
            added = _appended(value, holder, act)
            store(holder, record, (*record.items, added._replace(key=plain)), act)
            return NONE
        case "extend", [value]:
            extend(holder, value, site, act)
            return receiver if base.startswith("torch.") else NONE
        case "insert", [position, value]:
            _insert(holder, record, strip(position), value, act)
            return receiver if base.startswith("torch.") else NONE
        case "reverse", []:
            store(holder, record, record.items[::-1], act)
            return NONE
        case "sort", [] if (ordered := sorted_literals(record.items)) is not None and not arguments:
            store(holder, record, ordered, act)
            return NONE
        case "copy", []:
            return copied(holder, site, act)
        case "clear", []:
            note_shortened(holder, site, act)
            store(holder, record, (), act, is_open=False)
            return NONE
        case "pop", _ if base in SEQUENCES and len(values) <= 1:
            note_shortened(holder, site, act)
            return _pop(receiver, holder, record, values[0] if values else const(-1), site, act)
        case "remove", [_]:
            note_shortened(holder, site, act)
            store(holder, record, (), act, is_open=True)
            return leaf("call", name, site, (receiver, *values), "what a changed container holds")
        case (("pop" | "sort" | "update" | "setdefault" | "popitem" | "discard"), _):
            store(holder, record, (), act, is_open=True)
            return leaf("call", name, site, (receiver, *values), "what a changed container holds")
        case (("children" | "named_children"), []):
            made = children.listed(holder, name, site, act)
            return made or leaf("call", name, site, (receiver,), "modules that are not known")
        case _:
            return None


def _grows(holder: Object, act: Activation) -> bool:
    """Whether each iteration of a loop finds what the one before has left, and no other list in its place."""
    return in_inner_loop(holder, act) and not any(
        isinstance(value, Phi) and value.init is not None and strip(value.init) is holder
        for value in act.state.names.values()
    )


def note_shortened(holder: Object, site: Site, act: Activation) -> None:
    """Record that a list loses items in a loop, so that it does not grow with each iteration."""
    if act.loops:
        act.machine.python_op("shorten", (holder,), site, act)


def list_of(items: tuple[Item, ...], site: Site, act: Activation) -> Object:
    values = tuple(Item(None, entry.value, entry.guards) for entry in items)
    return act.machine.new_object("builtins.list", site, act, values)


def child(holder: Object, record: Record, name: str, act: Activation) -> Value | None:
    """A module of a container by its name: `self.net.out`."""
    if objects.external_base(holder.cls, act) not in MODULE_CONTAINERS:
        return None
    key = const(name)
    found = [item for item in record.items if item.key is not None and item.key.content == key.content]
    if found and not (found[-1].guards - act.state.guards):
        return narrowed(found[-1].value, act.state.guards)
    return None


def set_child(holder: Object, name: str, value: Value, act: Activation) -> bool:
    """Whether setting an attribute set a module of a Sequential: one that has the name, or another at its end."""
    if objects.external_base(holder.cls, act) != "torch.nn.Sequential":
        return False
    record = act.state.heap.get(holder.content)
    if record is None:
        return False
    key = const(name)
    for position, item in enumerate(record.items):
        if item.key is not None and item.key.content == key.content:
            items = (*record.items[:position], Item(key, value, item.guards), *record.items[position + 1 :])
            store(holder, record, items, act)
            return True
    module = strip(value)
    if isinstance(module, Object) and objects.is_module(module.cls, act):
        store(holder, record, (*record.items, _appended(value, holder, act)._replace(key=key)), act)
        return True
    return False


def added_in_place(operator: ast.operator, before: Value, value: Value, site: Site, act: Activation) -> bool:
    """Whether `before += value` changed a list, or `|=` a dict, that is known under other names too."""
    plain = strip(before)
    if isinstance(plain, Phi) and plain.init is not None:
        plain = strip(plain.init)
    if not isinstance(plain, Object):
        return False
    base = objects.external_base(plain.cls, act)
    if isinstance(operator, ast.Add) and base in GROWING:
        extend(plain, value, site, act)
        return True
    if isinstance(operator, ast.BitOr) and base in MAPPINGS:
        mappings.merge(plain, value, site, act)
        return True
    return False


def grown_from(value: Op, act: Activation) -> Object:
    """A list that starts as one that is not known."""
    made = Object(external("builtins.list"), value.site, fresh_content())
    known = act.machine.entries_of(value, act)
    unknown = leaf("many", "modules", value.site, (value,), "an unknown list")
    act.state.heap.set(
        made.content, Record({}, (Item(None, unknown, NO_GUARDS),) if known is None else known)
    )
    return made


def sorted_literals(items: tuple[Item, ...]) -> tuple[Item, ...] | None:
    """Numbers, or strings, in their order; None for anything else."""
    literals = [strip(item.value) for item in items if sequences.is_single(item)]
    plain = [one.value for one in literals if isinstance(one, Const)]
    if len(plain) != len(items):
        return None
    numbers = [one for one in plain if isinstance(one, int | float)]
    texts = [one for one in plain if isinstance(one, str)]
    if len(numbers) == len(plain):
        return tuple(Item(None, const(one), NO_GUARDS) for one in sorted(numbers))
    if len(texts) == len(plain):
        return tuple(Item(None, const(one), NO_GUARDS) for one in sorted(texts))
    return None


def append(holder: Object, value: Value, act: Activation) -> None:
    record = act.state.heap.get(holder.content) or OPEN
    store(holder, record, (*record.items, _appended(value, holder, act)), act)


def extend(holder: Object, value: Value, site: Site, act: Activation) -> None:
    """`holder.extend(value)`, `holder += value`."""
    record = act.state.heap.get(holder.content) or OPEN
    listed = act.machine.entries_of(value, act)
    if listed is not None and len(record.items) + len(listed) > MAX_ITEMS:
        limits.count("items")
        listed = None
    if listed is None:
        unknown = leaf("many", "modules", site, (value,), "an unknown list")
        listed = (Item(None, unknown, NO_GUARDS),)
    elif in_inner_loop(holder, act):
        listed = tuple(
            Item(None, entry.value, entry.guards)
            if is_repeated(entry.value)
            else Item(None, _repeated(entry.value, holder, act), entry.guards)
            for entry in listed
        )
    store(holder, record, (*record.items, *listed), act)


def _insert(holder: Object, record: Record, position: Value, value: Value, act: Activation) -> None:
    if isinstance(position, Const) and isinstance(position.value, int) and not in_inner_loop(holder, act):
        index = position.value
        where = 0 if index == 0 else sequences.place(record.items, index)
        if where is None and index >= len(record.items) and all(map(sequences.is_single, record.items)):
            where = len(record.items)
        if where is not None and not record.open:
            store(
                holder,
                record,
                (*record.items[:where], Item(None, value, NO_GUARDS), *record.items[where:]),
                act,
            )
            return
    store(holder, record, (), act, is_open=True)


def _forget_sequence(holder: Object, record: Record, site: Site, act: Activation) -> None:
    """A list holds some of what it held, nobody knows which."""
    held = tuple(entry.value for entry in record.items)
    rest = leaf("many", "items", site, held, "a list from which something was taken")
    store(holder, record, (Item(None, rest, NO_GUARDS),), act)


def _pop(receiver: Value, holder: Object, record: Record, index: Value, site: Site, act: Activation) -> Value:
    """`items.pop(i)`: that item, where there certainly is one; what is left is known then."""
    index = strip(index)
    items = sequences.under(record.items, act.state.guards)
    if isinstance(index, Const) and isinstance(index.value, int) and not record.open:
        value = sequences.at(items, index.value, act)
        where = sequences.place(items, index.value)
        if where is not None and not in_inner_loop(holder, act):
            store(holder, record, (*items[:where], *items[where + 1 :]), act)
        else:
            _forget_sequence(holder, record, site, act)
        if value is not None and not in_inner_loop(holder, act):
            return value
    else:
        _forget_sequence(holder, record, site, act)
    return leaf("call", "pop", site, (receiver, index), "what a changed container holds")


def copied(holder: Object, site: Site, act: Activation) -> Object:
    """A shallow copy."""
    made = Object(holder.cls, site, fresh_content(), act.loops)
    act.state.heap.set(made.content, act.state.heap.get(holder.content) or OPEN)
    return made


def _named_tuple_method(
    receiver: Value, holder: Object, name: str, arguments: tuple[Argument, ...], site: Site, act: Activation
) -> Value | None:
    record = act.state.heap.get(holder.content) or OPEN
    if name == "_asdict" and not arguments:
        items = tuple(Item(const(key), value, NO_GUARDS) for key, value in record.attributes.items())
        return act.machine.new_object("builtins.dict", site, act, items, is_open=record.open)
    if name == "_replace" and all(argument.keyword in record.attributes for argument in arguments):
        given = {str(argument.keyword): argument.value for argument in arguments}
        attributes = {**record.attributes, **given}
        made = Object(holder.cls, site, fresh_content(), act.loops)
        items = tuple(Item(None, attributes[key], NO_GUARDS) for key in record.attributes)
        act.state.heap.set(made.content, Record(attributes, items, record.open))
        return made
    return None


def in_inner_loop(holder: Object, act: Activation) -> bool:
    """Whether the container was made outside a loop that changes it now, any number of times."""
    return any(not loop.unrolled and loop not in holder.loops for loop in act.loops)


def _appended(value: Value, holder: Object, act: Activation) -> Item:
    """What `append` adds; in a loop it adds nobody knows how many of them."""
    if in_inner_loop(holder, act):
        return Item(None, _repeated(value, holder, act), NO_GUARDS)
    return Item(None, value, NO_GUARDS)


def _repeated(value: Value, holder: Object, act: Activation) -> Value:
    """Items appended in a loop; which one is known where there is one only."""
    loops = [loop for loop in act.loops if not loop.unrolled and loop not in holder.loops]
    loop = loops[0] if len(loops) == 1 else None
    reason = "items appended in a loop"
    return Leaf("repeated", "", (value,), holder.site, fresh_content(), reason, loop=loop)


def store(
    holder: Object, record: Record, items: tuple[Item, ...], act: Activation, *, is_open: bool | None = None
) -> None:
    act.state.heap.set(
        holder.content, Record(record.attributes, items, record.open if is_open is None else is_open)
    )

"""The modules that a module holds, in the order in which it got them: `children()`, `named_children()`."""

from __future__ import annotations

from loss_lint.symbolic import objects
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    Alternatives,
    Class,
    Const,
    External,
    Lazy,
    Leaf,
    Object,
    Op,
    Phi,
    Site,
    Value,
    const,
    leaf,
    tuple_of,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.heap import OPEN, Item, Record
from loss_lint.symbolic.sequences import is_single


def listed(holder: Object, name: str, site: Site, act: Activation) -> Value | None:
    """What `holder.children()` or `holder.named_children()` gives, as a list; None where that is not known."""
    items = _held(holder, site, act)
    if items is None:
        return None
    if name == "children":
        values = tuple(Item(None, item.value, item.guards) for item in items)
        return act.machine.new_object("builtins.list", site, act, values)
    if not all(map(is_single, items)):
        return None
    pairs = tuple(
        Item(None, tuple_of((item.key or const(str(position)), item.value)), NO_GUARDS)
        for position, item in enumerate(items)
    )
    return act.machine.new_object("builtins.list", site, act, pairs)


def _held(holder: Object, site: Site, act: Activation) -> tuple[Item, ...] | None:
    record = act.state.heap.get(holder.content) or OPEN
    base = objects.external_base(holder.cls, act)
    if base in ("torch.nn.Sequential", "torch.nn.ModuleList", "torch.nn.ModuleDict"):
        return None if record.open else record.items
    if base != "torch.nn.Module" or not isinstance(holder.cls, Class):
        return None
    order = objects.resolution_order(holder.cls, act)
    if not all(isinstance(entry, Class | External) for entry in order):
        return None
    return _attributes(record, site, act)


def _attributes(record: Record, site: Site, act: Activation) -> tuple[Item, ...]:
    """The attributes that are modules; one that may be one stands for any number of them."""
    items: list[Item] = []
    for name, value in record.attributes.items():
        known = _is_module(value, act)
        if known is None:
            unknown = leaf("many", "modules", site, (value,), "an attribute that may be a module")
            items.append(Item(const(name), unknown, NO_GUARDS))
        elif known:
            items.append(Item(const(name), value, NO_GUARDS))
    return tuple(items)


def _is_module(value: Value, act: Activation) -> bool | None:
    plain = strip(value)
    match plain:
        case Object(cls=External(name=name)) if not name.startswith("torch.nn."):
            return False if name.startswith(("builtins.", "collections.", "types.")) else None
        case Object(cls=cls):
            return objects.is_module(cls, act)
        case Alternatives(branches=branches):
            known = {_is_module(branch, act) for _, branch in branches}
            return known.pop() if len(known) == 1 else None
        case Const():
            return False
        case Leaf() | Lazy() | Phi():
            return None
        case Op(name=name):
            return None if name in ("getattr", "getitem", "data_parallel", "and", "or") else False
        case _:
            return False

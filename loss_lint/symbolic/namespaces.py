"""What holds values by name: `getattr` and its kin, `vars(x)` and `x.__dict__`, simple namespaces."""

from __future__ import annotations

from loss_lint.symbolic import classes, objects
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import (
    FALSE,
    NO_GUARDS,
    NONE,
    TRUE,
    Argument,
    Class,
    Const,
    External,
    Namespace,
    Object,
    Op,
    Site,
    Value,
    const,
    external,
    fresh_content,
    leaf,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.heap import OPEN, Record

Arguments = tuple[Argument, ...]

# Where an attribute is kept whose name is not known: no attribute can have this one.
ANY = "*"


def _name(arguments: Arguments) -> str | None:
    """The literal name that is asked for."""
    name = strip(arguments[1].value) if len(arguments) >= 2 else None
    return name.value if isinstance(name, Const) and isinstance(name.value, str) else None


def get_attribute(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    name = _name(arguments)
    return (
        None
        if name is None
        else act.machine.attribute(arguments[0].value, name, site, arguments[0].site, act)
    )


def set_attribute(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    name = _name(arguments)
    if len(arguments) != 3:
        return NONE
    if name is None:
        unknown = leaf("many", "attributes", site, (arguments[2].value,), "attributes of unknown names")
        _set_any(strip(arguments[0].value), act)
        act.state.heap.set_attribute(strip(arguments[0].value).content, ANY, unknown)
    else:
        act.machine.set_attribute(arguments[0].value, name, arguments[2].value, act)
    return NONE


def _set_any(holder: Value, act: Activation) -> None:
    """`setattr(holder, key, value)` with a key that is not known: no plain value of it is what was written."""
    if not isinstance(holder, Object) or not isinstance(holder.cls, Class):
        return
    settings: dict[str, Value] = {}
    for entry in reversed(objects.resolution_order(holder.cls, act)):
        if isinstance(entry, Class):
            settings |= objects.namespace(entry, act).state.names
    record = act.state.heap.get(holder.content) or OPEN
    settings |= record.attributes
    opened = {
        name: leaf("unknown", name, holder.site, reason="an attribute that is set by a key known at run time")
        for name, value in settings.items()
        if isinstance(strip(value), Const)
    }
    act.state.heap.set(
        holder.content, Record({**record.attributes, **opened}, record.items, open=record.open)
    )


def has_attribute(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """`hasattr(model, "loss")`: true where the attribute has been set or a class of the project defines it.

    A tensor has what a tensor has, a number nothing of it.
    """
    name, holder = _name(arguments), strip(arguments[0].value)
    if name in classes.TENSOR_ATTRIBUTES:
        if classes.is_tensor(holder):
            return TRUE
        if isinstance(holder, Const):
            return FALSE
    if name is not None and isinstance(holder, Object) and _has(holder, name, act):
        return TRUE
    values = tuple(argument.value for argument in arguments)
    return act.machine.python_op("hasattr", values, site, act)


def _has(holder: Object, name: str, act: Activation) -> bool:
    record = act.state.heap.get(holder.content, name) or OPEN
    found = objects.find(holder.cls, name, act) if isinstance(holder.cls, Class) else None
    defined = found is not None and not isinstance(found[1], External)
    return name in record.attributes or defined


def names_of(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """`vars(x)` is `x.__dict__`."""
    return holder_names(arguments[0].value, site, act) if len(arguments) == 1 else None


def holder_names(holder: Value, site: Site, act: Activation, name: str = "__dict__") -> Value:
    return act.machine.python_op("getattr", (holder,), site, act, (("name", const(name)),))


# Attributes that hold others by name: all, or a module's modules.
NAMES = frozenset({"__dict__", "_modules"})


def is_names(value: Value) -> bool:
    """Whether `value` is some `x.__dict__`."""
    plain = strip(value)
    name = plain.parameter("name") if isinstance(plain, Op) and plain.name == "getattr" else None
    return isinstance(name, Const) and name.value in NAMES


def has_names(value: Value) -> bool:
    """Whether `value.__dict__` holds what attribute access would give."""
    return isinstance(strip(value), Object | Class | External | Namespace)


def set_item(names: Value, key: Value, value: Value, act: Activation) -> None:
    """`model._modules["fc"] = nn.Identity()`."""
    plain = strip(names)
    if isinstance(plain, Op) and isinstance(key, Const):
        act.machine.set_attribute(plain.operands[0], str(key.value), value, act)


def update(receiver: Value, arguments: Arguments, act: Activation) -> bool:
    """`self.__dict__.update(options)`: whether that is what happened."""
    plain = strip(receiver)
    if not (isinstance(plain, Op) and is_names(plain)):
        return False
    holder = plain.operands[0]
    for argument in arguments:
        if argument.keyword not in (None, "**"):
            act.machine.set_attribute(holder, str(argument.keyword), argument.value, act)
            continue
        for item in act.machine.items_of(argument.value, act) or ():
            if isinstance(item.key, Const) and item.guards == NO_GUARDS:
                act.machine.set_attribute(holder, str(item.key.value), item.value, act)
    return True


def construct(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """`SimpleNamespace(model=model, loss=loss)`."""
    if any(argument.keyword is None for argument in arguments):
        return None
    created = Object(external("types.SimpleNamespace"), site, fresh_content(), act.loops)
    attributes = {str(argument.keyword): argument.value for argument in arguments}
    act.state.heap.set(created.content, Record(attributes))
    return created

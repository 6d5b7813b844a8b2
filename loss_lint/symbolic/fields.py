"""Classes that are made of fields: dataclasses, named tuples, and what is declared like them."""

from __future__ import annotations

import ast

from loss_lint.symbolic import model_outputs, objects
from loss_lint.symbolic.activation import Activation, State
from loss_lint.symbolic.definitions import decorator_names, unpacks_unknown
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    Argument,
    BoundMethod,
    Class,
    Const,
    External,
    Function,
    Object,
    Op,
    Site,
    Value,
    external,
    fresh_content,
    intern_content,
    leaf,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.heap import Item, Record

# Decorators and bases whose classes get a constructor from their annotated names.
_DECORATORS = frozenset({"dataclass", "define", "frozen", "mutable", "attrs", "s"})
_BASES = frozenset({"typing.NamedTuple", "pydantic.BaseModel", "pydantic.main.BaseModel"})


def has_fields(cls: Class, act: Activation) -> bool:
    """Whether calling the class fills the fields that it declares."""
    for entry in objects.resolution_order(cls, act):
        if isinstance(entry, Class) and not _DECORATORS.isdisjoint(decorator_names(entry.node)):
            return True
        if isinstance(entry, External) and entry.name in _BASES:
            return True
    return False


def is_named_tuple(cls: Class, act: Activation) -> bool:
    return objects.external_base(cls, act) == "typing.NamedTuple"


def _declared(cls: Class, act: Activation) -> dict[str, Value | None]:
    """The fields in order, each with its default (None where it has none)."""
    found: dict[str, Value | None] = {}
    for entry in reversed(objects.resolution_order(cls, act)):
        if not isinstance(entry, Class):
            continue
        names = objects.namespace(entry, act).state.names
        for statement in entry.node.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                    if "ClassVar" not in ast.dump(annotation):
                        found[name] = names.get(name) if statement.value is not None else None
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=called)) if isinstance(
                    called, ast.Attribute
                ) and called.attr in ("ib", "attrib"):
                    found[name] = names.get(name)
    return found


def fill(created: Object, cls: Class, arguments: tuple[Argument, ...], site: Site, act: Activation) -> None:
    """Give a new instance its fields, from the arguments or by default."""
    declared = _declared(cls, act)
    unknown = unpacks_unknown(arguments)
    values: dict[str, Value] = {}
    positional = iter(declared)
    for argument in arguments:
        if argument.keyword in ("*", "**"):
            continue
        name = next(positional, None) if argument.keyword is None else argument.keyword
        if name is not None and name in declared:
            values[name] = argument.value
    attributes: dict[str, Value] = {}
    for name, default in declared.items():
        if name in values:
            attributes[name] = values[name]
        elif default is None or unknown:
            attributes[name] = leaf("parameter", name, None, reason="a field that is not known")
        else:
            attributes[name] = _default(default, site, act)
    items: tuple[Item, ...] = ()
    if is_named_tuple(cls, act):
        items = tuple(Item(None, value, NO_GUARDS) for value in attributes.values())
    elif objects.external_base(cls, act) == model_outputs.BASE:
        items = model_outputs.entries(attributes, site, act)
    act.state.heap.set(created.content, Record(attributes, items))
    found = objects.find(cls, "__post_init__", act)
    if found is not None and isinstance(found[0], Function):
        act.machine.call_now(BoundMethod(found[0], created, fresh_content()), (), site, act)


def declare(arguments: tuple[Argument, ...], site: Site, act: Activation) -> Value:
    """`field(default_factory=list)`: what it says of the field's default."""
    known = {"default": "default", "default_factory": "default_factory", "factory": "default_factory"}
    parameters = tuple(
        (known[argument.keyword], argument.value) for argument in arguments if argument.keyword in known
    )
    if arguments and arguments[0].keyword is None:
        parameters = (("default", arguments[0].value), *parameters)
    return act.machine.python_op("field", (), site, act, parameters)


def _default(value: Value, site: Site, act: Activation) -> Value:
    """What a field holds by default; a factory makes a new value each time."""
    plain = strip(value)
    if not (isinstance(plain, Op) and plain.name == "field"):
        return value
    given = plain.parameter("default")
    if given is not None:
        return given
    factory = plain.parameter("default_factory")
    if factory is not None:
        return act.machine.call(factory, (), site, act)
    return leaf("parameter", "field", None, reason="a field that is not known")


def named_tuple_class(arguments: tuple[Argument, ...], site: Site, act: Activation) -> Class | None:
    """The class that `namedtuple("Batch", ["x", "y"])` makes."""
    values = [argument.value for argument in arguments if argument.keyword is None]
    title = strip(values[0]) if len(values) == 2 else None
    names = None if title is None else _field_names(values[1], act)
    if not (isinstance(title, Const) and isinstance(title.value, str)) or names is None:
        return None
    defaults: list[Value] = []
    for argument in arguments:
        if argument.keyword == "defaults":
            known = act.machine.known_elements(argument.value, act)
            if known is None or len(known) > len(names):
                return None
            defaults = known
    with_default = names[len(names) - len(defaults) :]
    body = "".join(f"    {name}: object{' = 0' if name in with_default else ''}\n" for name in names)
    (node,) = ast.parse(f"class {title.value}(NamedTuple):\n{body or '    pass'}").body
    assert isinstance(node, ast.ClassDef)
    scope = Activation(
        act.machine,
        act.module,
        act.frame,
        State({"NamedTuple": external("typing.NamedTuple")}, act.state.heap),
        enclosing=act,
    )
    cls = Class(node, title.value, act.module, scope, intern_content(("namedtuple", site, id(act))))
    declared = objects.namespace(cls, act).state.names
    declared.update(zip(with_default, defaults, strict=True))
    return cls


def _field_names(value: Value, act: Activation) -> list[str] | None:
    plain = strip(value)
    if isinstance(plain, Const) and isinstance(plain.value, str):
        names = plain.value.replace(",", " ").split()
    else:
        elements = act.machine.known_elements(value, act)
        if elements is None:
            return None
        literals = [strip(element) for element in elements]
        names = [one.value for one in literals if isinstance(one, Const) and isinstance(one.value, str)]
        if len(names) != len(literals):
            return None
    return names if all(name.isidentifier() for name in names) else None

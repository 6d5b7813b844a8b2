"""Calls of Python's own functions, as far as losses and targets flow through them."""

from __future__ import annotations

from collections.abc import Callable

from loss_lint.symbolic import (
    arithmetic,
    classes,
    containers,
    fields,
    items,
    namespaces,
    objects,
    sequences,
    strings,
    torch_calls,
)
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import (
    FALSE,
    NO_GUARDS,
    NONE,
    TRUE,
    ZERO,
    Alternatives,
    Argument,
    BoundMethod,
    Class,
    Const,
    External,
    Function,
    Lazy,
    Loop,
    Method,
    Object,
    Op,
    Partial,
    Phi,
    Site,
    Super,
    Tuple,
    Value,
    accumulated,
    alternatives,
    const,
    external,
    fresh_content,
    intern_content,
    leaf,
    tuple_of,
)
from loss_lint.symbolic.guards import strip, truth
from loss_lint.symbolic.heap import Item, is_repeated
from loss_lint.symbolic.unrolling import MAX_UNROLLED

Arguments = tuple[Argument, ...]


def apply_function(name: str, arguments: Arguments, site: Site, act: Activation) -> Value | None:
    if name == "builtins.zip" and [argument.keyword for argument in arguments] == ["*"]:
        return act.machine.python_op("transposed", (arguments[0].value,), site, act)
    handler = _FUNCTIONS.get(name)
    if handler is None or any(argument.keyword in ("*", "**") for argument in arguments):
        return None
    return handler(arguments, site, act)


def apply_method(method: Method, arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """Methods of values whose type is not known but whose names say enough."""
    values = [argument.value for argument in arguments]
    done = strings.method(method.receiver, method.name, values) if len(values) == len(arguments) else None
    if done is not None:
        return done
    if method.name == "update" and namespaces.update(method.receiver, arguments, act):
        return NONE
    match method.name, values:
        case "split", _ if isinstance(strip(method.receiver), Const):
            return act.machine.python_op("split", (strip(method.receiver),), site, act)
        case "index", [value]:
            return act.machine.python_op("index_of", (method.receiver, value), site, act)
        case ("get", [key]) | ("get", [key, _]):
            return act.machine.item(method.receiver, key, site, act)
        case (("map" | "replace"), [table]) if isinstance(strip(table), Object | Op):
            element = leaf("element", "", site, (method.receiver,), reason="an element of a column")
            return act.machine.item(table, element, site, act)
        case ("items" | "keys" | "values") as name, []:
            return act.machine.python_op(name, (method.receiver,), site, act)
        case _:
            return None


def _values(arguments: Arguments) -> list[Value]:
    return [argument.value for argument in arguments if argument.keyword is None]


def _super(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    values = _values(arguments)
    receiver = strip(values[1]) if len(values) == 2 else (strip(act.receiver) if act.receiver else None)
    after = strip(values[0]) if values else act.owner
    if isinstance(receiver, Object) and isinstance(after, Class):
        return Super(receiver, after, intern_content(("super", receiver.content, after.content)))
    return None


def _len(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    values = _values(arguments)
    return length(values[0], arguments[0].site, act, site) if len(values) == 1 else None


def length(value: Value, value_site: Site, act: Activation, site: Site | None = None) -> Value:
    """`len(value)`, or `value.__len__()`."""
    elements = act.machine.known_elements(value, act)
    appended = items.repeated_terms(value, act)
    if appended is not None:
        terms, loop = appended
        return accumulated(ZERO, (const(1),) * len(terms), loop)
    holder = strip(value)
    grows = isinstance(holder, Object) and containers.in_inner_loop(holder, act)
    if elements is not None and not grows:
        return const(len(elements))
    return act.machine.op("len", (value,), (), site or value_site, (value_site,), act)


def _sequence(kind: str) -> Callable[[Arguments, Site, Activation], Value | None]:
    """`list(x)`, `tuple(x)`: the same elements where they are known, an operation otherwise."""

    def build(arguments: Arguments, site: Site, act: Activation) -> Value | None:
        values = _values(arguments)
        if not values:
            return act.machine.new_object(f"builtins.{kind}", site, act)
        entries = act.machine.entries_of(values[0], act)
        certain = entries is not None and all(map(sequences.is_single, entries))
        conditional = entries is not None and (
            isinstance(strip(values[0]), Object) or not any(is_repeated(entry.value) for entry in entries)
        )
        if entries is None or _is_set(values[0]) or not (certain if kind == "tuple" else conditional):
            return act.machine.python_op(kind, tuple(values), site, act)
        if kind == "tuple":
            return tuple_of(tuple(entry.value for entry in entries))
        return act.machine.new_object("builtins.list", site, act, entries)

    return build


def _plain(kind: str) -> Callable[[Arguments, Site, Activation], Value | None]:
    """A function whose result is known by its name only."""

    def build(arguments: Arguments, site: Site, act: Activation) -> Value | None:
        return act.machine.python_op(kind, tuple(_values(arguments)), site, act)

    return build


def _enumerate(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """The pairs where all of them are known; else an operation of the iterable, and of the start where it is not 0."""
    values = [argument.value for argument in arguments]
    first = strip(values[1]) if len(values) == 2 else ZERO
    start = first.value if isinstance(first, Const) and type(first.value) is int else None
    elements = act.machine.known_elements(values[0], act) if start is not None else None
    if elements is None or start is None or len(elements) > MAX_UNROLLED or _is_set(values[0]):
        return act.machine.python_op("enumerate", tuple(values if start != 0 else values[:1]), site, act)
    pairs = tuple(
        Item(None, tuple_of((const(index), element)), NO_GUARDS)
        for index, element in enumerate(elements, start)
    )
    return act.machine.new_object("builtins.list", site, act, pairs)


def _is_set(value: Value) -> bool:
    plain = strip(value)
    return isinstance(plain, Object) and plain.cls.name == "builtins.set"


def _zip(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    values = _values(arguments)
    columns = [act.machine.known_elements(value, act) for value in values]
    known = [column for column in columns if column is not None]
    if known and len(known) == len(columns):
        rows = tuple(Item(None, tuple_of(row), NO_GUARDS) for row in zip(*known, strict=False))
        return act.machine.new_object("builtins.list", site, act, rows)
    return act.machine.python_op("zip", tuple(values), site, act)


def _dict(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    values = _values(arguments)
    items: list[Item] = []
    if values:
        spread = act.machine.items_of(values[0], act)
        pairs = act.machine.known_elements(values[0], act) if spread is None else None
        if spread is not None:
            items.extend(spread)
        elif pairs is not None:
            for pair in pairs:
                plain = strip(pair)
                if not (isinstance(plain, Tuple) and len(plain.items) == 2):
                    return None
                items.append(Item(strip(plain.items[0]), plain.items[1], NO_GUARDS))
        else:
            return act.machine.python_op("dict", tuple(values), site, act)
    items.extend(
        Item(const(argument.keyword), argument.value, NO_GUARDS)
        for argument in arguments
        if argument.keyword is not None
    )
    return act.machine.new_object("builtins.dict", site, act, tuple(items))


def _sum(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    values = _values(arguments)
    elements = act.machine.known_elements(values[0], act) if len(values) == 1 else None
    if not elements:
        appended = items.repeated_terms(values[0], act) if len(values) == 1 else None
        if appended is not None:
            return accumulated(ZERO, *appended)
        return act.machine.python_op("total", tuple(values), site, act)
    total = elements[0]
    for element in elements[1:]:
        folded = arithmetic.literal("add", total, element)
        total = folded or act.machine.op("add", (total, element), (), site, (None, None), act)
    return total


def _number(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """`float(loss)`: a Python number, cut from the graph; of a literal, that literal."""
    values = _values(arguments)
    if len(values) != 1:
        return None
    plain = strip(values[0])
    if isinstance(plain, Const) and isinstance(plain.value, int | float):
        return plain
    return act.machine.op("item", (values[0],), (), site, (arguments[0].site,), act)


def _isinstance(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    values = _values(arguments)
    if len(values) != 2:
        return None
    cls = strip(values[1])
    candidates = [strip(one) for one in cls.items] if isinstance(cls, Tuple) else [cls]
    if isinstance(cls, Op) and cls.name == "logical_or":
        candidates = [strip(one) for one in cls.operands]
    candidates = [act.machine.own_names.behind(one) for one in candidates]
    subject = strip(act.machine.resolved(values[0], act))
    if isinstance(subject, Alternatives):
        tested = [
            (guards, _isinstance((arguments[0]._replace(value=branch), arguments[1]), site, act) or values[0])
            for guards, branch in subject.branches
        ]
        return alternatives(tested, site)
    known = classes.is_instance(subject, candidates, act)
    if known is not None:
        return TRUE if known else FALSE
    return act.machine.python_op("isinstance", (values[0], values[1]), site, act)


def _map(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    values = _values(arguments)
    if len(values) != 2:
        return None
    known = act.machine.known_elements(values[1], act)
    if known is not None and len(known) <= MAX_UNROLLED and not _is_set(values[1]):
        results = [
            act.machine.call(values[0], (Argument(None, element, arguments[1].site),), site, act)
            for element in known
        ]
        items_made = tuple(Item(None, result, NO_GUARDS) for result in results)
        return act.machine.new_object("builtins.list", site, act, items_made)
    loop = Loop(site, values[1])
    element = items.element(values[1], loop, site, act)
    result = act.machine.call(values[0], (Argument(None, element, arguments[1].site),), site, act)
    return act.machine.python_op("comprehension", (result, values[1]), site, act, (("kind", const("list")),))


def _reversed(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    values = _values(arguments)
    entries = act.machine.entries_of(values[0], act) if len(values) == 1 else None
    if entries is None or _is_set(values[0]):
        return act.machine.python_op("reversed", tuple(values), site, act)
    return act.machine.new_object("builtins.list", site, act, entries[::-1])


def _sorted(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """Literals in their order; anything else as an operation."""
    values = _values(arguments)
    entries = act.machine.entries_of(values[0], act) if len(arguments) == 1 else None
    ordered = containers.sorted_literals(entries) if entries else None
    if ordered is not None:
        return act.machine.new_object("builtins.list", site, act, ordered)
    return act.machine.python_op("sorted", tuple(values), site, act)


def _chosen(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """`random.sample(clients, k)`: a list of some of the items, where all are made by one statement in a loop."""
    values = [argument.value for argument in arguments]
    made = items.made_in_a_loop(values[0], act) if len(values) > 1 else None
    if made is None:
        return None
    some = leaf("repeated", "", site, (made,), "items chosen at random")
    return act.machine.new_object("builtins.list", site, act, (Item(None, some, NO_GUARDS),))


def _partial(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    if not arguments or arguments[0].keyword is not None:
        return None
    return Partial(arguments[0].value, arguments[1:], fresh_content())


def _callable(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    values = _values(arguments)
    if len(values) != 1:
        return None
    match strip(values[0]):
        case Function() | BoundMethod() | Class() | Partial() | Method():
            return TRUE
        case External(name=name) if torch_calls.is_callable(name):
            return TRUE
        case Object(cls=cls) if _is_called(cls, act):
            return TRUE
        case Const() | Tuple():
            return FALSE
        case _:
            return act.machine.python_op("callable", tuple(values), site, act)


def _is_called(cls: Class | External, act: Activation) -> bool:
    """Whether instances can be called: modules, and what defines `__call__`."""
    found = objects.find(cls, "__call__", act) if isinstance(cls, Class) else None
    return objects.external_base(cls, act).startswith("torch.nn.") or found is not None


def _bool(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    values = _values(arguments)
    if len(values) != 1:
        return None
    known = truth(values[0])
    return const(known) if known is not None else act.machine.python_op("bool", tuple(values), site, act)


def _static(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """`metric = staticmethod(F.l1_loss)` in a class: never bound to an instance."""
    return Partial(arguments[0].value, (), fresh_content()) if len(arguments) == 1 else None


def _type(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """`type(model)`."""
    plain = strip(arguments[0].value) if len(arguments) == 1 else None
    if plain is not None and classes.is_tensor(plain):
        return external("torch.Tensor")
    return plain.cls if isinstance(plain, Object) else None


def _is_tensor(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """`torch.is_tensor(x)`."""
    values = _values(arguments)
    if len(values) != 1:
        return None
    known = classes.is_instance(strip(act.machine.resolved(values[0], act)), (external("torch.Tensor"),), act)
    if known is not None:
        return const(known)
    return act.machine.python_op("isinstance", (values[0], external("torch.Tensor")), site, act)


def _text(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    plain = strip(arguments[0].value) if len(arguments) == 1 else None
    if isinstance(plain, Const) and isinstance(plain.value, str | int | float):
        return const(str(plain.value))
    return None


def _named_tuple(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    return fields.named_tuple_class(arguments, site, act)


def _next(arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """`next(iterator)`: an element of what it runs through."""
    values = _values(arguments)
    plain = strip(values[0]) if values else None
    if isinstance(plain, Phi) and plain.init is not None:  # made anew where it is exhausted
        plain = strip(plain.init)
    if len(values) != 1:
        return None
    if isinstance(plain, Op) and plain.name == "iter":
        return items.element(plain.operands[0], Loop(site, plain.operands[0]), site, act)
    if isinstance(plain, Object | Lazy):  # what a generator yields
        return items.element(values[0], Loop(site, values[0]), site, act)
    return None


_FUNCTIONS: dict[str, Callable[[Arguments, Site, Activation], Value | None]] = {
    "builtins.super": _super,
    "builtins.len": _len,
    "builtins.list": _sequence("list"),
    "builtins.tuple": _sequence("tuple"),
    "builtins.set": _plain("set"),
    "builtins.frozenset": _plain("set"),
    "builtins.sorted": _sorted,
    "builtins.reversed": _reversed,
    "builtins.range": _plain("range"),
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "builtins.dict": _dict,
    "collections.OrderedDict": _dict,
    "builtins.sum": _sum,
    "builtins.float": _number,
    "builtins.bool": _bool,
    "builtins.callable": _callable,
    "builtins.isinstance": _isinstance,
    "builtins.getattr": namespaces.get_attribute,
    "builtins.setattr": namespaces.set_attribute,
    "builtins.hasattr": namespaces.has_attribute,
    "builtins.vars": namespaces.names_of,
    "types.SimpleNamespace": namespaces.construct,
    "argparse.Namespace": namespaces.construct,
    "builtins.staticmethod": _static,
    "builtins.type": _type,
    "torch.is_tensor": _is_tensor,
    "builtins.str": _text,
    "builtins.map": _map,
    "builtins.iter": _plain("iter"),
    "builtins.next": _next,
    "functools.partial": _partial,
    "random.sample": _chosen,
    "random.choices": _chosen,
    "numpy.random.choice": _chosen,
    "collections.namedtuple": _named_tuple,
    "dataclasses.field": fields.declare,
    "attr.field": fields.declare,
    "attr.ib": fields.declare,
    "attrs.field": fields.declare,
    "pydantic.Field": fields.declare,
}

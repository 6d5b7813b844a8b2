"""Classes and their instances: method resolution, attributes, construction."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import cache

from loss_lint import catalogue
from loss_lint.catalogue.frameworks import METHODS
from loss_lint.catalogue.losses import BASE_CLASSES
from loss_lint.symbolic import launchers, limits, reductions
from loss_lint.symbolic.activation import Activation, State
from loss_lint.symbolic.definitions import decorator_names, has_only_harmless_decorators
from loss_lint.symbolic.graph import (
    Alternatives,
    Argument,
    BoundMethod,
    Class,
    Const,
    External,
    Function,
    Leaf,
    Method,
    Object,
    Op,
    Site,
    Super,
    Value,
    const,
    external,
    fresh_content,
    intern_content,
    leaf,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.heap import OPEN, Heap, Record
from loss_lint.symbolic.limits import MAX_CLASSES

# Methods of modules and containers that the evaluator knows by name.
MODULE_METHODS = frozenset(
    {"to", "cuda", "cpu", "half", "float", "double", "bfloat16", "train", "eval", "apply", "requires_grad_",
     "parameters", "named_parameters", "modules", "named_modules", "children", "state_dict", "load_state_dict",
     "zero_grad", "share_memory", "add_module", "register_module", "register_buffer", "register_parameter",
     "append", "extend", "insert", "items", "keys", "values", "update", "get", "pop", "forward", "index", "type",
     "compile", "sort", "add", "remove", "clear", "setdefault", "reverse", "copy", "popitem", "discard", "_replace",
     "_asdict", "to_tuple", "named_children", "__call__"}
)  # fmt: skip


def namespace(cls: Class, act: Activation) -> Activation:
    """The evaluated body of a class."""
    machine = act.machine
    known = machine.namespaces.get(cls.content)
    if known is not None:
        return known
    closure = cls.closure
    body = Activation(
        machine,
        cls.module,
        closure.frame,
        State({}, Heap(base=machine.base_heap)),
        enclosing=closure,
        owner=cls,
        is_class_body=True,
    )
    machine.namespaces[cls.content] = body
    if closure.enclosing is None:
        with machine.modules.apart(cls.module.path):
            machine.run(cls.node.body, body)
            machine.modules.keep(cls.module.path, body.state.heap)
    else:
        machine.begin(body)
        machine.run(cls.node.body, body)
        machine.modules.keep(cls.module.path, body.state.heap)
    return body


def in_scope(closure: Activation, act: Activation) -> Activation:
    """The scope of `closure` for evaluating an expression now, on `act`'s heap."""
    return Activation(
        act.machine,
        closure.module,
        closure.frame,
        State(closure.state.names, act.state.heap, act.state.guards),
        enclosing=closure.enclosing,
        owner=closure.owner,
        is_class_body=closure.is_class_body,
        star_imports=closure.star_imports,
    )


def bases(cls: Class, act: Activation) -> list[Value]:
    """A class's bases, under the conditions of `act`."""
    found = [_unsubscripted(strip(act.machine.resolved(base, act))) for base in _written_bases(cls, act)]
    own = act.machine.own_names
    return [own.behind(base) for base in found] if own else found


def _written_bases(cls: Class, act: Activation) -> tuple[Value, ...]:
    known = act.machine.class_bases.get(cls.content)
    if known is None:
        scope = in_scope(cls.closure, act)
        known = tuple([act.machine.evaluate(base, scope) for base in cls.node.bases])
        if not any(isinstance(base, Leaf) for base in known):
            act.machine.class_bases[cls.content] = known
    return known


def _unsubscripted(base: Value) -> Value:
    """`OrderedDict` for `OrderedDict[str, int]`: what stands in brackets says nothing of a class's attributes."""
    if isinstance(base, Op) and base.name == "getitem":
        generic = strip(base.operands[0])
        if isinstance(generic, Class):
            return generic
        if isinstance(generic, External) and generic.name.rpartition(".")[2][:1].isupper():
            return generic
    return base


def resolution_order(cls: Class | External, act: Activation) -> Sequence[Value]:
    """The classes in which attributes are looked for, nearest first; a base that is unknown stays a value."""
    return _linearized(cls, act, {})


def _linearized(cls: Value, act: Activation, open_orders: dict[int, Sequence[Value]]) -> Sequence[Value]:
    """C3, Python's own order: subclasses before their bases, bases in the order in which they are written.

    `open_orders` are those that hold something unknown, which may be known later, and empty ones of the classes that
    are asked about: no class is its own base.
    """
    if isinstance(cls, Alternatives):
        cls = strip(cls.branches[0][1])
    if not isinstance(cls, Class):
        return (cls,)
    orders = act.machine.class_orders
    order = orders.get(cls.content) or open_orders.get(cls.content)
    if order is not None:
        return order
    open_orders[cls.content] = ()
    found = bases(cls, act)
    behind = [_linearized(base, act, open_orders) for base in found]
    # Where conditions choose between bases, one order for each choice.
    chosen = (cls.content, *[id(one) if len(one) > 1 else one[0].content for one in behind if one])
    order = orders.get(chosen)
    if order is None:
        order = (cls, *_merged([*behind, [one[0] for one in behind if one]]))
        if len(order) > MAX_CLASSES:
            limits.count("classes")
            order = (*order[:MAX_CLASSES], leaf("unknown", cls.name, None, reason="too many classes"))
        if not all(isinstance(entry, Class | External) for entry in order[:MAX_CLASSES]):
            open_orders[cls.content] = order
            return order
        orders[chosen] = order
    if all(_has_one_order(base, act) for base in _written_bases(cls, act)):
        orders[cls.content] = order
    open_orders[cls.content] = order
    return order


def _has_one_order(base: Value, act: Activation) -> bool:
    """Whether what is written as a base is the same class with the same bases under all conditions."""
    return isinstance(base, External) or (
        isinstance(base, Class) and base.content in act.machine.class_orders
    )


def _merged(orders: list[Sequence[Value]]) -> Sequence[Value]:
    pending = [order for order in orders if order]
    if len(pending) == 2 and len(pending[1]) == 1:
        return pending[0]  # a single base
    merged: list[Value] = []
    while pending and len(merged) <= MAX_CLASSES:
        tails = {entry.content for order in pending for entry in order[1:]}
        # Python refuses classes without a consistent order; the first one written is as good as any then.
        head = next((order[0] for order in pending if order[0].content not in tails), pending[0][0])
        merged.append(head)
        pending = [
            rest for order in pending if (rest := [one for one in order if one.content != head.content])
        ]
    return merged


def external_base(cls: Class | External, act: Activation) -> str:
    """The class of torch (or of another library) that decides how an instance behaves; "" if there is none."""
    if isinstance(cls, External):
        return cls.name
    names = [entry.name for entry in resolution_order(cls, act) if isinstance(entry, External)]
    for name in names:
        if name in catalogue.by_module or name.startswith("torch.nn."):
            return name
    return names[0] if names else ""


def is_module(cls: Class | External, act: Activation) -> bool:
    """Whether instances are certainly modules of torch's."""
    base = external_base(cls, act)
    return base in catalogue.by_module or base.startswith("torch.nn.")


def find(
    cls: Class | External, name: str, act: Activation, after: Class | None = None
) -> tuple[Value, Class | External] | None:
    """Where `name` is defined in a class or its bases: the value and its owner.

    For an external owner the value is that class. None where an unknown base may define it.
    """
    order = resolution_order(cls, act)
    if after is not None:
        contents = [entry.content for entry in order]
        start = contents.index(after.content) + 1 if after.content in contents else 0
        order = order[start:]
    for entry in order:
        if isinstance(entry, Class):
            value = namespace(entry, act).state.names.get(name)
            if value is not None:
                return value, entry
        elif isinstance(entry, External):
            if entry.name not in ("builtins.object", "typing.Generic", "abc.ABC"):
                return entry, entry
        else:
            return None
    return None


def attribute(
    holder: Object | Class | Super, name: str, site: Site, base_site: Site, act: Activation
) -> Value | None:
    """An attribute of an object or class as its classes define it; None where that is not known."""
    receiver: Value = holder.receiver if isinstance(holder, Super) else holder
    after = holder.after if isinstance(holder, Super) else None
    cls = _class_of(holder)
    if name == "__class__":
        return cls
    if name in ("__name__", "__qualname__") and isinstance(holder, Class):
        return const(holder.name)
    if isinstance(cls, External):
        return _method(receiver, name, site, base_site)
    found = find(cls, name, act, after)
    if found is None:
        return holder if name == "__call__" and isinstance(holder, Object) else None
    value, owner = found
    if name == "__call__" and isinstance(owner, External) and isinstance(holder, Object):
        return holder
    if name == "module" and isinstance(owner, External):
        return holder  # what DistributedDataParallel wraps is the model itself here
    if isinstance(owner, External):
        if isinstance(holder, Class):
            return None
        if isinstance(holder, Super):
            key = ("super", receiver.content, owner.content, name)
            return Method(
                Super(holder.receiver, holder.after, holder.content),
                name,
                site,
                base_site,
                intern_content(key),
            )
        return _method(receiver, name, site, base_site)
    plain = strip(value)
    if isinstance(plain, Function):
        return _bound(plain, holder, receiver, cls, site, act)
    return value


def _class_of(holder: Object | Class | Super) -> Class | External:
    match holder:
        case Object(cls=cls):
            return cls
        case Super(receiver=receiver):
            return receiver.cls
        case Class():
            return holder


def _method(receiver: Value, name: str, site: Site, base_site: Site) -> Value | None:
    known = name in MODULE_METHODS or name in METHODS or name in catalogue.by_method
    if not known and launchers.method_wrapper(receiver, name) is None:
        return None
    return Method(receiver, name, site, base_site, intern_content(("method", receiver.content, name)))


def _bound(
    function: Function,
    holder: Object | Class | Super,
    receiver: Value,
    cls: Class,
    site: Site,
    act: Activation,
) -> Value | None:
    decorators = decorator_names(function.node)
    if "staticmethod" in decorators:
        return function
    if "classmethod" in decorators:
        return BoundMethod(function, cls, intern_content(("bound", function.content, cls.content)))
    if isinstance(holder, Class):
        return function
    bound = BoundMethod(function, receiver, intern_content(("bound", function.content, receiver.content)))
    if "property" in decorators or "cached_property" in decorators:
        return act.machine.call(bound, (), site, act)
    return bound if function.bare or has_only_harmless_decorators(function.node) else None


def written(value: Value | None) -> Function | None:
    """The function as it is written, without what decorators put around it."""
    function = value if isinstance(value, Function) else None
    while function is not None and function.wraps is not None:
        function = function.wraps
    return function


def methods(cls: Class, act: Activation) -> list[tuple[str, Function]]:
    """A class's methods, inherited ones of the project included, each name once."""
    found: dict[str, Function] = {}
    for entry in resolution_order(cls, act):
        if isinstance(entry, Class):
            for name, value in namespace(entry, act).state.names.items():
                method = written(value)
                if method is not None and not isinstance(method.node, ast.Lambda):
                    found.setdefault(name, method)
    return list(found.items())


def initialize_external(
    created: Object, name: str, arguments: tuple[Argument, ...], site: Site, act: Activation
) -> None:
    """What a class of torch's keeps of its constructor's arguments, as attributes by parameter name."""
    from loss_lint.symbolic import containers, frameworks

    if containers.initialize(created, name, arguments, act):
        return
    if frameworks.initialize(created, name, arguments, act):
        return
    before = act.state.heap.get(created.content) or OPEN
    entry = catalogue.by_module.get(name)
    signature = entry.signature if entry is not None else BASE_CLASSES.get(name)
    if signature is None:
        return
    positional = [argument for argument in arguments if argument.keyword is None]
    keywords = {
        argument.keyword: argument
        for argument in arguments
        if argument.keyword is not None and argument.keyword not in ("*", "**")
    }
    unknown = any(argument.keyword in ("*", "**") for argument in arguments)
    bound = signature.bind(positional, keywords)
    attributes = dict(before.attributes)
    if bound is None:
        act.state.heap.set(created.content, Record(attributes, before.items, open=True))
        return
    slots: dict[str, Site] = {}
    kept: dict[str, Value] = {}
    for parameter in signature.parameters:
        argument = bound.get(parameter.name)
        if isinstance(argument, Argument):
            kept[parameter.name] = argument.value
            slots[parameter.name] = argument.site
        elif not unknown and parameter.default is not None:
            kept[parameter.name] = literal(parameter.default)
    is_own = isinstance(created.cls, External) and created.cls.alias  # the project's has another constructor
    if entry is not None and entry.operation.effect == "loss" and not is_own:
        _note_construction(created, entry.operation.name, bound, site, act)
    if entry is None or entry.operation.effect == "loss":
        kept = reductions.settled(kept, slots, entry.operation.name if entry else "", site, act)
    attributes |= kept
    act.state.heap.set(created.content, Record(attributes, before.items, open=unknown))


# The operation that stands for the construction of a loss: its operand is the new object, its parameters are the
# loss's name and the arguments that are written down.
CONSTRUCTION = "loss_constructor"


def _note_construction(
    created: Object,
    loss: str,
    bound: Mapping[str, Argument | tuple[Argument, ...]],
    site: Site,
    act: Activation,
) -> None:
    given = [(name, one.value) for name, one in bound.items() if isinstance(one, Argument)]
    if given:
        act.machine.op(CONSTRUCTION, (created,), (("loss", const(loss)), *given), site, (None,), act)


def literal(text: str) -> Const:
    """A default of the catalogue as a value."""
    return const(_evaluated(text))


@cache
def _evaluated(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def new_external(name: str, arguments: tuple[Argument, ...], site: Site, act: Activation) -> Object:
    created = Object(external(name), site, fresh_content(), act.loops)
    act.state.heap.set(created.content, OPEN)
    initialize_external(created, name, arguments, site, act)
    return created

"""Items and elements: what subscripting and iterating over a value yields."""

from __future__ import annotations

from loss_lint.symbolic import objects
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import (
    Alternatives,
    Argument,
    Atom,
    BoundMethod,
    Class,
    Const,
    External,
    Guards,
    Lazy,
    Leaf,
    Loop,
    Object,
    Op,
    Phi,
    Site,
    Tuple,
    Value,
    alternatives,
    external,
    fresh_content,
    tuple_of,
)
from loss_lint.symbolic.guards import compatible, strip
from loss_lint.symbolic.heap import Item, Record
from loss_lint.symbolic.readings import is_object_like, narrowed, rewrap

_CONTAINERS = frozenset(
    {"builtins.list", "builtins.set", "torch.nn.Sequential", "torch.nn.ModuleList", "torch.nn.ParameterList"}
)
_MAPPINGS = frozenset({"builtins.dict", "torch.nn.ModuleDict", "collections.OrderedDict"})


def items_of(value: Value, act: Activation) -> tuple[Item, ...] | None:
    """The keyed items of a dict whose contents are all known."""
    plain = strip(value)
    if isinstance(plain, Object) and isinstance(plain.cls, External) and plain.cls.name in _MAPPINGS:
        record = act.state.heap.get(plain.content)
        if record is not None and not record.open:
            return record.items
    return None


def known_elements(value: Value, act: Activation) -> list[Value] | None:
    """What iterating over `value` yields, where all of it is known and certain."""
    plain = strip(value)
    if isinstance(plain, Lazy):
        plain = strip(act.machine.force(plain))
    if isinstance(plain, Tuple):
        return [rewrap(value, element) for element in plain.items]
    if isinstance(plain, Phi) and plain.init is not None:
        return None
    if not isinstance(plain, Object):
        return None
    record = act.state.heap.get(plain.content)
    if record is None or record.open or any(entry.guards - act.state.guards for entry in record.items):
        return None
    if any(is_repeated(entry.value) for entry in record.items):
        return None
    if objects.external_base(plain.cls, act) in _CONTAINERS:
        return [rewrap(value, entry.value) for entry in record.items]
    if isinstance(plain.cls, External) and plain.cls.name in _MAPPINGS:
        return [entry.key for entry in record.items if entry.key is not None]
    return None


def is_repeated(value: Value) -> bool:
    """Whether an item stands for any number of items, appended in a loop."""
    return isinstance(value, Leaf) and value.role == "repeated"


def repeated_element(value: Value, act: Activation) -> Value | None:
    """What a list holds that only one statement in a loop appends to."""
    plain = strip(value)
    if not isinstance(plain, Object):
        return None
    record = act.state.heap.get(plain.content)
    if record is None or record.open or not record.items:
        return None
    elements = [
        (entry.guards, entry.value.operands[0])
        for entry in record.items
        if isinstance(entry.value, Leaf) and is_repeated(entry.value)
    ]
    return alternatives(elements) if len(elements) == len(record.items) else None


_LOADERS = frozenset({"torch.utils.data.DataLoader", "torch.utils.data.dataloader.DataLoader"})
_TENSOR_DATASETS = frozenset({"torch.utils.data.TensorDataset", "torch.utils.data.dataset.TensorDataset"})


def _sample(dataset: Value, loop: Loop, site: Site, act: Activation) -> Value:
    """A batch that a loader makes of a data set: its tensors' rows, or what its `__getitem__` returns."""
    plain = strip(dataset)
    row = Leaf("index", "", (dataset,), site, fresh_content(), "a loader's index")
    match plain:
        case Leaf(role="call", name=name, operands=(_, *tensors)) if name in _TENSOR_DATASETS:
            return tuple_of(tuple(item(tensor, row, site, act) for tensor in tensors))
        case Object(cls=Class()):
            getter = objects.attribute(plain, "__getitem__", site, site, act)
            if isinstance(getter, BoundMethod):
                return act.machine.call(getter, (Argument(None, row, site),), site, act)
    return Leaf("element", "", (dataset,), site, fresh_content(), "an element of what is looped over")


def element(iterable: Value, loop: Loop, site: Site, act: Activation) -> Value:
    """What one unspecified iteration over `iterable` yields."""
    plain = strip(iterable)
    match plain:
        case Op(name="enumerate", operands=(inner, *_)):
            index = Leaf("index", "", (inner,), site, fresh_content(), "a loop's index")
            return tuple_of((index, element(inner, loop, site, act)))
        case Op(name="zip", operands=operands):
            return tuple_of(tuple(element(operand, loop, site, act) for operand in operands))
        case Op(name="items", operands=(inner,)):
            key = Leaf("element", "key", (inner,), site, fresh_content(), "a dict's key")
            return tuple_of(
                (key, Leaf("element", "value", (inner,), site, fresh_content(), "a dict's value"))
            )
        case Op(name="comprehension", operands=(inner, _)):
            kind = plain.parameter("kind")
            is_map = isinstance(kind, Const) and kind.value == "dict"
            return inner.items[0] if is_map and isinstance(inner, Tuple) else inner
        case Op(name="range"):
            return Leaf("index", "", (iterable,), site, fresh_content(), "a loop's index")
        case Leaf(role="call", name=name, operands=(_, dataset, *_)) if name in _LOADERS:
            return _sample(dataset, loop, site, act)
        case _:
            repeated = repeated_element(iterable, act)
            if repeated is not None:
                return repeated
            return Leaf(
                "element", "", (iterable,), site, fresh_content(), "an element of what is looped over"
            )


def item(base: Value, index: Value, site: Site, act: Activation, base_site: Site | None = None) -> Value:
    plain, key = strip(base), strip(index)
    match plain:
        case Tuple(items=items):
            chosen = _by_position(items, key)
            if chosen is not None:
                return rewrap(base, chosen)
        case Alternatives() if is_object_like(plain):
            branches = [
                (guards, item(rewrap(base, branch), index, site, act, base_site))
                for guards, branch in plain.branches
                if compatible(guards, act.state.guards)
            ]
            if branches:
                return alternatives(branches, site)
        case Phi(init=init) if init is not None and is_object_like(init):
            return item(init, index, site, act, base_site)
        case Op(name="comprehension", operands=(inner, _)) if (
            isinstance(key, Const) and type(key.value) is int
        ):
            kind = plain.parameter("kind")
            if isinstance(kind, Const) and kind.value == "list":
                return inner
        case Op(name="size", operands=operands, parameters=()) if isinstance(key, Const):
            return act.machine.op("size", operands, (("dim", key),), site, (base_site,), act)
        case Op(name="max" | "min" | "sort" | "topk" | "mode" | "median", operands=operands) if _is_indices(
            plain, key
        ):
            name = "argmax" if plain.name in ("max", "min") else f"{plain.name}_indices"
            return act.machine.op(name, operands, plain.parameters, plain.site, plain.slots, act)
        case _:
            pass
    repeated = repeated_element(base, act)
    if repeated is not None:
        return repeated if slice_bounds(key) is None else base
    record = act.state.heap.get(plain.content)
    if record is not None and "[]" in record.attributes and not isinstance(key, Const):
        return act.machine.python_op("lookup", (record.attributes["[]"], index), site, act)
    if record is not None and record.items:
        found = _from_record(base, plain, record, key, site, act)
        if found is not None:
            return found
    operands = (base, index) if not isinstance(key, Const) else (base,)
    parameters = (("index", key),) if isinstance(key, Const) else ()
    slots: tuple[Site | None, ...] = (base_site, None)[: len(operands)]
    return act.machine.op("getitem", operands, parameters, site, slots, act)


def _is_indices(op: Op, key: Value) -> bool:
    """Whether `key` selects the indices of `values, indices = torch.max(x, dim)`."""
    with_dim = op.name in ("sort", "topk", "mode") or op.parameter("dim") is not None
    return with_dim and isinstance(key, Const) and key.value in (1, "indices")


def _by_position(items: tuple[Value, ...], key: Value) -> Value | None:
    if isinstance(key, Const) and isinstance(key.value, int) and -len(items) <= key.value < len(items):
        return items[key.value]
    bounds = slice_bounds(key)
    return tuple_of(items[bounds]) if bounds is not None else None


def slice_bounds(key: Value) -> slice | None:
    """A slice of literals."""
    if not (isinstance(key, Op) and key.name == "slice"):
        return None
    parts = [strip(operand) for operand in key.operands]
    if not all(
        isinstance(part, Const) and (part.value is None or isinstance(part.value, int)) for part in parts
    ):
        return None
    return slice(*(part.value for part in parts if isinstance(part, Const)))


def _from_record(
    base: Value, plain: Value, record: Record, key: Value, site: Site, act: Activation
) -> Value | None:
    by_position = isinstance(plain, Object) and objects.external_base(plain.cls, act) in _CONTAINERS
    certain = not record.open and not any(entry.guards - act.state.guards for entry in record.items)
    if by_position:
        if not certain:
            return None
        values = tuple(entry.value for entry in record.items)
        if isinstance(key, Const) and isinstance(key.value, int) and -len(values) <= key.value < len(values):
            return rewrap(base, values[key.value])
        bounds = slice_bounds(key)
        if bounds is not None and isinstance(plain, Object):
            sliced = Object(
                plain.cls if isinstance(plain.cls, External) else external("torch.nn.Sequential"),
                site,
                fresh_content(),
            )
            act.state.heap.set(sliced.content, Record(record.attributes, record.items[bounds]))
            return sliced
        return None
    keyed = [entry for entry in record.items if entry.key is not None]
    same = [entry for entry in keyed if entry.key is not None and entry.key.content == key.content]
    if same:
        return rewrap(base, narrowed(_newest(same, site), act.state.guards))
    if isinstance(key, Const) or not certain or not keyed:
        return None
    return _any_entry(keyed, key, site, act)


def _newest(entries: list[Item], site: Site) -> Value:
    """What a key holds after it was written several times, some of them under conditions."""
    branches: list[tuple[Guards, Value]] = []
    for entry in reversed(entries):
        branches.append((entry.guards, entry.value))
        if not entry.guards:
            break
    return branches[0][1] if len(branches) == 1 else alternatives(branches, site)


def _any_entry(entries: list[Item], key: Value, site: Site, act: Activation) -> Value | None:
    """An entry of a registry by a key that is not known: each under the condition that it was asked for."""
    if len(entries) > 12 or not all(is_object_like(entry.value) for entry in entries):
        return None
    branches: list[tuple[Guards, Value]] = []
    for entry in entries:
        if entry.key is None:
            return None
        test = act.machine.equality(key, entry.key, act, site)
        branches.append((frozenset({Atom(test.content, True, test)}), entry.value))
    return alternatives(branches, site)

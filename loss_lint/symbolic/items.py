"""Items and elements: what subscripting and iterating over a value yields."""

from __future__ import annotations

from loss_lint.symbolic import batches, collators, limits, model_outputs, namespaces, objects, sequences
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.containers import MAPPINGS, SEQUENCES
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    NONE,
    Alternatives,
    Argument,
    Atom,
    BoundMethod,
    Class,
    Const,
    External,
    Function,
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
    const,
    external,
    fresh_content,
    leaf,
    tuple_of,
)
from loss_lint.symbolic.guards import compatible, strip
from loss_lint.symbolic.heap import Item, Record, is_repeated
from loss_lint.symbolic.limits import MAX_ENTRIES
from loss_lint.symbolic.loaders import loader_of
from loss_lint.symbolic.readings import is_object_like, narrowed, rewrap


def items_of(value: Value, act: Activation) -> tuple[Item, ...] | None:
    """The keyed items of a dict whose contents are all known."""
    plain = strip(resolved(value, act))
    if isinstance(plain, Object) and objects.external_base(plain.cls, act) in MAPPINGS:
        record = act.state.heap.get(plain.content)
        if record is not None and not record.open:
            return sequences.under(record.items, act.state.guards)
    return None


# What gives a module itself again, elsewhere or in other numbers.
MOVES = frozenset({"to", "cpu", "cuda", "to_float", "to_double", "to_half", "to_bfloat16", "requires_grad_"})


def resolved(value: Value, act: Activation) -> Value:
    """A call that was put off, or a part of what it returns, as what it is; a moved module as the module."""
    plain = strip(value)
    match plain:
        case Lazy():
            return resolved(act.machine.force(plain), act)
        case Op(name="getitem" | "getattr" as name, operands=(base,), parameters=((_, key),), site=site):
            whole = strip(base)
            if not isinstance(whole, Lazy | Op) or whole is (known := resolved(whole, act)):
                return value
            if name == "getitem":
                return item(known, key, site, act)
            assert isinstance(key, Const)
            return act.machine.attribute(known, str(key.value), site, site, act)
        case Op(name=name, operands=(inner, *_)) if name in MOVES:
            known = resolved(inner, act)
            return known if is_object_like(known) else value
        case _:
            return value


def iterated(value: Value, site: Site, act: Activation) -> Value:
    """What a loop over `value` runs over: what a project's `__iter__` returns."""
    value = resolved(value, act)
    plain = strip(value)
    if isinstance(plain, Object) and isinstance(plain.cls, Class):
        found = objects.find(plain.cls, "__iter__", act)
        if found is not None and isinstance(found[0], Function) and found[0].module.yields(found[0].node):
            bound = BoundMethod(found[0], plain, fresh_content())
            return resolved(act.machine.call(bound, (), site, act), act)
    return value


def entries_of(value: Value, act: Activation, most: int | None = None) -> tuple[Item, ...] | None:
    """What iterating over `value` yields, some of it under conditions or any number of times.

    None if that is unknown, or more than `most`.
    """
    value = resolved(value, act)
    plain = strip(value)
    match plain:
        case Tuple(items=items) if most is not None and len(items) > most:
            return None
        case Tuple(items=items):
            return tuple(Item(None, rewrap(value, element), NO_GUARDS) for element in items)
        case Op(name="comprehension", operands=(inner, _)) if _is_list(plain):
            repeated = leaf("repeated", "", plain.site, (inner,), "items made in a loop")
            return (Item(None, repeated, NO_GUARDS),)
        case Op(name="list" | "tuple", operands=(inner,)):
            return entries_of(inner, act, most)
        case Object():
            return _entries_of_object(value, plain, act, most)
        case _:
            return None


def _is_list(op: Op) -> bool:
    kind = op.parameter("kind")
    return isinstance(kind, Const) and kind.value == "list"


def _entries_of_object(
    value: Value, holder: Object, act: Activation, most: int | None
) -> tuple[Item, ...] | None:
    record = act.state.heap.get(holder.content)
    if record is None or record.open:
        return None
    base = objects.external_base(holder.cls, act)
    items = sequences.under(record.items, act.state.guards) if base in SEQUENCES or base in MAPPINGS else ()
    if most is not None and len(items) > most:
        return None
    if base in SEQUENCES:
        return tuple(
            Item(
                None,
                entry.value
                if is_repeated(entry.value)
                else rewrap(value, narrowed(entry.value, act.state.guards)),
                entry.guards,
            )
            for entry in items
        )
    if base in MAPPINGS:
        return tuple(Item(None, entry.key, entry.guards) for entry in items if entry.key is not None)
    return None


def known_elements(value: Value, act: Activation) -> list[Value] | None:
    """What iterating over `value` yields, where all of it is known and certain."""
    entries = entries_of(value, act)
    if entries is None or not all(map(sequences.is_single, entries)):
        return None
    return [entry.value for entry in entries]


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
        if isinstance(entry.value, Leaf) and entry.value.role == "repeated"
    ]
    return alternatives(elements) if len(elements) == len(record.items) else None


def made_in_a_loop(value: Value, act: Activation) -> Value | None:
    """What every item of a list, or of a slice of it, is: those that one statement made in a loop."""
    value = resolved(value, act)
    plain = strip(value)
    match plain:
        case Op(name="comprehension", operands=(inner, _)) if _is_list(plain):
            return inner
        case Op(name="getitem", operands=(base, index)) if is_slice(index):
            return made_in_a_loop(base, act)
        case Op(name="list" | "tuple", operands=(inner,)):
            return made_in_a_loop(inner, act)
        case Alternatives(branches=branches):
            found = [
                (guards, made_in_a_loop(branch, act))
                for guards, branch in branches
                if compatible(guards, act.state.guards)
            ]
            known = [(guards, one) for guards, one in found if one is not None]
            return alternatives(known) if known and len(known) == len(found) else None
        case _:
            return repeated_element(value, act)


def is_slice(index: Value) -> bool:
    plain = strip(index)
    return isinstance(plain, Op) and plain.name == "slice"


def repeated_terms(value: Value, act: Activation) -> tuple[tuple[Value, ...], Loop] | None:
    """What each iteration of one loop appends to a list that holds nothing else, and that loop."""
    plain = strip(value)
    record = act.state.heap.get(plain.content) if isinstance(plain, Object) else None
    if record is None or record.open or not record.items:
        return None
    leaves = [entry.value for entry in record.items]
    first = leaves[0]
    loop = first.loop if isinstance(first, Leaf) else None
    if loop is None or not all(isinstance(one, Leaf) and one.loop is loop for one in leaves):
        return None
    return tuple(one.operands[0] for one in leaves if isinstance(one, Leaf)), loop


def element(iterable: Value, loop: Loop, site: Site, act: Activation) -> Value:
    """What one unspecified iteration over `iterable` yields."""
    plain = strip(iterable)
    match plain:
        case Op(name="enumerate", operands=(inner, *start)):
            index = Leaf("index", "", (inner, *start), site, fresh_content(), "a loop's index")
            return tuple_of((index, element(inner, loop, site, act)))
        case Op(name="iter", operands=(inner,)):
            return element(inner, loop, site, act)
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
        case Alternatives() if (iterated := _not_none(plain)) is not None:
            return element(rewrap(iterable, iterated), loop, site, act)
        case _:
            loader = loader_of(plain)
            if loader is not None:
                return batches.batch(plain, loader, site, act)
            made = made_in_a_loop(iterable, act)
            if made is not None:
                return made
            return Leaf(
                "element", "", (iterable,), site, fresh_content(), "an element of what is looped over"
            )


def _not_none(several: Alternatives) -> Value | None:
    """The one value of several that is not None: what runs over them all runs over that."""
    others = [branch for _, branch in several.branches if strip(branch).content != NONE.content]
    return others[0] if len(others) == 1 and len(others) < len(several.branches) else None


def item(base: Value, index: Value, site: Site, act: Activation, base_site: Site | None = None) -> Value:
    plain, key = strip(base), strip(index)
    match plain:
        # The caller may have changed it since. What a module's body calls is the same whoever needs it first.
        case Lazy(home=home, result=result) if home is not None or result is not None:
            return item(act.machine.force(plain), index, site, act, base_site)
        case Tuple(items=items):
            chosen = _by_position(items, key)
            if chosen is not None:
                return rewrap(base, chosen)
        case Alternatives() if is_object_like(plain) or any(
            _is_longer_tuple(one) for _, one in plain.branches
        ):
            branches = [
                (guards, item(rewrap(base, branch), index, site, act, base_site))
                for guards, branch in plain.branches
                if compatible(guards, act.state.guards)
            ]
            if branches:
                return alternatives(branches, site)
        case Phi(init=init) if init is not None and is_object_like(init):
            return item(init, index, site, act, base_site)
        case Op():
            found = _item_of_result(plain, key, site, act, base_site)
            if found is not None:
                return found
        case Object(cls=Class()):
            got = _got(plain, index, site, act)
            if got is not None:
                return got
        case _:
            pass
    known = _held(base, plain, index, site, act)
    if known is not None:
        return known
    operands = (base, index) if not isinstance(key, Const) else (base,)
    parameters = (("index", key),) if isinstance(key, Const) else ()
    slots: tuple[Site | None, ...] = (base_site, None)[: len(operands)]
    return act.machine.op("getitem", operands, parameters, site, slots, act)


def _held(base: Value, plain: Value, index: Value, site: Site, act: Activation) -> Value | None:
    """What an object holds at `index`, by its own `__getitem__` or by what was put there."""
    if isinstance(plain, Object) and isinstance(plain.cls, Class):
        getter = objects.attribute(plain, "__getitem__", site, site, act)
        if isinstance(getter, BoundMethod):
            return act.machine.call(getter, (Argument(None, index, site),), site, act)
    key = strip(index)
    repeated = repeated_element(base, act)
    if repeated is not None:
        return repeated if sequences.bounds(key) is None else base
    record = act.state.heap.get(plain.content)
    if record is not None and "[]" in record.attributes and not isinstance(key, Const):
        # The map itself is told where it holds nothing beside.
        alone = () if record.items else (plain,)
        return act.machine.python_op("lookup", (record.attributes["[]"], index, *alone), site, act)
    return _from_record(base, plain, record, key, site, act) if record is not None and record.items else None


def _item_of_result(op: Op, key: Value, site: Site, act: Activation, base_site: Site | None) -> Value | None:
    """An item of an operation's result, of which the operation says more than that it is one."""
    match op:
        case Op(name="getattr", operands=(holder,)) if namespaces.is_names(op):
            if not (isinstance(key, Const) and isinstance(key.value, str)):
                return None
            return act.machine.attribute(holder, key.value, site, base_site or site, act)
        case Op(name="add", operands=(first, rest)) if isinstance(strip(first), Tuple):
            return _behind_known(first, rest, key, site, act)  # `(logits,) + outputs[2:]`
        case Op(name="data_parallel", operands=(inner,)):
            output = resolved(inner, act)
            if is_object_like(output):  # each of a model's outputs is gathered
                chosen = item(output, key, site, act, base_site)
                return act.machine.op("data_parallel", (chosen,), (), op.site, (None,), act)
        case Op(name="comprehension", operands=(inner, _)) if (
            isinstance(key, Const) and type(key.value) is int
        ):
            if _is_list(op):
                return inner
        case Op(name="transposed", operands=(rows,)) if isinstance(key, Const):
            row = element(rows, Loop(site, rows), site, act)
            return collators.column(item(row, key, site, act, base_site), site, act)
        case Op(name="comprehension", operands=(Tuple(items=(Leaf(name="key"), held)), Op(name="items"))) if (
            isinstance(key, Const)  # a map made of another one, key by key
        ):
            return held
        case Op(name="size", operands=operands, parameters=()) if isinstance(key, Const):
            return act.machine.op("size", operands, (("dim", key),), site, (base_site,), act)
        case Op(name="max" | "min" | "sort" | "topk" | "mode" | "median", operands=operands) if _is_indices(
            op, key
        ):
            name = "argmax" if op.name in ("max", "min") else f"{op.name}_indices"
            return act.machine.op(name, operands, op.parameters, op.site, op.slots, act)
    return None


def _got(holder: Object, index: Value, site: Site, act: Activation) -> Value | None:
    """`holder[index]` where the project's class says what that is."""
    found = objects.find(holder.cls, "__getitem__", act)
    if found is None or not isinstance(found[0], Function):
        return None
    bound = BoundMethod(found[0], holder, fresh_content())
    return act.machine.call(bound, (Argument(None, index, site),), site, act)


def _is_indices(op: Op, key: Value) -> bool:
    """Whether `key` selects the indices of `values, indices = torch.max(x, dim)`."""
    with_dim = op.name in ("sort", "topk", "mode") or op.parameter("dim") is not None
    return with_dim and isinstance(key, Const) and key.value in (1, "indices")


def _is_longer_tuple(value: Value) -> bool:
    plain = strip(value)
    return isinstance(plain, Op) and plain.name == "add" and isinstance(strip(plain.operands[0]), Tuple)


def _behind_known(first: Value, rest: Value, key: Value, site: Site, act: Activation) -> Value | None:
    """An item of a known tuple and what is added to it."""
    known = strip(first)
    if not (
        isinstance(known, Tuple) and isinstance(key, Const) and type(key.value) is int and key.value >= 0
    ):
        return None
    if key.value < len(known.items):
        return known.items[key.value]
    return item(rest, const(key.value - len(known.items)), site, act)


def _by_position(items: tuple[Value, ...], key: Value) -> Value | None:
    if isinstance(key, Const) and isinstance(key.value, int) and -len(items) <= key.value < len(items):
        return items[key.value]
    bounds = sequences.bounds(key)
    return tuple_of(items[bounds]) if bounds is not None else None


def _from_record(
    base: Value, plain: Value, record: Record, key: Value, site: Site, act: Activation
) -> Value | None:
    if isinstance(plain, Object) and objects.external_base(plain.cls, act) in SEQUENCES:
        return None if record.open else _from_sequence(base, plain, record, key, site, act)
    if isinstance(plain, Object) and objects.external_base(plain.cls, act) == model_outputs.BASE:
        found = None if record.open else model_outputs.at(record, key, act)
        if found is not None:
            return rewrap(base, found)
    certain = not record.open and not any(entry.guards - act.state.guards for entry in record.items)
    keyed = [entry for entry in record.items if entry.key is not None]
    same = [entry for entry in keyed if entry.key is not None and entry.key.content == key.content]
    if same:
        return rewrap(base, narrowed(_newest(same, site), act.state.guards))
    if isinstance(key, Const) or not certain or not keyed:
        return None
    if all(_is_integer(entry.value) for entry in keyed):  # one of the numbers, whichever is asked for
        numbers = tuple_of(tuple(entry.value for entry in keyed))
        return act.machine.python_op("lookup", (numbers, key, plain), site, act)
    return _any_entry(keyed, key, site, act)


def _is_integer(value: Value) -> bool:
    plain = strip(value)
    return isinstance(plain, Const) and type(plain.value) is int


def _from_sequence(
    base: Value, plain: Object, record: Record, key: Value, site: Site, act: Activation
) -> Value | None:
    if isinstance(key, Const) and isinstance(key.value, int):
        found = sequences.at(record.items, key.value, act)
        return None if found is None else rewrap(base, narrowed(found, act.state.guards))
    asked = sequences.bounds(key)
    items = None if asked is None else sequences.cut(sequences.under(record.items, act.state.guards), asked)
    if items is None:
        return None
    if objects.external_base(plain.cls, act) == "typing.NamedTuple":
        return tuple_of(tuple(entry.value for entry in items))
    cls = plain.cls if isinstance(plain.cls, External) else external("torch.nn.Sequential")
    sliced = Object(cls, site, fresh_content(), act.loops)
    act.state.heap.set(sliced.content, Record({}, items))
    return sliced


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
    if not all(is_object_like(entry.value) for entry in entries):
        return None
    if len(entries) > MAX_ENTRIES:
        limits.count("entries")
        return None
    branches: list[tuple[Guards, Value]] = []
    for entry in entries:
        if entry.key is None:
            return None
        test = act.machine.equality(key, entry.key, act, site)
        branches.append((frozenset({Atom(test.content, True, test)}), entry.value))
    return alternatives(branches, site)

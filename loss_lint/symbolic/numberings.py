"""Facts about numberings: which class indices a map from names gives, and how many classes a model has logits for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from loss_lint.symbolic.graph import Const, Guards, Leaf, Method, Object, Op, Pass, Site, Tuple, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.naming import name_of
from loss_lint.symbolic.numbers import integer
from loss_lint.symbolic.shapes import Shapes
from loss_lint.symbolic.walk import View, Walk, effect, origins, views


@dataclass(frozen=True, slots=True)
class Many:
    """How many there are: a number, or as many as each of the values with these contents has elements."""

    number: int | None = None
    lengths: frozenset[int] = frozenset()

    def equals(self, other: Many) -> bool:
        """Whether both are known to be the same number."""
        if self.number is not None and other.number is not None:
            return self.number == other.number
        return not self.lengths.isdisjoint(other.lengths)


@dataclass(frozen=True, slots=True)
class Numbering:
    """Class indices that the map made at `site` gives, one for each of `many` names, upwards from `first`."""

    site: Site
    first: int
    many: Many
    guards: Guards
    passes: tuple[Pass, ...]


# What hands indices on as they are, from its first operand or from all of them.
_CARRIERS = frozenset(
    {"tensor", "as_tensor", "long_tensor", "int_tensor", "float_tensor", "array", "from_numpy", "numpy", "list",
     "tuple"}
)  # fmt: skip
_OF_MANY = frozenset({"cat", "stack"})
_METHODS = frozenset(
    {"to_numpy", "tolist", "to_list", "astype", "values", "reshape", "ravel", "flatten", "copy", "item"}
)
_MAX_ITEMS = 4


def numberings(value: Value, guards: Guards, walk: Walk | None = None) -> Iterator[Numbering]:
    """Ways on which `value` holds the numbers of a map, none of them left out and nothing computed with them."""
    walk = walk or Walk()
    for view in views(value, guards, walk):
        found = _numbering(view)
        if found is not None:
            yield found
            continue
        for inner in _handed_on(view.node):
            for one in numberings(inner, view.guards, walk):
                yield Numbering(one.site, one.first, one.many, one.guards, (*view.passes, *one.passes))


def _handed_on(node: Value) -> tuple[Value, ...]:
    """What holds the numbers that `node` hands on."""
    match node:
        case Tuple(items=items):
            return items[:_MAX_ITEMS]
        case Leaf(role="element" | "repeated", operands=(inner, *_)):
            return (inner,)
        case Leaf(role="call", name=name, operands=(function, *_)) if name in _METHODS:
            read = strip(function)
            return (read.receiver,) if isinstance(read, Method) else _first(read)
        case Leaf(role="call", name="int" | "builtins.int", operands=(_, number)):
            return (number,)
        case Method(name=name, receiver=receiver) if name in _METHODS:
            return (receiver,)
        case Op(name="getattr") if name_of(node) in _METHODS:
            return _first(node)
        case Op(name="getitem"):
            return _taken_from(node)
        case Op(name="comprehension") if _kind(node) == "list":
            return node.operands[:1]
        case Op(name=name, operands=operands) if name in _OF_MANY:
            return operands
        case Op(name=name) if name in _CARRIERS or effect(node) in ("keep", "cast"):
            return () if name == "to_bool" else node.operands[:1]
        case _:
            return ()


def _first(node: Value) -> tuple[Value, ...]:
    return node.operands[:1] if isinstance(node, Op) else ()


def _taken_from(item: Op) -> tuple[Value, ...]:
    """What rows are taken from; a mask may leave out those of one class."""
    whole = strip(item.operands[0])
    if isinstance(whole, Leaf):
        return _split(whole, item)
    index = strip(item.operands[1]) if len(item.operands) > 1 else None
    asks = isinstance(index, Op) and (effect(index) == "compare" or index.name in ("where", "nonzero"))
    return () if asks or (index is not None and _is_mask(index)) else item.operands[:1]


def _is_mask(index: Value) -> bool:
    return any(word in name_of(index).lower() for word in ("mask", "keep", "valid", "fg", "pos"))


def _split(call: Leaf, item: Op) -> tuple[Value, ...]:
    """The array that `train_test_split(x, y)[2]` is a part of."""
    index = item.parameter("index")
    if (
        call.role != "call"
        or call.name.rpartition(".")[2] != "train_test_split"
        or not isinstance(index, Const)
    ):
        return ()
    arrays = [
        value
        for value, keyword in zip(call.operands[1:], call.keywords or (None,) * 9, strict=False)
        if keyword is None
    ]
    number = index.value
    return (arrays[number // 2],) if isinstance(number, int) and 0 <= number < 2 * len(arrays) else ()


def _kind(comprehension: Op) -> object:
    kind = comprehension.parameter("kind")
    return kind.value if isinstance(kind, Const) else None


# Maps


def _numbering(view: View) -> Numbering | None:
    """The numbers that are looked up in a map of which all numbers are known."""
    match view.node:
        case Op(name="lookup", operands=(entries, _, Object(site=site, content=content))):
            found = [_of_entries(inner, site, frozenset({content})) for inner in views(entries, view.guards)]
            known = [one for one in found if one is not None]
            if known and len(known) == len(found) == 1:
                return replace(known[0], passes=view.passes)
        case Op(name="getitem", operands=(whole, _)):
            for inner in views(whole, view.guards):
                if isinstance(inner.node, Op):
                    return _of_map(inner.node, view)
        case _:
            pass
    return None


def _of_entries(view: View, site: Site, own: frozenset[int]) -> Numbering | None:
    """The numbers that a dict holds, made at `site`: those of a literal, or those that a loop put there."""
    held = view.node
    if isinstance(held, Op) and held.name == "map_entry":
        return _counted(held.site, held.operands[1], own, view)
    if not isinstance(held, Tuple):
        return None
    numbers = {integer(item, view.guards) for item in held.items}
    known = [number for number in numbers if number is not None]
    if len(known) != len(numbers) or not known or max(known) - min(known) + 1 != len(known):
        return None
    return Numbering(site, min(known), Many(len(known)), view.guards, view.passes)


def _of_map(made: Op, view: View) -> Numbering | None:
    """`{name: i for i, name in enumerate(names, 1)}`, `dict(zip(names, range(1, n + 1)))`."""
    own = frozenset({made.content})
    if made.name == "comprehension" and _kind(made) == "dict":
        pair = strip(made.operands[0])
        return _counted(made.site, pair.items[1], own, view) if isinstance(pair, Tuple) else None
    pairs = strip(made.operands[0]) if made.name == "dict" and made.operands else None
    if not isinstance(pairs, Op):
        return None
    if pairs.name == "zip" and len(pairs.operands) == 2:
        names, numbers = pairs.operands
        counted = strip(numbers)
        if isinstance(counted, Op) and counted.name == "range" and len(counted.operands) == 2:
            first = integer(counted.operands[0], view.guards)
            if first is not None:
                return Numbering(
                    made.site, first, Many(None, own | _lengths(names)), view.guards, view.passes
                )
    if pairs.name == "comprehension":
        pair = strip(pairs.operands[0])
        if isinstance(pair, Tuple) and len(pair.items) == 2:
            return _counted(made.site, pair.items[1], own, view)
    return None


def _counted(site: Site, number: Value, own: frozenset[int], view: View) -> Numbering | None:
    """A numbering by a loop's index or the map's own length, or by what is a constant more."""
    plain = strip(number)
    more: int | None = 0
    if isinstance(plain, Op) and plain.name in ("add", "sub"):
        by = integer(plain.operands[1], view.guards)
        more = by if by is None or plain.name == "add" else -by
        plain = strip(plain.operands[0])
    if more is None:
        return None
    if isinstance(plain, Op) and plain.name == "len" and strip(plain.operands[0]).content in own:
        return Numbering(
            site, more, Many(None, own), view.guards, view.passes
        )  # `index[name] = len(index) + 1`
    if not (isinstance(plain, Leaf) and plain.role == "index"):
        return None
    counted, *start = plain.operands
    first = integer(start[0], view.guards) if start else 0
    lengths = _lengths(counted)
    source = strip(counted)
    if isinstance(source, Op) and source.name == "range":
        if len(source.operands) > 1:
            return None
        lengths = _measured(source.operands[0], view.guards)
    if first is None:
        return None
    return Numbering(site, first + more, Many(None, own | lengths), view.guards, view.passes)


def _lengths(names: Value) -> frozenset[int]:
    """The contents of what has as many elements as `names`: another order or another kind of sequence."""
    found: set[int] = set()
    node: Value = strip(names)
    while True:
        found.add(node.content)
        if not (isinstance(node, Op) and node.name in ("sorted", "list", "tuple") and node.operands):
            return frozenset(found)
        node = strip(node.operands[0])


# Logits

# What leaves a model's output as many numbers for each sample.
_BESIDE = frozenset(
    {"to", "cpu", "cuda", "detach", "clone", "contiguous", "identity", "to_float", "to_double", "to_half",
     "to_bfloat16", "data_parallel", "dropout", "softmax", "log_softmax", "sigmoid", "interpolate"}
)  # fmt: skip
_OUTPUTS = {
    "linear": "out_features",
    "conv2d": "out_channels",
    "conv3d": "out_channels",
    "conv1d": "out_channels",
}


def classes(view: View) -> Many:
    """How many classes the input of a loss over classes has logits for, in one reading of it."""
    shape = Shapes().at(view)
    if shape.rank is not None:
        size = shape.size(1 if shape.rank > 1 else 0) if shape.rank else None
        if size is not None:
            return Many(size)
    found = [_outputs(inner) for inner in origins(view.node, view.guards, through=_BESIDE)]
    return found[0] if found and all(one == found[0] for one in found) else Many()


def _outputs(view: View) -> Many:
    """How many numbers a layer gives for each sample."""
    node = view.node
    given = node.parameter(_OUTPUTS.get(node.name, "")) if isinstance(node, Op) else None
    if given is None:
        return Many()
    number = integer(given, view.guards)
    return Many(number) if number is not None else Many(None, _measured(given, view.guards))


def _measured(length: Value, guards: Guards) -> frozenset[int]:
    """The contents of what a number is the length of."""
    found = [
        _lengths(view.node.operands[0])
        if isinstance(view.node, Op) and view.node.name == "len"
        else frozenset()
        for view in views(length, guards)
    ]
    return frozenset.intersection(*found) if found else frozenset()

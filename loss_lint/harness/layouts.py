"""Shapes: those of the logits, tried in turn, and what follows from each for every other input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

from loss_lint.harness.expression import Apply, Input, Items, Literal, Node, walk
from loss_lint.harness.roles import Role, Roles

Shape = tuple[int, ...]

# Assignments of shapes tried for one layout.
MAX_ASSIGNMENTS = 48
MAX_ELEMENTS = 200_000
# As long are sequences of class indices.
SEQUENCE = 2


@dataclass(frozen=True, slots=True)
class Sizes:
    """Extents that differ from one another, so that no wrong axis fits by chance."""

    samples: int = 8
    classes: int = 5
    length: int = 3
    height: int = 4
    width: int = 6


@dataclass(frozen=True, slots=True)
class Layout:
    """The shape of the logits, and which axis the classes are on."""

    shape: Shape
    axis: int | None

    @property
    def without_classes(self) -> Shape:
        return tuple(size for axis, size in enumerate(self.shape) if axis != self.axis)


def sizes(*expressions: Node) -> Sizes:
    """The extents for expressions: the number of classes is theirs where they tell it."""
    classes = class_count(*expressions) or 5
    classes = classes if classes <= MAX_ELEMENTS else 5
    samples = next((count for root in expressions for count in _sample_counts(root)), None)
    if samples is None or samples * classes > MAX_ELEMENTS:
        samples = 8 if classes != 8 else 7
    target = next((found for root in expressions for found in _targets(root)), None)
    if isinstance(target, Items) and len(target.items) * (1 + max(_numbers(target))) <= MAX_ELEMENTS:
        samples, classes = len(target.items), max(classes, 1 + max(_numbers(target)))
        classes += classes == samples
    elif isinstance(target, Apply):
        samples = classes
    length, height, width = [size for size in (3, 4, 6, 7, 9) if size not in (classes, samples)][:3]
    return Sizes(samples, classes, length, height, width)


def class_count(*expressions: Node) -> int | None:
    """The number of classes, where expressions tell it."""
    return next((count for root in expressions for count in _class_counts(root)), None)


def _class_counts(root: Node) -> Iterator[int]:
    for node in walk(root):
        match node:
            case Input(size=int() as size):
                yield size
            case Apply(name="one_hot") if isinstance(node.literal("num_classes"), int):
                count = node.literal("num_classes")
                if isinstance(count, int) and count > 0:
                    yield count
            case Apply(name="eye") if isinstance(node.literal("n"), int):
                yield int(str(node.literal("n")))
            case Apply(name="cross_entropy" | "nll_loss"):
                weight = node.parameter("weight")
                if isinstance(weight, Apply) and weight.operands and isinstance(weight.operands[0], Items):
                    yield len(weight.operands[0].items)
            case Apply(name="view" | "reshape"):
                count = _extents(node)[1]
                if count is not None and count > 1:
                    yield count
            case Apply(name=name) if name in _CREATED:
                count = _extents(node)[1]
                if count is not None:
                    yield count


def _sample_counts(root: Node) -> Iterator[int]:
    for node in walk(root):
        if isinstance(node, Apply) and node.name in _REGRESSION:
            yield from (len(data.items) for data in map(_literal_data, node.operands) if data is not None)
        if isinstance(node, Apply) and node.name in _CREATED:
            count = _extents(node)[0]
            if count is not None:
                yield count


def _literal_data(node: Node) -> Items | None:
    """The numbers that a tensor is made of, where they are written down as one list."""
    while isinstance(node, Apply) and node.name in _CASTS and node.operands:
        node = node.operands[0]
    is_list = isinstance(node, Items) and all(isinstance(item, Literal) for item in node.items)
    return node if isinstance(node, Items) and is_list else None


def _targets(root: Node) -> Iterator[Node]:
    """Targets whose class indices or truth values are written down, or number the rows."""
    for node in walk(root):
        if not isinstance(node, Apply) or node.name not in _WITH_INTEGERS:
            continue
        target = node.operands[1] if len(node.operands) > 1 else None
        while isinstance(target, Apply) and target.operands and target.name in _CASTS:
            target = target.operands[0]
        if isinstance(target, Apply) and target.name == "arange":
            yield target
        if isinstance(target, Items) and target.items and len(_numbers(target)) == len(target.items):
            yield target


def _numbers(items: Items) -> list[int]:
    return [item.value for item in items.items if isinstance(item, Literal) and isinstance(item.value, int)]


_WITH_INTEGERS = frozenset(
    {"cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"}
)
_CASTS = frozenset(
    {"to", "to_float", "to_double", "to_half", "to_bfloat16", "to_long", "to_int", "type", "astype", "type_as",
     "tensor", "as_tensor", "float_tensor", "double_tensor", "long_tensor", "from_numpy", "array", "cuda", "cpu"}
)  # fmt: skip
_REGRESSION = frozenset({"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"})
_CREATED = frozenset({"zeros", "ones", "full", "empty", "new_zeros", "new_ones", "new_full", "new_empty"})


def _extents(node: Apply) -> tuple[int | None, int | None]:
    """The literal extents of two dimensions that an operation gives its result."""
    given = node.parameter("size") or node.parameter("shape")
    if isinstance(given, Items) and len(given.items) == 1 and isinstance(given.items[0], Items):
        given = given.items[0]
    if not isinstance(given, Items) or len(given.items) != 2:
        return None, None
    first, last = (item.value if isinstance(item, Literal) else None for item in given.items)
    return (
        first if isinstance(first, int) and first > 0 else None,
        last if isinstance(last, int) and last > 0 else None,
    )


def layouts(given: Sizes) -> tuple[Layout, ...]:
    """The shapes that logits may have, most usual first."""
    n, c, length = given.samples, given.classes, given.length
    first = [Layout((n, c), 1)]
    if c == 1:
        return (*first, Layout((n,), None), Layout((n, length, 1), 2), Layout((n, 1, length), 1))
    return (
        *first,
        Layout((n, c, length), 1),
        Layout((n,), None),
        Layout((n, 1), 1),
        Layout((n, length, c), 2),
        Layout((n, c, given.height, given.width), 1),
        Layout((c,), 0),
        Layout((), None),
    )


def by_rank(roles: Roles, found: Sequence[Layout]) -> list[Layout]:
    """Those layouts first that have as many dimensions as logits are known to have."""
    ranks = {one.rank for one in roles.inputs if roles.is_differentiable(one) and one.rank is not None}
    return sorted(found, key=lambda layout: bool(ranks) and len(layout.shape) not in ranks)


def assignments(roles: Roles, layout: Layout, given: Sizes) -> Iterator[dict[Input, Shape]]:
    """Shapes for all inputs under one layout, the likeliest first."""
    shapes = [tuple(dict.fromkeys(_candidates(one, roles, layout, given))) for one in roles.inputs]
    ranked = sorted(islice(product(*(range(len(each)) for each in shapes)), 4096), key=sum)
    for chosen in ranked[:MAX_ASSIGNMENTS]:
        yield {one: each[index] for one, each, index in zip(roles.inputs, shapes, chosen, strict=True)}


def _candidates(one: Input, roles: Roles, layout: Layout, given: Sizes) -> tuple[Shape, ...]:
    role = roles.role(one)
    shape = _with_classes(layout, one.size)
    rows = layout.without_classes
    n, c = given.samples, given.classes
    by_role: dict[Role, tuple[Shape, ...]] = {
        "logits": (shape,),
        "probabilities": (shape,),
        "log_probabilities": (shape,),
        "indices": (rows, (n,), (n, 1)),
        "like": (shape, (n,), (n, 1), rows),
        "units": (shape, (n,), (n, 1), rows),
        "signs": ((n,), shape),
        "distribution": (shape, (n, c)),
        "positive": (shape, (n,), ()),
        "index": ((*rows, 1), rows, shape, (n,)),
        # In a layout of three dimensions with the classes last, time comes first.
        "sequences": ((given.length, SEQUENCE),),
        "input_lengths": ((given.length,),),
        "target_lengths": ((given.length,),),
        "mask": (rows, shape, (n,), (n, 1)),
        "zeros": (shape, (n, c)),
        "class_weight": ((c,), (1,), shape),
        "tensor": (shape,),
    }
    return by_role.get(role, ((),))


def _with_classes(layout: Layout, classes: int | None) -> Shape:
    if classes is None or layout.axis is None:
        return layout.shape
    return tuple(classes if axis == layout.axis else size for axis, size in enumerate(layout.shape))

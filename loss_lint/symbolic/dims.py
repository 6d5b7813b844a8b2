"""Dimensions: where the one that an operation worked along is behind what moves, adds and drops dimensions."""

from __future__ import annotations

from dataclasses import dataclass

from loss_lint.symbolic.graph import Const, Op, Tuple, Value
from loss_lint.symbolic.guards import literal_of, strip
from loss_lint.symbolic.walk import effect


@dataclass(frozen=True, slots=True)
class Dim:
    """A dimension: counted from the front, or from the back if negative; the tensor's `rank` where it is known."""

    index: int
    rank: int | None = None

    def normalized(self) -> Dim:
        """Counted from the front where the rank allows it."""
        return Dim(self.index % self.rank, self.rank) if self.rank else self


def normalized_dim(op: Op, chain: tuple[Op, ...]) -> Dim | None:
    """Where the dimension that `op` normalizes is behind `chain` (outermost first); None where that is not known."""
    given = op.parameter("dim")
    index = _number(given) if given is not None else None
    place = None if index is None else Dim(index)
    for step in reversed(chain):
        if place is None:
            return None
        place = behind(place, step)
    return place


def behind(place: Dim, op: Op) -> Dim | None:
    """The same dimension of `op`'s result; None where it is not there any more or not known to be."""
    match op.name:
        case "permute":
            return _permuted(place, op)
        case "t" | "transpose" | "mt":
            return _transposed(place, op)
        case "unsqueeze" | "stack":
            return _inserted(place, op)
        case "squeeze":
            return _squeezed(place, op)
        case "cat" | "vstack":
            return place if is_beside(place, op) else None
        case "view" | "reshape":
            return _viewed(place, op)
        case "getitem":
            return _indexed(place, op)
        case _:
            stays = effect(op) == "cast" or op.name in _STAYING
            return place if stays else None


# What leaves all dimensions where they are; `comprehension` makes a list of tensors.
_STAYING = frozenset(
    {"contiguous", "clone", "copy", "detach", "to", "cpu", "cuda", "pin_memory", "requires_grad_", "identity",
     "roll", "flip", "data_parallel", "all_gather", "variable", "index_select", "narrow", "comprehension"}
)  # fmt: skip


def is_beside(place: Dim, joined: Op) -> bool:
    """Whether a concatenation is along another dimension; along the first one, rows are taken to be joined."""
    along = _number(joined.parameter("dim")) if joined.parameter("dim") is not None else 0
    if along is None:
        return False
    one, other = place.normalized(), Dim(along, place.rank).normalized()
    if (one.index < 0) == (other.index < 0):
        return one.index != other.index
    return along == 0 and place.index == -1


def _permuted(place: Dim, op: Op) -> Dim | None:
    order = _numbers(op.parameter("dims"))
    if order is None:
        return None
    rank = len(order)
    if not -rank <= place.index < rank or (place.rank or rank) != rank:
        return None
    order = [number % rank for number in order]
    index = place.index % rank
    return Dim(order.index(index), rank) if index in order else None


def _transposed(place: Dim, op: Op) -> Dim | None:
    if op.name == "t":
        is_matrix = place.rank in (None, 2) and place.index in (-2, -1, 0, 1)
        return Dim(1 - place.index % 2, 2) if is_matrix else None
    pair = (-2, -1)
    if op.name == "transpose":
        one, other = _number(op.parameter("dim0")), _number(op.parameter("dim1"))
        if one is None or other is None:
            return None
        pair = (one, other)
    place = place.normalized()
    first, second = (Dim(index, place.rank).normalized().index for index in pair)
    if place.index == first:
        return Dim(second, place.rank)
    if place.index == second:
        return Dim(first, place.rank)
    same_side = (place.index < 0) == (first < 0) == (second < 0)
    return place if same_side else None


def _inserted(place: Dim, op: Op) -> Dim | None:
    at = _number(op.parameter("dim")) if op.parameter("dim") is not None else 0
    if at is None:
        return None
    rank = place.rank + 1 if place.rank is not None else None
    place = place.normalized()
    if rank is not None:
        at %= rank
    if place.index >= 0 and at >= 0:
        return Dim(place.index + (at <= place.index), rank)
    if place.index < 0 and at < 0:
        return Dim(place.index - (place.index <= at), rank)
    if place.index < 0:
        # The last dimension stays behind one that is put among the first two: rows have been stacked.
        return Dim(place.index, rank) if at == 0 or (at, place.index) == (1, -1) else None
    return Dim(place.index, rank) if at == -1 else None


def _squeezed(place: Dim, op: Op) -> Dim | None:
    given = op.parameter("dim")
    if given is None or _is_nothing(given):
        return Dim(-1) if place.index == -1 or (place.rank or 0) - 1 == place.index else None
    dropped = _numbers(given)
    if dropped is None or len(dropped) != 1:
        return None
    rank = place.rank - 1 if place.rank is not None else None
    place = place.normalized()
    at = Dim(dropped[0], place.rank).normalized().index
    if at == place.index or (at < 0) != (place.index < 0):
        return Dim(-1) if place.index == -1 and at in (0, 1) else None
    if place.index >= 0:
        return Dim(place.index - (at < place.index), rank)
    return Dim(place.index + (at > place.index), rank)


def _viewed(place: Dim, op: Op) -> Dim | None:
    """The last dimension is still the last one where its size is written down: `scores.view(-1, classes)`."""
    is_last = place.index == -1 or (place.rank is not None and place.index == place.rank - 1)
    size = op.parameter("size" if op.name == "view" else "shape")
    plain = strip(size) if size is not None else None
    sizes = plain.items if isinstance(plain, Tuple) else ()
    if len(sizes) == 1 and isinstance(inner := strip(sizes[0]), Tuple):
        sizes = inner.items
    if not is_last or len(sizes) < 2 or _number(sizes[-1]) == -1:
        return None
    return Dim(len(sizes) - 1, len(sizes))


def _indexed(place: Dim, op: Op) -> Dim | None:
    index = op.operands[1] if len(op.operands) > 1 else op.parameter("index")
    plain = strip(index) if index is not None else None
    items = tuple(strip(item) for item in plain.items) if isinstance(plain, Tuple) else (plain,)
    place = place.normalized()
    if place.index < 0:
        # One index alone picks rows.
        stays = (
            isinstance(items[0], Const) or _is_slice(items[0]) if len(items) == 1 else _is_whole(items[-1])
        )
        return Dim(-1) if place.index == -1 and stays else None
    result, position = place.index, 0
    for item in items:
        if position > place.index:
            break
        if isinstance(item, Const) and item.value is None:
            result += 1
            continue
        if isinstance(item, Const) and type(item.value) is int:
            if position == place.index:
                return None
            result -= 1
        elif not (_is_whole(item) if position == place.index else _is_slice(item)):
            return None
        position += 1
    return Dim(result)


def _is_slice(value: Value | None) -> bool:
    return isinstance(value, Op) and value.name == "slice"


def _is_whole(value: Value | None) -> bool:
    """`:`, which takes all there is."""
    return (
        isinstance(value, Op)
        and value.name == "slice"
        and all(isinstance(part, Const) and part.value is None for part in value.operands)
    )


def _is_nothing(value: Value) -> bool:
    plain = strip(value)
    return (isinstance(plain, Const) and plain.value is None) or (
        isinstance(plain, Tuple) and not plain.items
    )


def _number(value: Value | None) -> int | None:
    plain = literal_of(value) if value is not None else None
    return plain.value if plain is not None and type(plain.value) is int else None


def _numbers(value: Value | None) -> list[int] | None:
    """Numbers given one by one or as a tuple."""
    plain = strip(value) if value is not None else None
    if isinstance(plain, Tuple) and len(plain.items) == 1:
        inner = strip(plain.items[0])
        plain = inner if isinstance(inner, Tuple) else plain
    found = [_number(item) for item in plain.items] if isinstance(plain, Tuple) else [_number(plain)]
    numbers = [number for number in found if number is not None]
    return numbers if len(numbers) == len(found) else None

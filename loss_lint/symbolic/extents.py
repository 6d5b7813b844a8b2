"""What is known of a shape, and what operations make of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Size = int | None


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes by dimension, None for one that is not known.

    With `is_open` these are the last dimensions only: any number of others may be in front of them.
    """

    sizes: tuple[Size, ...]
    is_open: bool = False

    @property
    def rank(self) -> int | None:
        return None if self.is_open else len(self.sizes)

    def size(self, dim: int) -> Size:
        """The size of a dimension, counted from the front or, if negative, from the back."""
        index = self._index(dim)
        return self.sizes[index] if index is not None else None

    def _index(self, dim: int) -> int | None:
        """Where a dimension is among `sizes`; None where it is not there or not known to be."""
        count = len(self.sizes)
        if dim < 0:
            return count + dim if count + dim >= 0 else None
        return dim if not self.is_open and dim < count else None

    def elements(self) -> Size:
        known = [size for size in self.sizes if size is not None]
        return math.prod(known) if not self.is_open and len(known) == len(self.sizes) else None

    def resized(self, dim: int, size: Size) -> Shape:
        """With another size in one dimension."""
        index = self._index(dim)
        if index is not None:
            return Shape((*self.sizes[:index], size, *self.sizes[index + 1 :]), self.is_open)
        if dim < 0 and self.is_open:
            sizes = (size, *(None,) * (-dim - 1 - len(self.sizes)), *self.sizes)
            return Shape(sizes, is_open=True)
        return _forgotten(self) if self.is_open else UNKNOWN

    def kept(self, dims: Sequence[int]) -> Shape:
        """With size one in dimensions that were reduced."""
        shape = self
        for dim in dims:
            shape = shape.resized(dim, 1)
        return shape

    def without(self, dims: Sequence[int]) -> Shape:
        """Without some dimensions."""
        if not self.is_open:
            count = len(self.sizes)
            if any(not -count <= dim < count for dim in dims):
                return UNKNOWN
            dropped = {dim % count for dim in dims}
            return Shape(tuple(size for index, size in enumerate(self.sizes) if index not in dropped))
        if all(dim < 0 for dim in dims):
            last = tuple(
                size for index, size in enumerate(self.sizes) if index - len(self.sizes) not in set(dims)
            )
            return Shape(last if all(-dim <= len(self.sizes) for dim in dims) else (), is_open=True)
        # Counted from the front it may be any of these, and what is behind it keeps its place from the back.
        return Shape(self.sizes[max(dims) + 1 :] if all(dim >= 0 for dim in dims) else (), is_open=True)

    def inserted(self, dim: int, size: Size) -> Shape:
        """With a further dimension, which is then the one numbered `dim`."""
        count = len(self.sizes)
        if not self.is_open:
            if not -count - 1 <= dim <= count:
                return UNKNOWN
            at = dim % (count + 1)
            return Shape((*self.sizes[:at], size, *self.sizes[at:]))
        if dim < 0:
            at = count + 1 + dim
            if at >= 0:
                return Shape((*self.sizes[:at], size, *self.sizes[at:]), is_open=True)
            return Shape(self.sizes, is_open=True)
        return Shape(self.sizes[dim:], is_open=True)

    def followed_by(self, size: Size) -> Shape:
        return self.inserted(-1, size)

    def squeezed(self, dims: Sequence[int] | None = None) -> Shape:
        """Without those dimensions (of all, or of `dims`) that have size one."""
        if self.is_open:
            if dims is None or any(dim >= 0 for dim in dims):
                return UNKNOWN
            if all(self._index(dim) is not None and self.size(dim) is not None for dim in dims):
                return self.without([dim for dim in dims if self.size(dim) == 1])
            return UNKNOWN
        chosen = range(len(self.sizes)) if dims is None else dims
        if any(not -len(self.sizes) <= dim < len(self.sizes) for dim in chosen):
            return UNKNOWN
        if dims is None:
            # A batch of one is squeezed as well, but nobody means it: one unknown size is no one.
            unknown = sum(size is None for size in self.sizes)
            if unknown > 1 or (unknown == 1 and self.sizes[0] is not None):
                return UNKNOWN
        elif any(self.size(dim) is None for dim in dims):
            return UNKNOWN
        return self.without([dim for dim in chosen if self.size(dim) == 1])

    def flattened(self, start: int | None, end: int | None) -> Shape:
        if start is None or end is None:
            return UNKNOWN
        if self.is_open:
            if start >= 0 and end == -1:
                return Shape((None,) * (start + 1))
            return UNKNOWN
        count = len(self.sizes)
        if count == 0:
            return Shape((1,))
        if not (-count <= start < count and -count <= end < count):
            return UNKNOWN
        first, last = start % count, end % count
        merged = Shape(self.sizes[first : last + 1]).elements()
        return Shape((*self.sizes[:first], merged, *self.sizes[last + 1 :]))

    def swapped(self, one: int, other: int) -> Shape:
        first, second = self._index(one), self._index(other)
        if first is None or second is None:
            return _forgotten(self) if self.is_open else UNKNOWN
        sizes = list(self.sizes)
        sizes[first], sizes[second] = sizes[second], sizes[first]
        return Shape(tuple(sizes), self.is_open)

    def permuted(self, order: Sequence[int]) -> Shape:
        rank = len(order)
        if self.rank not in (None, rank) or any(not -rank <= dim < rank for dim in order):
            return UNKNOWN
        full = self.with_rank(rank)
        return Shape(tuple(full.sizes[dim % rank] for dim in order))

    def with_rank(self, rank: int) -> Shape:
        """The same with its rank known, of which the caller is sure."""
        if not self.is_open or len(self.sizes) > rank:
            return self if self.rank == rank else UNKNOWN
        return Shape((None,) * (rank - len(self.sizes)) + self.sizes)

    def times(self, other: Shape) -> Shape:
        """The product of matrices."""
        if other.rank == 1:
            return self.without([-1])
        if self.rank == 1:
            return other.without([-2])
        last = (self.size(-2), other.size(-1))
        if other.rank is None:
            return UNKNOWN  # a vector takes the last dimension away
        if self.rank is None:
            return Shape(last[1:], is_open=True)
        batch = broadcast([Shape(self.sizes[:-2]), Shape(other.sizes[:-2])])
        return Shape(batch.sizes + last)

    def __str__(self) -> str:
        sizes = ["?" if size is None else str(size) for size in self.sizes]
        return f"({', '.join(['...'] * self.is_open + sizes)}{',' * (len(sizes) == 1 and not self.is_open)})"


UNKNOWN = Shape((), is_open=True)
SCALAR = Shape(())


def _forgotten(shape: Shape) -> Shape:
    """The rank alone."""
    return Shape((None,) * len(shape.sizes), shape.is_open)


def common(one: Shape, other: Shape) -> Shape:
    """What two shapes have in common: of different ranks the last dimensions."""
    count = min(len(one.sizes), len(other.sizes))
    last = tuple(
        first if first == second else None
        for first, second in zip(
            one.sizes[len(one.sizes) - count :], other.sizes[len(other.sizes) - count :], strict=True
        )
    )
    return Shape(last, one.is_open or other.is_open or one.rank != other.rank)


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """The shape of an elementwise operation's result."""
    result = SCALAR
    for shape in shapes:
        result = _broadcast(result, shape)
    return result


def _broadcast(one: Shape, other: Shape) -> Shape:
    if one == SCALAR:
        return other
    if other == SCALAR:
        return one
    count = max(len(one.sizes), len(other.sizes))
    sizes: list[Size] = []
    for position in range(-count, 0):
        first, second = _broadcasting(one, position), _broadcasting(other, position)
        if first == 1:
            sizes.append(second)
        elif second == 1 or first is not None:
            sizes.append(first)
        else:
            # An unknown size may be one; what is larger than one it can only be equal to.
            sizes.append(second if second is not None and second != 1 else None)
    return Shape(tuple(sizes), one.is_open or other.is_open)


def _broadcasting(shape: Shape, position: int) -> Size:
    """The size of a dimension as broadcasting sees it: one where a known rank has none."""
    if -position > len(shape.sizes):
        return None if shape.is_open else 1
    return shape.size(position)

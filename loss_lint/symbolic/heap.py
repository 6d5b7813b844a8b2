"""The heap: what mutable objects hold, as immutable records that branches share until one of them writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import NamedTuple

from loss_lint.symbolic.graph import (
    NO_GUARDS,
    ZERO,
    Alternatives,
    Guards,
    Value,
    alternatives,
    intern_content,
)


class Item(NamedTuple):
    """One element of a container; `key` is None in lists, `guards` says when it is there."""

    key: Value | None
    value: Value
    guards: Guards


@dataclass(frozen=True, slots=True)
class Record:
    """What one object holds. `open` means that there may be more than what is known."""

    attributes: Mapping[str, Value]
    items: tuple[Item, ...] = ()
    open: bool = False


EMPTY = Record({})
OPEN = Record({}, open=True)


class _Layer:
    """Records that several heaps share; never written again."""

    __slots__ = ("depth", "found", "parent", "records")

    def __init__(self, records: dict[int, Record], parent: _Layer | None) -> None:
        self.records = records
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent is not None else 0
        # What was looked up through this layer, which stands on many where a block writes and branches a lot.
        self.found: dict[int, Record | None] = {}

    def find(self, content: int) -> Record | None:
        """The newest record in this layer or below it."""
        layer: _Layer | None = self
        above: list[_Layer] = []
        record: Record | None = None
        while layer is not None:
            record = layer.records.get(content)
            if record is not None:
                break
            if content in layer.found:
                record = layer.found[content]
                break
            above.append(layer)
            layer = layer.parent
        if len(above) > _FAR:
            for layer in above[::_FAR]:
                layer.found[content] = record
        return record


# Looking further down than this is remembered.
_FAR = 4


class Heap:
    """Records by their object's content: own ones over shared layers over `base` (what the modules' bodies left).

    Branches share all that was there before them, so that forking is free and joining costs what they wrote.
    """

    __slots__ = ("_base", "_layer", "_own")

    def __init__(self, base: Heap | None = None, layer: _Layer | None = None) -> None:
        self._own: dict[int, Record] = {}
        self._layer = layer
        self._base = base

    def get(self, content: int) -> Record | None:
        record = self._own.get(content)
        if record is None and self._layer is not None:
            record = self._layer.find(content)
        if record is None and self._base is not None:
            return self._base.get(content)
        return record

    def set(self, content: int, record: Record) -> None:
        self._own[content] = record

    def set_attribute(self, content: int, name: str, value: Value) -> None:
        record = self.get(content) or OPEN
        self.set(content, replace(record, attributes={**record.attributes, name: value}))

    def fork(self) -> Heap:
        """A copy; both share what is there now."""
        if self._own:
            self._layer = _Layer(self._own, self._layer)
            self._own = {}
        return Heap(self._base, self._layer)

    def absorb(self, other: Heap) -> None:
        """Take over all of `other`'s records (of a module's body that has been evaluated)."""
        for content, record in other._written_since(None).items():
            self.set(content, record)

    def adopt(self, other: Heap, before: Heap) -> None:
        """Take over what was made new in `other`, which went on from `before`."""
        for content, record in other._written_since(before._layer).items():
            if before.get(content) is None:
                self.set(content, record)

    def _written_since(self, layer: _Layer | None) -> dict[int, Record]:
        """The newest record of everything that was written above `layer`."""
        newest = dict(self._own)
        current = self._layer
        while current is not None and current is not layer:
            for content, record in current.records.items():
                newest.setdefault(content, record)
            current = current.parent
        return newest

    def sum_up(self, before: Heap, summed: Callable[[Value, Value], Value | None]) -> None:
        """Where what this heap holds is a sum over what `before` held, put what `summed` makes of both."""
        for content, record in self._written_since(before._layer).items():
            old = before.get(content)
            if old is None or old is record:
                continue
            attributes = {
                name: _sum_or_same(old.attributes.get(name), value, summed)
                for name, value in record.attributes.items()
            }
            items = tuple(
                Item(key, _sum_or_same(one.value if one else None, value, summed), guards)
                for (key, value, guards), one in zip_longest(record.items, old.items[: len(record.items)])
            )
            self.set(content, Record(attributes, items, record.open))

    def join(self, other: Heap, mine: Guards, theirs: Guards) -> Heap:
        """The heap after two branches that ran under `mine` and `theirs`."""
        shared = _common(self._layer, other._layer)
        left, right = self._written_since(shared), other._written_since(shared)
        joined = Heap(self._base, shared)
        before = Heap(self._base, shared)
        for content in [*left, *(content for content in right if content not in left)]:
            one = left.get(content) or before.get(content)
            two = right.get(content) or before.get(content)
            if one is None or two is None or one is two:
                known = one or two
                assert known is not None
                joined.set(content, known)
            else:
                joined.set(content, _join_records(one, two, mine, theirs))
        return joined


def _common(one: _Layer | None, other: _Layer | None) -> _Layer | None:
    """The nearest layer that lies below both."""
    while one is not other:
        if one is None or other is None:
            return None
        if one.depth >= other.depth:
            one = one.parent
        else:
            other = other.parent
    return one


def _only(value: Value | None, guards: Guards) -> Value:
    """A value that only one branch has set: it is there under that branch's guards."""
    assert value is not None
    if not guards or isinstance(value, Alternatives):
        return value
    return Alternatives(((guards, value),), 1, intern_content(("only", guards, value.content)))


def _sum_or_same(before: Value | None, value: Value, summed: Callable[[Value, Value], Value | None]) -> Value:
    if before is value:
        return value
    start = before or ZERO  # what a class or `dict.get` starts with is not in the record
    return summed(start, value) or value


def _join_records(one: Record, other: Record, mine: Guards, theirs: Guards) -> Record:
    attributes: dict[str, Value] = {}
    for name in [*one.attributes, *(name for name in other.attributes if name not in one.attributes)]:
        left, right = one.attributes.get(name), other.attributes.get(name)
        if left is None or right is None:
            attributes[name] = _only(left, mine) if left is not None else _only(right, theirs)
        elif left is right:
            attributes[name] = left
        else:
            attributes[name] = alternatives([(mine, left), (theirs, right)])
    items, is_open = _join_items(one, other, mine, theirs)
    return Record(attributes, items, is_open)


def _join_items(one: Record, other: Record, mine: Guards, theirs: Guards) -> tuple[tuple[Item, ...], bool]:
    """Shared items stay; what only one branch added is there under that branch's guards."""
    is_open = one.open or other.open
    if one.items == other.items:
        return one.items, is_open
    shared = 0
    while (
        shared < min(len(one.items), len(other.items))
        and one.items[shared].key is other.items[shared].key
        and one.items[shared].value is other.items[shared].value
    ):
        shared += 1
    left = tuple(Item(key, value, guards | mine) for key, value, guards in one.items[shared:])
    right = tuple(Item(key, value, guards | theirs) for key, value, guards in other.items[shared:])
    return (*one.items[:shared], *left, *right), is_open


def item(value: Value, key: Value | None = None) -> Item:
    return Item(key, value, NO_GUARDS)

"""The heap: what mutable objects hold, as immutable records that branches share until one of them writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import NamedTuple

from loss_lint.symbolic import limits
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    ZERO,
    Alternatives,
    Guards,
    Leaf,
    Object,
    Value,
    alternatives,
    only,
)
from loss_lint.symbolic.limits import MAX_ITEMS
from loss_lint.symbolic.nodes import equal_by_parts


def is_repeated(value: Value) -> bool:
    """Whether an item stands for any number of items: appended in a loop, or spread from what is not known."""
    return isinstance(value, Leaf) and value.role in ("repeated", "many")


class Item(NamedTuple):
    """One element of a container; `key` is None in lists, `guards` says when it is there."""

    key: Value | None
    value: Value
    guards: Guards


@equal_by_parts
class Record:
    """What one object holds. `open` means that there may be more than what is known.

    `foreign` is that of a value which the program has not made, such as a batch: it was there before its record.
    """

    attributes: Mapping[str, Value]
    items: tuple[Item, ...] = ()
    open: bool = False
    foreign: bool = False


EMPTY = Record({})
OPEN = Record({}, open=True)
FOREIGN = Record({}, open=True, foreign=True)


class Deferred:
    """The record of an object whose constructor, or a part of it, runs when something looks into the object.

    A part sets `names` of an object that was `before`: looking for other attributes does not run it.
    """

    __slots__ = ("_before", "_construct", "_names", "_record")

    def __init__(
        self,
        construct: Callable[[], Record],
        names: frozenset[str] = frozenset(),
        before: Record | Deferred | None = None,
    ) -> None:
        self._construct: Callable[[], Record] | None = construct
        self._names = names
        self._before = before
        self._record = OPEN

    def record(self, name: str | None = None) -> Record:
        """What the constructor left, as far as attribute `name` goes if given; nothing while it runs."""
        if self._construct is None:
            return self._record
        if name is not None and self._before is not None and name not in self._names:
            return self._before.record(name) if isinstance(self._before, Deferred) else self._before
        construct, self._construct, self._before = self._construct, None, None
        self._record = construct()
        return self._record

    def known(self) -> Record | None:
        """What is known without running anything."""
        if self._construct is None:
            return self._record
        return self._before.known() if isinstance(self._before, Deferred) else self._before

    def end(self) -> None:
        """Let go of all that it knows: nothing will look at it any more."""
        self._construct, self._before, self._record = None, None, OPEN


class _Layer:
    """Records that several heaps share; never written again."""

    __slots__ = ("depth", "found", "parent", "records")

    def __init__(self, records: dict[int, Record | Deferred], parent: _Layer | None) -> None:
        self.records = records
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent is not None else 0
        # What was looked up through this layer, which stands on many where a block writes and branches a lot.
        self.found: dict[int, Record | Deferred | None] = {}

    def find(self, content: int) -> Record | Deferred | None:
        """The newest record in this layer or below it."""
        layer: _Layer | None = self
        above: list[_Layer] = []
        record: Record | Deferred | None = None
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
# So many layers are worth being put into one.
_DEEP = 64


class Heap:
    """Records by their object's content: own ones over shared layers over `base` (what the modules' bodies left).

    Branches share all that was there before them, so that forking is free and joining costs what they wrote.
    """

    __slots__ = ("_base", "_layer", "_own", "written")

    def __init__(
        self, base: Heap | None = None, layer: _Layer | None = None, written: set[int] | None = None
    ) -> None:
        self._own: dict[int, Record | Deferred] = {}
        self._layer = layer
        self._base = base
        # What any of the heaps over one base ever held: most values that are asked about are in none.
        if written is None:
            written = set() if base is None else base.written
        self.written: set[int] = written

    def get(self, content: int, name: str | None = None) -> Record | None:
        """What an object holds; with `name`, as far as that attribute goes. What was put off runs if need be."""
        record = self.newest(content)
        return record.record(name) if isinstance(record, Deferred) else record

    def known(self, content: int) -> Record | None:
        """What is known of an object without running what was put off."""
        record = self.newest(content)
        return record.known() if isinstance(record, Deferred) else record

    def newest(self, content: int) -> Record | Deferred | None:
        """An object's record as it stands, be it put off."""
        if content not in self.written:
            return None
        record = self._own.get(content)
        if record is None and self._layer is not None:
            record = self._layer.find(content)
        if record is None and self._base is not None:
            return self._base.newest(content)
        return record

    def set(self, content: int, record: Record | Deferred) -> None:
        self._own[content] = record
        self.written.add(content)

    def set_attribute(self, content: int, name: str, value: Value) -> None:
        record = self.get(content) or OPEN
        attributes = {**record.attributes, name: value}
        self.set(content, Record(attributes, record.items, record.open, record.foreign))

    def fork(self) -> Heap:
        """A copy; both share what is there now."""
        if self._own:
            self._layer = _Layer(self._own, self._layer)
            self._own = {}
        return Heap(self._base, self._layer, self.written)

    def settle(self) -> None:
        """Put what was written into one layer, where very many have come to stand on each other."""
        if self._layer is not None and self._layer.depth > _DEEP:
            self._layer = _Layer(self._written_since(None), None)
            self._own = {}

    def records(self) -> dict[int, Record | Deferred]:
        """Every record that was written over the base."""
        return self._written_since(None)

    def made_since(self, before: Heap) -> dict[int, Record | Deferred]:
        """The records of what was made new here, going on from `before`."""
        newest = self._written_since(before._layer)
        return {content: record for content, record in newest.items() if before.newest(content) is None}

    def share(self) -> Heap:
        """A copy as `fork` makes it; both share a layer into which more may be inserted."""
        self._layer = _Layer(self._own, self._layer)
        self._own = {}
        return Heap(self._base, self._layer, self.written)

    def insert(self, made: Mapping[int, Record | Deferred]) -> None:
        """Let all that went on from this heap see what was made since, as if it had been there."""
        assert self._layer is not None
        self._layer.records.update(made)
        self.written.update(made)

    def drop(self, contents: Iterable[int]) -> None:
        """Forget objects that only findings still refer to: what those see lies in the heaps of their own calls."""
        for content in contents:
            self._own.pop(content, None)

    def forget_all_but(self, heaps: Iterable[Heap]) -> None:
        """Forget that anything was ever written but what this heap and those over it in `heaps` hold.

        Other heaps, which findings may still be measured with, know what they knew.
        """
        kept = list(heaps)
        written = self.written.intersection(self._own).union(*(heap.records() for heap in kept))
        for heap in (self, *kept):
            heap.written = written

    def _written_since(self, layer: _Layer | None) -> dict[int, Record | Deferred]:
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
            if isinstance(record, Deferred):
                continue
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
            self.set(content, Record(attributes, items, record.open, record.foreign))
            for name, value in record.attributes.items():
                self._sum_up_list(before, old.attributes.get(name), value, summed)

    def _sum_up_list(
        self, before: Heap, old: Value | None, value: Value, summed: Callable[[Value, Value], Value | None]
    ) -> None:
        """`self.totals = [a + b for a, b in zip(self.totals, more)]`: a new list of sums takes the old one's place."""
        if not (isinstance(old, Object) and isinstance(value, Object)) or old is value:
            return
        one, other = before.get(old.content), self.get(value.content)
        if one is None or other is None or one.open or other.open or len(one.items) != len(other.items):
            return
        items = tuple(
            Item(key, _sum_or_same(first.value, second, summed), guards)
            for first, (key, second, guards) in zip(one.items, other.items, strict=True)
        )
        self.set(value.content, Record(other.attributes, items))

    def join(self, other: Heap, mine: Guards, theirs: Guards) -> Heap:
        """The heap after two branches that ran under `mine` and `theirs`."""
        shared = _common(self._layer, other._layer)
        left, right = self._written_since(shared), other._written_since(shared)
        joined = Heap(self._base, shared, self.written)
        before = Heap(self._base, shared, self.written)
        for content in [*left, *(content for content in right if content not in left)]:
            one = left.get(content) or before.get(content)
            two = right.get(content) or before.get(content)
            if one is None or two is None or one is two:
                known = one or two
                assert known is not None
                if one is not two and isinstance(known, Record) and known.foreign:
                    known = _in_one_branch(known, theirs if one is None else mine)
                joined.set(content, known)
            else:
                joined.set(content, _join_records(_known(one), _known(two), mine, theirs))
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


def _known(record: Record | Deferred) -> Record:
    return record.record() if isinstance(record, Deferred) else record


def _sum_or_same(before: Value | None, value: Value, summed: Callable[[Value, Value], Value | None]) -> Value:
    if before is value:
        return value
    start = before or ZERO  # what a class or `dict.get` starts with is not in the record
    return summed(start, value) or value


def _in_one_branch(record: Record, guards: Guards) -> Record:
    """What a value that was there before has got in one branch only."""
    attributes: dict[str, Value] = {}
    for name, value in record.attributes.items():
        alone = value.branches[0] if isinstance(value, Alternatives) and len(value.branches) == 1 else None
        attributes[name] = only(value, guards) if alone is None else only(alone[1], guards | alone[0])
    return replace(record, attributes=attributes)


def _join_records(one: Record, other: Record, mine: Guards, theirs: Guards) -> Record:
    attributes: dict[str, Value] = {}
    for name in [*one.attributes, *(name for name in other.attributes if name not in one.attributes)]:
        left, right = one.attributes.get(name), other.attributes.get(name)
        if left is None:
            assert right is not None
            attributes[name] = only(right, theirs)
        elif right is None:
            attributes[name] = only(left, mine)
        elif left is right:
            attributes[name] = left
        else:
            attributes[name] = alternatives([(mine, left), (theirs, right)])
    items, is_open = _join_items(one, other, mine, theirs)
    return Record(attributes, items, is_open, one.foreign and other.foreign)


def _join_items(one: Record, other: Record, mine: Guards, theirs: Guards) -> tuple[tuple[Item, ...], bool]:
    """Items that both hold stay, one that they hold differently is either; the rest is there in one branch only."""
    is_open = one.open or other.open
    if one.items == other.items:
        return one.items, is_open
    if _is_keyed(one.items) and _is_keyed(other.items):
        return _join_keyed(one.items, other.items, mine, theirs), is_open
    shared = 0
    while shared < min(len(one.items), len(other.items)) and _is_same(one.items[shared], other.items[shared]):
        shared += 1
    left, right = one.items[shared:], other.items[shared:]
    if len(left) == len(right):
        rest = tuple(_either(*pair, mine, theirs) for pair in zip(left, right, strict=True))
        if None not in rest:
            return (*one.items[:shared], *(item for item in rest if item is not None)), is_open
    if (
        shared + len(left) + len(right) > MAX_ITEMS
    ):  # where each branch sets items, they double with every join
        limits.count("items")
        return one.items[:shared], True
    added = tuple(Item(key, value, guards | mine) for key, value, guards in left)
    others = tuple(Item(key, value, guards | theirs) for key, value, guards in right)
    return (*one.items[:shared], *added, *others), is_open


def _is_same(one: Item, other: Item) -> bool:
    return one.key is other.key and one.value is other.value and one.guards == other.guards


def _either(one: Item, other: Item, mine: Guards, theirs: Guards) -> Item | None:
    """The item at a place that two branches filled differently; None where only some hold one there."""
    if one.guards != other.guards or (one.key is None) != (other.key is None):
        return None
    if one.key is not None and other.key is not None and one.key.content != other.key.content:
        return None
    if one.value is other.value:
        return one
    if is_repeated(one.value) or is_repeated(other.value):
        return None
    return Item(one.key, alternatives([(mine, one.value), (theirs, other.value)]), one.guards)


def _is_keyed(items: tuple[Item, ...]) -> bool:
    """Whether each item has a key of its own."""
    keys = {item.key.content for item in items if item.key is not None}
    return len(keys) == len(items)


def _join_keyed(
    items: tuple[Item, ...], others: tuple[Item, ...], mine: Guards, theirs: Guards
) -> tuple[Item, ...]:
    """A dict's items key by key, in the order in which they were set."""
    by_key = {item.key.content: item for item in others if item.key is not None}
    joined: list[Item] = []
    for item in items:
        assert item.key is not None
        other = by_key.pop(item.key.content, None)
        if other is None:
            joined.append(Item(item.key, item.value, item.guards | mine))
            continue
        either = _either(item, other, mine, theirs)
        if either is not None:
            joined.append(either)
        else:
            joined.append(Item(item.key, item.value, item.guards | mine))
            joined.append(Item(other.key, other.value, other.guards | theirs))
    joined.extend(Item(item.key, item.value, item.guards | theirs) for item in by_key.values())
    return tuple(joined)


def item(value: Value, key: Value | None = None) -> Item:
    return Item(key, value, NO_GUARDS)


def last_of_each(items: Sequence[Item]) -> tuple[Item, ...]:
    """A later entry of a dict replaces an earlier one of its key."""
    last = {item.key.content: position for position, item in enumerate(items) if item.key and not item.guards}
    return tuple(
        item
        for position, item in enumerate(items)
        if item.key is None or position >= last.get(item.key.content, 0)
    )

"""The heap: what mutable objects hold, as immutable records that branches share until one of them writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from loss_lint.symbolic.graph import NO_GUARDS, Guards, Value, alternatives


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


class Heap:
    """Records by their object's content; reading falls back to `base` (what the modules' bodies left)."""

    __slots__ = ("_base", "_records", "_shared")

    def __init__(self, records: dict[int, Record] | None = None, base: Heap | None = None) -> None:
        self._records: dict[int, Record] = {} if records is None else records
        self._base = base
        self._shared = False

    def get(self, content: int) -> Record | None:
        record = self._records.get(content)
        if record is None and self._base is not None:
            return self._base.get(content)
        return record

    def set(self, content: int, record: Record) -> None:
        if self._shared:
            self._records = dict(self._records)
            self._shared = False
        self._records[content] = record

    def set_attribute(self, content: int, name: str, value: Value) -> None:
        record = self.get(content) or OPEN
        self.set(content, replace(record, attributes={**record.attributes, name: value}))

    def fork(self) -> Heap:
        """A copy that costs nothing until one of the two writes."""
        self._shared = True
        copy = Heap(self._records, self._base)
        copy._shared = True
        return copy

    def absorb(self, other: Heap) -> None:
        """Take over all of `other`'s records (of a module's body that has been evaluated)."""
        for content, record in other._records.items():
            self.set(content, record)

    def join(self, other: Heap, mine: Guards, theirs: Guards) -> Heap:
        """The heap after two branches that ran under `mine` and `theirs`."""
        if self._records is other._records:
            return self
        joined = dict(self._records)
        for content, record in other._records.items():
            own = self.get(content)
            if own is None or own is record:
                joined[content] = record
            else:
                joined[content] = _join_records(own, record, mine, theirs)
        for content, record in self._records.items():
            if content not in other._records:
                before = other.get(content)
                if before is not None and before is not record:
                    joined[content] = _join_records(record, before, mine, theirs)
        return Heap(joined, self._base)


def _join_records(one: Record, other: Record, mine: Guards, theirs: Guards) -> Record:
    attributes: dict[str, Value] = {}
    for name in [*one.attributes, *(name for name in other.attributes if name not in one.attributes)]:
        left, right = one.attributes.get(name), other.attributes.get(name)
        if left is None or right is None:
            known = left if left is not None else right
            assert known is not None
            attributes[name] = known
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

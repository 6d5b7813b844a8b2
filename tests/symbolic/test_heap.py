"""Laws of the heap: forks do not see each other, and a join knows what either branch knew, under its guards."""

from __future__ import annotations

from building import fails, holds, name
from hypothesis import given, settings
from hypothesis import strategies as st

from loss_lint.symbolic.graph import NO_GUARDS, Alternatives, Guards, Value, const
from loss_lint.symbolic.guards import compatible
from loss_lint.symbolic.heap import EMPTY, OPEN, Heap, Item, Record

FLAG = name("flag")
MINE, THEIRS = holds(FLAG), fails(FLAG)
VALUES = tuple(name(f"v{i}") for i in range(5))

contents = st.integers(1, 4)
attribute_names = st.sampled_from(["act", "out", "loss"])
values = st.sampled_from(VALUES)
writes = st.lists(st.tuples(contents, attribute_names, values), max_size=8)


def written(heap: Heap, changes: list[tuple[int, str, Value]]) -> Heap:
    for content, attribute, value in changes:
        heap.set_attribute(content, attribute, value)
    return heap


def snapshot(heap: Heap) -> dict[tuple[int, str], Value]:
    """All attributes of all objects."""
    found = {}
    for content in range(1, 5):
        record = heap.get(content)
        for attribute, value in (record.attributes if record is not None else {}).items():
            found[content, attribute] = value
    return found


def readings(value: Value, guards: Guards) -> set[int]:
    """The contents that a value may have under guards."""
    if isinstance(value, Alternatives):
        return {
            content
            for own, branch in value.branches
            if compatible(own, guards)
            for content in readings(branch, guards | own)
        }
    return {value.content}


@given(writes, writes, writes)
@settings(deadline=None)
def test_forks_do_not_see_each_other(
    before: list[tuple[int, str, Value]],
    mine: list[tuple[int, str, Value]],
    theirs: list[tuple[int, str, Value]],
) -> None:
    heap = written(Heap(), before)
    fork = heap.fork()
    at_the_fork = snapshot(heap)
    written(fork, mine)
    assert snapshot(heap) == at_the_fork
    forked = snapshot(fork)
    written(heap, theirs)
    assert snapshot(fork) == forked


@given(writes, writes)
@settings(deadline=None)
def test_the_last_write_counts(
    before: list[tuple[int, str, Value]], after: list[tuple[int, str, Value]]
) -> None:
    heap = written(written(Heap(), before).fork(), after)
    expected = {(content, attribute): value for content, attribute, value in [*before, *after]}
    assert snapshot(heap) == expected


@given(writes)
@settings(deadline=None)
def test_a_join_with_itself_changes_nothing(changes: list[tuple[int, str, Value]]) -> None:
    heap = written(Heap(), changes)
    other = heap.fork()
    assert snapshot(heap.join(other, MINE, THEIRS)) == snapshot(heap)


@given(writes, writes, writes)
@settings(deadline=None)
def test_under_a_branch_s_guards_a_join_is_that_branch(
    before: list[tuple[int, str, Value]],
    mine: list[tuple[int, str, Value]],
    theirs: list[tuple[int, str, Value]],
) -> None:
    left = written(Heap(), before)
    right = left.fork()
    written(left, mine)
    written(right, theirs)
    ours, others = snapshot(left), snapshot(right)
    joined = snapshot(left.join(right, MINE, THEIRS))
    assert set(joined) == set(ours) | set(others)
    for key, value in joined.items():
        if key in ours:
            assert readings(value, MINE) == {ours[key].content}
        if key in others:
            assert readings(value, THEIRS) == {others[key].content}


@given(writes, writes, writes)
@settings(deadline=None)
def test_a_join_has_no_first_branch(
    before: list[tuple[int, str, Value]],
    mine: list[tuple[int, str, Value]],
    theirs: list[tuple[int, str, Value]],
) -> None:
    left = written(Heap(), before)
    right = left.fork()
    written(left, mine)
    written(right, theirs)
    one, other = snapshot(left.join(right, MINE, THEIRS)), snapshot(right.join(left, THEIRS, MINE))
    assert set(one) == set(other)
    for key, value in one.items():
        for guards in (NO_GUARDS, MINE, THEIRS):
            assert readings(value, guards) == readings(other[key], guards)


@given(writes, writes)
@settings(deadline=None)
def test_what_neither_branch_changed_is_the_same_object(
    before: list[tuple[int, str, Value]], mine: list[tuple[int, str, Value]]
) -> None:
    left = written(Heap(), before)
    right = left.fork()
    untouched = {content: left.get(content) for content in range(1, 5)}
    written(left, mine)
    joined = left.join(right, MINE, THEIRS)
    for content in set(untouched) - {content for content, _, _ in mine}:
        assert joined.get(content) is untouched[content]


def test_reading_falls_back_to_the_base() -> None:
    base = Heap()
    base.set(1, Record({"act": VALUES[0]}))
    heap = Heap(base=base)
    assert heap.get(1) is base.get(1)
    heap.set_attribute(1, "act", VALUES[1])
    assert snapshot(heap)[1, "act"] is VALUES[1]
    assert snapshot(base)[1, "act"] is VALUES[0]
    assert heap.get(2) is None


def test_a_branch_that_changes_what_the_base_holds() -> None:
    base = Heap()
    base.set(1, Record({"act": VALUES[0]}))
    left = Heap(base=base)
    right = left.fork()
    right.set_attribute(1, "act", VALUES[1])
    value = snapshot(left.join(right, MINE, THEIRS))[1, "act"]
    assert readings(value, MINE) == {VALUES[0].content}
    assert readings(value, THEIRS) == {VALUES[1].content}


class TestItems:
    """Items of lists: shared ones stay, a branch's own are there under its guards."""

    def joined(self, one: Record, other: Record) -> Record:
        left = Heap()
        left.set(1, EMPTY)
        right = left.fork()
        left.set(1, one)
        right.set(1, other)
        record = left.join(right, MINE, THEIRS).get(1)
        assert record is not None
        return record

    def listed(self, *items: Value, is_open: bool = False) -> Record:
        return Record({}, tuple(Item(None, item, NO_GUARDS) for item in items), is_open)

    def test_equal_items_stay(self) -> None:
        record = self.listed(VALUES[0], VALUES[1])
        assert self.joined(record, self.listed(VALUES[0], VALUES[1])).items == record.items

    def test_an_item_of_one_branch_is_there_under_its_guards(self) -> None:
        record = self.joined(self.listed(VALUES[0], VALUES[1]), self.listed(VALUES[0]))
        assert [(item.value, item.guards) for item in record.items] == [
            (VALUES[0], NO_GUARDS),
            (VALUES[1], MINE),
        ]

    def test_what_each_branch_put_at_one_place_is_either(self) -> None:
        (item,) = self.joined(self.listed(VALUES[1]), self.listed(VALUES[2])).items
        assert item.guards == NO_GUARDS
        assert readings(item.value, MINE) == {VALUES[1].content}
        assert readings(item.value, THEIRS) == {VALUES[2].content}

    def test_branches_of_unequal_length_have_their_own_items(self) -> None:
        record = self.joined(self.listed(VALUES[1]), self.listed(VALUES[2], VALUES[3]))
        assert [(item.value, item.guards) for item in record.items] == [
            (VALUES[1], MINE),
            (VALUES[2], THEIRS),
            (VALUES[3], THEIRS),
        ]

    def test_a_key_that_one_branch_sets_anew_is_either(self) -> None:
        key, other = const("a"), const("b")
        before = Record({}, (Item(key, VALUES[0], NO_GUARDS), Item(other, VALUES[3], NO_GUARDS)))
        after = Record({}, (Item(key, VALUES[1], NO_GUARDS), Item(other, VALUES[3], NO_GUARDS)))
        first, second = self.joined(after, before).items
        assert readings(first.value, MINE) == {VALUES[1].content}
        assert readings(first.value, THEIRS) == {VALUES[0].content}
        assert second.value is VALUES[3]

    def test_what_may_hold_more_in_one_branch_may_hold_more(self) -> None:
        assert self.joined(self.listed(VALUES[0], is_open=True), self.listed(VALUES[0])).open
        assert self.joined(self.listed(VALUES[0]), OPEN).open
        assert not self.joined(self.listed(VALUES[0]), self.listed()).open

"""Positions in lists whose items may be there under conditions, or any number of times."""

from __future__ import annotations

from loss_lint.symbolic import limits
from loss_lint.symbolic.activation import Activation, otherwise
from loss_lint.symbolic.graph import NO_GUARDS, Alternatives, Const, Guards, Op, Value, alternatives, only
from loss_lint.symbolic.guards import compatible, implied, strip
from loss_lint.symbolic.heap import Item, is_repeated
from loss_lint.symbolic.limits import MAX_OPTIONAL


class OutOfRange(Exception):
    """There is no item at a position."""


def under(entries: tuple[Item, ...], guards: Guards) -> tuple[Item, ...]:
    """The items that can be there under `guards`, without the conditions that `guards` say hold."""
    if not guards or not any(entry.guards for entry in entries):
        return entries
    possible: list[Item] = []
    for entry in entries:
        if not entry.guards:
            possible.append(entry)
        elif compatible(entry.guards, guards):
            more = NO_GUARDS if implied(guards, entry.guards) else entry.guards
            possible.append(Item(entry.key, entry.value, more))
    return tuple(possible)


def is_single(entry: Item) -> bool:
    """Whether an item is there, once."""
    return not entry.guards and not is_repeated(entry.value)


def at(entries: tuple[Item, ...], index: int, act: Activation) -> Value | None:
    """What is at a position; None where that is not known."""
    entries = under(entries, act.state.guards)
    near = entries if index >= 0 else entries[::-1]
    try:
        return _pick(near, index if index >= 0 else -index - 1, NO_GUARDS, MAX_OPTIONAL, act)
    except OutOfRange:
        return None


def _pick(
    entries: tuple[Item, ...], count: int, guards: Guards, budget: int, act: Activation
) -> Value | None:
    """The item behind `count` others."""
    for position, entry in enumerate(entries):
        if is_repeated(entry.value):
            return None
        more = entry.guards - guards
        if more:
            return _if_there(entries[position:], count, guards, budget, act)
        if count == 0:
            return entry.value
        count -= 1
    raise OutOfRange


def _if_there(
    entries: tuple[Item, ...], count: int, guards: Guards, budget: int, act: Activation
) -> Value | None:
    if budget == 0:
        limits.count("optional items")
        return None
    first, rest = entries[0], entries[1:]
    more = first.guards - guards
    there, absent = guards | more, guards | otherwise(more, act)
    chosen = first.value if count == 0 else _pick(under(rest, there), count - 1, there, budget - 1, act)
    try:
        passed_by = _pick(under(rest, absent), count, absent, budget - 1, act)
    except OutOfRange:
        return None if chosen is None else only(chosen, more)
    if chosen is None or passed_by is None:
        return None
    return alternatives([(more, chosen), (otherwise(more, act), passed_by)])


def place(entries: tuple[Item, ...], index: int) -> int | None:
    """Where in `entries` a position lies that is certainly there; None for others."""
    if index >= 0:
        before = entries[: index + 1]
        return index if len(before) == index + 1 and all(map(is_single, before)) else None
    behind = entries[index:]
    return len(entries) + index if len(behind) == -index and all(map(is_single, behind)) else None


def bounds(key: Value) -> slice | None:
    """A slice of literals."""
    if not (isinstance(key, Op) and key.name == "slice"):
        return None
    parts = [strip(operand) for operand in key.operands]
    if not all(
        isinstance(part, Const) and (part.value is None or isinstance(part.value, int)) for part in parts
    ):
        return None
    return slice(*(part.value for part in parts if isinstance(part, Const)))


def cut(entries: tuple[Item, ...], asked: slice) -> tuple[Item, ...] | None:
    """A slice; None where its ends fall among items of which nobody knows how many there are."""
    if all(map(is_single, entries)):
        return entries[asked]
    if asked.step == -1 and asked.start is None and asked.stop is None:
        return entries[::-1]
    start = 0 if asked.start is None else _cut_at(entries, asked.start)
    stop = len(entries) if asked.stop is None else _cut_at(entries, asked.stop)
    if start is None or stop is None or asked.step not in (None, 1):
        return None
    return entries[start:stop]


def _cut_at(entries: tuple[Item, ...], index: int) -> int | None:
    """The place between items before which `index` cuts."""
    passed_by = entries[:index] if index >= 0 else entries[index:]
    if len(passed_by) < abs(index) or not all(map(is_single, passed_by)):
        return None
    return index if index >= 0 else len(entries) + index


def least_length(value: Value, act: Activation) -> int:
    """How many items a sequence has at least: `[a, *more, b]` and `[a] + more + [b]` have two."""
    plain = strip(value)
    match plain:
        case Op(name="add", operands=(left, right)):
            return least_length(left, act) + least_length(right, act)
        case Alternatives(branches=branches):
            return min(least_length(branch, act) for _, branch in branches)
        case _:
            held = act.machine.entries_of(plain, act)
            return sum(map(is_single, held)) if held is not None else 0

"""One run of a block of code: its variables, its heap, and the path that led there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loss_lint.symbolic.graph import (
    NO_GUARDS,
    Atom,
    Class,
    Frame,
    Guards,
    Loop,
    Object,
    Site,
    Value,
    alternatives,
    fresh_content,
    only,
)
from loss_lint.symbolic.heap import Heap

if TYPE_CHECKING:
    from loss_lint.symbolic.machine import Machine
    from loss_lint.syntax.module import SourceModule


@dataclass(slots=True, eq=False)
class State:
    """What changes from statement to statement. `dead` after return, raise, break and continue."""

    names: dict[str, Value]
    heap: Heap
    guards: Guards = NO_GUARDS
    dead: bool = False

    def fork(self, more: Guards = NO_GUARDS) -> State:
        return State(dict(self.names), self.heap.fork(), self.guards | more, self.dead)


@dataclass(slots=True, eq=False, weakref_slot=True)
class Activation:
    """A function's or a module's body while it is evaluated."""

    machine: Machine
    module: SourceModule
    frame: Frame
    state: State
    enclosing: Activation | None = None
    owner: Class | None = None
    receiver: Value | None = None
    loops: tuple[Loop, ...] = ()
    grad: bool = True
    returns: list[tuple[State, Value]] = field(default_factory=list)
    left_loop: list[State] = field(default_factory=list)
    # States that left a loop that is run item by item; None where `break` only ends an iteration of unknown number.
    broken: list[State] | None = None
    # What a generator yields, as a list.
    yielded: Object | None = None
    global_names: set[str] = field(default_factory=set)
    is_generator: bool = False
    is_class_body: bool = False
    trained: bool = False  # whether a framework runs backward on what is returned
    chosen: Guards = NO_GUARDS
    star_imports: tuple[tuple[str, int], ...] = ()
    # What tells the functions that one run defines from those of another.
    serial: int = field(default_factory=fresh_content)

    def end(self) -> None:
        """Let go of all that it knows: nothing will look at it any more."""
        self.state = State({}, Heap())
        self.returns, self.left_loop, self.broken = [], [], None


def without(guards: Guards, entry: Guards) -> Guards:
    return guards - entry if entry else guards


def _complementary(one: Guards, other: Guards) -> bool:
    """Whether exactly one of both holds: a single condition and its negation."""
    if len(one) != 1 or len(other) != 1:
        return False
    (left,), (right,) = one, other
    return left.content == right.content and left.truth != right.truth


def join(one: State, other: State, entry: Guards) -> State:
    """The state after two branches that both go on; `entry` are the guards before them."""
    if one.dead:
        return other
    if other.dead:
        return one
    mine, theirs = without(one.guards, entry), without(other.guards, entry)
    names: dict[str, Value] = {}
    for name, left in one.names.items():
        right = other.names.get(name)
        if right is None:
            names[name] = only(left, mine)
        else:
            names[name] = left if left is right else alternatives([(mine, left), (theirs, right)])
    for name, right in other.names.items():
        if name not in names:
            names[name] = only(right, theirs)
    heap = one.heap.join(other.heap, mine, theirs)
    guards = entry if _complementary(mine, theirs) else entry | (mine & theirs)
    return State(names, heap, guards)


def atom(condition: Value, polarity: bool) -> Guards:
    return frozenset({Atom(condition.content, polarity, condition)})


def otherwise(guards: Guards, act: Activation) -> Guards:
    """What holds where `guards` do not."""
    if len(guards) == 1:
        (single,) = guards
        return frozenset({Atom(single.content, not single.truth, single.condition)})
    where = Site(act.module.path, 1, 0, 1, 0)
    conditions = tuple(
        one.condition if one.truth else act.machine.python_op("not", (one.condition,), where, act)
        for one in sorted(guards, key=lambda one: one.content)
    )
    return atom(act.machine.python_op("and", conditions, where, act), False)

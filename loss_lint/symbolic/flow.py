"""Where results go: which operations use which, kept up to date while walks force calls and add more."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterator

from loss_lint.symbolic import limits
from loss_lint.symbolic.graph import (
    Accumulated,
    Alternatives,
    Const,
    Lazy,
    Leaf,
    Op,
    Pass,
    Phi,
    Tuple,
    Value,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.limits import MAX_DOWNSTREAM, MAX_PARTS

# What makes plain numbers or a copy outside the graph: nothing behind it is trained on.
_CUTS = frozenset({"item", "tolist", "numpy", "detach", "variable"})
BACKWARD = frozenset({"backward", "autograd_backward", "unknown_backward", "framework_backward"})


class Flow:
    """The operations of one root by what they use; each is looked at once, however often something asks."""

    def __init__(self, ops: list[Op], returned: list[Value]) -> None:
        self._ops = ops
        self._seen = 0
        # By the identity of what is used: the indices of the operations that use it, in their order.
        self._consumers: dict[int, list[int]] = {}
        # By the identity of an operation: those that it uses.
        self._used: dict[int, list[Op]] = {}
        # Operations with operands of which more may be known later.
        self._open: dict[int, tuple[Value, ...]] = {}
        self._reaching_backward: set[int] = set()
        self._open_returned = returned
        self._returned: set[int] = set()
        self._reaching_return: set[int] = set()
        self._backward: list[Op] = []

    def consumers(self, op: Op) -> list[Op]:
        self._catch_up()
        return [self._ops[index] for index in self._consumers.get(id(op), ())]

    def downstream(self, op: Op, *, without: Op | None = None, numbers: bool = False) -> Iterator[Op]:
        """What is computed from `op`, nearest first; of the plain `numbers` made of it as well, on request."""
        seen = {id(op)}
        pending = deque((op,))
        while pending and len(seen) < MAX_DOWNSTREAM:
            current = pending.popleft()
            if current.name in _CUTS and not numbers:
                continue
            for consumer in self.consumers(current):
                if id(consumer) not in seen and consumer is not without:
                    seen.add(id(consumer))
                    yield consumer
                    pending.append(consumer)
        if pending:
            limits.count("uses")

    def backward(self) -> list[Op]:
        """Every `backward()` that the root runs."""
        self._catch_up()
        return self._backward

    def reaches_backward(self, op: Op) -> bool:
        self._catch_up()
        return id(op) in self._reaching_backward

    def is_returned(self, op: Op) -> bool:
        self._look_at_returned()
        return id(op) in self._returned

    def reaches_return(self, op: Op) -> bool:
        self._catch_up()
        self._look_at_returned()
        return id(op) in self._reaching_return

    def _catch_up(self) -> None:
        """Look at the operations that are new, and again at what was not known in full."""
        if self._seen == len(self._ops):
            return
        waiting, self._open = self._open, {}
        for index, given in waiting.items():
            self._note(index, given)
        for index in range(self._seen, len(self._ops)):
            consumer = self._ops[index]
            given = consumer.operands
            if consumer.name in BACKWARD:  # `accelerator.backward(loss)` looks like a gradient argument
                self._backward.append(consumer)
                given += tuple(value for _, value in consumer.parameters)
            self._note(index, given)
        self._seen = len(self._ops)

    def _look_at_returned(self) -> None:
        still_open: list[Value] = []
        for value in self._open_returned:
            waiting: list[Value] = []
            for part in parts(value, waiting):
                if isinstance(part, Op) and id(part) not in self._returned:
                    self._returned.add(id(part))
                    self._mark_used(part, self._reaching_return)
            if waiting:
                still_open.append(value)
        self._open_returned = still_open

    def _note(self, index: int, given: tuple[Value, ...]) -> None:
        """Enter an operation as a consumer of what it is given."""
        waiting: list[Value] = []
        for operand in given:
            if type(operand) is Const:
                continue
            for part in parts(operand, waiting):
                if isinstance(part, Op):
                    self._connect(part, index)
        if waiting:
            self._open[index] = given

    def _connect(self, used: Op, index: int) -> None:
        consumer = self._ops[index]
        known = self._consumers.setdefault(id(used), [])
        if not known or known[-1] < index:
            known.append(index)
        elif known[-1] == index or index in known:
            return
        else:
            insort(known, index)
        self._used.setdefault(id(consumer), []).append(used)
        if used.name in _CUTS:
            return
        if consumer.name in BACKWARD or id(consumer) in self._reaching_backward:
            self._mark(used, self._reaching_backward)
        if id(consumer) in self._returned or id(consumer) in self._reaching_return:
            self._mark(used, self._reaching_return)

    def _mark_used(self, consumer: Op, reaching: set[int]) -> None:
        for used in self._used.get(id(consumer), ()):
            if used.name not in _CUTS:
                self._mark(used, reaching)

    def _mark(self, op: Op, reaching: set[int]) -> None:
        """`op` reaches a goal, and so does all that it is computed from."""
        pending = [op]
        while pending:
            current = pending.pop()
            if id(current) not in reaching:
                reaching.add(id(current))
                pending.extend(used for used in self._used.get(id(current), ()) if used.name not in _CUTS)


def parts(value: Value, waiting: list[Value] | None = None) -> Iterator[Value]:
    """What a value may be, joins and arguments taken off; of a container or unknown call, what is in it.

    Calls that were put off and loops that are still open, which may turn out to be more, are added to `waiting`.
    """
    pending: list[Value] = [value]
    seen: set[int] = set()
    while pending and len(seen) < MAX_PARTS:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        match current:
            case Pass(value=inner):
                pending.append(inner)
            case Alternatives(branches=branches):
                pending.extend(branch for _, branch in branches)
            case Phi(init=init, next=following):
                pending.extend(one for one in (init, following) if one is not None)
                if following is None and waiting is not None:
                    waiting.append(current)
            case Accumulated(init=init, terms=terms):
                pending.extend((init, *terms))
            case Tuple(items=items):
                pending.extend(items)
            case Lazy(home=home, result=result) if home is not None or result is not None:
                pending.append(current.caller.machine.force(current))
            case Lazy():
                yield current
                if waiting is not None:
                    waiting.append(current)
            case Leaf(role="call", operands=operands):
                pending.extend(operands)
            case Op(name="getitem" | "getattr", operands=(base, *_)) if not isinstance(strip(base), Op):
                yield current
                pending.append(base)
            case _:
                yield current
    if pending:
        limits.count("uses")

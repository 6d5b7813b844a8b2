"""Which parts of a witness's graph have to run, and which may be cut off and made inputs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from loss_lint.symbolic.edits import ReplaceOperand, Witness
from loss_lint.symbolic.graph import Accumulated, Guards, Op, Tuple, Value
from loss_lint.symbolic.sums import as_sum
from loss_lint.symbolic.walk import View, views

# What is not met within so many nodes and readings is cut off.
MAX_NODES = 1500
MAX_READINGS = 24


def readings(value: Value, guards: Guards) -> list[View]:
    return list(islice(views(value, guards), MAX_READINGS))


def parts(node: Value) -> tuple[Value, ...]:
    """What a node is directly computed from."""
    match node:
        case Op(operands=operands, parameters=parameters):
            return (*operands, *(value for _, value in parameters))
        case Tuple(items=items):
            return items
        case Accumulated(init=init, terms=terms):
            return (init, *terms)
        case _:
            return ()


class Reach:
    """The operations that a witness names, and what leads to them."""

    def __init__(self, witness: Witness) -> None:
        self.guards = witness.guards
        self.operations = {id(op) for op in witness.spine} | {id(edit.op) for edit in witness.edits}
        self.contents = {
            view.node.content
            for edit in witness.edits
            if isinstance(edit, ReplaceOperand)
            for view in readings(edit.value, witness.guards)
        }
        self._known: dict[int, bool] = {}
        self._alive: list[Value] = []  # what is known by `id` must not be freed
        program = list(self._nodes(witness.root))
        self._program = {id(node) for node in program}
        self.iterated = frozenset(
            content
            for node in program
            if (summed := as_sum(node)) is not None and summed.loop.iterable is not None
            for content in self._iterated(summed.loop.iterable)
        )

    def _iterated(self, iterable: Value) -> Iterator[int]:
        """The contents of what a loop runs over, `enumerate`, `zip` and `range(len(...))` taken off."""
        for view in readings(iterable, self.guards):
            yield view.node.content
            match view.node:
                case Op(name="enumerate" | "zip", operands=operands):
                    for operand in operands:
                        yield from self._iterated(operand)
                case Op(name="range", operands=(Op(name="len", operands=(inner,)),)):
                    yield from self._iterated(inner)

    def is_named(self, node: Value) -> bool:
        return id(node) in self.operations

    def is_of_program(self, op: Op) -> bool:
        """Whether `op` is the program's; all others were made by a rule and stand for a corrected program."""
        return id(op) in self._program

    def leads(self, node: Value) -> bool:
        """Whether `node` is one of the operations or values named, or is computed from one."""
        known = self._known.get(id(node))
        if known is None:
            known = any(
                id(part) in self.operations or part.content in self.contents for part in self._nodes(node)
            )
            self._known[id(node)] = known
            self._alive.append(node)
        return known

    def lies_behind(self, node: Value) -> bool:
        """Whether `node` is computed from an operation or value named; being one of the values is not enough."""
        if node.content not in self.contents:
            return self.leads(node)
        return any(self.leads(view.node) for part in parts(node) for view in readings(part, self.guards))

    def _nodes(self, start: Value) -> Iterator[Value]:
        seen: set[int] = set()
        pending = [start]
        while pending and len(seen) < MAX_NODES:
            for view in readings(pending.pop(), self.guards):
                node = view.node
                if id(node) not in seen:
                    seen.add(id(node))
                    self._alive.append(node)
                    yield node
                    pending.extend(parts(node))

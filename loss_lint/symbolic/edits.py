"""Edits of the graph: the primitives from which every repair is made, and the witness that they are applied to."""

from __future__ import annotations

from dataclasses import dataclass

from loss_lint.symbolic.graph import Guards, Op, Value


@dataclass(frozen=True, slots=True, eq=False)
class Bypass:
    """`op`'s result is its operand number `operand` instead."""

    op: Op
    operand: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Rename:
    """`op` is the operation `name` instead, with `parameters` added to its own (those in `drop` left out)."""

    op: Op
    name: str
    parameters: tuple[tuple[str, Value], ...] = ()
    drop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SetParameter:
    """`op`'s parameter `name` is `value` instead."""

    op: Op
    name: str
    value: Value


@dataclass(frozen=True, slots=True, eq=False)
class ReplaceOperand:
    """`op`'s operand number `operand` is `value` (a node of the same witness) instead."""

    op: Op
    operand: int
    value: Value


@dataclass(frozen=True, slots=True, eq=False)
class Wrap:
    """`op`'s operand number `operand` goes through the operation `name` first."""

    op: Op
    operand: int
    name: str
    parameters: tuple[tuple[str, Value], ...] = ()


GraphEdit = Bypass | Rename | SetParameter | ReplaceOperand | Wrap


@dataclass(frozen=True, slots=True, eq=False)
class Witness:
    """A finding's own expression: what the harness runs and what fixes rewrite.

    `root` is the outermost operation. `spine` are the operations from the root to the culprit, root first:
    these are executed as they are, and everything beside them is a leaf by its role. Under `guards` every join on
    the way has one reading. `edits` make the flagged expression the fixed one. `completion` names the loss that
    completes an expression whose loss is not in sight.
    """

    root: Op
    spine: tuple[Op, ...]
    guards: Guards
    edits: tuple[GraphEdit, ...]
    completion: str | None = None

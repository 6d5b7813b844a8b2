"""Edits of the graph: the primitives from which every repair is made, and the witness that they are applied to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from loss_lint.symbolic.facts import BROADCASTS, is_hand_rolled_softmax
from loss_lint.symbolic.graph import Guards, Op, Site, Value, fresh_content
from loss_lint.symbolic.walk import origins, views


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
    """`op`'s operand number `operand` is `value` instead: a node of the same witness, or what is written as `text`."""

    op: Op
    operand: int
    value: Value
    text: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Wrap:
    """`op`'s operand number `operand` goes through the operation `name` first.

    As text that is a method call, written behind the operand, or behind `argument` where it comes in by that one.
    With `is_written` False it may be no tensor, or need other parameters, which only the harness can tell.
    """

    op: Op
    operand: int
    name: str
    parameters: tuple[tuple[str, Value], ...] = ()
    argument: Site | None = None
    is_written: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Swap:
    """`op`'s first two operands change places; in the text as well, if `is_written`."""

    op: Op
    is_written: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Instantiate:
    """What `op`, a loss, takes is written as arguments of its class: they belong to an instance's call.

    The graph has the loss already; only the text says otherwise.
    """

    op: Op


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """The method that `op` reads is another one, `name`: what is called is no operation of torch.

    Only the text says so; the numbers of the graph come from what the completion makes of them.
    """

    op: Op
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Sort:
    """The set that is made at `made` is sorted where its order counts, which the target of `op` follows.

    Only the text says so; the numbers of the graph come from what the completion makes of them.
    """

    op: Op
    made: Site


GraphEdit = Call | Sort | Instantiate | Bypass | Rename | SetParameter | ReplaceOperand | Wrap | Swap


@dataclass(frozen=True, slots=True, eq=False)
class Witness:
    """A finding's own expression: what the harness runs and what fixes rewrite.

    `root` is the outermost operation. `spine` are the operations from the root to the culprit, root first:
    these are executed as they are, and everything beside them is a leaf by its role. Under `guards` every join on
    the way has one reading. `edits` make the flagged expression the fixed one. `completion` names the loss that
    completes an expression whose loss is not in sight. `safe` says that the edits change no number, `repair`
    what they do, in words: without any they only correct the graph, as the author alone knows what to write.
    """

    root: Op
    spine: tuple[Op, ...]
    guards: Guards
    edits: tuple[GraphEdit, ...]
    completion: str | None = None
    safe: bool = False
    repair: str = ""


def edited(op: Op, edits: Iterable[GraphEdit], guards: Guards) -> Value:
    """What stands in `op`'s place once `edits` are made: an operand of it, or an operation like it.

    Only the edits of `op` itself are made; what its operands become is the caller's walk. A hand-rolled softmax
    is one operation here: bypassed, its logits stand in its place; renamed, the new operation takes them.
    """
    own = [edit for edit in edits if edit.op is op]
    for edit in own:
        if isinstance(edit, Bypass):
            rolled = hand_rolled(op, guards) if edit.operand == 0 else None
            return op.operands[edit.operand] if rolled is None else rolled[0]
    result = op
    for edit in own:
        result = _edited(result, edit, guards)
    return result


def _edited(op: Op, edit: GraphEdit, guards: Guards) -> Op:
    match edit:
        case Rename(name=name, parameters=parameters, drop=drop):
            rolled = hand_rolled(op, guards)
            if rolled is not None:
                return _remade(op, name, (rolled[0],), {"dim": rolled[1]} | dict(parameters))
            kept = {key: value for key, value in op.parameters if key not in drop}
            return _remade(op, name, op.operands, kept | dict(parameters))
        case SetParameter(name=name, value=value):
            return _remade(op, op.name, op.operands, dict(op.parameters) | {name: value})
        case ReplaceOperand(operand=slot, value=value):
            return _remade(op, op.name, _with(op.operands, slot, value), dict(op.parameters))
        case Wrap(operand=slot, name=name, parameters=parameters):
            inner = _remade(op, name, (op.operands[slot],), dict(parameters))
            return _remade(op, op.name, _with(op.operands, slot, inner), dict(op.parameters))
        case Swap():
            first, second, *rest = op.operands
            return _remade(op, op.name, (second, first, *rest), dict(op.parameters))
        case Bypass() | Instantiate() | Call() | Sort():
            return op


def hand_rolled(op: Op, guards: Guards) -> tuple[Value, Value, Site | None] | None:
    """The logits and the dim of `exp(a) / exp(a).sum(dim)`, and where these logits are written; None for all else."""
    if op.name != "div" or not is_hand_rolled_softmax(op, guards):
        return None
    top = next(view.node for view in views(op.operands[0], guards))
    bottom = next(view.node for view in origins(op.operands[1], guards, through=BROADCASTS))
    assert isinstance(top, Op)
    assert isinstance(bottom, Op)
    dim = bottom.parameter("dim")
    assert dim is not None
    return top.operands[0], dim, top.slots[0]


def _with(operands: tuple[Value, ...], slot: int, value: Value) -> tuple[Value, ...]:
    return (*operands[:slot], value, *operands[slot + 1 :])


def _remade(op: Op, name: str, operands: tuple[Value, ...], parameters: dict[str, Value]) -> Op:
    """An operation at the place of `op`; as it is none of the program's, its content equals no other's."""
    slots = op.slots if len(op.slots) == len(operands) else (None,) * len(operands)
    return replace(
        op,
        name=name,
        operands=operands,
        parameters=tuple(parameters.items()),
        slots=slots,
        content=fresh_content(),
    )

"""From a finding's graph to the expression that runs: one reading of every join, unknowns as inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal as OneOf

from loss_lint import catalogue
from loss_lint.harness.expression import BATCHES, Apply, Input, Items, Literal, Named, Node, Side
from loss_lint.harness.parameters import SAMPLES, WEIGHTS, applied
from loss_lint.harness.reach import Reach, readings
from loss_lint.symbolic.edits import Bypass, GraphEdit, Witness, edited
from loss_lint.symbolic.facts import is_hand_rolled_softmax
from loss_lint.symbolic.graph import Accumulated, Const, External, Leaf, Object, Op, Tuple, Value
from loss_lint.symbolic.heap import Heap
from loss_lint.symbolic.labels import is_class_index
from loss_lint.symbolic.naming import name_of
from loss_lint.symbolic.root import parts
from loss_lint.symbolic.shapes import shape_of
from loss_lint.symbolic.sums import as_sum
from loss_lint.symbolic.walk import KEEPING, View, effect

# How much of the graph runs: the spine with everything beside it cut off; the same without what only moves
# numbers; all that is known.
Extent = OneOf["spine", "bare", "whole"]
EXTENTS: tuple[Extent, ...] = ("spine", "bare", "whole")

# Tensors that hold nothing but what their name says; all others are inputs.
_FILLED = frozenset(
    {"zeros", "ones", "full", "empty", "eye", "zeros_like", "ones_like", "full_like", "empty_like",
     "new_zeros", "new_ones", "new_full", "new_empty"}
)  # fmt: skip
_NUMBERS = frozenset({"size", "len", "numel", "dim", "slice", "range"})
_ARITHMETIC = frozenset({"add", "sub", "mul", "div", "floor_divide", "pow", "neg", "reciprocal", "remainder"})
_MAX_DEPTH = 200


# As many items are in a list that a loop makes.
REPEATED = 2


class Unrunnable(Exception):
    """The expression cannot be executed, for a reason that is not torch's."""


def lower(witness: Witness, edits: Sequence[GraphEdit], extent: Extent, reach: Reach | None = None) -> Node:
    """The witness as an expression, with `edits` made."""
    return _Lowering(witness, edits, extent, reach or Reach(witness)).node(witness.root, "", 0)


class _Lowering:
    def __init__(self, witness: Witness, edits: Sequence[GraphEdit], extent: Extent, reach: Reach) -> None:
        self.witness = witness
        self.edits = edits
        self.extent = extent
        self.reach = reach
        self.done: dict[tuple[int, Side], Node] = {}
        self.alive: list[Value] = []
        self.heap: Heap | None = None
        self.iterated = reach.iterated
        self.in_loop = False

    def node(self, value: Value, side: Side, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise Unrunnable("the expression nests too deeply")
        view = self._reading(value)
        if view is None:
            raise Unrunnable("a value has no reading under the finding's conditions")
        node = view.node
        heap, self.heap = self.heap, view.heap or self.heap
        try:
            return self._of(node, side, depth)
        finally:
            self.heap = heap

    def _reading(self, value: Value) -> View | None:
        found = readings(value, self.witness.guards)
        for view in found:
            if self.reach.is_named(view.node):
                return view
        for view in found:
            if self.reach.leads(view.node):
                return view
        return found[0] if found else None

    def _of(self, node: Value, side: Side, depth: int) -> Node:
        match node:
            case Const(value=plain):
                return Literal(plain)
            case Tuple(items=items):
                return Items(tuple(self.node(item, side, depth + 1) for item in items))
            case External(name=name):
                return Named(name)
            case Op() if not self._is_edited(node) and (summed := as_sum(node)) is not None:
                return self._accumulated(summed, side, depth)
            case Op():
                key = (id(node), side)
                if key not in self.done:
                    self.alive.append(node)
                    self.done[key] = self._operation(node, side, depth)
                return self.done[key]
            case Accumulated():
                return self._accumulated(node, side, depth)
            case Leaf(role="index", operands=(iterated, *_)) if (
                self._is_iterated(iterated) and not self.in_loop
            ):
                return Literal(BATCHES - 1)  # what the last iteration leaves
            case Object():
                return self._container(node, side, depth)
            case _:
                return self._input(node, side)

    def _is_edited(self, op: Op) -> bool:
        """Whether an addition itself is repaired: one iteration of its loop is run then."""
        return any(edit.op is op for edit in self.witness.edits)

    def _accumulated(self, node: Accumulated, side: Side, depth: int) -> Node:
        init = self.node(node.init, side, depth + 1)
        outside, self.in_loop = self.in_loop, True
        try:
            terms = tuple(self.node(term, side, depth + 1) for term in node.terms)
        finally:
            self.in_loop = outside
        return Apply("accumulated", (init, *terms))

    def _length(self, op: Op) -> Node | None:
        """Behind a loop over batches: the number of these, or of the samples in all of them."""
        if op.name != "len" or not self.iterated or (self.in_loop and _is_of_batch(op.operands[0])):
            return None
        view = self._reading(op.operands[0])
        for edit in self.edits:
            if view is not None and isinstance(edit, Bypass) and edit.op is view.node:
                view = self._reading(edit.op.operands[edit.operand])
        if view is not None and view.node.content in self.iterated:
            return Literal(BATCHES)
        return Apply("mul", (SAMPLES, Literal(BATCHES)))

    def _is_iterated(self, value: Value) -> bool:
        return any(view.node.content in self.iterated for view in readings(value, self.witness.guards))

    def _container(self, node: Object, side: Side, depth: int) -> Node:
        record = self.heap.get(node.content) if self.heap is not None else None
        if record is None or record.open or any(item.key is not None for item in record.items):
            return self._input(node, side)
        return Items(tuple(self.node(item.value, side, depth + 1) for item in record.items))

    def _operation(self, op: Op, side: Side, depth: int) -> Node:
        length = self._length(op)
        if length is not None:
            return length
        if not self._runs(op, side):
            return self._input(op, side)
        changed = edited(op, self.edits, self.witness.guards)
        if any(isinstance(edit, Bypass) and edit.op is op for edit in self.edits):
            return self.node(changed, side, depth + 1)
        assert isinstance(changed, Op)
        if effect(changed) == "layer" or changed.name == "getattr":
            return self._through(changed, side, depth)
        if self.extent == "bare" and self._only_moves(op):
            return self.node(self._joined(changed.operands[0])[0], side, depth + 1)
        operands = tuple(
            self.node(part, _side_of(changed, slot, side), depth + 1)
            for slot, operand in enumerate(changed.operands)
            for part in (self._joined(operand) if effect(changed) == "combine" else (operand,))
        )
        parameters = [(key, self._parameter(key, value, depth)) for key, value in changed.parameters]
        return applied(changed.name, operands, parameters, changed.site)

    def _joined(self, operand: Value) -> tuple[Value, ...]:
        """What is joined: of a list that a loop made, a few of its items."""
        view = self._reading(operand)
        if view is not None and isinstance(view.node, Op) and view.node.name == "comprehension":
            return view.node.operands[:1] * REPEATED
        return (operand,)

    def _parameter(self, key: str, value: Value, depth: int) -> Node:
        """A parameter; class weights that are written down run, as they tell how many classes there are."""
        known = self._reading(value)
        if known is not None and isinstance(known.node, Accumulated):
            return self._input(known.node, "")
        if known is not None and isinstance(known.node, Leaf) and known.node.default is not None:
            return Literal(known.node.default.value)
        view = known if key in WEIGHTS else None
        while view is not None and isinstance(view.node, Op) and effect(view.node) in ("keep", "cast"):
            view = self._reading(view.node.operands[0])
        if view is None or not isinstance(view.node, Op) or effect(view.node) != "create":
            return self.node(value, "", depth + 1)
        operands = tuple(self.node(operand, "", depth + 1) for operand in view.node.operands)
        own = [(name, self.node(given, "", depth + 1)) for name, given in view.node.parameters]
        return applied(view.node.name, operands, own, view.node.site)

    def _runs(self, op: Op, side: Side) -> bool:
        if self.reach.is_named(op) or not self.reach.is_of_program(op):
            return True
        kind = effect(op)
        if kind == "layer" or op.name == "getattr":
            return self.reach.lies_behind(op)
        if op.name in _FILLED or op.name in _NUMBERS or self.reach.lies_behind(op):
            return True
        if self._is_inside_softmax(op) or (not side and (kind == "create" or _is_number(op))):
            return True
        return self.extent == "whole" and kind != "other" and not self._is_projection(op)

    def _is_inside_softmax(self, op: Op) -> bool:
        """Whether `op` is a part of a hand-rolled softmax that runs."""
        for named in (*self.witness.spine, *(edit.op for edit in self.edits)):
            if named.name == "div" and is_hand_rolled_softmax(named, self.witness.guards):
                return _is_under(op, named, self.witness)
        return False

    def _is_projection(self, op: Op) -> bool:
        """Whether `op` is a part of something unknown: `batch[1]`, whose rank says nothing of `batch`'s."""
        if op.name not in ("getitem", "getattr") or not op.operands:
            return False
        base = self._reading(op.operands[0])
        return base is None or not isinstance(base.node, Op)

    def _only_moves(self, op: Op) -> bool:
        """Whether the operation can be left out without a number changing."""
        if (
            op is self.witness.root
            or op is self.witness.spine[-1]
            or any(edit.op is op for edit in self.edits)
        ):
            return False
        moves = effect(op) in KEEPING - {"cast"} or op.name in ("getattr", "cat", "stack")
        return bool(op.operands) and moves

    def _through(self, op: Op, side: Side, depth: int) -> Node:
        """A layer: an input of its own, unless what the witness names lies behind it."""
        if op.operands and not self.reach.is_named(op) and self.reach.leads(op):
            return self.node(op.operands[0], side, depth + 1)
        if op.operands and op is not self.witness.spine[-1] and self._leads_on(op):
            return self.node(op.operands[0], side, depth + 1)
        return self._input(op, side)

    def _leads_on(self, op: Op) -> bool:
        return any(
            self.reach.leads(view.node)
            for operand in op.operands[:1]
            for view in readings(operand, self.witness.guards)
        )

    def _input(self, node: Value, side: Side) -> Input:
        self.alive.append(node)
        content = node.content
        # Where what moves numbers is left out, dimensions are not what they are in the program.
        shape = shape_of(node, self.witness.guards)
        rank = shape.rank if self.extent != "bare" else None
        last = shape.size(-1 if rank is None or rank < 2 else 1)
        classes = self._classes(node) or (last if last == 1 else None)
        return Input(content, side, classes, name_of(node), _is_integer(node), rank)

    def _classes(self, node: Value) -> int | None:
        """The last layer's number of outputs, seen through what keeps the last dimension."""
        for _ in range(20):
            if not isinstance(node, Op):
                return None
            for name in ("out_features", "out_channels"):
                value = node.parameter(name)
                if value is not None:
                    known = self._reading(value)
                    return _count(known.node) if known is not None else None
            if not node.operands or effect(node) not in ("keep", "cast", "softmax", "log_softmax", "sigmoid"):
                return None
            if node.name in (
                "view",
                "reshape",
                "flatten",
                "squeeze",
                "unsqueeze",
                "transpose",
                "permute",
                "t",
            ):
                return None
            inner = self._reading(node.operands[0])
            if inner is None:
                return None
            node = inner.node
        return None


def _count(node: Value) -> int | None:
    return node.value if isinstance(node, Const) and isinstance(node.value, int) else None


def _side_of(op: Op, slot: int, side: Side) -> Side:
    """The side of a loss that an operand is on; what is on one side already stays there.

    An index that is written to is on none: the row numbers in it are to be what they are.
    """
    if op.name == "setitem" and slot == 1:
        return ""
    loss = catalogue.loss(op.name)
    if loss is None:
        return side
    return "target" if slot < len(loss.operands) and loss.operands[slot].startswith("target") else "input"


def _is_of_batch(value: Value) -> bool:
    """Whether `value` is computed from what a loop has got in this iteration."""
    pending: list[Value] = [value]
    for _ in range(200):
        if not pending:
            return False
        for part in parts(pending.pop()):
            if isinstance(part, Leaf) and part.role in ("element", "index"):
                return True
            if isinstance(part, Op | Leaf):
                pending.extend(part.operands)
    return True


def _is_number(value: Value) -> bool:
    """Whether `value` is arithmetic on numbers and unknowns alone."""
    while hasattr(value, "value") and not isinstance(value, Const):
        value = value.value
    match value:
        case Const(value=int() | float()) | Leaf():
            return True
        case Op(name=name) if name in _NUMBERS:
            return True
        case Op(name=name, operands=operands) if name in _ARITHMETIC:
            return all(_is_number(operand) for operand in operands)
        case _:
            return False


def _is_integer(node: Value) -> bool:
    """Whether a value that is cut off is known to hold integers."""
    return isinstance(node, Op) and (node.name in _INTEGERS or is_class_index(node))


_INTEGERS = frozenset(
    {"to_long", "to_int", "to_short", "to_byte", "to_char", "to_bool", "long_tensor", "int_tensor", "randint",
     "arange", "one_hot", "argmax", "argmin"}
)  # fmt: skip


def _is_under(op: Op, top: Op, witness: Witness) -> bool:
    """Whether `op` is an exponential, or what sums it and brings the sum to its shape, inside `top`."""
    pending: list[Value] = list(top.operands)
    for _ in range(12):
        if not pending:
            return False
        for view in readings(pending.pop(), witness.guards)[:1]:
            if view.node is op:
                return True
            if isinstance(view.node, Op) and view.node.name != "exp":
                pending.extend(view.node.operands[:1])
    return False

"""Shapes of tensors: their rank and sizes as far as they are known, dimension by dimension.

What the program does not say stays unknown, and so does what two readings of a value say differently. Of a model's
input nothing is assumed but that convolutions, and recurrent layers with `batch_first`, get batches, and that
a batch has more than one sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from loss_lint.catalogue.names import counts_samples
from loss_lint.symbolic import layer_shapes
from loss_lint.symbolic.extents import SCALAR, UNKNOWN, Shape, broadcast, common
from loss_lint.symbolic.facts import reduction
from loss_lint.symbolic.graph import NO_GUARDS, Accumulated, Const, Frame, Guards, Leaf, Op, Tuple, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.loaders import is_loader_index
from loss_lint.symbolic.numbers import integer, integers, is_none, sizes_of
from loss_lint.symbolic.walk import View, Walk, effect, views

# Operations that a shape is computed through, one below the other; what lies deeper is unknown.
MAX_DEPTH = 60


# What all rules ask of one root's values; a value is kept, so that no other one gets its number.
_known: dict[tuple[int, Guards, bool], tuple[Value, Shape]] = {}


def forget_shapes() -> None:
    """Drop what is remembered of values: there are others now, or there will be more to know of these."""
    _known.clear()


class Shapes:
    """The shapes of one expression's values, as far as one walk gets."""

    def __init__(self) -> None:
        self._walk = Walk()

    def of(
        self, value: Value, guards: Guards = NO_GUARDS, depth: int = 0, *, of_sample: bool = False
    ) -> Shape:
        """What all readings of `value` under `guards` have in common.

        What a data set computes is one sample; where a loop gets batches of it, nothing is known (`of_sample`).
        """
        key = (id(value), guards, of_sample)
        known = _known.get(key)
        if known is not None:
            return known[1]
        if depth > MAX_DEPTH:
            return UNKNOWN
        _known[key] = (value, UNKNOWN)  # what a value is computed from in a circle
        shape = self._joined(value, guards, depth, of_sample=of_sample)
        if self._walk.exhausted:
            del _known[key]  # another walk may know it
        else:
            _known[key] = (value, shape)
        return shape

    def _joined(self, value: Value, guards: Guards, depth: int, *, of_sample: bool) -> Shape:
        found: Shape | None = None
        for view in views(value, guards, self._walk):
            shape = self.at(view, depth, of_sample=of_sample)
            found = shape if found is None else common(found, shape)
            if found == UNKNOWN:
                return UNKNOWN
        return UNKNOWN if found is None or self._walk.exhausted else found

    def at(self, view: View, depth: int = 0, *, of_sample: bool = False) -> Shape:
        """The shape of one reading."""
        node = view.node
        if isinstance(node, Op) and not of_sample and _is_of_sample(node):
            return UNKNOWN
        match node:
            case Const(value=bool() | int() | float()):
                return SCALAR
            case Leaf(default=Const(value=int() | float())):
                return SCALAR
            case Leaf(name=name) if counts_samples(name):
                return SCALAR
            case Accumulated(init=init, terms=terms):
                parts = [self.of(part, view.guards, depth + 1) for part in (init, *terms)]
                return broadcast(parts)
            case Op():
                return _Step(self, node, view.guards, depth + 1).shape()
            case _:
                return UNKNOWN


def _is_of_sample(op: Op) -> bool:
    """Whether a data set's `__getitem__` computes `op`."""
    frame: Frame | None = op.frame
    while frame is not None:
        if frame.name == "__getitem__":
            return True
        frame = frame.parent
    return False


def shape_of(value: Value, guards: Guards = NO_GUARDS) -> Shape:
    """What is known of the shape of `value` under `guards`."""
    return Shapes().of(value, guards)


class _Step:
    """One operation and the shapes of what it takes."""

    def __init__(self, shapes: Shapes, op: Op, guards: Guards, depth: int) -> None:
        self.shapes = shapes
        self.op = op
        self.guards = guards
        self.depth = depth

    def of(self, value: Value) -> Shape:
        return self.shapes.of(value, self.guards, self.depth, of_sample=_is_of_sample(self.op))

    def operand(self, slot: int = 0) -> Shape:
        return self.of(self.op.operands[slot]) if slot < len(self.op.operands) else UNKNOWN

    def number(self, name: str, default: int | None = None) -> int | None:
        given = self.op.parameter(name)
        return default if given is None else integer(given, self.guards)

    def shape(self) -> Shape:
        op = self.op
        own = _BY_NAME.get(op.name)
        if own is not None:
            return own(self)
        kind = effect(op)
        if kind == "layer":
            return layer_shapes.layer(op, self.operand(), self.guards)
        if kind == "loss":
            return self._loss()
        if kind == "size" or op.name == "item":
            return SCALAR if op.name != "size" or op.parameter("dim") is not None else UNKNOWN
        if kind == "reduce" or op.name in ("argmax", "argmin"):
            return self._reduced()
        if kind == "arithmetic" and op.name in _ELEMENTWISE:
            return broadcast(self.operand(slot) for slot in range(len(op.operands)))
        if kind == "compare":
            return broadcast(self.operand(slot) for slot in range(len(op.operands)))
        if kind in _SAME or op.name in _MOVES:
            return self.operand()
        return UNKNOWN

    def _loss(self) -> Shape:
        return SCALAR if reduction(self.op, self.guards) in ("mean", "sum", "batchmean") else UNKNOWN

    def _reduced(self) -> Shape:
        op, shape = self.op, self.operand()
        given = op.parameter("dim")
        if given is None or is_none(given):
            return SCALAR if op.name not in ("logsumexp", "mode") else UNKNOWN
        keeps = op.parameter("keepdim")
        kept = False if keeps is None or is_none(keeps) else _truth(keeps)
        dims = integers(given, self.guards)
        if dims is None or kept is None:
            return UNKNOWN
        return shape.kept(dims) if kept else shape.without(dims)

    # Operations that move, add and drop dimensions

    def unsqueeze(self) -> Shape:
        at = self.number("dim")
        return UNKNOWN if at is None else self.operand().inserted(at, 1)

    def squeeze(self) -> Shape:
        given = self.op.parameter("dim")
        if given is None or is_none(given):
            return self.operand().squeezed()
        dims = integers(given, self.guards)
        return UNKNOWN if dims is None else self.operand().squeezed(dims)

    def view(self) -> Shape:
        given = self.op.parameter("size") or self.op.parameter("shape")
        return UNKNOWN if given is None else self._sized(given, self.operand())

    def view_as(self) -> Shape:
        return self.operand(1)

    def _sized(self, given: Value, before: Shape = UNKNOWN) -> Shape:
        """The shape that is given by sizes, one of which may be -1, or as another tensor's `shape`."""
        sizes = sizes_of(given, self.guards)
        if sizes is None:
            alone = strip(given)
            if isinstance(alone, Tuple) and len(alone.items) == 1:
                alone = strip(alone.items[0])
            whole = isinstance(alone, Op) and alone.name == "size" and alone.parameter("dim") is None
            return self.of(alone.operands[0]) if whole and isinstance(alone, Op) else UNKNOWN
        rest = before.elements()
        if sizes.count(-1) == 1 and rest is not None and None not in sizes:
            others = 1
            for size in sizes:
                others *= size if size is not None and size != -1 else 1
            sizes = [rest // others if size == -1 and others else size for size in sizes]
        return Shape(tuple(size if size is not None and size >= 0 else None for size in sizes))

    def flatten(self) -> Shape:
        return self.operand().flattened(self.number("start_dim", 0), self.number("end_dim", -1))

    def ravel(self) -> Shape:
        return Shape((self.operand().elements(),))

    def transpose(self) -> Shape:
        one, other = (
            self.number(first) if self.op.parameter(first) is not None else self.number(second)
            for first, second in (("dim0", "axis0"), ("dim1", "axis1"))
        )
        return UNKNOWN if one is None or other is None else self.operand().swapped(one, other)

    def t(self) -> Shape:
        shape = self.operand()
        return shape if shape.rank == 1 else shape.swapped(-1, -2)

    def permute(self) -> Shape:
        given = self.op.parameter("dims")
        order = integers(given, self.guards) if given is not None else None
        return UNKNOWN if order is None else self.operand().permuted(order)

    def expand(self) -> Shape:
        given = self.op.parameter("size")
        sizes = sizes_of(given, self.guards) if given is not None else None
        if sizes is None:
            return UNKNOWN
        before = self.operand()
        known = [
            before.size(position - len(sizes)) if size == -1 else size for position, size in enumerate(sizes)
        ]
        return Shape(tuple(known))

    def repeat(self) -> Shape:
        given = self.op.parameter("repeats")
        times = sizes_of(given, self.guards) if given is not None else None
        if times is None:
            return UNKNOWN
        before = self.operand()
        sizes: list[int | None] = []
        for position, count in enumerate(times):
            behind = position - len(times)
            size = 1 if before.rank is not None and -behind > before.rank else before.size(behind)
            sizes.append(None if size is None or count is None else size * count)
        return Shape(tuple(sizes))

    def getitem(self) -> Shape:
        op = self.op
        index = op.operands[1] if len(op.operands) > 1 else op.parameter("index")
        if index is None:
            return UNKNOWN
        return self._part(index) or self._indexed(index)

    def _part(self, index: Value) -> Shape | None:
        """An item of what an operation returned as a tuple; None for an item of a tensor."""
        for view in views(self.op.operands[0], self.guards, Walk()):
            node = view.node
            if not isinstance(node, Op):
                continue
            position = integer(index, self.guards)
            if node.name in _RECURRENT:
                return layer_shapes.recurrent(node, self.of(node.operands[0]), position, self.guards)
            whole = strip(node.operands[0]) if node.name == "getitem" else None
            if isinstance(whole, Op) and whole.name == "lstm" and self._is_pair(node):
                return layer_shapes.recurrent(whole, self.of(whole.operands[0]), 1, self.guards)
            if node.name in ("max", "min", "median", "mode", "sort") and node.parameter("dim") is not None:
                return self.of(node) if node.name != "sort" else self.of(node.operands[0])
            if node.name == "topk":
                return _topk(_Step(self.shapes, node, self.guards, self.depth))
            if node.name in ("chunk", "split"):
                along = _Step(self.shapes, node, self.guards, self.depth).number("dim", 0)
                return UNKNOWN if along is None else self.of(node.operands[0]).resized(along, None)
            if node.name == "unbind":
                along = _Step(self.shapes, node, self.guards, self.depth).number("dim", 0)
                return UNKNOWN if along is None else self.of(node.operands[0]).without([along])
        return None

    def _is_pair(self, node: Op) -> bool:
        """Whether an item of what an LSTM returns is its two states."""
        index = node.operands[1] if len(node.operands) > 1 else node.parameter("index")
        return index is not None and integer(index, self.guards) == 1

    def _indexed(self, index: Value) -> Shape:
        """Indexing by numbers, slices, None and an ellipsis; what other tensors pick is unknown."""
        plain = strip(index)
        items = plain.items if isinstance(plain, Tuple) else (index,)
        cut = next((number for number, item in enumerate(items) if _is_ellipsis(item)), len(items))
        shape: Shape | None = self.operand()
        position = 0
        for item in items[:cut]:
            shape = self._picked(shape, item, position)
            position += not self._is_number(item)
        position = -1
        for item in reversed(items[cut + 1 :]):
            shape = self._picked(shape, item, position)
            position -= not self._is_number(item)
        return UNKNOWN if shape is None else shape

    def _picked(self, shape: Shape | None, item: Value, position: int) -> Shape | None:
        """The shape after one item of an index; None where that is not known."""
        node = strip(item)
        if shape is None:
            return None
        if is_none(item):
            return shape.inserted(position, 1)
        if isinstance(node, Op) and node.name == "slice":
            return shape if all(is_none(part) for part in node.operands) else shape.resized(position, None)
        if isinstance(node, Leaf) and is_loader_index(node):
            return shape.resized(position, None)
        return shape.without([position]) if self._is_number(item) else None

    def _is_number(self, item: Value) -> bool:
        """Whether an index is one number, so that it takes a dimension away; a loader's takes a batch of rows."""
        node = strip(item)
        if isinstance(node, Leaf) and node.role == "index":
            return not is_loader_index(node)
        return (self.of(item) == SCALAR and not isinstance(node, Const)) or _is_int(item)

    def combined(self) -> Shape:
        """Concatenation: what the parts have in common, unknown along the dimension of the joint."""
        along = self.number("dim", 0)
        parts = [self.of(part) for part in self._parts()]
        if along is None or not parts:
            return UNKNOWN
        shape = _all_common(parts)
        return shape.resized(along, None)

    def stacked(self) -> Shape:
        along = self.number("dim", 0)
        elements = [strip(operand) for operand in self.op.operands]
        count = None if any(_is_list(element) for element in elements) else len(elements)
        parts = [self.of(part) for part in self._parts()]
        return UNKNOWN if along is None or not parts else _all_common(parts).inserted(along, count)

    def _parts(self) -> list[Value]:
        found: list[Value] = []
        for operand in self.op.operands:
            plain = strip(operand)
            found.append(plain.operands[0] if isinstance(plain, Op) and _is_list(plain) else operand)
        return found

    def one_hot(self) -> Shape:
        classes = self.number("num_classes")
        return self.operand().followed_by(classes if classes is not None and classes > 0 else None)

    def gather(self) -> Shape:
        return self.operand(1)

    def where(self) -> Shape:
        return broadcast(self.operand(slot) for slot in range(len(self.op.operands)))

    def index_select(self) -> Shape:
        along = self.number("dim")
        return UNKNOWN if along is None else self.operand().resized(along, None)

    def select(self) -> Shape:
        along = self.number("dim")
        return UNKNOWN if along is None else self.operand().without([along])

    def topk_indices(self) -> Shape:
        return _topk(self)

    def matmul(self) -> Shape:
        return self.operand().times(self.operand(1))

    def mm(self) -> Shape:
        return Shape((self.operand().size(-2), self.operand(1).size(-1)))

    def bmm(self) -> Shape:
        return Shape((None, self.operand().size(-2), self.operand(1).size(-1)))

    # Tensors that are made

    def created(self) -> Shape:
        given = self.op.parameter("size") or self.op.parameter("shape")
        return UNKNOWN if given is None else self._sized(given)

    def row(self) -> Shape:
        return Shape((None,))

    def eye(self) -> Shape:
        rows = self.number("n")
        columns = self.op.parameter("m")
        return Shape((rows, rows if columns is None or is_none(columns) else integer(columns, self.guards)))

    def data(self) -> Shape:
        """A tensor of data: of a literal the nesting tells, of another tensor's it is that one's shape."""
        if self.op.name.endswith("_tensor") and self.op.name != "new_tensor":
            sizes = [integer(operand, self.guards) for operand in self.op.operands]
            if sizes and (len(sizes) > 1 or sizes[0] is not None):
                return Shape(tuple(sizes))  # `torch.FloatTensor(3, 1)`
        slot = 1 if self.op.name == "new_tensor" else 0
        return self._nested(self.op.operands[slot], 4) if slot < len(self.op.operands) else UNKNOWN

    def _nested(self, value: Value, depth: int) -> Shape:
        plain = strip(value)
        if isinstance(plain, Tuple) and depth:
            if not plain.items:
                return Shape((0,))
            return _all_common([self._nested(item, depth - 1) for item in plain.items]).inserted(
                0, len(plain.items)
            )
        if isinstance(plain, Op) and plain.name == "comprehension" and depth:
            return self._nested(plain.operands[0], depth - 1).inserted(0, None)
        return self.of(value)


def _topk(step: _Step) -> Shape:
    along = step.number("dim", -1)
    return UNKNOWN if along is None else step.operand().resized(along, step.number("k"))


def _all_common(shapes: Iterable[Shape]) -> Shape:
    first, *others = shapes
    for other in others:
        first = common(first, other)
    return first


def _is_list(value: Value) -> bool:
    """Whether a value is a list that a loop made."""
    return isinstance(value, Op) and value.name == "comprehension"


def _is_ellipsis(value: Value) -> bool:
    plain = strip(value)
    return isinstance(plain, Const) and plain.value is ...


def _is_int(value: Value) -> bool:
    plain = strip(value)
    return isinstance(plain, Const) and type(plain.value) is int


def _truth(value: Value) -> bool | None:
    plain = strip(value)
    return bool(plain.value) if isinstance(plain, Const) else None


_RECURRENT = frozenset({"lstm", "gru", "rnn"})
_SAME = frozenset({"softmax", "log_softmax", "sigmoid", "logsigmoid", "squash", "unary", "cast"})
_ELEMENTWISE = frozenset(
    {"add", "sub", "rsub", "mul", "div", "floor_divide", "remainder", "pow", "neg", "reciprocal", "addcmul", "addcdiv",
     "lerp", "logaddexp", "maximum", "minimum", "xlogy", "cumsum", "cumprod", "masked_fill"}
)  # fmt: skip
_MOVES = frozenset(
    {"contiguous", "clone", "copy", "detach", "to", "cpu", "cuda", "pin_memory", "requires_grad_", "identity", "roll",
     "variable", "flip", "data_parallel", "masked_fill", "scatter", "scatter_add", "index_fill", "tril", "triu",
     "copy_", "numpy", "from_numpy", "setitem", "learned", "narrowed", "zeros_like", "ones_like", "full_like",
     "empty_like", "rand_like", "randn_like", "randint_like", "zero_", "normalize", "argsort"}
)  # fmt: skip

_BY_NAME: dict[str, Callable[[_Step], Shape]] = {
    "unsqueeze": _Step.unsqueeze,
    "squeeze": _Step.squeeze,
    "view": _Step.view,
    "reshape": _Step.view,
    "view_as": _Step.view_as,
    "reshape_as": _Step.view_as,
    "expand_as": _Step.view_as,
    "flatten": _Step.flatten,
    "ravel": _Step.ravel,
    "transpose": _Step.transpose,
    "t": _Step.t,
    "mt": _Step.t,
    "permute": _Step.permute,
    "expand": _Step.expand,
    "broadcast_to": _Step.expand,
    "repeat": _Step.repeat,
    "getitem": _Step.getitem,
    "cat": _Step.combined,
    "stack": _Step.stacked,
    "one_hot": _Step.one_hot,
    "gather": _Step.gather,
    "where": _Step.where,
    "index_select": _Step.index_select,
    "narrow": _Step.index_select,
    "select": _Step.select,
    "topk_indices": _Step.topk_indices,
    "matmul": _Step.matmul,
    "mm": _Step.mm,
    "bmm": _Step.bmm,
    "zeros": _Step.created,
    "ones": _Step.created,
    "full": _Step.created,
    "empty": _Step.created,
    "rand": _Step.created,
    "randn": _Step.created,
    "randint": _Step.created,
    "normal": _Step.created,
    "new_zeros": _Step.created,
    "new_ones": _Step.created,
    "new_full": _Step.created,
    "new_empty": _Step.created,
    "arange": _Step.row,
    "linspace": _Step.row,
    "randperm": _Step.row,
    "eye": _Step.eye,
    "tensor": _Step.data,
    "as_tensor": _Step.data,
    "array": _Step.data,
    "float_tensor": _Step.data,
    "double_tensor": _Step.data,
    "long_tensor": _Step.data,
    "int_tensor": _Step.data,
    "new_tensor": _Step.data,
}

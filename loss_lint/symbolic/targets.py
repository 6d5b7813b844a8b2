"""Facts about targets: one-hot rows, and class indices cast to float."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from loss_lint.symbolic.dtypes import CASTS, Kind, dtype_after, dtype_named, sets_dtype
from loss_lint.symbolic.facts import UNKNOWN, constant, takes_places
from loss_lint.symbolic.graph import Const, Guards, Leaf, Op, Tuple, Value, intern_content
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.labels import is_class_index
from loss_lint.symbolic.root import Root, parts
from loss_lint.symbolic.walk import View, Walk, effect, origins, views

# Casts and moves, and indexing by rows: what leaves a one-hot a one-hot.
_ROWWISE = frozenset(
    {"to", "cpu", "cuda", "detach", "clone", "contiguous", "view", "reshape", "squeeze", "unsqueeze", "permute",
     "transpose", "movedim", "getitem", "requires_grad_", "copy", "index_select", "copy_", "pin_memory", "flatten",
     "tensor", "as_tensor", "from_numpy", "float_tensor", "long_tensor", "array", "numpy", "type", "astype",
     "type_as", "data_parallel", "all_gather", "variable"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OneHot:
    """A one-hot target: the operation that made it, its dtype, and the class indices that it was made of."""

    op: Op
    kind: Kind
    indices: Value | None
    view: View


def one_hots(value: Value, guards: Guards, walk: Walk | None = None) -> Iterator[OneHot | None]:
    """For each reading of `value`: the one-hot that it is, or None."""
    walk = walk or Walk()
    for view in origins(value, guards, walk, through=_ROWWISE | CASTS):
        yield _one_hot(view, guards)


def _one_hot(view: View, guards: Guards) -> OneHot | None:
    node = view.node
    if not isinstance(node, Op) or any(_picks_columns(op) for op in view.chain):
        return None
    if node.name == "one_hot":
        return OneHot(node, dtype_after(view.chain, "integer"), node.operands[0], view)
    if node.name == "scatter" and _writes_ones(node, view.guards):
        base = next(iter(views(node.operands[0], view.guards)), None)
        dtype = _dtype_of_zeros(base.node) if base is not None else None
        if dtype is not None:
            return OneHot(node, dtype_after(view.chain, dtype), _without_column(node, view.guards), view)
    if node.name == "eye" and view.chain and view.chain[-1].name == "getitem":
        rows = view.chain[-1]
        index = rows.operands[1] if len(rows.operands) > 1 else None
        if index is None or (isinstance(strip(index), Op) and _is_slice(strip(index))):
            return None
        given = node.parameter("dtype")
        return OneHot(
            rows, dtype_after(view.chain, "float" if given is None else dtype_named(given)), index, view
        )
    if node.name == "setitem" and len(node.operands) == 3:
        return _written_by_index(node, view)
    if node.name == "eq":
        indices = _compared_with_range(node)
        if indices is not None:
            return OneHot(node, dtype_after(view.chain, "integer"), indices, view)
    return None


def _written_by_index(node: Op, view: View) -> OneHot | None:
    """`rows[arange(n), labels] = 1` into zeros."""
    base, index, written = (strip(operand) for operand in node.operands)
    dtype = _dtype_of_zeros(base)
    if dtype is None or not isinstance(index, Tuple) or len(index.items) != 2:
        return None
    row, label = (strip(item) for item in index.items)
    numbers_rows = isinstance(row, Op) and row.name in ("arange", "range") and not isinstance(label, Const)
    if numbers_rows and constant(written, view.guards) in (1, 1.0):
        return OneHot(node, dtype_after(view.chain, dtype), index.items[1], view)
    return None


def _compared_with_range(op: Op) -> Value | None:
    """The class indices in `labels.unsqueeze(1) == torch.arange(n)`: one row of truth values for each of them."""
    left, right = (strip(operand) for operand in op.operands)
    for column, row in ((left, right), (right, left)):
        is_range = isinstance(row, Op) and row.name == "arange"
        if is_range and isinstance(column, Op) and (column.name == "unsqueeze" or _adds_column(column)):
            return column.operands[0]
    return None


def _without_column(scatter: Op, guards: Guards) -> Value:
    """The class indices that a scatter takes, without the dimension of size one that they have along its `dim`."""
    index = scatter.operands[1]
    for view in views(index, guards):
        node = view.node
        if isinstance(node, Op) and (node.name == "unsqueeze" or _adds_column(node)):
            return node.operands[0]
    dim = tuple(parameter for parameter in scatter.parameters if parameter[0] == "dim")
    return replace(
        scatter,
        name="squeeze",
        operands=(index,),
        parameters=dim,
        slots=(None,),
        content=intern_content(("squeeze", index.content, *(value.content for _, value in dim))),
    )


def _adds_column(op: Op) -> bool:
    """Whether an operation is `view(-1, 1)` or `[:, None]`."""
    if op.name in ("view", "reshape"):
        sizes = op.parameter("size") or op.parameter("shape")
        items = sizes.items if isinstance(sizes, Tuple) else ()
        plain = [strip(item) for item in items]
        return len(plain) == 2 and isinstance(plain[1], Const) and plain[1].value == 1
    if op.name == "getitem" and len(op.operands) == 2:
        key = strip(op.operands[1])
        last = strip(key.items[-1]) if isinstance(key, Tuple) and key.items else None
        return isinstance(last, Const) and last.value is None
    return False


def _is_slice(value: Value) -> bool:
    return isinstance(value, Op) and value.name == "slice"


def _picks_columns(op: Op) -> bool:
    """Whether an indexing goes past the rows: `one_hot[:, 0]`, `one_hot[..., None]`."""
    if op.name != "getitem":
        return False
    if len(op.operands) < 2:
        return False
    index = strip(op.operands[1])
    return isinstance(index, Tuple)


def _writes_ones(op: Op, guards: Guards) -> bool:
    """Whether a scatter writes the literal 1."""
    if len(op.operands) < 3:
        return False
    written = constant(op.operands[2], guards)
    if written is not UNKNOWN:
        return written in (1, 1.0)
    source = strip(op.operands[2])
    return isinstance(source, Op) and source.name in ("ones", "ones_like")


def _dtype_of_zeros(node: Value) -> Kind | None:
    """The dtype of a tensor of zeros; None for any other tensor."""
    casts: list[Op] = []
    while isinstance(node, Op) and node.operands and node.name in _ROWWISE | CASTS | {"zero_"}:
        if node.name == "zero_":
            break
        casts.append(node)
        node = strip(node.operands[0])
    if not isinstance(node, Op):
        return None
    if node.name in ("zeros", "zero_", "float_tensor"):
        dtype = node.parameter("dtype")
        made: Kind = "float" if dtype is None or constant(dtype, frozenset()) is None else dtype_named(dtype)
        if node.name == "zero_":
            made = "unknown"
        return dtype_after(tuple(casts), made)
    return "unknown" if node.name in ("zeros_like", "new_zeros") else None


# Class indices


def is_class_indices(view: View, root: Root) -> bool:
    """Whether a value is certainly class indices: made by argmax, compared with such, or a known data set's labels."""
    node = view.node
    if any(is_class_index(op) for op in (*view.chain, node) if isinstance(op, Op)):
        return True
    if isinstance(node, Op) and node.name in ("argmax", "argmin", "randint", "randperm"):
        return True
    if isinstance(node, Op) and node.name == "arange":
        return not any(effect(op) == "keep" and op.name not in ("to", "cuda", "cpu") for op in view.chain)
    if isinstance(node, Tuple):
        # Zeros and ones may be one sample's probabilities.
        numbers = [_int(item) for item in node.items]
        return None not in numbers and any(number is not None and number > 1 for number in numbers)
    contents = {*(op.content for op in view.chain), *(part.content for part in _deep_parts(node))}
    return any(
        _compares_with_argmax(op, contents) for op in root.ops if op.name == "eq" and len(op.operands) == 2
    )


def _int(value: Value) -> int | None:
    plain = strip(value)
    return plain.value if isinstance(plain, Const) and type(plain.value) is int else None


def _compares_with_argmax(op: Op, contents: set[int]) -> bool:
    for one, other in (op.operands, op.operands[::-1]):
        if not any(part.content in contents for part in _deep_parts(one)):
            continue
        if any(
            isinstance(part, Op) and (part.name in ("argmax", "argmin") or takes_places(part))
            for part in _deep_parts(other)
        ):
            return True
    return False


def _deep_parts(value: Value) -> Iterator[Value]:
    """What a value is, casts and reshaping taken off."""
    pending = [value]
    for _ in range(12):
        if not pending:
            return
        for part in parts(pending.pop()):
            yield part
            if isinstance(part, Op) and part.operands and effect(part) in ("keep", "cast"):
                pending.append(part.operands[0])


def float_casts(value: Value, guards: Guards, root: Root) -> Iterator[tuple[Op, View]]:
    """Casts to float through which class indices went last, and the reading in which they did."""
    for view in origins(value, guards, through=CASTS | _ROWWISE):
        made = (view.node,) if isinstance(view.node, Op) and view.node.name == "arange" else ()
        cast = next((op for op in (*view.chain, *made) if sets_dtype(op)), None)
        if cast is not None and dtype_after((cast,), "unknown") == "float" and is_class_indices(view, root):
            yield cast, view


def are_strings(value: Value, guards: Guards, depth: int = 4) -> bool:
    """Whether a sequence certainly holds strings (or sequences of strings)."""
    found = list(views(value, guards))
    return bool(found) and depth > 0 and all(_is_of_strings(view, depth) for view in found)


def _is_of_strings(view: View, depth: int) -> bool:
    match view.node:
        case Tuple(items=items) if items:
            return all(_is_string(item, view.guards) for item in items) or all(
                are_strings(item, view.guards, depth - 1) for item in items
            )
        case Op(name="comprehension", operands=(element, _)) as op:
            kind = op.parameter("kind")
            return isinstance(kind, Const) and kind.value == "list" and _is_string(element, view.guards)
        case Op(name="list" | "split", operands=(Const(value=str()), *_)):
            return True
        case _:
            return False


def _is_string(value: Value, guards: Guards) -> bool:
    found = [view.node for view in views(value, guards)]
    return bool(found) and all(
        (isinstance(node, Const) and isinstance(node.value, str))
        or (isinstance(node, Leaf) and node.role == "call" and node.name == "builtins.str")
        for node in found
    )

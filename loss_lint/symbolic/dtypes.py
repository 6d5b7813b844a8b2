"""Facts about dtypes: whether a tensor certainly holds integers, and which operation made it so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from loss_lint.symbolic.facts import constant
from loss_lint.symbolic.graph import Alternatives, Const, External, Guards, Leaf, Op, Tuple, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.labels import is_class_index
from loss_lint.symbolic.naming import name_of
from loss_lint.symbolic.walk import View, Walk, origins, views

Kind = Literal["integer", "float", "unknown"]

INTEGER_CASTS = frozenset({"to_long", "to_int", "to_short", "to_bool", "to_byte", "to_char"})
FLOAT_CASTS = frozenset({"to_float", "to_double", "to_half", "to_bfloat16"})
CASTS = INTEGER_CASTS | FLOAT_CASTS
CONSTRUCTORS = {"float_tensor": "float", "long_tensor": "integer"}


def dtype_after(chain: tuple[Op, ...], made: Kind) -> Kind:
    """The dtype after the casts of `chain` (outermost first)."""
    for op in chain:
        if op.name in INTEGER_CASTS:
            return "integer"
        if op.name in FLOAT_CASTS:
            return "float"
        if op.name in ("type", "astype", "type_as"):
            return "unknown"
        if op.name == "to" and any(_says_dtype(value) for _, value in op.parameters):
            return "unknown"
        if op.name in CONSTRUCTORS:
            return "float" if op.name == "float_tensor" else "integer"
        if op.name in ("tensor", "as_tensor", "array", "arange") and op.parameter("dtype") is not None:
            return dtype_named(op.parameter("dtype"))
    return made


_DEVICES = ("dev", "gpu", "cuda", "cpu", "rank")


def _says_dtype(value: Value) -> bool:
    """Whether an argument of `to` may be a dtype, or a tensor that has one: no literal, and no device."""
    match strip(value):
        case Tuple(items=items):
            return any(_says_dtype(item) for item in items)
        case Alternatives(branches=branches):
            return any(_says_dtype(branch) for _, branch in branches)
        case Const() | Leaf(role="call", name="torch.device"):
            return False
        case _:
            return not any(word in name_of(value).lower() for word in _DEVICES)


def dtype_named(value: Value | None) -> Kind:
    """What kind of numbers a dtype stands for."""
    name = name_of(value) if value is not None else ""
    if name in ("float", "float32", "float64", "double", "half", "float16", "bfloat16"):
        return "float"
    return "integer" if name in ("long", "int", "int64", "int32", "bool", "uint8") else "unknown"


def sets_dtype(op: Op) -> bool:
    """Whether the dtype behind `op` is not that of its operand."""
    if op.name in ("tensor", "as_tensor", "array", "arange"):
        return op.parameter("dtype") is not None
    return op.name in CASTS or op.name in CONSTRUCTORS or op.name in ("type", "astype", "type_as")


def asks_for_dtype(guards: Guards) -> bool:
    """Whether the program looks at a dtype itself before it gets here: `if not y.is_floating_point()`."""
    return any(_asks(atom.condition, _DEPTH) for atom in guards)


def _asks(condition: Value, depth: int) -> bool:
    match strip(condition):
        case Leaf(role="call", name=name):
            return name.rpartition(".")[2] in ("is_floating_point", "is_complex")
        case Op(name="type"):
            return True
        case Op(name="getattr") as op:
            attribute = op.parameter("name")
            return isinstance(attribute, Const) and attribute.value in ("dtype", "is_floating_point")
        case Op(name="isinstance", operands=(_, External(name=name))):
            return name.startswith("torch.") and name.endswith("Tensor") and name != "torch.Tensor"
        case Op(name="not" | "and" | "or" | "eq" | "is" | "in" | "bool", operands=operands):
            return depth > 0 and any(_asks(operand, depth - 1) for operand in operands)
        case _:
            return False


# Made of integers or truth values, whatever they are made from.
_INTEGERS = INTEGER_CASTS | {
    "one_hot", "argmax", "argmin", "argsort", "randint", "randperm", "long_tensor", "int_tensor", "byte_tensor",
    "bool_tensor", "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor", "logical_not",
    "isnan", "isinf", "isfinite", "isin",
}  # fmt: skip
# Tensors of the dtype that is given; without one, of the numbers in them.
_FROM_DATA = frozenset({"tensor", "as_tensor", "array"})
# Their dtype is that of their first operand.
_LIKE = frozenset(
    {"zeros_like", "ones_like", "full_like", "empty_like", "new_zeros", "new_ones", "new_full", "new_empty", "fill_",
     "zero_", "setitem", "masked_fill", "scatter", "index_fill", "copy_", "repeat", "repeat_interleave", "tile", "abs",
     "clamp", "from_numpy", "numpy"}
)  # fmt: skip
_OF_ALL = frozenset({"cat", "stack", "hstack", "vstack", "add", "sub", "mul", "remainder", "where", "neg"})
_DEPTH = 6


@dataclass(frozen=True, slots=True)
class Integers:
    """A reading of a value that certainly holds integers or truth values.

    `path` leads from its outermost operation to the one that made it so, which comes last.
    """

    path: tuple[Op, ...]
    view: View


def integers(value: Value, guards: Guards, depth: int = _DEPTH) -> Iterator[Integers | None]:
    """For each reading of `value` that it holds integers, by what; None where that is not known."""
    for view in origins(value, guards, Walk()):
        path = _path(view, depth)
        yield None if path is None else Integers(path, view)


def _path(view: View, depth: int) -> tuple[Op, ...] | None:
    for index, op in enumerate(view.chain):
        if dtype_after((op,), "integer") != "integer":
            return None
        if sets_dtype(op) or is_class_index(op):
            return view.chain[: index + 1]
    node = view.node
    if not isinstance(node, Op) or depth == 0:
        return None
    inner = _within(node, view.guards, depth)
    return None if inner is None else (*view.chain, node, *inner)


def _within(node: Op, guards: Guards, depth: int) -> tuple[Op, ...] | None:
    """The way from an operation that makes integers on to the one in it that makes them so."""
    if node.name in _INTEGERS or dtype_after((node,), "unknown") == "integer":
        return ()
    given = node.parameter("dtype")
    if given is not None and constant(given, guards) is not None:
        return () if dtype_named(given) == "integer" else None
    if node.name in _FROM_DATA:
        return () if node.operands and _holds_integers(node.operands[0], guards, depth) else None
    if node.name in ("arange", "range"):
        numbers = [node.parameter(name) for name in ("start", "end", "step")]
        known = all(value is None or _is_whole(value, guards) for value in (*node.operands, *numbers))
        return () if known else None
    if node.name == "full":
        return () if _is_whole(node.parameter("fill_value"), guards) else None
    if node.name in _OF_ALL:
        return _of_parts(node, guards, depth)
    if node.name in _LIKE and node.operands:
        return _only_path(node.operands[0], guards, depth - 1)
    return None


def _of_parts(node: Op, guards: Guards, depth: int) -> tuple[Op, ...] | None:
    """The way to the first of several tensors that are all integers; numbers beside them are, too."""
    parts = [part for operand in node.operands for part in _joined(operand)]
    parts = parts[1:] if node.name == "where" else parts
    paths = [_only_path(part, guards, depth - 1) for part in parts]
    if any(path is None and not _is_whole(part, guards) for path, part in zip(paths, parts, strict=True)):
        return None
    inner = next((path for path in paths if path is not None), None)
    return () if inner is None and node.name == "where" and parts else inner


def _joined(operand: Value) -> tuple[Value, ...]:
    """The tensors that are put together: written one by one, or made by a comprehension."""
    match strip(operand):
        case Tuple(items=items):
            return items
        case Op(name="comprehension", operands=(each, *_)):
            return (each,)
        case _:
            return (operand,)


def _only_path(value: Value, guards: Guards, depth: int) -> tuple[Op, ...] | None:
    """The way to what makes integers of `value`, if every reading of it holds such."""
    found = [None if one is None else one.path for one in integers(value, guards, depth)]
    return found[0] if found and None not in found else None


def _holds_integers(value: Value, guards: Guards, depth: int) -> bool:
    """Whether the data of a tensor are integers: a number, a sequence of such, or another tensor."""
    if depth == 0:
        return False
    found = list(views(value, guards))
    return bool(found) and all(_are_integers(view, depth) for view in found)


def _are_integers(view: View, depth: int) -> bool:
    match view.node:
        case Const(value=plain):
            return isinstance(plain, int)
        case Tuple(items=items) if items:
            return all(_holds_integers(item, view.guards, depth - 1) for item in items)
        case Op(name="comprehension", operands=(element, *_)):
            return _holds_integers(element, view.guards, depth - 1)
        case Op(name="index_of" | "len"):
            return True
        case Op() as op:
            return _path(view.at(op), depth - 1) is not None
        case _:
            return False


def _is_whole(value: Value | None, guards: Guards) -> bool:
    """Whether a value is a Python integer or truth value in every reading."""
    if value is None:
        return False
    found = list(views(value, guards))
    return bool(found) and all(
        isinstance(view.node, Const) and isinstance(view.node.value, int) for view in found
    )

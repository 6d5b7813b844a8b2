"""From the catalogue's operations to torch's callables, by the catalogue's own spellings."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch.nn import functional

from loss_lint import catalogue
from loss_lint.harness.lowering import Unrunnable


def _negated(value: Any) -> Any:
    """`not`, which stands for `!=` as well: on tensors by element."""
    return ~value if isinstance(value, torch.Tensor) else not value


# Operators take numbers on either side, which torch's functions do not.
OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
    "pow": operator.pow,
    "neg": operator.neg,
    "matmul": operator.matmul,
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "logical_and": operator.and_,
    "logical_or": operator.or_,
    "logical_not": operator.invert,
    "not": _negated,
    "slice": slice,
    "range": range,
}

# What only moves numbers between devices and libraries, or regularises at random, is left out.
UNMOVED = frozenset(
    {"to", "cpu", "cuda", "pin_memory", "numpy", "identity", "contiguous", "copy", "data_parallel", "all_gather",
     "getattr", "type_as", "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout",
     "feature_alpha_dropout"}
)  # fmt: skip


def apply(name: str, operands: list[Any], parameters: dict[str, Any]) -> Any:
    """What torch computes for an operation; raises what torch raises, or Unrunnable."""
    own = _OWN.get(name)
    if own is not None:
        return own(*operands, **parameters)
    if name in OPERATORS and not parameters:
        return OPERATORS[name](*operands)
    if name in UNMOVED and operands and isinstance(operands[0], torch.Tensor):
        return operands[0]
    return _by_spelling(name, operands, parameters)


def _by_spelling(name: str, operands: list[Any], parameters: dict[str, Any]) -> Any:
    try:
        entry = catalogue.operation(name)
    except KeyError:
        raise Unrunnable(f"{name} is no operation of torch's") from None
    if entry.effect == "loss":
        parameters = _known(entry, parameters)
    if entry.operands == ("tensors",):
        operands = [operands]
    for spelled, text in entry.functions:
        function = _function(spelled)
        if function is not None and _takes(text, entry.operands, parameters):
            return _call(function, entry.operands, operands, text, parameters)
    if operands and isinstance(operands[0], torch.Tensor):
        for method, text in entry.methods:
            if _takes(text, entry.operands[1:], parameters):
                bound = getattr(operands[0], method)
                return _call(bound, entry.operands[1:], operands[1:], text, parameters)
    for spelled, text in entry.modules:
        module = _function(spelled)
        if module is not None and _takes(text, (), parameters):
            return module(**parameters)(*operands)
    raise Unrunnable(f"no spelling of {name} takes {', '.join(sorted(parameters)) or 'no parameters'}")


def _known(entry: catalogue.Operation, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters that a loss has: one that took another's place brings some that it does not know."""
    texts = [text for _, text in (*entry.functions, *entry.modules)]
    names = {parameter.name for text in texts for parameter in _signature(text).parameters}
    return {key: value for key, value in parameters.items() if key in names}


@cache
def _signature(text: str) -> catalogue.Signature:
    return catalogue.Signature(text)


def _takes(text: str, operands: tuple[str, ...], parameters: dict[str, Any]) -> bool:
    """Whether a spelling has all of `parameters`, and needs no more than these beside its operands."""
    signature = _signature(text).parameters
    required = {one.name for one in signature if one.kind == "positional" and one.default is None}
    return required - set(operands) <= set(parameters) <= {one.name for one in signature}


def _call(
    function: Callable[..., Any],
    names: tuple[str, ...],
    operands: list[Any],
    text: str,
    parameters: dict[str, Any],
) -> Any:
    """Call with the operands in the places that the signature has for them.

    What a parameter collects (`view(*size)`) is given by position.
    """
    signature = _signature(text).parameters
    rest = dict(parameters)
    collected: tuple[Any, ...] = ()
    for parameter in signature:
        if parameter.kind == "variadic" and parameter.name in rest:
            value = rest.pop(parameter.name)
            collected = tuple(value) if isinstance(value, list | tuple) else (value,)
    in_order = [parameter.name for parameter in signature[: len(operands)]] == list(names[: len(operands)])
    if in_order or collected:
        return function(*operands, *collected, **rest)
    return function(**dict(zip(names, operands, strict=False)), **rest)


@cache
def _function(spelled: str) -> Callable[..., Any] | None:
    """Torch's object of that qualified name; None for other libraries' and what this torch does not have."""
    head, *path = spelled.split(".")
    if head != "torch":
        return None
    found: Any = torch
    for name in path:
        found = getattr(found, name, None)
    return found if callable(found) else None


def _getitem(base: Any, *operands: Any, index: Any = None) -> Any:
    key = operands[0] if operands else index
    return base[tuple(key) if isinstance(key, list) else key]


def _size(tensor: Any, dim: int | None = None) -> Any:
    shape = tuple(tensor.shape)
    return shape if dim is None else shape[dim]


def _as_tensor(data: Any, **parameters: Any) -> Any:
    """NumPy's arrays are tensors here, except those of strings, which stay tuples."""
    dtype = parameters.get("dtype")
    if isinstance(data, torch.Tensor):
        return data if dtype is None else data.to(dtype)
    return torch.as_tensor(data, dtype=dtype)


def _arange(start: Any, end: Any = None, step: Any = 1, **parameters: Any) -> Any:
    first, last = (0, start) if end is None else (start, end)
    return torch.arange(first, last, step, **parameters)


def _of_dtype(dtype: torch.dtype) -> Callable[..., Any]:
    """`torch.FloatTensor(x)`: sizes make zeros, all other data a tensor of that dtype."""

    def make(*operands: Any, data: Any = None) -> Any:
        first = operands[0] if operands else data
        if len(operands) > 1 and all(isinstance(operand, int) for operand in operands):
            return torch.zeros(*operands, dtype=dtype)
        return first.to(dtype) if isinstance(first, torch.Tensor) else torch.tensor(first, dtype=dtype)

    return make


def _scatter(base: Any, index: Any, source: Any, dim: int = 0, **parameters: Any) -> Any:
    source = source.to(base.dtype) if isinstance(source, torch.Tensor) else source
    return torch.scatter(base, dim, index, source, **parameters)


def _construct(*operands: Any, loss: str) -> Any:
    """A loss's class, called with what its instance should be."""
    spelled, _ = catalogue.operation(loss).modules[0]
    cls = _function(spelled)
    if cls is None:
        raise Unrunnable(f"this torch has no {spelled}")
    return cls(*operands)


def _item(tensor: Any) -> Any:
    return tensor.item() if isinstance(tensor, torch.Tensor) else tensor


def _softmax(function: Callable[..., Any]) -> Callable[..., Any]:
    """The functional, which takes `dim=None` and then chooses one by the number of dimensions."""

    def normalize(tensor: Any, dim: int | None = None, dtype: torch.dtype | None = None) -> Any:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Implicit dimension choice")
            return function(tensor, dim=dim, dtype=dtype)

    return normalize


def _setitem(base: Any, index: Any, value: Any) -> Any:
    """`base[index] = value`, written into a copy."""
    written = base.clone()
    parts = index if isinstance(index, tuple | list) else (index,)
    key = tuple(list(part) if isinstance(part, range) else part for part in parts)
    written[key] = value.to(written.dtype) if isinstance(value, torch.Tensor) else value
    return written


def _array(data: Any, dtype: torch.dtype | None = None, **_: Any) -> Any:
    return data.to(dtype) if isinstance(data, torch.Tensor) and dtype is not None else data


def _dtyped(name: str) -> Callable[..., Any]:
    def convert(tensor: Any, **_: Any) -> Any:
        return getattr(tensor, name)()

    return convert


def _variable(tensor: Any, requires_grad: Any = False) -> Any:
    """`torch.autograd.Variable`."""
    return torch.autograd.Variable(tensor, requires_grad=bool(requires_grad))


def _requiring_grad(tensor: Any, mode: Any = True) -> Any:
    """`x.requires_grad_()`, on a copy where it is an input that others share."""
    return tensor if tensor.requires_grad else tensor.detach().requires_grad_(bool(mode))


_OWN: dict[str, Callable[..., Any]] = {
    "getitem": _getitem,
    "setitem": _setitem,
    "softmax": _softmax(functional.softmax),
    "log_softmax": _softmax(functional.log_softmax),
    "softmin": _softmax(functional.softmin),
    "size": _size,
    "len": len,
    "arange": _arange,
    "construct": _construct,
    "as_tensor": _as_tensor,
    "from_numpy": _as_tensor,
    "array": _array,
    "list": _array,
    "float_tensor": _of_dtype(torch.float32),
    "double_tensor": _of_dtype(torch.float64),
    "long_tensor": _of_dtype(torch.int64),
    "int_tensor": _of_dtype(torch.int32),
    "scatter": _scatter,
    "item": _item,
    "variable": _variable,
    "requires_grad_": _requiring_grad,
    "append": lambda tensor, **_: tensor,
    "learned": lambda tensor: tensor.detach().requires_grad_(),
    "detach": _dtyped("detach"),
    "t": _dtyped("t"),
    "mt": lambda tensor: tensor.mT,
    "to_float": _dtyped("float"),
    "to_double": _dtyped("double"),
    "to_half": _dtyped("half"),
    "to_bfloat16": _dtyped("bfloat16"),
    "to_long": _dtyped("long"),
    "to_int": _dtyped("int"),
    "to_short": _dtyped("short"),
    "to_bool": _dtyped("bool"),
    "to_byte": _dtyped("byte"),
    "to_char": _dtyped("char"),
}

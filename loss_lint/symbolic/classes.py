"""What a value is an instance of."""

from __future__ import annotations

from collections.abc import Sequence

from loss_lint import catalogue
from loss_lint.symbolic import objects
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import Class, Const, External, Object, Op, Tuple, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.walk import effect

_DICTS = ("builtins.dict", "collections.OrderedDict", "collections.defaultdict")
_LISTS = ("builtins.list", "builtins.tuple", "builtins.str")

# Classes that only what is listed is an instance of, as far as the evaluator's own values go.
_PLAIN: dict[str, tuple[str, ...]] = {
    **{
        f"builtins.{name}": (f"builtins.{name}",)
        for name in ("bytes", "complex", "float", "frozenset", "list", "set", "str", "tuple", "bool")
    },
    "builtins.int": ("builtins.int", "builtins.bool"),
    "builtins.dict": _DICTS,
    "collections.OrderedDict": ("collections.OrderedDict",),
    "collections.abc.Mapping": _DICTS,
    "typing.Mapping": _DICTS,
    "collections.abc.Sequence": _LISTS,
    "typing.Sequence": _LISTS,
    "builtins.type": ("builtins.type",),
    "torch.Tensor": ("torch.Tensor",),
}

# What certainly makes a tensor; the catalogue's other operations may make tuples or numbers.
_TENSOR_EFFECTS = frozenset({"softmax", "log_softmax", "sigmoid", "logsigmoid", "loss", "argmax"})
_TENSOR_OPERATIONS = frozenset(
    {"relu", "tanh", "linear", "conv1d", "conv2d", "conv3d", "dropout", "identity"}
)
# What makes a tensor of a tensor.
_OF_TENSORS = frozenset({"keep", "cast", "arithmetic", "unary", "squash"})
_REDUCES = frozenset({"sum", "mean"})
_MAX_OPERATIONS = 8

# Attributes by which programs tell tensors from Python's numbers.
TENSOR_ATTRIBUTES = frozenset(
    {"item", "detach", "data", "cpu", "cuda", "numpy", "backward", "requires_grad", "grad_fn", "dim", "device",
     "shape", "size", "dtype"}
)  # fmt: skip

# Classes of torch's that others derive from.
_PARENTS = frozenset({"Module", "Sequential", "ModuleList", "ModuleDict"})


def is_instance(subject: Value, candidates: Sequence[Value], act: Activation) -> bool | None:
    """Whether `subject` is an instance of one of `candidates`, where that is known."""
    answers = [_is_one(subject, candidate, act) for candidate in candidates]
    if True in answers:
        return True
    return None if None in answers else False


def _is_one(subject: Value, candidate: Value, act: Activation) -> bool | None:
    own = _plain_class(subject)
    if own is not None:
        if isinstance(candidate, External) and candidate.name in _PLAIN:
            return own in _PLAIN[candidate.name]
        if own == "builtins.type" and isinstance(candidate, Class):
            return False if objects.is_module(candidate, act) else None  # it may be a metaclass
        return False if isinstance(candidate, Class) or _is_of_torch(candidate) else None
    if not isinstance(subject, Object):
        return None
    order = objects.resolution_order(subject.cls, act)
    if any(entry.content == candidate.content for entry in order):
        return True
    if isinstance(candidate, External) and candidate.name == "builtins.tuple":
        return (
            any(isinstance(entry, External) and entry.name == "typing.NamedTuple" for entry in order) or None
        )
    if isinstance(candidate, External) and candidate.name == "torch.nn.Module":
        return True if objects.is_module(subject.cls, act) else None
    if not all(isinstance(entry, Class) or _is_of_torch(entry) or _is_root(entry) for entry in order):
        return None
    if isinstance(candidate, External):
        known = candidate.name in _PLAIN or (_is_of_torch(candidate) and not _has_children(candidate))
        return False if known else None
    return False if isinstance(candidate, Class) else None


def _plain_class(subject: Value) -> str | None:
    """The class of a literal, a container of Python's or a tensor."""
    match subject:
        case Const(value=None):
            return "builtins.NoneType"
        case Const(value=value):
            return f"builtins.{type(value).__name__}"
        case Tuple():
            return "builtins.tuple"
        case Object(cls=External(name=name)) if name in _PLAIN or name in _DICTS:
            return name
        case Op(name="list" | "sorted"):
            return "builtins.list"
        case Op(name="comprehension") if isinstance(kind := subject.parameter("kind"), Const):
            return f"builtins.{kind.value}"
        case Op() if is_tensor(subject):
            return "torch.Tensor"
        case Class():
            return "builtins.type"
        case External(name=name) if name in catalogue.by_module:
            return "builtins.type"
        case _:
            return None


def is_tensor(value: Value, depth: int = _MAX_OPERATIONS) -> bool:
    """Whether `value` is certainly a tensor, and no array, tuple or number."""
    plain = strip(value)
    if not isinstance(plain, Op) or depth == 0:
        return False
    if effect(plain) in _TENSOR_EFFECTS or plain.name in _TENSOR_OPERATIONS:
        return True
    if effect(plain) in _OF_TENSORS or plain.name in _REDUCES:
        return any(is_tensor(operand, depth - 1) for operand in plain.operands)
    return False


def _is_of_torch(value: Value) -> bool:
    return isinstance(value, External) and value.name.startswith("torch.nn.")


def _is_root(value: Value) -> bool:
    return isinstance(value, External) and value.name in (
        "builtins.object",
        "typing.Generic",
        "typing.NamedTuple",
        "abc.ABC",
    )


def _has_children(candidate: External) -> bool:
    last = candidate.name.rpartition(".")[2]
    return last in _PARENTS or last.startswith("_")

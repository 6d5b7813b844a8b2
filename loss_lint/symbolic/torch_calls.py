"""Calls of torch (and NumPy): from a spelling in the catalogue to one canonical operation."""

from __future__ import annotations

from loss_lint import catalogue
from loss_lint.catalogue.operation import Operation
from loss_lint.catalogue.signature import Signature
from loss_lint.catalogue.wrappers import LAUNCHERS
from loss_lint.symbolic import containers, items, objects, readings, reductions
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import (
    ZERO,
    Alternatives,
    Argument,
    Const,
    External,
    Lazy,
    Method,
    Object,
    Op,
    Site,
    Tuple,
    Value,
    accumulated,
    const,
    leaf,
    tuple_of,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.walk import KEEPING, effect

# dtypes as torch, NumPy and Python spell them, and the cast that stands for each.
_CASTS = {
    "float": "to_float",
    "float32": "to_float",
    "FloatTensor": "to_float",
    "float64": "to_double",
    "double": "to_double",
    "DoubleTensor": "to_double",
    "half": "to_half",
    "float16": "to_half",
    "HalfTensor": "to_half",
    "bfloat16": "to_bfloat16",
    "BFloat16Tensor": "to_bfloat16",
    "long": "to_long",
    "int64": "to_long",
    "LongTensor": "to_long",
    "int": "to_int",
    "int32": "to_int",
    "IntTensor": "to_int",
    "int16": "to_short",
    "short": "to_short",
    "bool": "to_bool",
    "bool_": "to_bool",
    "BoolTensor": "to_bool",
    "int8": "to_char",
    "CharTensor": "to_char",
    "uint8": "to_byte",
    "ByteTensor": "to_byte",
}


def is_loss(name: str) -> bool:
    """Whether a qualified name is one of torch's losses, as a function or a class."""
    entry = catalogue.by_function.get(name) or catalogue.by_module.get(name)
    return entry is not None and entry.operation.effect == "loss"


def is_callable(name: str) -> bool:
    """Whether a qualified name is a function or class that the catalogue knows."""
    return name in catalogue.by_function or name in catalogue.by_module or _is_followed_class(name)


def apply_function(
    name: str, arguments: tuple[Argument, ...], site: Site, act: Activation, alias: str = ""
) -> Value | None:
    entry = catalogue.by_function.get(name)
    if entry is None and name.endswith("_"):
        entry = catalogue.by_function.get(name[:-1])  # its twin that writes into its argument
    if entry is not None:
        return _operation(entry.operation, entry.signature, arguments, None, site, act, alias)
    if name in catalogue.by_module or name in containers.MODULE_CONTAINERS or _is_followed_class(name):
        return objects.new_external(name, arguments, site, act)
    return None


def _is_followed_class(name: str) -> bool:
    """Whether instances of a class are objects to the evaluator: torch's modules, and launchers."""
    head, _, last = name.rpartition(".")
    return name in LAUNCHERS or (head == "torch.nn" and last[:1].isupper())


def apply_method(
    method: Method, arguments: tuple[Argument, ...], site: Site, act: Activation
) -> Value | None:
    """`x.softmax(1)`: a tensor method; its receiver is the operand that the catalogue says."""
    entry = catalogue.by_method.get(method.name)
    if entry is None:
        return None
    receiver = Argument(catalogue.receiver(entry.operation), method.receiver, method.receiver_site)
    return _operation(entry.operation, entry.signature, arguments, receiver, site, act)


def apply_module(
    callee: Object, cls: str, arguments: tuple[Argument, ...], site: Site, act: Activation
) -> Value | None:
    """`module(x)` for one of torch's modules: its operation, with the configuration that it has now."""
    entry = catalogue.by_module.get(cls)
    record = act.state.heap.get(callee.content)
    if entry is None or record is None:
        return None
    bound = _bind(catalogue.forward(entry.operation), arguments)
    if bound is None:
        return None
    operands, slots = _operands(entry.operation, bound, act)
    parameters: list[tuple[str, Value]] = []
    alias = callee.cls.alias if isinstance(callee.cls, External) else ""
    overridden = bool(alias) and any(argument.keyword == "**" for argument in arguments)
    for parameter in entry.signature.parameters:
        if parameter.name in reductions.LEGACY:
            continue
        value = record.attributes.get(parameter.name) if not overridden else None
        if value is not None:
            parameters.append((parameter.name, value))
        elif record.open or overridden:
            parameters.append((parameter.name, _unknown_parameter(parameter.name, site)))
    return act.machine.op(
        entry.operation.name, operands, tuple(parameters), site, slots, act, callee.site, alias
    )


def _unknown_parameter(name: str, site: Site) -> Value:
    return leaf("unknown", name, site, reason="an argument that is not known")


Bound = dict[str, Argument | tuple[Argument, ...]]


def _bind(signature: Signature, arguments: tuple[Argument, ...]) -> Bound | None:
    if any(argument.keyword == "*" for argument in arguments):
        return None
    positional = [argument for argument in arguments if argument.keyword is None]
    keywords = {
        argument.keyword: argument
        for argument in arguments
        if argument.keyword is not None and argument.keyword != "**"
    }
    return signature.bind(positional, keywords)


def _operation(
    operation: Operation,
    signature: Signature,
    arguments: tuple[Argument, ...],
    receiver: Argument | None,
    site: Site,
    act: Activation,
    alias: str = "",
) -> Value | None:
    bound = _bind(signature, arguments)
    if bound is None:
        return None
    if operation.name in _OF_TWO and _is_tensor(bound.get("dim"), act):
        operation = catalogue.operation(_OF_TWO[operation.name])
        bound = {"other" if name == "dim" else name: value for name, value in bound.items()}
    if receiver is not None and receiver.keyword is not None:
        bound = {receiver.keyword: receiver, **bound}
    operands, slots = _operands(operation, bound, act)
    if operation.name == "sum" and len(operands) == 1 and "dim" not in bound:
        appended = items.repeated_terms(operands[0], act)
        if appended is not None:  # `np.sum(losses)` of what a loop appended
            return accumulated(ZERO, *appended)
    parameters = [
        (name, value.value if isinstance(value, Argument) else tuple_of(tuple(part.value for part in value)))
        for name, value in bound.items()
        if name not in operation.operands and (isinstance(value, Argument) or value)
    ]
    unknown = any(argument.keyword == "**" for argument in arguments)
    order = {parameter.name: position for position, parameter in enumerate(signature.parameters)}
    for parameter in signature.parameters:
        if parameter.name in bound or parameter.name in (*operation.operands, *reductions.LEGACY):
            continue
        if unknown:
            parameters.append((parameter.name, _unknown_parameter(parameter.name, site)))
        elif operation.effect == "loss" and parameter.default is not None:
            parameters.append((parameter.name, objects.literal(parameter.default)))
    if operation.effect == "loss":
        places = {name: value.site for name, value in bound.items() if isinstance(value, Argument)}
        parameters = [*reductions.settled(dict(parameters), places, operation.name, site, act).items()]
    parameters.sort(key=lambda item: order.get(item[0], len(order)))
    name = _cast_name(operation.name, parameters)
    return act.machine.op(name, operands, tuple(parameters), site, slots, act, alias=alias)


# `torch.max(a, b)` is another operation than `torch.max(a, dim)`.
_OF_TWO = {"max": "maximum", "min": "minimum"}
_TENSORS = frozenset(
    {"softmax", "log_softmax", "sigmoid", "logsigmoid", "squash", "layer", "unary", "create", "loss"}
)
_OF_TENSORS = KEEPING | {"arithmetic", "combine", "reduce", "cast"}


def _is_tensor(given: Argument | tuple[Argument, ...] | None, act: Activation) -> bool:
    return isinstance(given, Argument) and _is_computed(given.value, 6, act)


def _is_computed(value: Value, depth: int, act: Activation) -> bool:
    """Whether a value is a tensor for certain: some of torch's operations have made it."""
    plain = strip(value)
    if isinstance(plain, Lazy):
        plain = strip(act.machine.force(plain))
    if depth == 0:
        return False
    if isinstance(plain, Alternatives):
        return all(_is_computed(branch, depth - 1, act) for _, branch in plain.branches)
    if not isinstance(plain, Op):
        return False
    if effect(plain) in _TENSORS:
        return True
    return effect(plain) in _OF_TENSORS and any(_is_computed(part, depth - 1, act) for part in plain.operands)


def _operands(
    operation: Operation, bound: Bound, act: Activation
) -> tuple[tuple[Value, ...], tuple[Site | None, ...]]:
    operands: list[Value] = []
    slots: list[Site | None] = []
    for name in operation.operands:
        value = bound.get(name)
        if value is None:
            continue
        for argument in (value,) if isinstance(value, Argument) else value:
            combined = operation.effect == "combine"
            elements = act.machine.known_elements(argument.value, act) if combined else None
            if elements is None:
                makes = combined or operation.effect == "create"
                operands.append(frozen(argument.value, act) if makes else argument.value)
                slots.append(argument.site)
            else:
                operands.extend(elements)
                slots.extend([None] * len(elements))
    return tuple(operands), tuple(slots)


# Literal data longer than this says nothing more.
MAX_LITERAL = 64


def frozen(value: Value, act: Activation, depth: int = 4) -> Value:
    """A list whose elements are all known, as the tuple of what it holds now; `depth` lists deep."""
    if depth == 0:
        return value
    repeated = items.repeated_element(value, act)
    if repeated is not None:
        site = value.site if isinstance(value, Object) else Site(act.module.path, 1, 0, 1, 0)
        parts = (frozen(repeated, act, depth - 1), repeated)
        return act.machine.python_op("comprehension", parts, site, act, (("kind", const("list")),))
    elements = act.machine.known_elements(value, act)
    if elements is None or len(elements) > MAX_LITERAL or isinstance(strip(value), Tuple):
        return value
    return readings.rewrap(value, tuple_of(tuple(frozen(element, act, depth - 1) for element in elements)))


def _cast_name(name: str, parameters: list[tuple[str, Value]]) -> str:
    """`x.to(torch.long)`, `x.type(torch.LongTensor)`, `x.astype("int64")`: the cast that they are."""
    if name not in ("to", "type", "astype"):
        return name
    for _, value in parameters:
        for part in getattr(value, "items", (value,)):
            plain = strip(part)
            spelled = plain.name if isinstance(plain, External) else str(getattr(plain, "value", ""))
            if isinstance(plain, External | Const):
                cast = _CASTS.get(spelled.rpartition(".")[2])
                if cast is not None:
                    return cast
    return name

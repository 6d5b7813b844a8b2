"""What torch means, as data, and the tables to look it up by name.

    entry = by_function["torch.nn.functional.cross_entropy"]
    entry.operation.name                        # "cross_entropy"
    entry.signature.bind([logits, labels], {})  # {"input": logits, "target": labels}, None if it does not fit
    by_method["softmax"].signature              # without the receiver, which is the operand `receiver(operation)`
    by_module["torch.nn.CrossEntropyLoss"].signature  # the constructor's; `forward` takes the operands

Names are canonical ones: pass what the imports resolve to through `canonical` first. The tables are built when
one of them is first asked for.
"""

from __future__ import annotations

from typing import NamedTuple

from loss_lint.catalogue import define
from loss_lint.catalogue.aliases import canonical
from loss_lint.catalogue.losses import LOSSES
from loss_lint.catalogue.operation import Effect, Loss, Operation, Target, Wants
from loss_lint.catalogue.operations import OPERATIONS, PROPERTIES
from loss_lint.catalogue.signature import Parameter, Signature

__all__ = [
    "LOSSES",
    "OPERATIONS",
    "PROPERTIES",
    "Effect",
    "Entry",
    "Loss",
    "Operation",
    "Parameter",
    "Signature",
    "Target",
    "Wants",
    "by_function",
    "by_method",
    "by_module",
    "canonical",
    "forward",
    "loss",
    "operation",
    "receiver",
]


class Entry(NamedTuple):
    """One spelling of an operation."""

    operation: Operation
    signature: Signature


by_function: dict[str, Entry]
by_method: dict[str, Entry]
by_module: dict[str, Entry]
_by_name: dict[str, Operation]
_losses: dict[str, Loss]
_TABLES = frozenset({"by_function", "by_method", "by_module", "_by_name", "_losses"})


def operation(name: str) -> Operation:
    """The operation of that canonical name; KeyError if there is none."""
    return _table_of_names()[name]


def loss(name: str) -> Loss | None:
    """The loss of that canonical name, None if the operation is none."""
    if "_losses" not in globals():
        _build()
    return _losses.get(name)


def receiver(entry: Operation) -> str:
    """The operand that a tensor method of this operation is called on."""
    return define.receiver(entry.operands)


def forward(entry: Operation) -> Signature:
    """What a module of this operation takes when called: its operands, the first one required."""
    first, *others = entry.operands or ("input",)
    optional = entry.effect != "loss"
    return Signature(", ".join([first, *(f"{name}=None" if optional else name for name in others)]))


def _table_of_names() -> dict[str, Operation]:
    if "_by_name" not in globals():
        _build()
    return _by_name


def _build() -> None:
    global by_function, by_method, by_module, _by_name, _losses
    functions: dict[str, Entry] = {}
    methods: dict[str, Entry] = {}
    modules: dict[str, Entry] = {}
    for entry in OPERATIONS:
        for name, parameters in entry.functions:
            functions[name] = Entry(entry, Signature(parameters))
        for name, parameters in entry.methods:
            methods[name] = Entry(entry, Signature(parameters))
            # An unbound method (`torch.Tensor.softmax(x, 1)`) takes its receiver first.
            unbound = define.receiver(entry.operands) + (", " + parameters if parameters else "")
            functions["torch.Tensor." + name] = Entry(entry, Signature(unbound))
        for name, parameters in entry.modules:
            modules[name] = Entry(entry, Signature(parameters))
    by_function, by_method, by_module = functions, methods, modules
    _by_name = {entry.name: entry for entry in OPERATIONS}
    _losses = {entry.name: entry for entry in LOSSES}


def __getattr__(name: str) -> object:
    """Build the tables when the first of them is asked for."""
    if name not in _TABLES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _build()
    return globals()[name]

"""What torch means, as data, and the tables to look it up by name.

    entry = by_function["torch.nn.functional.cross_entropy"]
    entry.operation.name                        # "cross_entropy"
    entry.signature.bind([logits, labels], {})  # {"input": logits, "target": labels}; None: it does not fit
    by_method["softmax"].signature              # without the receiver, which is `receiver(operation)`
    by_module["torch.nn.NLLLoss"].signature     # the constructor's; what is called takes `forward(operation)`

The facts hold for the versions of torch in `HOLDS_FOR`: tests compare every name, signature and default with the
installed one, and what the catalogue says of each loss with what torch computes. They are read by earlier programs
too: names that torch has dropped since (`NLLLoss2d`, `F.nll_loss2d`, `size_average`) stay.

Names are canonical ones: pass what the imports resolve to through `canonical` first. The tables are built
when one of them is first asked for.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from loss_lint.catalogue import define
from loss_lint.catalogue.aliases import canonical
from loss_lint.catalogue.losses import LOSSES
from loss_lint.catalogue.operation import Effect, Loss, Operation, Target, Wants
from loss_lint.catalogue.operations import OPERATIONS, PROPERTIES
from loss_lint.catalogue.signature import Parameter, Signature

__all__ = [
    "HOLDS_FOR",
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


HOLDS_FOR = ("2.13",)


class Entry(NamedTuple):
    """One spelling of an operation."""

    operation: Operation
    signature: Signature


by_function: dict[str, Entry]
by_method: dict[str, Entry]
by_module: dict[str, Entry]


def operation(name: str) -> Operation:
    """The operation of that canonical name; KeyError if there is none."""
    return _tables().operations[name]


def loss(name: str) -> Loss | None:
    """The loss of that canonical name, None if the operation is none."""
    return _tables().losses.get(name)


def receiver(entry: Operation) -> str:
    """The operand that a tensor method of this operation is called on."""
    return define.receiver(entry.operands)


def forward(entry: Operation) -> Signature:
    """What a module of this operation takes when called: its operands, the first one required."""
    first, *others = entry.operands or ("input",)
    optional = entry.effect != "loss"
    return Signature(", ".join([first, *(f"{name}=None" if optional else name for name in others)]))


class _Tables(NamedTuple):
    by_function: dict[str, Entry]
    by_method: dict[str, Entry]
    by_module: dict[str, Entry]
    operations: dict[str, Operation]
    losses: dict[str, Loss]


@cache
def _tables() -> _Tables:
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
    operations = {entry.name: entry for entry in OPERATIONS}
    return _Tables(functions, methods, modules, operations, {entry.name: entry for entry in LOSSES})


def __getattr__(name: str) -> dict[str, Entry]:
    """Build the tables when the first of them is asked for, and keep them as plain attributes."""
    if name not in ("by_function", "by_method", "by_module"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    tables = _tables()
    globals().update(by_function=tables[0], by_method=tables[1], by_module=tables[2])
    return getattr(tables, name)  # type: ignore[no-any-return]

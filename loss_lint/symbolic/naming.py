"""The identifiers by which a program knows a value."""

from __future__ import annotations

from loss_lint.catalogue import names
from loss_lint.catalogue.names import means_training
from loss_lint.conventions import Conventions
from loss_lint.symbolic.graph import Alternatives, Const, External, Guards, Leaf, Op, Value
from loss_lint.symbolic.guards import strip


def name_of(value: Value) -> str:
    """The identifier of a value: a parameter's, a global's, an attribute's, a key's; "" for others."""
    plain = strip(value)
    match plain:
        case Leaf(role="parameter" | "global" | "unknown", name=name):
            return name
        case External(name=name):
            return name.rpartition(".")[2]
        case Op(name="getattr"):
            attribute = plain.parameter("name")
            return str(attribute.value) if isinstance(attribute, Const) else ""
        case Op(name="getitem"):
            key = plain.parameter("index")
            return key.value if isinstance(key, Const) and isinstance(key.value, str) else ""
        case _:
            return ""


def counts_samples(identifier: str, own: Conventions) -> bool:
    """Whether an identifier is a usual name for a number of samples or tokens, or one of the project's own."""
    return names.counts_samples(identifier) or own.counts_samples(identifier)


def counts_steps(identifier: str, own: Conventions) -> bool:
    """Whether an identifier is a usual name for the number of accumulation steps, or one of the project's own."""
    return names.counts_steps(identifier) or own.counts_steps(identifier)


def asks_for_training(guards: Guards) -> bool:
    """Whether a condition asks if the program trains: such branches are meant to differ."""
    return any(_asks(atom.condition, 4) for atom in guards)


def _asks(condition: Value, depth: int) -> bool:
    plain = strip(condition)
    name = name_of(plain).lower()
    if means_training(name) or name == "requires_grad" or name.startswith("eval"):
        return True
    if depth == 0:
        return False
    match plain:
        case Leaf(role="call", name=name):
            return any(
                word in name for word in ("export", "tracing", "scripting", "is_training", "grad_enabled")
            )
        case Op(name="not" | "and" | "or" | "eq" | "is" | "in" | "bool", operands=operands):
            return any(_asks(operand, depth - 1) for operand in operands)
        case Alternatives(branches=branches):
            return any(_asks(branch, depth - 1) for _, branch in branches)
        case _:
            return False

"""Strings that a program puts together from literals: names of losses, layers and attributes."""

from __future__ import annotations

from collections.abc import Sequence

from loss_lint.symbolic.graph import Const, Tuple, Value, const
from loss_lint.symbolic.guards import strip

# Methods of strings that are done on literals.
METHODS = frozenset(
    {"lower", "upper", "strip", "title", "capitalize", "casefold", "replace", "startswith", "endswith",
     "removeprefix", "removesuffix", "format"}
)  # fmt: skip
# A longer one is no name.
MAX_LENGTH = 500


def method(receiver: Value, name: str, arguments: Sequence[Value]) -> Value | None:
    """`"l{}".format(1)`, `name.lower()`; None where something is no literal."""
    text = strip(receiver)
    literals = [strip(argument) for argument in arguments]
    if not (isinstance(text, Const) and isinstance(text.value, str) and name in METHODS):
        return None
    plain = [literal.value for literal in literals if isinstance(literal, Const)]
    if len(plain) != len(literals) or not all(map(_is_short, [text.value, *plain])):
        return None
    if name == "format" and any(map(str.isdigit, text.value)):
        return None  # a width could make it long
    try:
        return const(getattr(text.value, name)(*plain))
    except (TypeError, ValueError, LookupError, AttributeError):
        return None


def _is_short(value: object) -> bool:
    return (
        value is None
        or isinstance(value, int | float)
        or (isinstance(value, str) and len(value) < MAX_LENGTH)
    )


def interpolated(text: object, value: Value) -> Value | None:
    """`"layer%d" % index`."""
    if not (isinstance(text, str) and len(text) < MAX_LENGTH and not any(map(str.isdigit, text))):
        return None
    given = [strip(item) for item in value.items] if isinstance(value, Tuple) else [value]
    plain = tuple(literal.value for literal in given if isinstance(literal, Const))
    if len(plain) != len(given) or not all(isinstance(one, str | int | float) for one in plain):
        return None
    try:
        return const(text % plain)
    except (TypeError, ValueError):
        return None


def joined(left: object, right: object) -> Value | None:
    """`"Cross" + "Entropy"`."""
    if isinstance(left, str) and isinstance(right, str) and len(left) + len(right) < MAX_LENGTH:
        return const(left + right)
    return None

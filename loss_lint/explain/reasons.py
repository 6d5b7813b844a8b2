"""Why knowledge ended at a value, in words."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loss_lint.symbolic.graph import (
    Alternatives,
    Class,
    Const,
    External,
    Function,
    Lazy,
    Leaf,
    Method,
    Object,
    Op,
    Phi,
    Value,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.naming import name_of
from loss_lint.syntax.site import short

if TYPE_CHECKING:
    from loss_lint.symbolic.places import Places

# What the evaluator says of a method that only raises.
NEVER_RETURNS = "a function that does not return"
_FOLLOWED = 4
_MAX_TEXT = 40
_MAX_BRANCHES = 3
# What is said of a call for want of anything better; the callee says more.
_GENERIC = frozenset({"", "a call that is not followed"})


@dataclass(frozen=True, slots=True)
class Context:
    """What reasons are written with."""

    places: Places


def source(value: Value, context: Context) -> str:
    """How a value is written, if that is short; else its name."""
    plain = strip(value)
    if isinstance(plain, Leaf | Op | Lazy) and plain.site is not None:
        text = " ".join(context.places.text(plain.site).split())
        if isinstance(plain, Leaf) and plain.role in ("element", "index") and "," in text:
            return ""  # it is what a tuple of names unpacks
        if 0 < len(text) <= _MAX_TEXT:
            return text
    name = name_of(plain) or (plain.name.removeprefix("builtins.") if isinstance(plain, Leaf) else "")
    return f"{name}(...)" if name and isinstance(plain, Leaf) and plain.role == "call" else name


def why(leaf: Leaf, context: Context, depth: int = _FOLLOWED) -> str:
    """Why nothing more is known of a leaf."""
    match leaf.role:
        case "parameter":
            return _parameter(leaf)
        case "call":
            if leaf.reason not in _GENERIC:
                return leaf.reason
            return (
                _callee(leaf.operands[0], context, depth) if leaf.operands else "a call that is not followed"
            )
        case "element" if leaf.operands:
            return f"an element of {_named(leaf.operands[0], context, depth)}"
        case "index":
            return "an index of a loop"
        case "repeated":
            return leaf.reason or "any number of items"
        case "global":
            return f"`{leaf.name}` is not defined where it is read"
        case _:
            return leaf.reason or "not followed"


def _parameter(leaf: Leaf) -> str:
    by_default = f", {leaf.default.value!r} by default" if leaf.default is not None else ""
    return (leaf.reason or "a parameter") + by_default


def _callee(function: Value, context: Context, depth: int) -> str:
    plain = strip(function)
    match plain:
        case External(name=name):
            return _outside(name)
        case Object(cls=External(name=name)):
            return _outside(name)
        case Object(cls=Class(name=name)):
            return f"`{name}` has no `forward` that is followed"
        case Class(name=name) | Function(name=name):
            return f"`{name}` is not followed"
        case Method(name=name, receiver=receiver):
            return f"method `{name}` of {_named(receiver, context, depth)}"
        case Leaf(role="call", operands=(External(name="builtins.getattr"), *_)):
            return f"it is {_outside('builtins.getattr')}"
        case Leaf(role="call"):
            return f"it comes from {_named(plain, context, depth)}"
        case Leaf():
            subject = f"`{plain.name}` is " if plain.name and plain.role != "global" else ""
            return subject + why(plain, context, depth - 1)
        case Op(name="getattr" | "getitem"):
            return _named(plain, context, depth)
        case Op():
            return f"it is computed at {short(plain.site)}"
        case Alternatives():
            return "one of several callables"
        case Lazy(function=inner):
            return f"it is what `{inner.name}` returns"
        case _:
            return "a call that is not followed"


def _outside(name: str) -> str:
    if name.startswith("torch.utils.data."):
        return "data that is loaded when the program runs"
    if name.startswith("torch."):
        return f"`{name}` is not known to loss-lint"
    if name == "builtins.getattr":
        return "an attribute whose name only the running program knows"
    if name.startswith("builtins."):
        return f"Python's `{name.removeprefix('builtins.')}`"
    if name.partition(".")[0] in sys.stdlib_module_names:
        return f"Python's `{name}`"
    return f"third-party: {name}"


def _named(value: Value, context: Context, depth: int) -> str:
    """A value as a noun, with why it is not known."""
    plain = strip(value)
    text = source(plain, context)
    quoted = f"`{text}`" if text else ""
    if depth == 0:
        site = plain.site if isinstance(plain, Op | Leaf) else None
        return quoted or (f"what {short(site)} computes" if site is not None and site.line else "something")
    match plain:
        case Leaf():
            reason = why(plain, context, depth - 1)
            kind, _, name = reason.partition(": ")
            if kind == "third-party" and name in text:
                reason = kind
            return f"{quoted} ({reason})" if quoted else reason
        case Op(name="getattr", operands=(base, *_)):
            return _attribute(plain, base, context, depth)
        case Op(name="getitem", operands=(base, *_)):
            return f"an item of {_named(base, context, depth - 1)}"
        case Op():
            return quoted or f"the {plain.name} at {short(plain.site)}"
        case Object(cls=External(name=name) | Class(name=name)):
            return _instance(name)
        case External(name=name):
            return f"`{name}`"
        case Phi(name=name):
            return f"`{name}`, which a loop changes"
        case Lazy(function=inner):
            return f"what `{inner.name}` returns"
        case Alternatives(branches=branches):
            return quoted or " or ".join(
                dict.fromkeys(_named(branch, context, depth - 1) for _, branch in branches[:_MAX_BRANCHES])
            )
        case Const(value=literal):
            return repr(literal)
        case _:
            return quoted or "something unknown"


def _attribute(op: Op, base: Value, context: Context, depth: int) -> str:
    attribute = op.parameter("name")
    name = str(attribute.value) if isinstance(attribute, Const) else "?"
    holder = strip(base)
    if isinstance(holder, Object) and isinstance(holder.cls, Class):
        return f"attribute `{name}`, which nothing seen here sets on `{holder.cls.name}`"
    return f"attribute `{name}` of {_named(base, context, depth - 1)}"


def _instance(name: str) -> str:
    last = name.rpartition(".")[2]
    return f"{'an' if last[:1] in 'AEIOUaeiou' else 'a'} `{last}`"

"""Values and conditions as text for people: `softmax(?x, dim=1)`, "`use_softmax` is true"."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from loss_lint.symbolic.graph import (
    Accumulated,
    Alternatives,
    Atom,
    BoundMethod,
    Class,
    Const,
    External,
    Function,
    Import,
    Lazy,
    Leaf,
    Method,
    Namespace,
    Object,
    Op,
    Partial,
    Pass,
    Phi,
    Super,
    Tuple,
    Value,
)
from loss_lint.symbolic.places import Places
from loss_lint.symbolic.walk import views

MAX_CONDITION = 60


def conditions(atoms: Iterable[Atom], places: Places) -> tuple[str, ...]:
    """The conditions that a reader can check, as sentences without end; sorted."""
    texts = {text for atom in atoms if (text := _condition(atom, places))}
    return tuple(sorted(texts))


def _condition(atom: Atom, places: Places) -> str:
    condition = atom.condition
    while isinstance(condition, Pass):
        condition = condition.value
    if _is_about_an_index(condition, 4):
        return ""
    truth = "true" if atom.truth else "false"
    match condition:
        case Leaf(role="parameter", name=name) if name:
            return f"`{name}` is {truth}"
        case Op(name="is" | "eq" as name, operands=(subject, Const(value=value))):
            if isinstance(subject, Leaf) and subject.role == "call":
                written = places.text(condition.site)
                return _as_written(written, condition.name, atom.truth) if written else ""
            text = _text(subject, places)
            if not text:
                return ""
            if name == "is" or value is None:
                return f"`{text}` is {'' if atom.truth else 'not '}{value!r}"
            return f"`{text}` {'==' if atom.truth else '!='} {value!r}"
        case Op(site=site):
            text = places.text(site)
            if not 0 < len(text) <= MAX_CONDITION:
                return ""
            if condition.name in _COMPARISONS:
                return _as_written(text, condition.name, atom.truth)
            return f"`{text}` is {truth}"
        case _:
            return ""


def _as_written(text: str, name: str, truth: bool) -> str:
    """A comparison as the source writes it, or its opposite: `a != b` is written where `a == b` is asked."""
    opposite = _opposite(text) if name in _ASKED_POSITIVELY else None
    if opposite is not None:
        return f"`{opposite}`" if truth else f"`{text}`"
    return f"`{text}`" if truth else f"not `{text}`"


def is_as_written(atom: Atom, places: Places) -> bool:
    """Whether what the source asks holds: `a != b` does where `a == b`, which is what is recorded, does not."""
    condition = atom.condition
    while isinstance(condition, Pass):
        condition = condition.value
    if (
        isinstance(condition, Op)
        and condition.name in _ASKED_POSITIVELY
        and _opposite(places.text(condition.site))
    ):
        return not atom.truth
    return atom.truth


def _opposite(text: str) -> str | None:
    """`a == b` for `a != b`; None for what is no comparison of that kind."""
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not (isinstance(node, ast.Compare) and len(node.ops) == 1):
        return None
    sign = _OPPOSITES.get(type(node.ops[0]))
    left, right = (ast.get_source_segment(text, one) for one in (node.left, node.comparators[0]))
    return f"{left} {sign} {right}" if sign is not None and left and right else None


# What `!=`, `is not` and `not in` are recorded as: the opposite of these.
_ASKED_POSITIVELY = frozenset({"eq", "is", "in", "or"})
_OPPOSITES: dict[type[ast.cmpop], str] = {ast.NotEq: "==", ast.IsNot: "is", ast.NotIn: "in"}


def _is_about_an_index(condition: Value, depth: int) -> bool:
    """Whether a condition asks which iteration of a loop it is: no reader can choose that."""
    while isinstance(condition, Pass):
        condition = condition.value
    match condition:
        case Leaf(role="index"):
            return True
        case Op(operands=operands) if depth:
            return any(_is_about_an_index(operand, depth - 1) for operand in operands)
        case _:
            return False


# What reads as a sentence of its own: `len(x) > 0`.
_COMPARISONS = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "in", "not", "and", "or"})


def _text(value: Value, places: Places) -> str:
    while isinstance(value, Pass):
        value = value.value
    match value:
        case Leaf(name=name) | Phi(name=name):
            return name
        case Op(site=site):
            text = places.text(site)
            return text if len(text) <= MAX_CONDITION else ""
        case _:
            return ""


def reveal(value: Value, depth: int = 8) -> str:
    """A value in one line, for the evaluator's tests and `show`: leaves start with `?`."""
    if depth == 0:
        return "..."
    match value:
        case Const(value=plain):
            return repr(plain)
        case Pass(value=inner):
            return reveal(inner, depth)
        case Lazy():
            return reveal(value.caller.machine.force(value), depth)
        case Op(name="getitem" | "getattr"):
            read = [view.node for view in views(value, value.guards)]
            return _reveal_op(value, depth) if len(read) != 1 or read[0] is value else reveal(read[0], depth)
        case Op():
            return _reveal_op(value, depth)
        case Leaf():
            return _reveal_leaf(value, depth)
        case Alternatives(branches=branches):
            return " | ".join(_reveal_branch(guards, branch, depth) for guards, branch in branches)
        case Phi(name=name):
            return f"phi({name})"
        case Accumulated(init=init, terms=terms):
            parts = ", ".join(reveal(term, depth - 1) for term in terms)
            return f"accumulated({reveal(init, depth - 1)}, {parts})"
        case Tuple(items=items):
            inside = ", ".join(reveal(item, depth - 1) for item in items)
            return f"({inside},)" if len(items) == 1 else f"({inside})"
        case External(name=name):
            return name
        case Object(cls=cls):
            return f"{cls.name.rpartition('.')[2]} object"
        case Class(name=name) | Function(name=name) | Method(name=name):
            return name
        case BoundMethod(function=function):
            return function.name
        case Partial() | Super() | Namespace() | Import():
            return type(value).__name__.lower()


def _reveal_op(op: Op, depth: int) -> str:
    parts = [reveal(operand, depth - 1) for operand in op.operands]
    parts += [
        f"{name}={reveal(value, depth - 1)}"
        for name, value in op.parameters
        if not (isinstance(value, Const) and value.value in QUIET.get(name, ()))
    ]
    return f"{op.name}({', '.join(parts)})"


# Defaults that say nothing to a reader.
QUIET: dict[str, tuple[object, ...]] = {
    "weight": (None,),
    "size_average": (None,),
    "reduce": (None,),
    "ignore_index": (-100,),
    "label_smoothing": (0.0,),
    "pos_weight": (None,),
    "log_target": (False,),
    "inplace": (False,),
}


def _reveal_leaf(leaf: Leaf, depth: int) -> str:
    if leaf.role == "call":
        return f"?{leaf.name or 'call'}(...)"
    if leaf.role in ("element", "index") and leaf.operands:
        return f"?{leaf.role}({reveal(leaf.operands[0], depth - 1)})"
    return f"?{leaf.name or leaf.role}"


def _reveal_branch(guards: Iterable[Atom], value: Value, depth: int) -> str:
    tests = sorted(f"{'' if atom.truth else 'not '}{reveal(atom.condition, 3)}" for atom in guards)
    return f"[{' and '.join(tests)}] {reveal(value, depth - 1)}" if tests else reveal(value, depth - 1)

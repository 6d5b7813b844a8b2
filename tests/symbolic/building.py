"""Graph nodes for tests, without a program around them."""

from __future__ import annotations

from loss_lint.symbolic.graph import (
    NO_GUARDS,
    Atom,
    Frame,
    Guards,
    Leaf,
    Op,
    Site,
    Value,
    const,
    intern_content,
)

SITE = Site("program.py", 1, 0, 1, 1)
FRAME = Frame("f", None, None, 0)


def name(text: str) -> Leaf:
    """An unknown value; equal names are one value."""
    return Leaf("global", text, (), SITE, intern_content(("global", text)))


def op(operation: str, *operands: Value) -> Op:
    content = intern_content((operation, *(operand.content for operand in operands)))
    slots = (None,) * len(operands)
    return Op(operation, operands, (), SITE, slots, NO_GUARDS, FRAME, (), True, content)


def equals(value: Value, literal: object) -> Op:
    return op("eq", value, const(literal))


def holds(condition: Value) -> Guards:
    return frozenset({Atom(condition.content, True, condition)})


def fails(condition: Value) -> Guards:
    return frozenset({Atom(condition.content, False, condition)})

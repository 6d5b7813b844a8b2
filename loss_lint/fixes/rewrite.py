"""Rewrites of one expression's text that keep its formatting, by libcst."""

from __future__ import annotations

import re

_ATOM = re.compile(r"[\w.]+")


def is_atomic(text: str) -> bool:
    """Whether an expression needs no parentheses anywhere."""
    if _ATOM.fullmatch(text):
        return True
    import libcst

    try:
        node = libcst.parse_expression(text)
    except (libcst.ParserSyntaxError, RecursionError):
        return False
    if getattr(node, "lpar", ()):
        return True
    return isinstance(
        node, libcst.Name | libcst.Attribute | libcst.Call | libcst.Subscript | libcst.List | libcst.Dict
    )


def renamed_call(text: str, before: str, after: str) -> str | None:
    """The call in `text` with its callee's name `before` changed to `after`; None for anything else."""
    import libcst

    try:
        node = libcst.parse_expression(text)
    except (libcst.ParserSyntaxError, RecursionError):
        return None
    if not isinstance(node, libcst.Call):
        return None
    callee = node.func
    if isinstance(callee, libcst.Attribute) and callee.attr.value == before:
        renamed: libcst.BaseExpression = callee.with_changes(attr=libcst.Name(after))
        return libcst.Module([]).code_for_node(node.with_changes(func=renamed))
    return None

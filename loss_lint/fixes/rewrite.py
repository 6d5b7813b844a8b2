"""Rewrites of one expression's text that keep its formatting, by libcst."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from loss_lint import catalogue
from loss_lint.syntax.site import Site

if TYPE_CHECKING:
    import libcst

_ATOM = re.compile(r"[\w.]+")
_FUNCTIONAL = re.compile(r"(?i:f|fn|.*functional)")
_LITERALS = frozenset({"True", "False", "None"})


def is_within(inner: Site, outer: Site) -> bool:
    """Whether a place lies inside another one."""
    return (
        inner.path == outer.path
        and (outer.line, outer.column) <= (inner.line, inner.column)
        and (inner.end_line, inner.end_column) <= (outer.end_line, outer.end_column)
    )


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


def renamed_call(text: str, before: str, after: str) -> tuple[str, str] | None:
    """The call of the operation `before` in `text` as one of `after`, and the name that it calls then.

    A module's class becomes the other's class. None where the callee is no attribute (`F.softmax`, `x.softmax`,
    `nn.Softmax`), or has no such counterpart.
    """
    import libcst

    node = _call(text)
    if node is None or not isinstance(node.func, libcst.Attribute):
        return None
    callee = node.func
    name = _counterpart(libcst.Module([]).code_for_node(callee.value), callee.attr.value, before, after)
    if name is None:
        return None
    renamed: libcst.BaseExpression = callee.with_changes(attr=libcst.Name(name))
    return libcst.Module([]).code_for_node(node.with_changes(func=renamed)), name


def renamed_bare_call(text: str, module: str, before: str, after: str) -> tuple[str, str] | None:
    """The same for a callee that was imported from `module` by its name: the call, and the other name."""
    import libcst

    node = _call(text)
    if node is None or not isinstance(node.func, libcst.Name):
        return None
    name = _counterpart(module, node.func.value, before, after)
    if name is None:
        return None
    return libcst.Module([]).code_for_node(node.with_changes(func=libcst.Name(name))), name


def _counterpart(base: str, name: str, before: str, after: str) -> str | None:
    """What `name`, an attribute of `base` that spells `before`, is called where it is `after`."""
    old, new = catalogue.operation(before), catalogue.operation(after)
    if name in _last_names(old.modules):
        return next(iter(_last_names(new.modules)), None)
    if name != before and name not in _last_names(old.methods):
        return None
    functions = {spelled for spelled, _ in new.functions}
    if base == "torch":
        return after if f"torch.{after}" in functions else None
    is_method = after in _last_names(new.methods)
    is_function = f"torch.nn.functional.{after}" in functions
    if is_method or (is_function and (not _last_names(old.methods) or _FUNCTIONAL.fullmatch(base))):
        return after
    return None


def _last_names(spellings: Sequence[tuple[str, str]]) -> list[str]:
    return [spelled.rpartition(".")[2] for spelled, _ in spellings]


def instance_call(text: str, operation: str) -> str | None:
    """`nn.MSELoss(x, y)` as `nn.MSELoss()(x, y)`; None where not just the operands of `operation` stand there."""
    import libcst

    node = _call(text)
    signature = _signature(node.func, operation) if node is not None else None
    operands = catalogue.operation(operation).operands
    if node is None or signature is None or len(node.args) != len(operands):
        return None
    if any(arg.star or (arg.keyword is not None and arg.keyword.value not in operands) for arg in node.args):
        return None
    instance = libcst.Call(node.func)
    return libcst.Module([]).code_for_node(node.with_changes(func=instance))


def call_with(text: str, operation: str, given: Mapping[str, str], drop: Collection[str]) -> str | None:
    """The call in `text` with the parameters `given` set to these texts, and those in `drop` left out.

    The callee has to be a spelling of `operation`, as its parameters' order is that spelling's. None for anything
    else, for unpacked arguments, and where what is changed is no literal: other callers may give something else.
    """
    import libcst

    node = _call(text)
    signature = _signature(node.func, operation) if node is not None else None
    if node is None or signature is None or any(arg.star for arg in node.args):
        return None
    positional = [one.name for one in signature.parameters if one.kind == "positional"]
    if sum(arg.keyword is None for arg in node.args) > len(positional):
        return None
    named = [
        (positional[place] if arg.keyword is None else arg.keyword.value, arg)
        for place, arg in enumerate(node.args)
    ]
    present = {name for name, _ in named}
    usual = {name for name, text in given.items() if name in present and _is_default(signature, name, text)}
    drop, given = {*drop, *usual}, {name: text for name, text in given.items() if name not in usual}
    missing = {
        name: text
        for name, text in given.items()
        if name in present or not _is_default(signature, name, text)
    }
    arguments: list[libcst.Arg] = []
    by_keyword = False
    for name, arg in named:
        if name in drop:
            if not _is_literal(arg.value):
                return None
            by_keyword = True
            added = next((one for one in missing if one not in present), None)
            if added is not None:
                arguments.append(_keyword(arg, added, libcst.parse_expression(missing.pop(added))))
            continue
        value = arg.value
        if name in missing:
            if not _is_literal(value):
                return None
            value = libcst.parse_expression(missing.pop(name))
        arguments.append(_keyword(arg, name, value) if by_keyword else arg.with_changes(value=value))
    for name, text in missing.items():
        blank = libcst.Arg(libcst.Name(name))
        arguments.append(_keyword(blank, name, libcst.parse_expression(text)))
    return libcst.Module([]).code_for_node(node.with_changes(args=_separated(arguments, node.args)))


def _call(text: str) -> libcst.Call | None:
    import libcst

    try:
        node = libcst.parse_expression(text)
    except (libcst.ParserSyntaxError, RecursionError):
        return None
    return node if isinstance(node, libcst.Call) else None


def _signature(callee: libcst.BaseExpression, operation: str) -> catalogue.Signature | None:
    """What the spelling of `operation` that `callee` is takes; None where it is none."""
    import libcst

    name = callee.attr if isinstance(callee, libcst.Attribute) else callee
    if not isinstance(name, libcst.Name):
        return None
    entry = catalogue.operation(operation)
    for spelled, text in (*entry.functions, *entry.modules):
        if spelled.rpartition(".")[2] == name.value:
            return catalogue.Signature(text)
    return None


def _is_literal(value: libcst.BaseExpression) -> bool:
    import libcst

    return isinstance(value, libcst.SimpleString) or (
        isinstance(value, libcst.Name) and value.value in _LITERALS
    )


def _is_default(signature: catalogue.Signature, name: str, text: str) -> bool:
    default = signature.default(name)
    return default is not None and ast.literal_eval(default) == ast.literal_eval(text)


def _keyword(arg: libcst.Arg, name: str, value: libcst.BaseExpression) -> libcst.Arg:
    import libcst

    blank = libcst.SimpleWhitespace("")
    equal = arg.equal if arg.keyword is not None else libcst.AssignEqual(blank, blank)
    return arg.with_changes(keyword=libcst.Name(name), equal=equal, value=value)


def _separated(arguments: list[libcst.Arg], before: Sequence[libcst.Arg]) -> list[libcst.Arg]:
    """The arguments with commas between them and, behind the last one, what was behind the last one before."""
    import libcst

    if not arguments or not before:
        return arguments
    last = before[-1]
    between = before[-2].comma if len(before) > 1 else libcst.MaybeSentinel.DEFAULT
    blank = libcst.SimpleWhitespace("")
    inner = [
        arg.with_changes(comma=between, whitespace_after_arg=blank) if arg.comma is last.comma else arg
        for arg in arguments[:-1]
    ]
    after = last.whitespace_after_arg
    return [*inner, arguments[-1].with_changes(comma=last.comma, whitespace_after_arg=after)]

"""Functions and classes of the project as values, and how arguments meet parameters."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import Argument, Class, Function, intern_content

# Decorators behind which a function still computes what its body says.
HARMLESS_DECORATORS = frozenset(
    {
        "staticmethod",
        "classmethod",
        "property",
        "cached_property",
        "no_grad",
        "inference_mode",
        "enable_grad",
        "abstractmethod",
        "overload",
        "override",
        "wraps",
        "lru_cache",
        "cache",
        "compile",
        "script",
        "script_method",
        "export",
        "ignore",
        "autocast",
        "custom_fwd",
        "main",
        "command",
        "option",
        "record",
        "typechecked",
        "jaxtyped",
        "dataclass",
        "add_start_docstrings",
        "final",
        "profile",
    }
)


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def definitions(body: Sequence[ast.stmt]) -> Iterator[Definition]:
    """Definitions at the top of a module, also those under `if` and `try`."""
    for statement in body:
        if isinstance(statement, Definition):
            yield statement
        elif isinstance(statement, ast.If | ast.Try):
            yield from definitions([*statement.body, *statement.orelse])


def define_function(node: ast.FunctionDef | ast.AsyncFunctionDef, act: Activation) -> Function:
    return Function(node, node.name, act.module, act, act.owner, _identity(node, act))


def define_lambda(node: ast.Lambda, act: Activation) -> Function:
    return Function(node, "lambda", act.module, act, None, _identity(node, act))


def define_class(node: ast.ClassDef, act: Activation) -> Class:
    return Class(node, node.name, act.module, act, _identity(node, act))


def _identity(node: ast.stmt | ast.expr, act: Activation) -> int:
    return intern_content(("definition", act.module.path, node.lineno, node.col_offset, act.serial))


def decorator_names(node: ast.AST) -> list[str]:
    """The last part of each decorator's name: `no_grad` for `@torch.no_grad()`."""
    names: list[str] = []
    for decorator in getattr(node, "decorator_list", ()):
        inner = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(inner, ast.Attribute):
            names.append(inner.attr)
        elif isinstance(inner, ast.Name):
            names.append(inner.id)
        else:
            names.append("?")
    return names


def has_only_harmless_decorators(node: ast.AST) -> bool:
    return all(name in HARMLESS_DECORATORS for name in decorator_names(node))


def bind_arguments(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, arguments: Sequence[Argument]
) -> dict[str, Argument] | None:
    """Each parameter's argument, without defaults; None where the call does not fit or unpacks unknowns.

    What `*args` and `**kwargs` collect is left out; `surplus` finds it.
    """
    spec = node.args
    positional = [parameter.arg for parameter in (*spec.posonlyargs, *spec.args)]
    keyword_only = {parameter.arg for parameter in spec.kwonlyargs}
    bound: dict[str, Argument] = {}
    position = 0
    for argument in arguments:
        if argument.keyword in ("*", "**"):
            if argument.keyword == "*":
                position = len(positional)  # whatever follows has no known place
            continue
        if argument.keyword is None:
            if position < len(positional):
                bound[positional[position]] = argument
                position += 1
            elif spec.vararg is None:
                return None
        elif argument.keyword in keyword_only or argument.keyword in positional:
            bound[argument.keyword] = argument
        elif spec.kwarg is None:
            return None
    return bound


def surplus(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, arguments: Sequence[Argument]
) -> tuple[list[Argument] | None, list[Argument] | None]:
    """What `*args` and `**kwargs` collect; None for either where an unknown was unpacked into it."""
    spec = node.args
    positional = [parameter.arg for parameter in (*spec.posonlyargs, *spec.args)]
    known = {*positional, *(parameter.arg for parameter in spec.kwonlyargs)}
    rest: list[Argument] | None = [argument for argument in arguments if argument.keyword is None][
        len(positional) :
    ]
    named: list[Argument] | None = [
        argument
        for argument in arguments
        if argument.keyword not in (None, "*", "**") and argument.keyword not in known
    ]
    if any(argument.keyword == "*" for argument in arguments):
        rest = None
    if any(argument.keyword == "**" for argument in arguments):
        named = None
    return rest, named


def unpacks_unknown(arguments: Sequence[Argument]) -> bool:
    return any(argument.keyword in ("*", "**") for argument in arguments)


def defaults(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> dict[str, ast.expr]:
    """The default expression of each parameter that has one."""
    spec = node.args
    positional = [*spec.posonlyargs, *spec.args]
    found: dict[str, ast.expr] = {}
    if spec.defaults:
        for parameter, expression in zip(positional[-len(spec.defaults) :], spec.defaults, strict=True):
            found[parameter.arg] = expression
    for parameter, keyword_default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        if keyword_default is not None:
            found[parameter.arg] = keyword_default
    return found

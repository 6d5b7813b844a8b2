"""What the installed torch says of its own callables: by inspection, or else in the stubs that it ships."""

from __future__ import annotations

import ast
import importlib
import inspect
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, get_overloads

import torch

from loss_lint.catalogue.signature import KEYWORD_ALIASES, Parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNATURE_KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional",
    inspect.Parameter.VAR_POSITIONAL: "variadic",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
}
NOT_LITERAL = "(no literal)"


class Given(NamedTuple):
    """One installed parameter; `default` is a value's `repr`, None if it is required."""

    name: str
    kind: str
    default: str | None


def resolve(qualified: str) -> object:
    """The object of a qualified name; AttributeError or ImportError if there is none."""
    first, *rest = qualified.split(".")
    found: object = importlib.import_module(first)
    path = first
    for part in rest:
        path += "." + part
        try:
            found = getattr(found, part)
        except AttributeError:
            try:
                found = importlib.import_module(path)
            except ImportError:
                raise AttributeError(f"{qualified} does not exist") from None
    return found


def inspected(function: object, *, skip_self: bool = False) -> tuple[Given, ...] | None:
    """The parameters by `inspect.signature`, None where it does not work or says nothing."""
    overloads = get_overloads(function) if inspect.isfunction(function) else ()
    try:
        signature = inspect.signature(overloads[0] if overloads else function)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    parameters = list(signature.parameters.values())[1 if skip_self else 0 :]
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        return None
    if parameters and all(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    return tuple(
        Given(
            parameter.name,
            _SIGNATURE_KINDS[parameter.kind],
            None if parameter.default is parameter.empty else _literal(parameter.default),
        )
        for parameter in parameters
    )


def _literal(value: object) -> str:
    plain = isinstance(value, str | int | float | bool | tuple) or value is None
    return repr(value) if plain else NOT_LITERAL


def stubbed(qualified: str) -> list[tuple[Given, ...]]:
    """The overloads that torch's stubs give `torch.x`, `torch.nn.functional.x` or `torch.Tensor.x`."""
    owner, _, name = qualified.rpartition(".")
    files = {
        "torch": (("_C/_VariableFunctions.pyi", ""),),
        "torch.nn.functional": (
            ("nn/functional.pyi", ""),
            ("_C/_nn.pyi", ""),
            ("_C/_VariableFunctions.pyi", ""),
        ),
        "torch.Tensor": (("_C/__init__.pyi", "TensorBase"),),
    }.get(owner, ())
    for path, cls in files:
        overloads = _stub_functions(path, cls).get(name)
        if overloads:
            return overloads
    return []


@cache
def _stub_functions(path: str, cls: str) -> dict[str, list[tuple[Given, ...]]]:
    tree = ast.parse((Path(torch.__file__).parent / path).read_text())
    body: Sequence[ast.stmt] = tree.body
    if cls:
        body = next(node.body for node in body if isinstance(node, ast.ClassDef) and node.name == cls)
    found: dict[str, list[tuple[Given, ...]]] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef) and "DimnameLike" not in ast.unparse(node.args):
            parameters = _stub_parameters(node.args)
            found.setdefault(node.name, []).append(parameters[1:] if cls else parameters)
    return found


def _stub_parameters(arguments: ast.arguments) -> tuple[Given, ...]:
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [*[None] * (len(positional) - len(arguments.defaults)), *arguments.defaults]
    given = [
        Given(parameter.arg, "positional", _stub_default(default))
        for parameter, default in zip(positional, defaults, strict=True)
    ]
    if arguments.vararg is not None:
        given.append(Given(arguments.vararg.arg, "variadic", None))
    given.extend(
        Given(parameter.arg, "keyword", _stub_default(default))
        for parameter, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    )
    return tuple(given)


def _stub_default(node: ast.expr | None) -> str | None:
    if node is None:
        return None
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return NOT_LITERAL
    return NOT_LITERAL if value is Ellipsis else repr(value)


def same_name(ours: str, theirs: str) -> bool:
    """Whether a catalogued parameter name stands for torch's."""
    return ours == theirs or ours in KEYWORD_ALIASES.get(theirs, ())


def same_default(ours: Parameter, theirs: Given) -> bool:
    """Whether defaults agree, as values: `1` is `1.0`; what has no literal is catalogued as None."""
    if ours.default is None or theirs.default is None:
        return ours.default is None and theirs.default is None
    if theirs.default == NOT_LITERAL:
        return True
    return bool(ast.literal_eval(ours.default) == ast.literal_eval(theirs.default))

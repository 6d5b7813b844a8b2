"""Calls of the project's own losses and softmaxes: their arguments as torch's parameters.

By the project's signature where its source can be read, by torch's where it cannot. What torch's has no place for
makes unknown what it may decide: every parameter that is not given, and that the project's has no default for.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from loss_lint import catalogue
from loss_lint.symbolic import objects, reductions, torch_calls
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.definitions import Definition, defaults
from loss_lint.symbolic.graph import (
    Argument,
    Const,
    External,
    Object,
    Site,
    Value,
    const,
    external,
    fresh_content,
    leaf,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.heap import OPEN

# What torch takes as a reduction, of whichever loss.
_REDUCTIONS = frozenset({"none", "mean", "sum", "batchmean"})
# Bases from which no constructor with parameters is inherited.
_BARE = frozenset({"Module", "ABC", "object"})
# Parameters that decide nothing about the numbers.
_IDLE = frozenset({"dtype", "_stacklevel"})


def call(callee: External, arguments: tuple[Argument, ...], site: Site, act: Activation) -> Value | None:
    """What calling an own name gives: an instance of torch's class, or what torch's function gives."""
    definition = act.machine.own_names.definition(callee.alias, act.module.path, act.machine)
    name = _spelling(callee.name, definition)
    if name in catalogue.by_function:
        entry = catalogue.by_function[name]
        given = _Translation(entry, entry.operation.operands, _of(definition, is_method=False)).of(
            arguments, site
        )
        return torch_calls.apply_function(name, given, site, act, callee.alias)
    if name not in catalogue.by_module:
        return None
    signature = _of(_method(definition, "__init__")) or _inherited(definition)
    given = _Translation(catalogue.by_module[name], (), signature).of(arguments, site)
    created = Object(external(name, callee.alias), site, fresh_content(), act.loops)
    act.state.heap.set(created.content, OPEN)
    objects.initialize_external(created, name, given, site, act)
    return created


def to_instance(
    cls: External, arguments: tuple[Argument, ...], site: Site, act: Activation
) -> tuple[Argument, ...]:
    """The arguments of a call of an own class's instance, as an instance of torch's would be called."""
    definition = act.machine.own_names.definition(cls.alias, act.module.path, act.machine)
    operation = catalogue.by_module[cls.name].operation
    forward = catalogue.Entry(operation, catalogue.forward(operation))
    signature = _of(_method(definition, "forward") or _method(definition, "__call__"))
    return _Translation(forward, operation.operands, signature).of(arguments, site)


def _spelling(name: str, definition: Definition | None) -> str:
    """The class or function of torch's that a definition is like, where its own kind is the other one."""
    entry = catalogue.by_module.get(name) or catalogue.by_function[name]
    if isinstance(definition, ast.ClassDef) and name in catalogue.by_function:
        return next((spelled for spelled, _ in entry.operation.modules), "")
    is_function = isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef)
    if is_function and name in catalogue.by_module:
        signature = _of(definition, is_method=False)
        required = set(signature.names) - signature.defaults.keys() if signature is not None else ()
        if len(required) >= len(entry.operation.operands):  # it computes the loss, and makes none
            return next((spelled for spelled, _ in entry.operation.functions), "")
    return name


@dataclass(frozen=True, slots=True)
class _Signature:
    """A definition's parameters, without the object's, and the defaults of those that have one."""

    positional: tuple[str, ...]
    names: tuple[str, ...]
    defaults: dict[str, ast.expr]
    # Whether there is more that is not known.
    is_open: bool = False


def _of(node: Definition | None, *, is_method: bool = True) -> _Signature | None:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    spec = node.args
    positional = tuple(one.arg for one in (*spec.posonlyargs, *spec.args))
    positional = positional[is_method:]
    return _Signature(positional, (*positional, *(one.arg for one in spec.kwonlyargs)), defaults(node))


def _method(definition: Definition | None, name: str) -> Definition | None:
    if not isinstance(definition, ast.ClassDef):
        return None
    found = (node for node in definition.body if isinstance(node, ast.FunctionDef) and node.name == name)
    return next(found, None)


def _inherited(definition: Definition | None) -> _Signature | None:
    """The constructor of a class that has none itself: torch's, or one of the project's of which nothing is known."""
    if not isinstance(definition, ast.ClassDef):
        return None
    names = [getattr(base, "attr", getattr(base, "id", "")) for base in definition.bases]
    if any(f"torch.nn.{name}" in catalogue.by_module for name in names):
        return None
    return _Signature((), (), {}, is_open=not _BARE.issuperset(names))


class _Translation:
    """From the arguments of a project's signature, None where it is not known, to those of one of torch's."""

    def __init__(
        self, entry: catalogue.Entry, operands: tuple[str, ...], signature: _Signature | None
    ) -> None:
        self._parameters = {
            one.name: one
            for one in entry.signature.parameters
            if one.kind != "variadic" and one.name not in reductions.LEGACY
        }
        self._needs_all = entry.operation.effect != "loss"
        self._operands = operands
        if signature is None:
            names = tuple(one.name for one in entry.signature.parameters if one.kind == "positional")
            signature = _Signature(names, tuple(one.name for one in entry.signature.parameters), {})
        self._signature = signature
        self._meanings = {name: name for name in signature.names if name in self._parameters}
        left = [operand for operand in operands if operand not in self._meanings]
        others = [name for name in signature.positional if name not in self._meanings]
        self._meanings |= dict(zip(others, left, strict=False))

    def of(self, arguments: tuple[Argument, ...], site: Site) -> tuple[Argument, ...]:
        """The arguments by torch's names; `**` stands for what these have no place for."""
        given: dict[str, Argument] = {}
        rest: list[Argument] = []
        decided: set[str] = set()  # by what torch's parameter cannot be
        for name, argument in self._named(arguments):
            meant = self._meanings.get(name, name if name in self._parameters else "")
            if argument.keyword in ("*", "**"):
                rest.append(argument)
            elif meant in self._parameters and meant not in given and self._fits(meant, argument.value):
                given[meant] = argument._replace(keyword=meant)
            else:
                decided.add(meant)
                rest.append(argument._replace(keyword="**"))
        for name, default in self._signature.defaults.items():
            meant = self._meanings.get(name, "")
            if meant in self._parameters.keys() - given.keys() - decided - {*self._operands}:
                value = _literal(default)
                if value is not None and self._fits(meant, value):
                    given[meant] = Argument(meant, value, site)
                else:
                    rest.append(_unknown(site))
        missing = self._parameters.keys() - given.keys() - set(self._operands) - _IDLE
        if self._signature.is_open or (self._needs_all and missing):
            rest.append(_unknown(site))
        return (*given.values(), *rest)

    def _named(self, arguments: tuple[Argument, ...]) -> Iterator[tuple[str, Argument]]:
        positional = iter(self._signature.positional)
        for argument in arguments:
            if argument.keyword is None:
                yield next(positional, ""), argument
            else:
                yield argument.keyword, argument

    def _fits(self, name: str, value: Value) -> bool:
        """Whether torch's parameter could have a value: a reduction of the project's own is none of torch's."""
        plain = strip(value)
        return name != "reduction" or not isinstance(plain, Const) or plain.value in _REDUCTIONS


def _literal(expression: ast.expr) -> Value | None:
    try:
        return const(ast.literal_eval(expression))
    except ValueError:
        return None


def _unknown(site: Site) -> Argument:
    return Argument("**", leaf("unknown", "", site, reason="what a project's own definition decides"), site)

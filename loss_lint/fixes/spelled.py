"""Whose a name is that a fix would exchange: what a project calls like torch's own is not torch's."""

from __future__ import annotations

import ast

from loss_lint.fixes.program import Tree, parameters
from loss_lint.symbolic import imports
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import Alternatives, Class, External, Function, Namespace, Partial, Site, Value
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.machine import Machine

_DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def is_the_projects(call: Site, tree: Tree, machine: Machine) -> bool:
    """Whether what is called at a place is a class or function of the project, whatever it is named.

    Its parameters are its own, and where it was found there need be no other one of torch's.
    """
    node = tree.at(call)
    module = machine.module(tree.path)
    if not isinstance(node, ast.Call) or module is None:
        return False
    if isinstance(node.func, ast.Name) and any(
        isinstance(one, _DEFINITIONS) for one in _bound_around(node.func, tree) or ()
    ):
        return True
    return any(map(_is_own, _values(node.func, tree, module)))


def is_beside(name: str, call: Site, tree: Tree, machine: Machine) -> bool:
    """Whether a name of torch's is found where the one was that is called: a module of the project need not have it."""
    node = tree.at(call)
    module = machine.module(tree.path)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or module is None:
        return True
    site = tree.site(node.func)
    return all(
        not isinstance(base, Namespace) or _is_torchs(machine.attribute(base, name, site, site, module))
        for base in _values(node.func.value, tree, module)
    )


def is_importable(name: str, statement: ast.ImportFrom, tree: Tree, machine: Machine) -> bool:
    """Whether what a name brings by an import is torch's."""
    module = machine.module(tree.path)
    if module is None:
        return False
    return _is_torchs(
        imports.load(imports.name(statement.module or "", name, statement.level, module), module)
    )


def _is_torchs(value: Value) -> bool:
    return all(isinstance(one, External) and not one.alias for one in map(strip, _branches(value)))


def _is_own(value: Value) -> bool:
    return isinstance(value, Class | Function | Partial) or (
        isinstance(value, External) and bool(value.alias)
    )


def _values(node: ast.expr, tree: Tree, module: Activation) -> list[Value]:
    """What a name, or an attribute of one, may be; nothing where that takes more than imports and definitions."""
    machine, site = module.machine, tree.site(node)
    match node:
        case ast.Name(id=name):
            bound = _bound_around(node, tree)
            if bound is None:
                found = [machine.look_up(name, module, site)]
            else:
                found = [_imported(one, tree, module) for one in bound if isinstance(one, ast.alias)]
        case ast.Attribute(value=inner, attr=name):
            bases = _values(inner, tree, module)
            found = [machine.attribute(base, name, site, tree.site(inner), module) for base in bases]
        case _:
            found = []
    return [strip(branch) for value in found for branch in _branches(value)]


def _bound_around(node: ast.Name, tree: Tree) -> list[ast.AST] | None:
    """What binds a name in the innermost function around that does; None where it is the module's."""
    function = tree.function(node)
    while function is not None:
        bound = tree.bindings(function, node.id)
        if bound or any(one.arg == node.id for one in parameters(function)):
            return bound
        function = tree.function(function)
    return None


def _imported(alias: ast.alias, tree: Tree, module: Activation) -> Value:
    """What an import within a function brings."""
    statement = tree.parents[alias]
    if isinstance(statement, ast.ImportFrom):
        value = imports.name(statement.module or "", alias.name, statement.level, module)
    else:
        whole = alias.name if alias.asname else alias.name.partition(".")[0]
        value = imports.module(whole, 0, module)
    return imports.load(value, module)


def _branches(value: Value) -> list[Value]:
    return [branch for _, branch in value.branches] if isinstance(value, Alternatives) else [value]

"""What is put into a list: a tensor, or a module that becomes the last layer of several."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from loss_lint.fixes.bindings import hold, reach
from loss_lint.fixes.held import ANY, Held
from loss_lint.fixes.names import last_name
from loss_lint.fixes.program import Tree, Uncertain

if TYPE_CHECKING:
    from loss_lint.fixes.flows import Flows


def add_to(flows: Flows, tree: Tree, call: ast.Call, base: ast.expr, held: Held) -> None:
    """A module becomes the last one of a list, or of a Sequential."""
    statement = tree.statement(call)
    if not isinstance(statement, ast.Expr) or statement.value is not call:
        raise Uncertain("layers")
    if isinstance(tree.parents[statement], ast.For | ast.AsyncFor | ast.While):
        raise Uncertain("layers of a loop")
    match base:
        case ast.Name(id=name):
            is_list = _is_list(tree, base)
            if is_list is None:
                raise Uncertain("layers of what is not known")
            reach(flows, tree, statement, name, Held(held.levels, is_layers=is_list))
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            hold(flows, tree, base, name, held, after=statement)
        case _:
            raise Uncertain("layers of what is not known")


def collect(flows: Flows, tree: Tree, base: ast.expr, held: Held) -> None:
    """Follow an item of a list that is filled in one function."""
    if not isinstance(base, ast.Name) or _is_list(tree, base) is not True:
        raise Uncertain("a list that is not known")
    function = tree.function(base)
    if function is None or base.id in tree.shared:
        raise Uncertain("a list of several functions")
    for read in tree.names[base.id]:
        if tree.function(read) is function and isinstance(read.ctx, ast.Load):
            flows.go(tree, read, held.inside(ANY))


def _is_list(tree: Tree, name: ast.Name) -> bool | None:
    """Whether a name is bound once, to a list (True) or a Sequential (False)."""
    scope: ast.AST = tree.function(name) or tree.module.tree
    bound = tree.bindings(scope, name.id)
    statement = tree.parents.get(bound[0]) if len(bound) == 1 else None
    match getattr(statement, "value", None):
        case ast.List():
            return True
        case ast.Call(func=function) if last_name(function) == "Sequential":
            return False
        case _:
            return None

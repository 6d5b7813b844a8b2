"""Where a value is read that a name or an attribute of `self` holds."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from loss_lint.fixes import steps
from loss_lint.fixes.names import last_name
from loss_lint.fixes.program import Tree, Uncertain

if TYPE_CHECKING:
    from loss_lint.fixes.flows import Flows
    from loss_lint.fixes.held import Held


def bind(flows: Flows, tree: Tree, statement: ast.stmt, target: ast.expr, held: Held) -> None:
    """Follow what a statement gives to a target."""
    match target:
        case ast.Name(id=name):
            reach(flows, tree, statement, name, held)
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            if not held.keys or not isinstance(held.keys[0], int):
                raise Uncertain("it is unpacked")
            place = held.keys[0]
            if any(isinstance(one, ast.Starred) for one in targets) or place >= len(targets):
                raise Uncertain("it is unpacked")
            bind(flows, tree, statement, targets[place], held.outside())
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            hold(flows, tree, target, name, held)
        case _:
            raise Uncertain("it is stored")


def reach(flows: Flows, tree: Tree, statement: ast.stmt, name: str, held: Held) -> None:
    """Follow what a statement gives to a name to where that is read."""
    function = tree.function(statement)
    if name in tree.shared:
        raise Uncertain("a name of several functions")
    if function is None:
        word = name.encode()
        if isinstance(tree.around(statement, (ast.ClassDef,)), ast.ClassDef):
            raise Uncertain("an attribute of a class")
        if any(word in data for _, data in flows.program.importers(tree.path)):
            raise Uncertain("a name that other files may import")
    for read in tree.reads_after(statement, name):
        if isinstance(read.ctx, ast.Store):
            raise Uncertain("it is added to")
        flows.go(tree, read, held)


def hold(
    flows: Flows, tree: Tree, target: ast.Attribute, name: str, held: Held, after: ast.stmt | None = None
) -> None:
    """Follow what an attribute of `self` holds to where attributes of that name are read."""
    if not isinstance(tree.around(target, (ast.ClassDef,)), ast.ClassDef):
        raise Uncertain("an attribute of what is no class")
    for path in flows.program.mentioning(name, tree.path):
        other = flows.program.tree(path)
        if other is None:
            raise Uncertain(f"{path} cannot be read")
        for read in other.attributes.get(name, ()):
            if after is not None and _is_before(other, read, tree, after):
                continue
            if isinstance(read.ctx, ast.Load) and not _is_of_another(other, read, tree, target):
                flows.go(other, read, held)
            elif isinstance(other.parents[read], ast.AugAssign):
                raise Uncertain("it is added to")


def _is_before(other: Tree, read: ast.Attribute, tree: Tree, statement: ast.stmt) -> bool:
    """Whether something is read in a statement's function before it, or in it."""
    return (
        other is tree
        and tree.function(read) is tree.function(statement)
        and read.lineno <= (statement.end_lineno or statement.lineno)
    )


def _is_of_another(other: Tree, read: ast.Attribute, tree: Tree, target: ast.Attribute) -> bool:
    """Whether `self.x` is read in a class that has nothing to do with the one whose `self.x` is set."""
    if not isinstance(read.value, ast.Name):
        return False
    if read.value.id != "self":
        return read.value.id in steps.SETTINGS or read.value.id in other.modules
    owner, cls = tree.around(target, (ast.ClassDef,)), other.around(read, (ast.ClassDef,))
    if cls is owner or not isinstance(owner, ast.ClassDef) or not isinstance(cls, ast.ClassDef):
        return False
    bases = {last_name(base) for base in (*owner.bases, *cls.bases)}
    return bases <= {"Module", "LightningModule", "object", "ABC", "Dataset"}

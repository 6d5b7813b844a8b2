"""Whether a name means at one place of a function what it means at another, and whether both places are come to."""

from __future__ import annotations

import ast

from loss_lint.fixes.program import FUNCTIONS, Tree, parameters
from loss_lint.symbolic.graph import Site

_BRANCHES = (ast.If, ast.IfExp, ast.While, ast.Match, ast.Try)


def reaching(tree: Tree, name: str, read: ast.Name) -> list[ast.AST]:
    """The bindings of a name in its function that a read can come from; more rather than fewer."""
    scope: ast.AST = tree.function(read) or tree.module.tree
    return [
        node
        for node in tree.bindings(scope, name)
        if not isinstance(node, ast.Name) or read in tree.reads_after(tree.statement(node), name)
    ]


def holds(tree: Tree, name: str, statement: ast.stmt, read: ast.AST) -> bool:
    """Whether a name has the same value at a read as when a statement before it ran."""
    function = tree.function(statement)
    if tree.function(read) is not function:
        return False
    user = tree.statement(read)
    block = tree.block(statement)
    around = [user, *_ancestors(tree, user)]
    if not any(one in around for one in block[block.index(statement) + 1 :]):
        return False
    scope: ast.AST = function if function is not None else tree.module.tree
    ending = statement.end_lineno or statement.lineno
    for node in tree.bindings(scope, name):
        binder = tree.statement(node) if not isinstance(node, ast.alias) else node
        line = getattr(binder, "lineno", 0)
        if binder is statement or ending < line <= user.lineno:
            return False
        if any(
            isinstance(one, ast.For | ast.While)
            and one not in _ancestors(tree, statement)
            and one.lineno <= line <= (one.end_lineno or 0)
            for one in around
        ):
            return False
    return not any(
        isinstance(node, ast.Attribute)
        and node.attr.endswith("_")
        and not node.attr.endswith("__")
        and isinstance(node.value, ast.Name)
        and node.value.id == name
        for node in ast.walk(scope)
    )


def is_never_bound(tree: Tree, place: Site, name: str) -> bool:
    """Whether a parameter of the function around a place keeps its value."""
    node = tree.at(place)
    function = tree.function(node) if node is not None else None
    if function is None or not any(one.arg == name for one in parameters(function)):
        return False
    return not tree.bindings(function, name)


def _ancestors(tree: Tree, node: ast.AST) -> list[ast.AST]:
    found: list[ast.AST] = []
    current = tree.parents.get(node)
    while current is not None:
        found.append(current)
        current = tree.parents.get(current)
    return found


def is_in_a_branch(tree: Tree, node: ast.AST, sink: Site) -> bool:
    """Whether a condition decides of a node that does not decide of the sink too."""
    current: ast.AST | None = tree.parents.get(node)
    while current is not None and not isinstance(current, FUNCTIONS):
        if isinstance(current, _BRANCHES):
            inside = current.lineno <= sink.line and sink.end_line <= (current.end_lineno or 0)
            if sink.path != tree.path or not inside:
                return True
        current = tree.parents.get(current)
    return False

"""Repairs of modules where they are made: an entry of a Sequential, what an attribute or a name holds."""

from __future__ import annotations

import ast

from loss_lint.fixes.asked import Asked
from loss_lint.fixes.flows import Flows
from loss_lint.fixes.held import MODULE
from loss_lint.fixes.holding import is_in_a_branch
from loss_lint.fixes.program import Tree
from loss_lint.fixes.text import Text
from loss_lint.symbolic.edits import Bypass, Rename
from loss_lint.symbolic.graph import Site


def write_entry(edit: Bypass | Rename, asked: Asked) -> bool:
    """An entry of a Sequential: taken out where it is the last, or another module in its place."""
    op = edit.op
    if op.made is None:
        return False
    tree, text = asked.program.tree(op.made.path), asked.texts.at(op.made.path)
    node = tree.at(op.made) if tree is not None else None
    if tree is None or text is None or node is None:
        return False
    flows = asked.flows(op.made, op.name)
    flows.holders = _holders(tree, node)
    if isinstance(edit, Rename):
        content = _renamed_constructor(edit, text, op.made)
        return (
            content is not None
            and asked.is_all_for_it(flows, tree, node, MODULE)
            and text.put(op.made, content)
        )
    if not asked.is_all_for_it(flows, tree, node, MODULE):
        return False
    parent = tree.parents[node]
    element: ast.expr = node
    if isinstance(parent, ast.Tuple):
        element, parent = parent, tree.parents[parent]
    match parent:
        case ast.List(elts=[*others, last]) if last is element:
            return text.remove_element(element, others)
        case ast.Call(func=ast.Attribute(attr="append" | "add_module")):
            statement = tree.statement(parent)
            if is_in_a_branch(tree, node, asked.sink):
                return False
            return isinstance(statement, ast.Expr) and text.drop(statement)
        case ast.Call(args=[*others, last], keywords=[]) if last is element:
            return text.remove_element(element, others)
        case _:
            return False


def _holders(tree: Tree, node: ast.AST) -> frozenset[str]:
    """The attributes whose assignment a node is in."""
    match tree.statement(node):
        case ast.Assign(targets=[ast.Attribute(attr=name)]):
            return frozenset({name})
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Attribute(attr=name)))):
            return frozenset({name})
        case _:
            return frozenset()


def write_constructor(edit: Rename, asked: Asked) -> bool:
    """Another module in place of the one that an attribute or a name holds."""
    made = edit.op.made
    assert made is not None
    return write_renamed_module(edit, made, asked, asked.flows(made, edit.op.name))


def write_renamed_module(edit: Rename, made: Site, asked: Asked, flows: Flows) -> bool:
    """Write the class of `edit`'s operation for that of the module made there, if all its calls want that."""
    tree, text = asked.program.tree(made.path), asked.texts.at(made.path)
    node = tree.at(made) if tree is not None else None
    if tree is None or text is None or node is None:
        return False
    flows.holders = _holders(tree, node)
    content = _renamed_constructor(edit, text, made)
    return content is not None and asked.is_all_for_it(flows, tree, node, MODULE) and text.put(made, content)


def _renamed_constructor(edit: Rename, text: Text, made: Site) -> str | None:
    if edit.parameters or edit.drop:
        return None
    return text.renamed(made, edit.op.name, edit.name)

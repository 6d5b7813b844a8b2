"""Sets whose order counts, sorted where they become a sequence."""

from __future__ import annotations

import ast

from loss_lint.fixes.names import definition
from loss_lint.fixes.program import FUNCTIONS, Program, Tree, parameters, reads_in
from loss_lint.fixes.text import Text, Texts
from loss_lint.symbolic.graph import Site

_LISTS = frozenset({"list", "tuple"})
# What takes elements in their order, and what does not care for it.
_ORDERED = frozenset({"dict", "enumerate", "iter", "map", "zip"})
_UNORDERED = frozenset(
    ["Counter", "all", "any", "bool", "frozenset", "len", "max", "min", "set", "sorted", "sum"]
)
_COMBINING = ast.BitOr | ast.BitAnd | ast.BitXor | ast.Sub


def sort_set(made: Site, program: Program, texts: Texts) -> bool:
    """Sort the set that is made at a place wherever its order counts; False where not all such uses are known."""
    tree, text = program.tree(made.path), texts.at(made.path)
    node = tree.at(made) if tree is not None else None
    if tree is None or text is None or node is None:
        return False
    places = _ordered_uses(tree, node, program)
    return bool(places) and all(_sort(one, tree, text) for one in places or ())


def _ordered_uses(tree: Tree, node: ast.expr, program: Program) -> list[ast.expr] | None:
    """The expressions that take a set's elements in their order; None where it may go elsewhere."""
    parent = tree.parents[node]
    match parent:
        case ast.BinOp(op=op) if isinstance(op, _COMBINING):
            return _ordered_uses(tree, parent, program)
        case ast.For(iter=iterated) | ast.comprehension(iter=iterated) if iterated is node:
            return [node]
        case ast.Starred():
            return [node] if isinstance(tree.parents[parent], ast.List | ast.Tuple) else None
        case ast.Compare(ops=[ast.In() | ast.NotIn()]) | ast.Expr():
            return []
        case ast.Call(func=ast.Name(id=name), args=[*arguments]) if node in arguments:
            if name in _LISTS | _ORDERED:
                return [node]
            if name in _UNORDERED:
                return []
            return [node] if _is_a_sequence_there(tree, parent, node, program) else None
        case ast.Attribute(attr="add" | "update" | "discard" | "remove"):
            return []
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            if tree.function(parent) is None and (
                isinstance(tree.around(parent, (ast.ClassDef,)), ast.ClassDef)
                or any(name.encode() in data for _, data in program.importers(tree.path))
            ):
                return None
            found: list[ast.expr] = []
            for read in tree.reads_after(parent, name):
                if isinstance(read.ctx, ast.Store):
                    continue  # `|=` adds to it
                uses = _ordered_uses(tree, read, program)
                if uses is None:
                    return None
                found += uses
            return found
        case _:
            return None


def _is_a_sequence_there(tree: Tree, call: ast.Call, node: ast.expr, program: Program) -> bool:
    """Whether a function of the project takes a list as well as a set."""
    known = definition(program, tree, call.func)
    if known is None or not isinstance(known.node, FUNCTIONS) or node not in call.args:
        return False
    bound = parameters(known.node)
    place = call.args.index(node)
    if place >= len(bound) or call.keywords:
        return False
    reads = reads_in(known.node, bound[place].arg)
    return bool(reads) and all(
        isinstance(known.tree.parents[read], ast.For | ast.comprehension)
        or _name_of_call(known.tree.parents[read]) in _LISTS | _ORDERED | _UNORDERED
        for read in reads
    )


def _name_of_call(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name
        case _:
            return ""


def _sort(node: ast.expr, tree: Tree, text: Text) -> bool:
    """Write `sorted(...)` around a set, in place of the list that is made of it."""
    content = f"sorted({text.of(tree.site(node))})"
    parent = tree.parents[node]
    match parent:
        case ast.Call(func=ast.Name(id="list"), args=[only], keywords=[]) if only is node:
            return text.put(tree.site(parent), content)
        case ast.Starred():
            holder = tree.parents[parent]
            if isinstance(holder, ast.List) and holder.elts == [parent]:
                return text.put(tree.site(holder), content)
        case _:
            pass
    return text.put(tree.site(node), content)

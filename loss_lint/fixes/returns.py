"""Who gets what a function, a method or a module returns."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from loss_lint.fixes.names import Definition, Found, last_name, mentions
from loss_lint.fixes.program import Tree, Uncertain

if TYPE_CHECKING:
    from loss_lint.fixes.flows import Flows
    from loss_lint.fixes.held import Held


def return_it(flows: Flows, tree: Tree, node: ast.AST, held: Held) -> None:
    """Follow what the function around a node returns to where it is called."""
    function = tree.function(node)
    if function is None:
        raise Uncertain("no function returns it")
    if isinstance(function, ast.Lambda):
        flows.go(tree, function, held.made())
        return
    owner = tree.owner(function)
    if owner is None:
        if any(not isinstance(one, ast.Name | ast.Attribute | ast.Call) for one in function.decorator_list):
            raise Uncertain("a decorator")
        named = list(mentions(flows.program, Found(tree, function)))
        if not named:
            raise Uncertain("nobody in sight calls it")
        for mention in named:
            flows.go(mention.tree, mention.node, held.made())
    elif function.name in ("forward", "__call__"):
        _of_class(flows, Found(tree, owner), function, held)
    elif function.name.startswith("__"):
        raise Uncertain("a special method")
    else:
        _of_method(flows, tree, function, held)


def _of_method(flows: Flows, tree: Tree, function: Definition, held: Held) -> None:
    """Follow what a method returns to the calls of methods of its name."""
    names = {last_name(one) for one in function.decorator_list}
    if names - {"no_grad", "staticmethod", "classmethod", "property"}:
        raise Uncertain("a decorator")
    is_read = False
    for path in flows.program.mentioning(function.name, tree.path):
        other = flows.program.tree(path)
        if other is None:
            raise Uncertain(f"{path} cannot be read")
        for read in other.attributes.get(function.name, ()):
            if isinstance(read.ctx, ast.Load):
                is_read = True
                flows.go(other, read, held if "property" in names else held.made())
    if not is_read:
        raise Uncertain("nobody in sight calls it")


def _of_class(flows: Flows, owner: Found, function: Definition, held: Held) -> None:
    """Follow what a module returns to where its instances are called."""
    tree, cls = owner
    assert isinstance(cls, ast.ClassDef)
    flows.classes.append(cls)
    name = function.name
    called = held.made()
    for node in ast.walk(cls):
        match node:
            case ast.Name(id="self", ctx=ast.Load()) if tree.function(node) is not None:
                parent = tree.parents[node]
                is_called = isinstance(parent, ast.Call) and parent.func is node
                is_named = isinstance(parent, ast.Attribute) and parent.attr == name
                if is_called or is_named:
                    flows.go(tree, node, called)
                elif not isinstance(parent, ast.Attribute) and not _is_super(parent):
                    raise Uncertain("it hands itself on")
            case _:
                pass
    for mention in mentions(flows.program, owner):
        _use_of_class(flows, mention, function, called)


def _use_of_class(flows: Flows, mention: Found, function: Definition, called: Held) -> None:
    tree, node = mention
    parent = tree.parents[node]
    match parent:
        case ast.ClassDef(bases=bases) if node in bases:
            _subclass(flows, Found(tree, parent), function, called)
        case ast.Call(func=ast.Name(id="super" | "isinstance")):
            return
        case ast.Attribute(attr="__name__" | "__init__"):
            return
        case ast.arg() | ast.AnnAssign():
            return
        case ast.FunctionDef(returns=annotation) if annotation is node:
            return
        case _:
            flows.go(tree, node, called.made())


def _subclass(flows: Flows, found: Found, function: Definition, called: Held) -> None:
    tree, cls = found
    assert isinstance(cls, ast.ClassDef)
    own = next((one for one in cls.body if isinstance(one, Definition) and one.name == function.name), None)
    for node in ast.walk(cls):
        match node:
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name) if name == function.name:
                flows.go(tree, node, called)
            case _:
                pass
    if own is None:
        _of_class(flows, found, function, called.called())


def _is_super(parent: ast.AST) -> bool:
    return isinstance(parent, ast.Call) and last_name(parent.func) in (
        "super",
        "isinstance",
        "type",
        "__init__",
    )

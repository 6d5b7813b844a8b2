"""What an attribute or an item of a value is, or of what holds one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from loss_lint.fixes import steps
from loss_lint.fixes.calls import call_it
from loss_lint.fixes.held import ANY
from loss_lint.fixes.program import Tree, Uncertain
from loss_lint.fixes.torch_uses import choose

if TYPE_CHECKING:
    from loss_lint.fixes.flows import Flows
    from loss_lint.fixes.held import Held


def read_attribute(flows: Flows, tree: Tree, read: ast.Attribute, held: Held) -> None:
    """Follow a value into an attribute that is read of it."""
    name, parent = read.attr, tree.parents[read]
    is_called = isinstance(parent, ast.Call) and parent.func is read
    if not held.is_tensor:
        _of_holder(flows, tree, read, is_called, held)
        return
    if is_called and isinstance(parent, ast.Call) and flows.is_sink(tree, parent):
        return
    if name in steps.INERT:
        return
    if name in steps.KEEPING:
        flows.go(tree, parent if is_called else read, held)
    elif name in steps.LARGEST and is_called and isinstance(parent, ast.Call):
        choose(flows, tree, parent, name, parent.args)
    else:
        raise Uncertain(f".{name} at {tree.path}:{read.lineno}")


def _of_holder(flows: Flows, tree: Tree, read: ast.Attribute, is_called: bool, held: Held) -> None:
    """An attribute of what is no tensor yet: a module, a tuple, a list, a class."""
    name, parent = read.attr, tree.parents[read]
    if held.is_module and not held.is_layers:
        if name in ("forward", "__call__") and is_called and isinstance(parent, ast.Call):
            call_it(flows, tree, parent, held)
        elif name == "module":
            flows.go(tree, read, held)
        elif name in steps.OF_MODULES:
            if is_called and name in steps.ITSELF:
                flows.go(tree, parent, held)
        elif flows.holders is None or name in flows.holders or not _is_of_class(flows, name):
            raise Uncertain(f".{name} of a module")
    elif held.keys == (ANY,) and name == "append":
        return
    elif held.keys and held.keys[0] == name:
        flows.go(tree, read, held.outside())
    elif not (held.keys and isinstance(held.keys[0], str) and held.keys[0] != ANY and not is_called):
        raise Uncertain(f".{name} of what holds it")


def _is_of_class(flows: Flows, name: str) -> bool:
    """Whether the classes that were met say themselves what an attribute is."""
    return any(
        (isinstance(node, ast.FunctionDef) and node.name == name)
        or (isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Store))
        for cls in flows.classes
        for node in ast.walk(cls)
    )


def read_item(flows: Flows, tree: Tree, parent: ast.Subscript, index: ast.expr, held: Held) -> None:
    """Follow a value into an item that is read of it."""
    if not held.keys:
        if not held.is_tensor or not isinstance(parent.ctx, ast.Load):
            raise Uncertain("an item of it")
        flows.go(tree, parent, held)
        return
    if held.keys[0] == ANY:
        flows.go(tree, parent, held if isinstance(index, ast.Slice) else held.outside())
        return
    if not isinstance(index, ast.Constant) or type(index.value) is not type(held.keys[0]):
        raise Uncertain("an item that is not known")
    if index.value == held.keys[0]:
        flows.go(tree, parent, held.outside())

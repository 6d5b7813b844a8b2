"""What becomes of a value that is called, or that a call gets."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from loss_lint.fixes import steps
from loss_lint.fixes.held import ANY, MODULE
from loss_lint.fixes.layers import add_to, collect
from loss_lint.fixes.names import Found, definition, last_name, method
from loss_lint.fixes.program import FUNCTIONS, Tree, Uncertain, parameters, reads_in
from loss_lint.fixes.torch_uses import is_torchs

if TYPE_CHECKING:
    from loss_lint.fixes.flows import Flows
    from loss_lint.fixes.held import Held


def call_it(flows: Flows, tree: Tree, call: ast.Call, held: Held) -> None:
    """Go on with what a call of it gives, or end there."""
    if not flows.ends_at_calls or not held.is_module:
        flows.go(tree, call, held.called())
        return
    site = tree.site(call)
    if not flows.wants(site, frozenset(flows.files)):
        raise Uncertain(f"a call at {tree.path}:{call.lineno}")
    flows.sinks.add(site)


def pass_to(flows: Flows, tree: Tree, call: ast.Call, node: ast.AST, held: Held) -> None:
    """Follow an argument of a call into what the call makes of it."""
    name = last_name(call.func)
    if held.is_layers:
        if name == "OrderedDict" and call.args == [node]:
            flows.go(tree, call, held)
        elif name == "Sequential" and len(call.args) == 1:
            flows.go(tree, call, MODULE)
        else:
            raise Uncertain("layers")
        return
    if held.is_module:
        is_last = call.args[-1:] == [node] and not call.keywords
        if name in ("append", "add_module") and is_last and isinstance(call.func, ast.Attribute):
            add_to(flows, tree, call, call.func.value, held)
            return
        if (name == "Sequential" and is_last) or (name in steps.WRAPPERS and call.args[:1] == [node]):
            flows.go(tree, call, held)
            return
        is_step = name in steps.STEPS and isinstance(call.func, ast.Attribute)
        if is_step and not flows.program.defines(name, tree.path):
            return
        if name in steps.ONLOOKERS and definition(flows.program, tree, call.func) is None:
            return
    if held.is_tensor and name == "append" and isinstance(call.func, ast.Attribute):
        collect(flows, tree, call.func.value, held)
        return
    if held.keys == (ANY,) and name in ("stack", "cat", "concat") and call.args[:1] == [node]:
        flows.go(tree, call, held.outside())
        return
    if held.is_tensor and is_torchs(flows, tree, call, node, name):
        return
    if name in ("isinstance", "len", "type", "id"):
        return
    _enter(flows, tree, call, node, held)


def _enter(flows: Flows, tree: Tree, call: ast.Call, node: ast.AST, held: Held) -> None:
    """Follow an argument into the function that is called, if that is not a loss that wants the change."""
    site = tree.site(call)
    is_sink = held.is_tensor and flows.is_sink(tree, call)
    known = definition(flows.program, tree, call.func)
    if known is not None and isinstance(known.node, ast.ClassDef):
        keyword = next((one.arg for one in call.keywords if one.value is node), None)
        if keyword is not None and _has_fields(known.node):
            flows.go(tree, call, held.inside(keyword))
            return
        known = method(flows.program, known, "__init__")
    entered = [known] if known is not None else flows.entered(site, frozenset(flows.files))
    if not entered and not is_sink:
        raise Uncertain(f"{ast.unparse(call.func)} at {tree.path}:{call.lineno}")
    for one in entered:
        _enter_one(flows, one, call, node, held)


def _enter_one(flows: Flows, entered: Found, call: ast.Call, node: ast.AST, held: Held) -> None:
    function = entered.node
    if not isinstance(function, FUNCTIONS):
        raise Uncertain("what is called")
    bound = parameters(function)
    owner = entered.tree.owner(function)
    names = {last_name(one) for one in getattr(function, "decorator_list", ())}
    if names - {"no_grad", "staticmethod", "inference_mode", "classmethod"}:
        raise Uncertain("a decorator")
    if owner is not None and "staticmethod" not in names:
        bound = bound[1:]
    keyword = next((one.arg for one in call.keywords if one.value is node), None)
    if keyword is None:
        if any(isinstance(one, ast.Starred) for one in call.args):
            raise Uncertain("unpacked arguments")
        place = call.args.index(node)  # type: ignore[arg-type]
        keyword = bound[place].arg if place < len(bound) - len(function.args.kwonlyargs) else None
    if keyword is None or keyword not in [one.arg for one in bound]:
        raise Uncertain("an argument without a parameter")
    nested = [
        one
        for one in ast.walk(function)
        if isinstance(one, FUNCTIONS) and one is not function
        for one in ast.walk(one)
        if isinstance(one, ast.Name) and one.id == keyword and isinstance(one.ctx, ast.Load)
    ]
    for read in dict.fromkeys([*reads_in(function, keyword), *nested]):
        if isinstance(read.ctx, ast.Store):
            raise Uncertain("it is added to")
        flows.go(entered.tree, read, held)


def _has_fields(cls: ast.ClassDef) -> bool:
    """Whether a class's arguments are its attributes: a dataclass, a named tuple, a model's output."""
    names = {last_name(one) for one in (*cls.decorator_list, *cls.bases)}
    return bool(names & {"dataclass", "NamedTuple", "ModelOutput", "TypedDict"})

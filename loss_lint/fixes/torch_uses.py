"""Which of torch's functions are indifferent to a change of what they get, or pass it on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from loss_lint.fixes import steps
from loss_lint.fixes.held import TENSOR
from loss_lint.fixes.program import Tree, Uncertain

if TYPE_CHECKING:
    from loss_lint.fixes.flows import Flows


def is_torchs(flows: Flows, tree: Tree, call: ast.Call, node: ast.AST, name: str) -> bool:
    """Whether a call is one of torch's functions that the change leaves what they are, or passes on."""
    base = call.func.value if isinstance(call.func, ast.Attribute) else None
    if not isinstance(base, ast.Name) or base.id not in steps.TORCH or call.args[:1] != [node]:
        return False
    if name in steps.KEEPING:
        flows.go(tree, call, TENSOR)
        return True
    if name in steps.LIKE:
        return True
    if name in steps.LARGEST:
        choose(flows, tree, call, name, call.args[1:])
        return True
    return False


def choose(flows: Flows, tree: Tree, call: ast.Call, name: str, arguments: list[ast.expr]) -> None:
    """The largest of several: its place does not change, its value does."""
    given = next((one.value for one in call.keywords if one.arg in ("dim", "axis")), None)
    at = 1 if name == "topk" else 0
    dim = arguments[at] if given is None and len(arguments) > at else given
    if not flows.largest_stays or (dim is None and name != "topk"):
        raise Uncertain("the largest of all")
    if dim is not None and _number(dim) not in (1, -1):
        raise Uncertain("the largest along another dimension")
    if name in ("argmax", "argsort"):
        return
    parent = tree.parents[call]
    match parent:
        case ast.Subscript(slice=ast.Constant(value=1)) | ast.Attribute(attr="indices"):
            return
        case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id=largest), _])]):
            if not tree.reads_after(parent, largest):
                return
        case _:
            pass
    raise Uncertain("the largest's value")


def _number(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None

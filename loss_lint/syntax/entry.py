"""The call that starts a script: `main()` under `if __name__ == "__main__":`, which runs what is a root already."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from loss_lint.syntax.changes import outer_names_changed
from loss_lint.syntax.module import SourceModule
from loss_lint.syntax.walk import AnyFunction


def without_start(module: SourceModule) -> Sequence[ast.stmt]:
    """A module's body without the call that starts it, where the function that is called is evaluated on its own.

    It has no parameters then, so that there is nothing more to know of it; and nothing in the file changes what other
    functions find in the module, so that these are as they would be.
    """
    body = module.tree.body
    started = _started(body)
    if started is None or not module.leads_to_loss(started):
        return body
    functions = [node for node in module.statements if isinstance(node, AnyFunction)]
    if b"global" in module.data or any(outer_names_changed(function) for function in functions):
        return body
    guarded = body[-1]
    assert isinstance(guarded, ast.If)
    before = guarded.body[:-1]
    return [*body[:-1], *([_like(guarded, before)] if before else [])]


def _started(body: Sequence[ast.stmt]) -> ast.FunctionDef | None:
    """The function without parameters that the last statement calls, if that is all that a script does."""
    match body[-1] if body else None:
        case ast.If(
            test=ast.Compare(
                left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant("__main__")]
            ),
            body=[*_, ast.Expr(value=ast.Call(func=ast.Name(id=name), args=[], keywords=[]))],
            orelse=[],
        ):
            defined = [node for node in body if isinstance(node, ast.FunctionDef) and node.name == name]
            if len(defined) == 1 and not defined[0].decorator_list and not _takes_arguments(defined[0].args):
                return defined[0]
    return None


def _takes_arguments(spec: ast.arguments) -> bool:
    return bool(spec.posonlyargs or spec.args or spec.kwonlyargs or spec.vararg or spec.kwarg)


def _like(guarded: ast.If, body: list[ast.stmt]) -> ast.If:
    return ast.copy_location(ast.If(guarded.test, body, []), guarded)

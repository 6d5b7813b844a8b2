"""The call that starts a script: `main()` under `if __name__ == "__main__":`, which runs what is a root already."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence

from loss_lint.syntax.changes import outer_names_changed
from loss_lint.syntax.module import SourceModule
from loss_lint.syntax.walk import AnyFunction, blocks_in, parameters, walk


def without_start(module: SourceModule) -> Sequence[ast.stmt]:
    """A module's body without the call that starts it, where the function that is called is evaluated on its own.

    It has no parameters then, so that there is nothing more to know of it; and nothing in the file changes what other
    functions find in the module, so that these are as they would be.
    """
    body = module.tree.body
    started = _started(body)
    if started is None or not module.leads_to_loss(started):
        return body
    if b"global" in module.data:
        return body
    held = _names_held(body)
    for function in _outermost(body):
        may_hold = "*" in held or not held.isdisjoint(module.mentions(function))
        if may_hold and outer_names_changed(function):
            return body
    guarded = body[-1]
    assert isinstance(guarded, ast.If)
    before = guarded.body[:-1]
    return [*body[:-1], *([_like(guarded, before)] if before else [])]


# Modules that no script changes.
_ONLY_USED = sys.stdlib_module_names | {"torch", "torchvision", "torchaudio", "numpy", "tqdm"}


def _names_held(body: Sequence[ast.stmt]) -> set[str]:
    """The names at the top of a module that may stand for something that a function can change."""
    names: set[str] = set()
    for statement in body:
        match statement:
            case ast.Import(names=imported):
                names.update(
                    (one.asname or one.name).partition(".")[0]
                    for one in imported
                    if one.name.partition(".")[0] not in _ONLY_USED
                )
            case ast.ImportFrom(names=imported, module=source):
                if (source or "").partition(".")[0] not in _ONLY_USED or statement.level:
                    names.update(one.asname or one.name for one in imported)
            case ast.ClassDef(name=name):
                names.add(name)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                pass
            case _:
                for node in walk(statement):
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                        names.add(node.id)
                    elif isinstance(node, ast.alias):
                        names.add((node.asname or node.name).partition(".")[0])
                    elif isinstance(node, ast.ClassDef):
                        names.add(node.name)
    return names


def _outermost(body: Sequence[ast.stmt]) -> Iterator[AnyFunction]:
    """The functions and methods that stand in no other one."""
    for statement in body:
        if isinstance(statement, AnyFunction):
            yield statement
        else:
            for block in blocks_in(statement):
                yield from _outermost(block)


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
            if len(defined) == 1 and not defined[0].decorator_list and not _takes_arguments(defined[0]):
                return defined[0]
    return None


def _takes_arguments(function: ast.FunctionDef) -> bool:
    return bool(parameters(function) or function.args.vararg or function.args.kwarg)


def _like(guarded: ast.If, body: list[ast.stmt]) -> ast.If:
    return ast.copy_location(ast.If(guarded.test, body, []), guarded)

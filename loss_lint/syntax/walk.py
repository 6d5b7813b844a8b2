"""Walking a syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """A node and everything below it, as `ast.walk` in another order, in half of its time."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        for part in current.__dict__.values():
            if part.__class__ is list:
                pending.extend([inner for inner in part if isinstance(inner, ast.AST)])
            elif isinstance(part, ast.AST):
                pending.append(part)


def parameters(function: AnyFunction) -> list[ast.arg]:
    """The parameters that take one argument each, in their order; not `*args` and `**kwargs`."""
    spec = function.args
    return [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]


def blocks_in(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks of statements that stand in one, those of its handlers and cases included."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(statement, name, None)
        if block:
            yield block
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body

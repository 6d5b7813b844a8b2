"""What names of the project stand for, and where what is defined in it is mentioned, across files."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from loss_lint.fixes.program import Functions, Program, Tree, Uncertain
from loss_lint.syntax.project import is_package

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_DEPTH = 5
# What finds definitions by their names at run time, in files that could.
_DYNAMIC = (
    rb"__dict__|\bglobals\(|\blocals\(\)\[|\bimport_module\(|__import__\(|(?<![.\w])eval\(\s*[^)\s]"
    rb"|\bgetattr\(\s*(?:\w+\.)*(?:%b|sys\.modules)\b"
)


class Found(NamedTuple):
    """A node in its file."""

    tree: Tree
    node: ast.AST


def definition(program: Program, tree: Tree, callee: ast.expr) -> Found | None:
    """The function or class of the project that an expression names."""
    match callee:
        case ast.Name(id=name):
            return _named(program, tree, callee, name)
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            owner = tree.around(callee, (ast.ClassDef,))
            return _method(program, tree, owner, name) if isinstance(owner, ast.ClassDef) else None
        case ast.Attribute(value=base, attr=name):
            path = _module_of(program, tree, base)
            other = program.tree(path) if path is not None else None
            return _at_top(program, other, name, _DEPTH) if other is not None else None
        case _:
            return None


def method(program: Program, found: Found, name: str) -> Found | None:
    """A class's method, its own or that of a base in the project."""
    return _method(program, found.tree, found.node, name) if isinstance(found.node, ast.ClassDef) else None


def _method(
    program: Program, tree: Tree, owner: ast.ClassDef, name: str, depth: int = _DEPTH
) -> Found | None:
    for statement in owner.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name == name:
            return Found(tree, statement)
    for base in owner.bases if depth else ():
        known = definition(program, tree, base)
        if known is not None and isinstance(known.node, ast.ClassDef):
            found = _method(program, known.tree, known.node, name, depth - 1)
            if found is not None:
                return found
    return None


def _named(program: Program, tree: Tree, node: ast.Name, name: str) -> Found | None:
    scope: Functions | None = tree.function(node)
    while scope is not None:
        bound = tree.bindings(scope, name)
        own = [one for one in bound if isinstance(one, _DEFINITIONS) and tree.function(one) is scope]
        if bound or any(one.arg == name for one in ast.walk(scope.args) if isinstance(one, ast.arg)):
            return Found(tree, own[0]) if len(bound) == len(own) == 1 else None
        scope = tree.function(scope)
    return _at_top(program, tree, name, _DEPTH)


def _at_top(program: Program, tree: Tree, name: str, depth: int) -> Found | None:
    """What a name at the top of a file stands for; None where several things bind it."""
    found: list[Found | None] = []
    for statement in _top(tree.module.tree.body):
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() if statement.name == name:
                found.append(Found(tree, statement))
            case ast.ImportFrom(names=aliases) if depth:
                for alias in aliases:
                    if (alias.asname or alias.name) == name:
                        found.append(_imported(program, tree, statement, alias.name, depth - 1))
                    elif alias.name == "*":
                        brought = _imported(program, tree, statement, name, depth - 1)
                        found += [brought] if brought is not None else []
            case ast.Assign(targets=targets):
                names = {
                    one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)
                }
                found += [None] if name in names else []
            case _:
                pass
    return found[0] if len(found) == 1 else None


def _top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when a file is imported, those under `if` and `try` included."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try):
            yield from _top([*statement.body, *statement.orelse])
            for handler in getattr(statement, "handlers", ()):
                yield from _top(handler.body)


def _imported(program: Program, tree: Tree, statement: ast.ImportFrom, name: str, depth: int) -> Found | None:
    path = program.project.resolve(tree.path, statement.module or "", statement.level)
    other = program.tree(path) if path is not None else None
    if other is None or other is tree:
        return None
    return _at_top(program, other, name, depth)


def _module_of(program: Program, tree: Tree, base: ast.expr) -> str | None:
    """The project's file that an expression names."""
    dotted = ast.unparse(base)
    first = dotted.partition(".")[0]
    for statement in tree.imports:
        for alias in statement.names:
            bound = alias.asname or alias.name
            if isinstance(statement, ast.Import) and bound in (dotted, first):
                whole = alias.name if alias.asname is None else alias.name + dotted.removeprefix(alias.asname)
                return program.project.resolve(tree.path, dotted if alias.asname is None else whole, 0)
            if isinstance(statement, ast.ImportFrom) and bound == dotted:
                module = f"{statement.module}.{alias.name}" if statement.module else alias.name
                return program.project.resolve(tree.path, module, statement.level)
    return None


def mentions(program: Program, found: Found) -> Iterator[Found]:
    """Where a class or function is named in the project, but for imports; raises Uncertain where that is not sure."""
    tree, node = found
    assert isinstance(node, Definition)
    scope = tree.function(node)
    if scope is not None or tree.owner(node) is not None:
        yield from (Found(tree, one) for one in _inner_mentions(tree, node))
        return
    if node.decorator_list:
        raise Uncertain("a decorator may register it")
    aliases: dict[str, set[str]] = {}
    for path in program.mentioning(node.name, tree.path):
        other = program.tree(path)
        if other is None:
            raise Uncertain(f"{path} cannot be read")
        names = {node.name} if other is tree else _aliases(program, other, found)
        aliases[path] = names
        for name in names:
            yield from (
                Found(other, one)
                for one in other.names.get(name, ())
                if isinstance(one.ctx, ast.Load) and _named(program, other, one, name) == found
            )
            if name in other.shared:
                raise Uncertain("a name that functions bind anew")
        for attribute in other.attributes.get(node.name, ()):
            known = definition(program, other, attribute)
            if known == found:
                yield Found(other, attribute)
    _check_dynamic(program, found)


def _inner_mentions(tree: Tree, node: Definition) -> list[ast.Name]:
    if tree.owner(node) is not None:
        raise Uncertain("a method by its name")
    scope = tree.function(node)
    assert scope is not None
    if len(tree.bindings(scope, node.name)) != 1 or node.decorator_list:
        raise Uncertain("a name that is bound twice")
    inside = set(ast.walk(scope))
    return [one for one in tree.names.get(node.name, ()) if one in inside and isinstance(one.ctx, ast.Load)]


def _aliases(program: Program, tree: Tree, found: Found) -> set[str]:
    """What a file calls the definition that it imports."""
    names: set[str] = set()
    node = found.node
    assert isinstance(node, Definition)
    for statement in tree.imports:
        if not isinstance(statement, ast.ImportFrom):
            continue
        for alias in statement.names:
            if alias.name == node.name and _imported(program, tree, statement, alias.name, _DEPTH) == found:
                names.add(alias.asname or alias.name)
            elif alias.name == "*" and _imported(program, tree, statement, node.name, _DEPTH) == found:
                names.add(node.name)
    return names


def _check_dynamic(program: Program, found: Found) -> None:
    """Raise Uncertain where a file that imports the definition's one may look names up at run time."""
    tree, node = found
    assert isinstance(node, Definition)
    files, pending = {tree.path: tree.module.encoded}, [tree.path]
    while pending:
        path = pending.pop()
        for importer, data in program.importers(path):
            if importer not in files:
                files[importer] = data
                pending += [importer] if is_package(importer) else []
    for path in [*files]:
        module = os.path.basename(os.path.dirname(path) if is_package(path) else path).removesuffix(".py")
        pattern = re.compile(_DYNAMIC % re.escape(module.encode()))
        if any(pattern.search(data) for data in files.values()):
            raise Uncertain("names that are looked up at run time")


def last_name(node: ast.expr) -> str:
    """The last of the names that an expression, or what it calls, is written with; none for other expressions."""
    match node:
        case ast.Call(func=function):
            return last_name(function)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""

"""The project's files as trees that say what is around a node, and where names are read."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Iterator
from functools import cached_property

from loss_lint.fixes.rewrite import is_within
from loss_lint.symbolic.graph import Site
from loss_lint.symbolic.machine import Machine
from loss_lint.syntax.module import SourceModule

Functions = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_BLOCKS = ("body", "orelse", "finalbody")
# In a project of more files than this nobody can say quickly who uses what.
_MAX_FILES = 2_000


Gone = Callable[[ast.stmt], bool]


def _never(statement: ast.stmt) -> bool:
    del statement
    return False


class Tree:
    """One file: its nodes with what is around them."""

    def __init__(self, module: SourceModule) -> None:
        self.module = module

    @property
    def path(self) -> str:
        return self.module.path

    def site(self, node: ast.expr | ast.stmt) -> Site:
        return self.module.site(node)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return [*ast.walk(self.module.tree)]

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}

    @cached_property
    def _by_line(self) -> dict[int, list[ast.expr]]:
        found: dict[int, list[ast.expr]] = {}
        for node in self.nodes:
            if isinstance(node, ast.expr):
                found.setdefault(node.lineno, []).append(node)
        return found

    @cached_property
    def names(self) -> dict[str, list[ast.Name]]:
        """Where each name is written, read or bound."""
        found: dict[str, list[ast.Name]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Name):
                found.setdefault(node.id, []).append(node)
        return found

    @cached_property
    def attributes(self) -> dict[str, list[ast.Attribute]]:
        """Where each attribute is written, read or set."""
        found: dict[str, list[ast.Attribute]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Attribute):
                found.setdefault(node.attr, []).append(node)
        return found

    @cached_property
    def imports(self) -> list[ast.Import | ast.ImportFrom]:
        return [node for node in self.nodes if isinstance(node, ast.Import | ast.ImportFrom)]

    @cached_property
    def modules(self) -> frozenset[str]:
        """Names that are bound by imports alone."""
        bound = {(alias.asname or alias.name).split(".")[0] for one in self.imports for alias in one.names}
        return frozenset(
            name for name in bound if all(isinstance(node.ctx, ast.Load) for node in self.names.get(name, ()))
        )

    @cached_property
    def shared(self) -> frozenset[str]:
        """Names that functions declare to be another scope's."""
        return frozenset(
            name for node in self.nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names
        )

    @cached_property
    def strings(self) -> str:
        """All texts in the file, one a line."""
        return "\n".join(
            node.value
            for node in self.nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )

    def inside(self, site: Site) -> list[ast.expr]:
        """The expressions that begin in a place and end there."""
        return [
            node
            for line in range(site.line, site.end_line + 1)
            for node in self._by_line.get(line, ())
            if is_within(self.site(node), site)
        ]

    def at(self, site: Site) -> ast.expr | None:
        """The outermost expression that stands exactly there."""
        return next((node for node in self._by_line.get(site.line, ()) if self.site(node) == site), None)

    def around(self, node: ast.AST, kinds: tuple[type[ast.AST], ...]) -> ast.AST | None:
        """The innermost node of some kinds around a node."""
        current = self.parents.get(node)
        while current is not None and not isinstance(current, kinds):
            current = self.parents.get(current)
        return current

    def function(self, node: ast.AST) -> Functions | None:
        """The innermost function around a node, whose scope it is in."""
        found = self.around(node, FUNCTIONS)
        return found if isinstance(found, FUNCTIONS) else None

    def owner(self, function: ast.AST) -> ast.ClassDef | None:
        """The class that a function is a method of."""
        parent = self.parents.get(function)
        return parent if isinstance(parent, ast.ClassDef) else None

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that a node is in, or is."""
        current = node
        while not isinstance(current, ast.stmt):
            current = self.parents[current]
        return current

    def block(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements among which one stands."""
        parent = self.parents[statement]
        blocks = (getattr(parent, part, None) for part in _BLOCKS)
        return next((one for one in blocks if isinstance(one, list) and statement in one), [statement])

    def reads_after(self, statement: ast.stmt, name: str, gone: Gone = _never) -> list[ast.Name]:
        """Where the value that a statement binds to a name may be read; more rather than fewer.

        What is `gone` binds nothing, but its reads are among them.
        """
        found = [*self._nested_reads(statement, name)]
        self._read_along(statement, name, found, gone)
        return list(dict.fromkeys(found))

    def _read_along(self, statement: ast.stmt, name: str, found: list[ast.Name], gone: Gone) -> None:
        """Collect what is read on the ways from a statement, up to where they bind the name anew or leave."""
        current: ast.AST = statement
        while isinstance(current, ast.stmt):
            block = self.block(current)
            if _read_block(block[block.index(current) + 1 :], name, found, gone):
                return
            parent = self.parents[current]
            if isinstance(parent, ast.Try):
                found += [one for part in (*parent.handlers, *parent.finalbody) for one in _reads(part, name)]
            elif isinstance(parent, ast.ExceptHandler):
                parent = self.parents[parent]
            elif isinstance(parent, _LOOPS):
                found += _reads(parent.test, name) if isinstance(parent, ast.While) else []
                if not (isinstance(parent, ast.For | ast.AsyncFor) and _names_target(parent.target, name)):
                    _read_block(block[: block.index(current) + 1], name, found, gone)
            elif isinstance(parent, FUNCTIONS):
                return
            current = parent

    def _nested_reads(self, statement: ast.stmt, name: str) -> list[ast.Name]:
        """Reads inside functions that are defined around: they see the name whenever they run."""
        scope: ast.AST = self.function(statement) or self.module.tree
        return [
            read
            for node in ast.walk(scope)
            if isinstance(node, FUNCTIONS) and node is not scope and not _is_own_name(node, name)
            for read in _reads(node, name)
        ]

    def bindings(self, scope: ast.AST, name: str) -> list[ast.AST]:
        """What binds a name in a scope, nested functions left out."""
        found: list[ast.AST] = [
            node
            for node in self.names.get(name, ())
            if not isinstance(node.ctx, ast.Load) and (self.function(node) or self.module.tree) is scope
        ]
        for node in ast.walk(scope):
            match node:
                case ast.alias(name=written, asname=bound) if (bound or written).split(".")[0] == name:
                    found.append(node)
                case ast.FunctionDef(name=defined) | ast.AsyncFunctionDef(name=defined) if defined == name:
                    found.append(node)
                case ast.ClassDef(name=defined) | ast.ExceptHandler(name=defined) if defined == name:
                    found.append(node)
                case ast.Global(names=names) | ast.Nonlocal(names=names) if name in names:
                    found.append(node)
                case _:
                    pass
        return found


def parameters(function: Functions) -> list[ast.arg]:
    """The parameters that arguments are bound to one by one, in order; keyword-only ones last."""
    spec = function.args
    return [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]


def reads_in(function: Functions, name: str) -> list[ast.Name]:
    """Where a function reads a parameter's first value; more rather than fewer."""
    if isinstance(function, ast.Lambda):
        return _reads(function.body, name)
    found: list[ast.Name] = []
    _read_block(function.body, name, found)
    return found


def _read_block(block: list[ast.stmt], name: str, found: list[ast.Name], gone: Gone = _never) -> bool:
    """Collect what statements read, up to one behind which a name has another value or nothing runs."""
    for statement in block:
        found += _reads(statement, name)
        if gone(statement):
            continue
        match statement:
            case ast.Return() | ast.Raise():
                return True
            case ast.Assign(targets=targets) if any(_names_target(target, name) for target in targets):
                return True
            case ast.AnnAssign(target=target, value=ast.expr()) if _names_target(target, name):
                return True
            case ast.AugAssign(target=target) if _names_target(target, name):
                return True
            case ast.If(body=body, orelse=[_, *_] as orelse):
                if _read_block(body, name, [], gone) and _read_block(orelse, name, [], gone):
                    return True
            case _:
                pass
    return False


def _reads(node: ast.AST, name: str) -> list[ast.Name]:
    """Where a name is read inside a node; `name += 2` reads it too."""
    found: list[ast.Name] = []
    for inner in ast.walk(node):
        match inner:
            case ast.AugAssign(target=ast.Name(id=read) as target) if read == name:
                found.append(target)
            case ast.Name(id=read, ctx=ast.Load()) if read == name:
                found.append(inner)
            case _:
                pass
    return found


def _names_target(target: ast.expr, name: str) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id == name for node in ast.walk(target)
    ) and not isinstance(target, ast.Attribute | ast.Subscript)


def _is_own_name(function: Functions, name: str) -> bool:
    """Whether a name is a function's own: a parameter, or bound in it."""
    spec = function.args
    collected = [one.arg for one in (spec.vararg, spec.kwarg) if one is not None]
    if name in collected or any(one.arg == name for one in parameters(function)):
        return True
    return any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
        for node in ast.walk(function)
    )


class Uncertain(Exception):
    """Something may use what a fix would change in a way that is not known."""


class Program:
    """The files of one project, parsed where they are asked for."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.project = machine.project
        self._trees: dict[str, Tree | None] = {}

    def tree(self, path: str) -> Tree | None:
        self.project.note(path)
        if path not in self._trees:
            module = self.machine.modules.parsed(path)
            self._trees[path] = Tree(module) if module is not None else None
        return self._trees[path]

    def files(self, path: str) -> list[str] | None:
        """The project's files around one; None where they are too many."""
        found = self.project.files(self.project.root(path))
        return None if len(found) > _MAX_FILES else [*dict.fromkeys((path, *found))]

    def mentioning(self, word: str, path: str) -> Iterator[str]:
        """The files of the project around `path` that hold a word, whatever it means there."""
        pattern = re.compile(rb"(?<!\w)" + re.escape(word.encode()) + rb"(?!\w)")
        found = self.files(path)
        if found is None:
            raise Uncertain("a project of too many files")
        for folder in sorted({os.path.dirname(one) for one in found}):
            self.project.note_folder(folder)  # another file there may mention it as well
        for one in found:
            data = self._read(one)
            if data is not None and pattern.search(data):
                yield one

    def defines(self, name: str, path: str) -> bool:
        """Whether the project around `path` has a function or method of that name."""
        pattern = re.compile(rb"\bdef\s+" + re.escape(name.encode()) + rb"\b")
        return any(pattern.search(self._read(one) or b"") for one in self.mentioning(name, path))

    def importers(self, path: str) -> Iterator[tuple[str, bytes]]:
        """The files that import one, and what they hold."""
        for one in self.project.importers(path):
            data = self._read(one)
            yield one, data if data is not None else b""

    def _read(self, path: str) -> bytes | None:
        try:
            return self.project.read(path)
        except (OSError, ValueError):
            return None

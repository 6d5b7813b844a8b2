"""Who else uses what a fix would change: the object that a constructor makes, the value that a call returns."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from loss_lint.fixes.program import FUNCTIONS, Tree
from loss_lint.fixes.rewrite import is_within
from loss_lint.symbolic.graph import Site
from loss_lint.syntax.project import Project

# Base classes outside a project whose own methods use no attribute that a project adds.
_INNOCENT = frozenset({"Module", "LightningModule", "object", "ABC", "_Loss", "_WeightedLoss"})
# What keeps one number for each element, as far as calls go.
_ELEMENTWISE = frozenset({"exp", "pow", "log", "log1p", "expm1", "clamp", "float", "to"})
_DEPTH = 4


class Users:
    """The uses of names and attributes in one file, and in the files that import it."""

    def __init__(self, tree: Tree, project: Project) -> None:
        self._tree = tree
        self._project = project

    def is_made_for(self, made: Site, used: Site) -> bool:
        """Whether what is constructed at `made` is called at `used` and nowhere else."""
        constructor, call = self._call(made), self._call(used)
        if constructor is None or call is None:
            return False
        if call.func is constructor:
            return True
        statement = self._tree.parents.get(constructor)
        target = _only_target(statement) if statement is not None else None
        match target, call.func:
            case ast.Attribute(value=ast.Name(id="self")), ast.Attribute(value=ast.Name(id="self")):
                return self._is_own_attribute(target, call.func)
            case ast.Name(id=name), ast.Name(id=used_as) if name == used_as:
                return self._is_own_name(target, call.func)
            case _:
                return False

    def flows_only_into(self, call: Site, sink: Site) -> bool:
        """Whether the number that `call` returns goes into the expression at `sink` alone, element by element."""
        node = self._call(call)
        if node is None:
            return False
        return is_within(call, sink) or self._assigned_for(self._tree.parents.get(node), node, sink, _DEPTH)

    def _assigned_for(self, statement: ast.AST | None, value: ast.expr, sink: Site, depth: int) -> bool:
        """Whether a statement gives `value` a name, which is used in the expression at `sink` alone."""
        target = _only_target(statement) if statement is not None else None
        if not isinstance(target, ast.Name) or getattr(statement, "value", None) is not value or not depth:
            return False
        assert isinstance(statement, ast.stmt)
        users = self._later_users(statement, target.id)
        if users is None:
            return False
        return all(
            is_within(self._tree.site(user), sink) or self._is_step(user, sink, depth) for user in users
        )

    def _is_step(self, user: ast.expr, sink: Site, depth: int) -> bool:
        """Whether what uses a value computes something by element of it that is for the sink alone."""
        statement = self._tree.module.innermost_statement(self._tree.site(user))
        value = getattr(statement, "value", None)
        if not isinstance(value, ast.expr) or not all(_is_elementwise(node) for node in ast.walk(value)):
            return False
        return self._assigned_for(statement, value, sink, depth - 1)

    def _later_users(self, statement: ast.stmt, name: str) -> list[ast.expr] | None:
        """Where the value that a statement gives to a name is read; None where that is not clear."""
        function = self._tree.around(statement, FUNCTIONS)
        parent = self._tree.parents.get(statement)
        blocks = [getattr(parent, part, None) for part in ("body", "orelse", "finalbody")]
        block = next((one for one in blocks if isinstance(one, list) and statement in one), None)
        if function is None or block is None:
            return None
        users: list[ast.expr] = []
        rest = block[block.index(statement) + 1 :]
        for later in rest:
            users += _reads(later, name)
            if isinstance(later, ast.Assign | ast.AnnAssign | ast.AugAssign) and _binds(later, name):
                return users
        inside = {node for one in (statement, *rest) for node in ast.walk(one)}
        return users + [node for node in _reads(function, name) if node not in inside]

    def _is_own_attribute(self, target: ast.Attribute, used: ast.Attribute) -> bool:
        owner = self._tree.around(target, (ast.ClassDef,))
        if not isinstance(owner, ast.ClassDef) or self._tree.around(used, (ast.ClassDef,)) is not owner:
            return False
        if target.attr != used.attr or not self._is_closed(owner):
            return False
        for node in self._tree.nodes:
            if not isinstance(node, ast.Attribute) or node.attr != used.attr or node is used:
                continue
            if isinstance(node.ctx, ast.Load) and not self._is_of_another(node, owner):
                return False
        name = re.escape(used.attr).encode()
        reads = re.compile(rb"(\w*)\s*\.\s*" + name + rb"\b")
        return not any(
            match[1] != b"self" or re.search(rb"\b" + owner.name.encode() + rb"\b", data)
            for data in self._importers()
            for match in reads.finditer(data)
        )

    def _is_closed(self, owner: ast.ClassDef) -> bool:
        """Whether all the project's methods of a class are written in this file."""
        here = {node.name for node in self._tree.nodes if isinstance(node, ast.ClassDef)}
        return all(_last(base) in here | _INNOCENT for base in owner.bases)

    def _is_of_another(self, read: ast.Attribute, owner: ast.ClassDef) -> bool:
        """Whether `self.x` is read in a class that has nothing to do with `owner`."""
        other = self._tree.around(read, (ast.ClassDef,))
        if not isinstance(read.value, ast.Name) or read.value.id != "self" or other is owner:
            return False
        if not isinstance(other, ast.ClassDef):
            return False
        bases = [_last(base) for base in (*other.bases, *owner.bases)]
        return set(bases) <= _INNOCENT

    def _is_own_name(self, target: ast.Name, used: ast.Name) -> bool:
        function = self._tree.around(target, FUNCTIONS)
        if function is not None and self._tree.around(used, FUNCTIONS) is not function:
            return False
        reads = _reads(function if function is not None else self._tree.module.tree, target.id)
        if reads != [used]:
            return False
        word = re.compile(rb"\b" + re.escape(target.id).encode() + rb"\b")
        return function is not None or not any(word.search(data) for data in self._importers())

    def _importers(self) -> Iterator[bytes]:
        for path in self._project.importers(self._tree.module.path):
            try:
                yield self._project.read(path)
            except (OSError, ValueError):
                yield b""

    def _call(self, site: Site) -> ast.Call | None:
        node = self._tree.at(site)
        return node if isinstance(node, ast.Call) else None


def _only_target(statement: ast.AST) -> ast.expr | None:
    match statement:
        case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
            return target
        case _:
            return None


def _binds(statement: ast.Assign | ast.AnnAssign | ast.AugAssign, name: str) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _reads(node: ast.AST, name: str) -> list[ast.expr]:
    """Where a name is read inside a node, `name *= 2` included."""
    found: list[ast.expr] = []
    for inner in ast.walk(node):
        if (
            isinstance(inner, ast.AugAssign)
            and isinstance(inner.target, ast.Name)
            and inner.target.id == name
        ):
            found.append(inner.target)
        elif isinstance(inner, ast.Name) and inner.id == name and isinstance(inner.ctx, ast.Load):
            found.append(inner)
    return found


def _is_elementwise(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return _last(node.func) in _ELEMENTWISE
    return not isinstance(node, ast.Subscript | ast.IfExp | ast.Lambda | ast.NamedExpr | ast.Compare)


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""

"""The evaluator's shared state: modules, limits, and what was computed, behind one object.

`Machine` wires the parts together: each of its methods is the entry to one of this folder's files.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Sequence

from loss_lint import catalogue
from loss_lint.symbolic import access, arithmetic, calls, expressions, imports, items, running
from loss_lint.symbolic.activation import Activation, State
from loss_lint.symbolic.assign import site_of
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    Argument,
    Frame,
    Lazy,
    Loop,
    Object,
    Op,
    Site,
    Value,
    external,
    fresh_content,
    intern_content,
    leaf,
    may_hold_loss,
    tuple_of,
)
from loss_lint.symbolic.heap import Heap, Item, Record
from loss_lint.symbolic.statements import execute
from loss_lint.syntax.module import SourceModule, Unparsable, parse
from loss_lint.syntax.sources import Sources, resolve_import

# Limits on work, past which a value is unknown: statements in one root, and in all roots of a file; what comes
# after that still gets a few.
MAX_STATEMENTS = 6_000
MAX_FILE_STATEMENTS = 20_000
FEW_STATEMENTS = 60
# Over how many imports a name is seen to lead to a loss.
MAX_IMPORTS = 3


class Machine:
    """Evaluates the functions of a project's modules and records every operation that they compute."""

    def __init__(self, sources: Sources, *, cross_files: bool = True) -> None:
        self.sources = sources
        self.cross_files = cross_files
        self.ops: list[Op] = []
        self.reveals: list[tuple[Site, Value]] = []
        self.remaining = MAX_STATEMENTS
        self.remaining_in_file = MAX_FILE_STATEMENTS
        self.cut_short: dict[str, int] = {}
        self._losses = frozenset(loss.name for loss in catalogue.LOSSES)
        self.nesting = 0
        # Results of deep calls, for the root that is evaluated now.
        self.results: dict[object, Value] = {}
        self.base_heap = Heap()
        self.modules: dict[str, Activation | None] = {}
        self.module_ops: dict[str, list[Op]] = {}
        self._parsed: dict[str, SourceModule | None] = {}
        self._loss_names: dict[tuple[str, int], frozenset[str]] = {}
        self._resolved: dict[tuple[str, str, int], str | None] = {}
        self.namespaces: dict[int, Activation] = {}

    # Modules

    def parsed(self, path: str) -> SourceModule | None:
        """The file at `path`, parsed once; None where it cannot be."""
        if path not in self._parsed:
            try:
                self._parsed[path] = parse(path, self.sources.read(path))
            except (OSError, ValueError, Unparsable):
                self._parsed[path] = None
        return self._parsed[path]

    def _with_loss_names(self, source: SourceModule) -> SourceModule:
        """The module with the names that lead to a loss in what it imports."""
        if self.cross_files:
            source.imported_loss_names = self._imported_loss_names(source, MAX_IMPORTS)
        return source

    def _imported_loss_names(self, source: SourceModule, hops: int) -> frozenset[str]:
        key = (source.path, hops)
        known = self._loss_names.get(key)
        if known is None:
            names: set[str] = set()
            for bound, path, name in source.imported_names(self.resolve):
                if name in self._names_leading_to_loss(path, hops - 1):
                    names.add(bound)
            known = self._loss_names[key] = frozenset(names)
        return known

    def _names_leading_to_loss(self, path: str, hops: int) -> frozenset[str]:
        source = self.parsed(path)
        if source is None:
            return frozenset()
        imported = self._imported_loss_names(source, hops) if hops else frozenset()
        return source.names_leading_to_loss(imported)

    def module(self, path: str, source: SourceModule | None = None) -> Activation | None:
        """The evaluated body of the module at `path`; None where it cannot be read."""
        if path in self.modules:
            return self.modules[path]
        source = source or self.parsed(path)
        if source is None:
            self.modules[path] = None
            return None
        self._parsed.setdefault(path, source)
        self._with_loss_names(source)
        frame = Frame("<module>", None, None, 0, intern_content(("module", path)))
        act = Activation(self, source, frame, State({}, Heap(base=self.base_heap)))
        self.modules[path] = act  # an import cycle sees what is there so far
        # What a module's body computes is its own, whoever imports it first.
        before = (self.ops, self.remaining, self.results)
        self.ops, self.remaining, self.results = self.module_ops.setdefault(path, []), MAX_STATEMENTS, {}
        execute(source.tree.body, act)
        self.ops, self.remaining, self.results = before
        act.state.guards = NO_GUARDS
        self.base_heap.absorb(act.state.heap)
        return act

    def resolve(self, importer: str, module: str, level: int) -> str | None:
        """The project's file behind an import, looked for once."""
        key = (os.path.dirname(importer), module, level)
        if key not in self._resolved:
            self._resolved[key] = resolve_import(self.sources, importer, module, level)
        return self._resolved[key]

    # Limits

    def start_root(self) -> None:
        """Begin with a root's own operations, results and statements."""
        self.ops, self.results = [], {}
        self.remaining = MAX_STATEMENTS if self.remaining_in_file > 0 else FEW_STATEMENTS

    def spend(self) -> bool:
        """Whether one more statement may run; counted by root and by file."""
        self.remaining -= 1
        self.remaining_in_file -= 1
        if self.remaining < 0:
            self.count("statements")
            return False
        return True

    def count(self, limit: str) -> None:
        self.cut_short[limit] = self.cut_short.get(limit, 0) + 1

    # Expressions

    def evaluate(self, node: ast.expr, act: Activation) -> Value:
        return expressions.evaluate(node, act)

    def look_up(self, name: str, act: Activation, site: Site) -> Value:
        return access.look_up(name, act, site)

    def attribute(self, base: Value, name: str, site: Site, base_site: Site, act: Activation) -> Value:
        return access.attribute(base, name, site, base_site, act)

    def set_attribute(self, base: Value, name: str, value: Value, act: Activation) -> None:
        access.set_attribute(base, name, value, act)

    def item(
        self, base: Value, index: Value, site: Site, act: Activation, base_site: Site | None = None
    ) -> Value:
        return items.item(base, index, site, act, base_site)

    def known_elements(self, value: Value, act: Activation) -> list[Value] | None:
        return items.known_elements(value, act)

    def resolved(self, value: Value, act: Activation) -> Value:
        return items.resolved(value, act)

    def entries_of(self, value: Value, act: Activation) -> tuple[Item, ...] | None:
        return items.entries_of(value, act)

    def items_of(self, value: Value, act: Activation) -> tuple[Item, ...] | None:
        return items.items_of(value, act)

    def element(self, iterable: Value, loop: Loop, site: Site, act: Activation) -> Value:
        return items.element(iterable, loop, site, act)

    def item_assigned(
        self, holder: Value, value: Value, target: ast.Subscript, act: Activation
    ) -> Value | None:
        return arithmetic.item_assigned(holder, value, target, act)

    def known_tuple(self, values: list[Value] | None, site: Site) -> Value:
        if values is None:
            return leaf("unknown", "", site, reason="an unknown sequence is unpacked into a tuple")
        return tuple_of(tuple(values))

    def new_object(
        self,
        cls: str,
        site: Site,
        act: Activation,
        items: tuple[Item, ...] = (),
        *,
        is_open: bool = False,
    ) -> Object:
        created = Object(external(cls), site, fresh_content(), act.loops)
        act.state.heap.set(created.content, Record({}, items, is_open))
        return created

    # Operations

    def op(
        self,
        name: str,
        operands: tuple[Value, ...],
        parameters: tuple[tuple[str, Value], ...],
        where: ast.expr | ast.stmt | Site,
        slots: Sequence[ast.expr | Site | None],
        act: Activation,
        made: Site | None = None,
    ) -> Op:
        """A new operation, recorded for the rules to look at."""
        site = where if isinstance(where, Site) else site_of(where, act)
        content = intern_content(
            (
                name,
                *[operand.content for operand in operands],
                *[(key, value.content) for key, value in parameters],
            )
        )
        new = Op(
            name,
            operands,
            parameters,
            site,
            tuple([slot if slot is None or isinstance(slot, Site) else site_of(slot, act) for slot in slots]),
            act.state.guards,
            act.frame,
            act.loops,
            act.grad,
            content,
            made,
            tuple([_identifier(slot) for slot in slots]),
            act.chosen,
            name in self._losses or any(may_hold_loss(operand) for operand in operands),
        )
        self.ops.append(new)
        return new

    def python_op(
        self,
        name: str,
        operands: tuple[Value, ...],
        site: Site,
        act: Activation,
        parameters: tuple[tuple[str, Value], ...] = (),
    ) -> Op:
        """An operation on plain Python values: no operand can be edited."""
        return self.op(name, operands, parameters, site, (None,) * len(operands), act)

    def binary(
        self,
        operator: ast.operator,
        left: Value,
        right: Value,
        node: ast.expr | ast.stmt,
        left_node: ast.expr,
        right_node: ast.expr,
        act: Activation,
    ) -> Value:
        name = expressions.BINARY[type(operator)]
        return arithmetic.binary(name, left, right, node, left_node, right_node, act)

    def equality(self, left: Value, right: Value, act: Activation, site: Site | None = None) -> Value:
        return arithmetic.comparison("eq", left, right, act, site)

    def identity(self, left: Value, right: Value, act: Activation, site: Site | None = None) -> Value:
        return arithmetic.comparison("is", left, right, act, site)

    # Calls

    def call(self, function: Value, arguments: tuple[Argument, ...], site: Site, act: Activation) -> Value:
        return calls.call(function, arguments, site, act)

    def call_now(
        self, function: Value, arguments: tuple[Argument, ...], site: Site, act: Activation
    ) -> Value:
        """A call whose effects are needed at once."""
        return calls.call(function, arguments, site, act, now=True)

    def run(self, body: Sequence[ast.stmt], act: Activation) -> None:
        execute(body, act)

    def force(self, lazy: Lazy) -> Value:
        return running.force(lazy)

    def enter(self, context: Value, node: ast.expr, act: Activation) -> Value:
        """What `with context as name` binds."""
        return calls.entered(context, site_of(node, act), act)

    # Imports

    def imported(self, name: str, act: Activation) -> Value:
        return imports.module(name, 0, act)

    def imported_name(self, module: str, name: str, level: int, act: Activation) -> Value:
        return imports.name(module, name, level, act)

    def import_star(self, module: str, level: int, act: Activation) -> None:
        imports.star(module, level, act)


def _identifier(slot: ast.expr | Site | None) -> str:
    """The name that an operand is written as: `batch_size` for `self.batch_size`."""
    match slot:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""

"""The evaluator's shared state: modules, limits, and what was computed, behind one object.

`Machine` wires the parts together: each of its methods is the entry to one of this folder's files.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from loss_lint import catalogue
from loss_lint.conventions import USUAL, Conventions
from loss_lint.symbolic import (
    access,
    arithmetic,
    calls,
    construction,
    expressions,
    imports,
    items,
    limits,
    running,
)
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.assign import site_of
from loss_lint.symbolic.graph import (
    Argument,
    Class,
    Lazy,
    Loop,
    Object,
    Op,
    Phi,
    Site,
    Value,
    external,
    fresh_content,
    intern_content,
    leaf,
    make_contents_last,
    may_hold_loss,
    tuple_of,
)
from loss_lint.symbolic.heap import Deferred, Heap, Item, Record
from loss_lint.symbolic.limits import FEW_STATEMENTS, MAX_FILE_STATEMENTS, MAX_STATEMENTS
from loss_lint.symbolic.modules import Modules
from loss_lint.symbolic.own_names import OwnNames
from loss_lint.symbolic.statements import execute
from loss_lint.syntax.project import Project
from loss_lint.syntax.relevance import Relevance
from loss_lint.syntax.sources import Sources


class Machine:
    """Evaluates the functions of a project's modules and records every operation that they compute."""

    def __init__(
        self,
        sources: Sources | Project,
        relevance: Relevance | None = None,
        conventions: Conventions = USUAL,
    ) -> None:
        self.project = sources if isinstance(sources, Project) else Project(sources)
        self.conventions = conventions
        self.relevance = relevance or Relevance(self.project, conventions)
        self.own_names = OwnNames(conventions, self.project)
        self.ops: list[Op] = []
        self.reveals: list[tuple[Site, Value]] = []
        # The project's objects that the root has made so far.
        self.made: list[Object] = []
        # Contents of those whose methods ran into a limit, so that attributes that they would have are missing.
        self.cut_short: set[int] = set()
        # What the roots of the file have run and put off: their values refer to it, and it to them.
        self.begun: list[Activation | Deferred | Phi] = []
        self.remaining = MAX_STATEMENTS
        self.remaining_in_file = MAX_FILE_STATEMENTS
        self._losses = frozenset(loss.name for loss in catalogue.LOSSES) | {"model_loss"}
        self.nesting = 0
        # Results of deep calls, for the root that is evaluated now.
        self.results: dict[object, Value] = {}
        # Called between roots, where the work can be broken off; it may raise.
        self.pause: Callable[[], None] = lambda: None
        self.base_heap = Heap()
        self.modules = Modules(self)
        self.namespaces: dict[int, Activation] = {}
        # By the class's content where its bases are the same under all conditions, else by their orders too.
        self.class_orders: dict[int | tuple[int, ...], tuple[Value, ...]] = {}
        # What is written as the bases of a class, by its content.
        self.class_bases: dict[int, tuple[Value, ...]] = {}

    # Modules

    def module(self, path: str) -> Activation | None:
        """The evaluated body of the module at `path`; None where it cannot be read."""
        return self.modules.get(path)

    @contextmanager
    def apart(self, ops: list[Op], counts: dict[str, int]) -> Iterator[None]:
        """Evaluation with a share of work, results, recorded operations and counted limits of its own."""
        before = (self.ops, self.results, self.made, self.remaining, self.remaining_in_file, self.nesting)
        self.ops, self.results, self.made = ops, {}, []
        self.remaining = self.remaining_in_file = MAX_STATEMENTS
        self.nesting = 0
        counted_before = limits.count_into(counts)
        lasting_before = make_contents_last(True)
        try:
            yield
        finally:
            self.ops, self.results, self.made, self.remaining, self.remaining_in_file, self.nesting = before
            limits.count_into(counted_before)
            make_contents_last(lasting_before)

    def resolve(self, importer: str, module: str, level: int) -> str | None:
        """The project's file behind an import."""
        return self.project.resolve(importer, module, level)

    def option_default(self, name: str, path: str) -> object:
        """The default of the command line's option `name`, by the file at `path` or one that it imports from."""
        for one in (path, *sorted(self.project.imported_files(path))):
            known = self.modules.parsed(one)
            if known is not None and name in known.option_defaults:
                return known.option_defaults[name]
        return None

    # What ends with the file

    def begin(self, begun: Activation | Deferred | Phi) -> None:
        """Note what has a part in circles: of a module's own until that is dropped, of roots until their file ends."""
        if not self.modules.is_apart:
            self.begun.append(begun)
        elif isinstance(begun, Activation):
            self.modules.begin(begun)

    def end(self) -> None:
        """Let what the roots have run and put off go of its values, so that no circle keeps them."""
        for one in self.begun:
            one.end()
        self.forget()

    def forget(self) -> None:
        """Forget what the roots have run and put off, but let it know what it knows."""
        for one in self.begun:
            if isinstance(one, Activation) and one.is_class_body and one.owner is not None:
                self.namespaces.pop(one.owner.content, None)
        self.begun = []

    def forget_classes(self) -> None:
        """Find the bases of all classes anew: modules have been dropped."""
        self.class_orders.clear()
        self.class_bases.clear()

    # Limits

    def start_root(self) -> None:
        """Begin with a root's own operations, results and statements."""
        self.ops, self.results, self.made = [], {}, []
        self.remaining = MAX_STATEMENTS if self.remaining_in_file > 0 else FEW_STATEMENTS

    @contextmanager
    def at_most(self, statements: int) -> Iterator[None]:
        """Run no more than so many statements inside."""
        before = self.remaining
        self.remaining = given = min(before, statements)
        try:
            yield
        finally:
            self.remaining = before - given + max(self.remaining, 0)

    def spend(self) -> bool:
        """Whether one more statement may run; counted by root and by file."""
        self.remaining -= 1
        self.remaining_in_file -= 1
        if self.remaining < 0:
            limits.count("statements")
            return False
        return True

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

    def entries_of(self, value: Value, act: Activation, most: int | None = None) -> tuple[Item, ...] | None:
        return items.entries_of(value, act, most)

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
        alias: str = "",
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
            alias,
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

    def construct(self, cls: Class, arguments: tuple[Argument, ...], site: Site, act: Activation) -> Object:
        """A new instance of a project's class."""
        return construction.construct(cls, arguments, site, act)

    def run(self, body: Sequence[ast.stmt], act: Activation) -> None:
        execute(body, act)

    def force(self, lazy: Lazy) -> Value:
        return running.force(lazy)

    def enter(self, context: Value, node: ast.expr, act: Activation) -> Value:
        """What `with context as name` binds."""
        return calls.entered(context, site_of(node, act), act, by_call=isinstance(node, ast.Call))

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

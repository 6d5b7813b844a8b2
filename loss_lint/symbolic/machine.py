"""The evaluator's shared state: modules, limits, and what was computed, behind one object.

`Machine` wires the parts together: each of its methods is the entry to one of this folder's files.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from loss_lint import catalogue
from loss_lint.symbolic import access, arithmetic, calls, expressions, imports, items, limits, running
from loss_lint.symbolic.activation import Activation, State
from loss_lint.symbolic.assign import site_of
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    Argument,
    Class,
    Frame,
    Function,
    Guards,
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
from loss_lint.symbolic.limits import FEW_STATEMENTS, MAX_FILE_STATEMENTS, MAX_STATEMENTS
from loss_lint.symbolic.statements import execute
from loss_lint.syntax.module import SourceModule, Unparsable, parse
from loss_lint.syntax.project import Project, Trail
from loss_lint.syntax.relevance import Relevance
from loss_lint.syntax.sources import Sources


class Machine:
    """Evaluates the functions of a project's modules and records every operation that they compute."""

    def __init__(self, sources: Sources | Project, relevance: Relevance | None = None) -> None:
        self.project = sources if isinstance(sources, Project) else Project(sources)
        self.relevance = relevance or Relevance(self.project)
        self.ops: list[Op] = []
        self.reveals: list[tuple[Site, Value]] = []
        # The project's objects that the root has made so far.
        self.made: list[Object] = []
        self.remaining = MAX_STATEMENTS
        self.remaining_in_file = MAX_FILE_STATEMENTS
        # The limits met in what is a module's own, whichever file needed it.
        self.module_limits: dict[str, dict[str, int]] = {}
        self._losses = frozenset(loss.name for loss in catalogue.LOSSES) | {"model_loss"}
        self.nesting = 0
        # Results of deep calls, for the root that is evaluated now.
        self.results: dict[object, Value] = {}
        self.base_heap = Heap()
        self.modules: dict[str, Activation | None] = {}
        self.module_ops: dict[str, list[Op]] = {}
        self.namespaces: dict[int, Activation] = {}
        self.class_orders: dict[tuple[int, Guards], tuple[Value, ...]] = {}
        # What modules followed from, for those that were loaded already when a file needs them.
        self._trails: dict[str, Trail] = {}
        self._loading: set[str] = set()
        # The modules of which something is evaluated apart, the innermost last.
        self._apart: list[str] = []
        # Whether what was loaded is the same whichever file needed it first.
        self.is_shareable = True
        self.loaded_bytes = 0
        self._rebound: list[tuple[dict[str, Value], str, Value | None]] = []

    # Modules

    def parsed(self, path: str) -> SourceModule | None:
        """The file at `path`, with the names in it that lead to a loss elsewhere; None where it cannot be read."""
        try:
            source = parse(path, self.project.read(path))
        except (OSError, ValueError, Unparsable):
            return None
        source.imported_loss_names = self.relevance.imported_loss_names(path)
        return source

    def module(self, path: str) -> Activation | None:
        """The evaluated body of the module at `path`; None where it cannot be read."""
        if path in self._loading:  # an import cycle sees what is there so far
            self.is_shareable = False
            return self.modules[path]
        if path in self.modules:
            self.project.follow(self._trails[path])
            return self.modules[path]
        with self.project.following() as trail:
            act = self._load(path)
        self._trails[path] = trail
        return act

    def _load(self, path: str) -> Activation | None:
        source = self.parsed(path)
        if source is None:
            self.modules[path] = None
            return None
        self.loaded_bytes += len(source.data)
        frame = Frame(running.MODULE_FRAME, None, None, 0, intern_content(("module", path)))
        act = Activation(self, source, frame, State({}, Heap(base=self.base_heap)))
        self.modules[path] = act
        self._loading.add(path)
        with self.apart(path):
            execute(source.tree.body, act)
        self._loading.discard(path)
        act.state.guards = NO_GUARDS
        if self.base_heap.absorb(act.state.heap):
            self.is_shareable = False  # it changed what another module made, as a registry
        return act

    @contextmanager
    def apart(self, path: str) -> Iterator[None]:
        """Evaluation of what is a module's own, whoever needs it first: its operations, its share of work."""
        before = (self.ops, self.results, self.made, self.remaining, self.remaining_in_file, self.nesting)
        self.ops, self.results, self.made = self.module_ops.setdefault(path, []), {}, []
        counted_before = limits.count_into(self.module_limits.setdefault(path, {}))
        self.remaining = self.remaining_in_file = MAX_STATEMENTS
        self.nesting = 0
        self._apart.append(path)
        if self._rebound:
            self.is_shareable = False  # it sees what a function has set
        try:
            yield
        finally:
            self.ops, self.results, self.made, self.remaining, self.remaining_in_file, self.nesting = before
            limits.count_into(counted_before)
            self._apart.pop()

    @property
    def is_apart(self) -> bool:
        """Whether what is evaluated now is a module's own."""
        return bool(self._apart)

    def note_write(self, holder: Value) -> None:
        """Something other than an object gets an attribute: a class, a function, a module, what is unknown.

        If a module's body does it to what is not its own, the next file must not see it.
        """
        if self._apart and not (
            isinstance(holder, Class | Function) and holder.module.path == self._apart[-1]
        ):
            self.is_shareable = False

    def limits_met(self, path: str) -> tuple[tuple[str, int], ...]:
        """How often a limit was met in the file at `path`: in its body, and in its roots since `limits.forget`."""
        own, roots = self.module_limits.get(path, {}), dict(limits.met())
        return tuple((name, own.get(name, 0) + roots.get(name, 0)) for name in sorted({*own, *roots}))

    def rebind(self, names: dict[str, Value], name: str, value: Value) -> None:
        """Set a variable of a module from inside a function; `forget_rebound` takes it back."""
        self._rebound.append((names, name, names.get(name)))
        names[name] = value

    def forget_rebound(self) -> None:
        """Give the modules' variables back what their own bodies left in them."""
        for names, name, value in reversed(self._rebound):
            if value is None:
                names.pop(name, None)
            else:
                names[name] = value
        self._rebound.clear()

    def resolve(self, importer: str, module: str, level: int) -> str | None:
        """The project's file behind an import."""
        return self.project.resolve(importer, module, level)

    def option_default(self, name: str, path: str) -> object:
        """The default of the command line's option `name`, by the file at `path` or one that it imports from."""
        for one in (path, *sorted(self.project.imported_files(path))):
            known = self.parsed(one)
            if known is not None and name in known.option_defaults:
                return known.option_defaults[name]
        return None

    # Limits

    def start_root(self) -> None:
        """Begin with a root's own operations, results and statements."""
        self.ops, self.results, self.made = [], {}, []
        self.remaining = MAX_STATEMENTS if self.remaining_in_file > 0 else FEW_STATEMENTS

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

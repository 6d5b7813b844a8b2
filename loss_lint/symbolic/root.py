"""Roots: the functions evaluated as if called from nowhere, and where the values in them go."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from loss_lint import catalogue
from loss_lint.symbolic import frameworks, objects, running
from loss_lint.symbolic.activation import Activation, State, join
from loss_lint.symbolic.assign import site_of
from loss_lint.symbolic.definitions import bind_arguments, decorator_names, defaults, definitions
from loss_lint.symbolic.flow import BACKWARD as BACKWARD  # noqa: PLC0414
from loss_lint.symbolic.flow import Flow
from loss_lint.symbolic.flow import parts as parts  # noqa: PLC0414
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    Alternatives,
    Argument,
    Class,
    Const,
    External,
    Frame,
    Function,
    Leaf,
    Object,
    Op,
    Site,
    Value,
    fresh_content,
    leaf,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.heap import OPEN
from loss_lint.symbolic.limits import MAX_FILE_STATEMENTS
from loss_lint.symbolic.machine import Machine
from loss_lint.symbolic.rebound import open_exchanged_losses


@dataclass(slots=True, eq=False)
class Root:
    """One evaluated root: the operations that it computed, and what it returned."""

    machine: Machine
    name: str
    ops: list[Op]
    returned: list[Value] = field(default_factory=list)
    _flow: Flow = field(init=False)

    def __post_init__(self) -> None:
        self._flow = Flow(self.ops, self.returned)

    def consumers(self, op: Op) -> list[Op]:
        """The operations that `op`'s result is an operand of, in their order."""
        return self._flow.consumers(op)

    def downstream(self, op: Op, *, without: Op | None = None, numbers: bool = False) -> Iterator[Op]:
        """Everything that is computed from `op`, nearest first; not through `without`.

        Where a tensor becomes plain numbers (`.item()`), what is computed from these counts if `numbers`.
        """
        return self._flow.downstream(op, without=without, numbers=numbers)

    def backward(self) -> list[Op]:
        """Every `backward()` that runs here, the program's or a framework's."""
        return self._flow.backward()

    def is_trained_on(self, op: Op, *, without: Op | None = None) -> bool:
        """Whether `op` reaches a `backward()`, the program's or a framework's on what a step returns."""
        if not self._flow.reaches_backward(op):
            return False
        return without is None or any(one.name in BACKWARD for one in self.downstream(op, without=without))

    def is_returned(self, op: Op) -> bool:
        """Whether `op` itself is (part of) what the root returns."""
        return self._flow.is_returned(op)

    def leads_to_return(self, op: Op) -> bool:
        """Whether something that is computed from `op` is (part of) what the root returns."""
        return self._flow.reaches_return(op)


def evaluate_roots(machine: Machine, path: str) -> Iterator[Root]:
    """Each root of the file at `path`: its body, and each function or method that leads to a loss."""
    for root in _evaluate_roots(machine, path):
        yield root
        machine.pause()


def _evaluate_roots(machine: Machine, path: str) -> Iterator[Root]:
    machine.remaining_in_file = MAX_FILE_STATEMENTS
    module = machine.module(path)
    if module is None:
        return
    for statement in definitions(module.module.tree.body):
        if not module.module.leads_to_loss(statement):
            continue
        if isinstance(statement, ast.ClassDef):
            if _is_completed_by_another(statement, module.module.tree.body):
                continue
            cls = module.state.names.get(statement.name)
            for candidate in _of_class(cls, statement):
                yield from _class_roots(candidate, module)
        else:
            function = objects.written(module.state.names.get(statement.name))
            if function is not None and function.node is statement:
                yield _function_root(function, None, module)
    # Last, as bodies of classes run when something first looks at them: all of them, whoever has looked before.
    for value in [*module.state.names.values()]:
        if isinstance(value, Class) and value.module is module.module:
            objects.namespace(value, module)
    machine.ops = machine.modules.ops[path]
    yield Root(machine, "<module>", machine.ops)


def _is_completed_by_another(node: ast.ClassDef, body: list[ast.stmt]) -> bool:
    """Whether a subclass of the file sets one of the class's own attributes anew: then those are judged instead."""
    own = _class_attributes(node)
    return any(
        own & _class_attributes(other)
        for other in definitions(body)
        if isinstance(other, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == node.name for base in other.bases)
    )


def _class_attributes(node: ast.ClassDef) -> set[str]:
    return {
        target.id
        for statement in node.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def _of_class(value: Value | None, node: ast.ClassDef) -> Iterator[Class]:
    if isinstance(value, Class) and value.node is node:
        yield value
    elif isinstance(value, Alternatives):
        for _, branch in value.branches:
            yield from _of_class(branch, node)


def _start(module: Activation, name: str) -> Activation:
    machine = module.machine
    machine.start_root()
    frame = Frame(name, None, None, 0, conventions=machine.conventions)
    act = Activation(machine, module.module, frame, State({}, module.state.heap.fork()), enclosing=module)
    machine.begin(act)
    return act


def _function_root(function: Function, receiver: Value | None, module: Activation) -> Root:
    act = _start(module, function.name)
    return _run(function, receiver, act)


def _run(function: Function, receiver: Value | None, act: Activation) -> Root:
    callee = _evaluate(function, receiver, act)
    frameworks.drive_made(act)
    returned = [value for _, value in callee.returns]
    owner = f"{function.owner.name}." if function.owner is not None else ""
    return Root(act.machine, owner + function.name, act.machine.ops, returned)


def _evaluate(function: Function, receiver: Value | None, act: Activation) -> Activation:
    """Run a function with unknown arguments; `act`'s heap is what it left."""
    machine = act.machine
    callee = Activation(
        machine,
        function.module,
        Frame(function.name, None, None, 0, function.content, machine.conventions),
        State({}, act.state.heap),
        enclosing=function.closure,
        owner=function.owner,
        receiver=receiver,
        grad=not {"no_grad", "inference_mode"} & set(decorator_names(function.node)),
    )
    machine.begin(callee)
    arguments: tuple[Argument, ...] = ()
    site = Site(function.module.path, function.node.lineno, function.node.col_offset, 0, 0)
    if receiver is not None:
        arguments = (Argument(None, receiver, site),)
    bound = bind_arguments(function.node, arguments) or {}
    running.bind_parameters(function, bound, arguments, site, callee, act)
    _open_optional_parameters(function, callee)
    for collected in (function.node.args.vararg, function.node.args.kwarg):
        if collected is not None:
            callee.state.names[collected.arg] = leaf(
                "parameter", collected.arg, None, reason="what a caller gives"
            )
    _read_annotations(function, callee, act)
    assert not isinstance(function.node, ast.Lambda)
    callee.trained = frameworks.is_trained_on(function, callee)
    machine.run(function.node.body, callee)
    final = callee.state
    for state, _ in callee.returns:
        state.dead = False
        final = join(final, state, NO_GUARDS)
    act.state.heap = final.heap
    return callee


def _open_optional_parameters(function: Function, callee: Activation) -> None:
    """A parameter with a literal default may be given: both sides of what it decides are evaluated."""
    spec = function.node.args
    optional = defaults(function.node)
    for parameter in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs):
        value = callee.state.names.get(parameter.arg)
        if parameter.arg in optional and isinstance(value, Const):
            given = running.unknown_argument(parameter, function)
            callee.state.names[parameter.arg] = replace(given, default=value)


def _read_annotations(function: Function, callee: Activation, act: Activation) -> None:
    """A parameter annotated with a module's class is an instance of it."""
    spec = function.node.args
    for parameter in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs):
        given = callee.state.names.get(parameter.arg)
        if parameter.annotation is None or not isinstance(given, Leaf) or given.default is not None:
            continue
        if not isinstance(parameter.annotation, ast.Name | ast.Attribute) or callee.frame.depth:
            continue
        scope = objects.in_scope(function.closure, callee)
        annotated = strip(act.machine.evaluate(parameter.annotation, scope))
        if isinstance(annotated, Class) and annotated is not function.owner:
            if objects.external_base(annotated, callee).startswith("torch.nn."):
                callee.state.names[parameter.arg] = _unknown_instance(annotated, callee)
        elif isinstance(annotated, External) and annotated.name in catalogue.by_module:
            created = Object(annotated, site_of(parameter.annotation, callee), fresh_content())
            callee.state.heap.set(created.content, OPEN)
            callee.state.names[parameter.arg] = created


def _unknown_instance(cls: Class, act: Activation) -> Value:
    try:
        return instantiate(cls, act)
    except RecursionError:
        return leaf("parameter", cls.name, None, reason="classes that need each other")


def _class_roots(cls: Class, module: Activation) -> Iterator[Root]:
    """Each method on an instance made with unknown arguments."""
    act = _start(module, cls.name)
    instance = instantiate(cls, act)
    open_exchanged_losses(instance, act)
    built = act.state.heap
    yield Root(act.machine, cls.name, act.machine.ops)
    for name, method in objects.methods(cls, act):
        if name != "__init__" and _may_compute_loss(method, module):
            act = _start(module, f"{cls.name}.{name}")
            act.state = State({}, built.fork())
            static = "staticmethod" in decorator_names(method.node)
            yield _run(method, None if static else instance, act)


PROPERTIES = frozenset({"property", "cached_property"})


def _may_compute_loss(method: Function, module: Activation) -> bool:
    """Whether a method is worth a root: of one inherited from another file, only what computes a loss itself."""
    if method.module is module.module:
        return method.module.leads_to_loss(method.node)
    if not PROPERTIES.isdisjoint(decorator_names(method.node)):
        return False  # whoever reads it evaluates it
    return method.module.names_a_loss(method.node)


def instantiate(cls: Class, act: Activation) -> Object:
    """An instance whose constructor got unknown arguments (its defaults where it has some)."""
    created = Object(cls, site_of(cls.node, act), fresh_content())
    act.state.heap.set(created.content, OPEN)
    found = objects.find(cls, "__init__", act)
    if found is None:
        return created
    initializer, owner = found
    if isinstance(initializer, Function):
        _evaluate(initializer, created, act)
    else:
        objects.initialize_external(created, owner.name, (), created.site, act)
    return created

"""New objects of the project's classes: constructed at once, or when something looks into them."""

from __future__ import annotations

from collections.abc import Callable

from loss_lint.symbolic import fields, objects, running
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import (
    Argument,
    BoundMethod,
    Class,
    External,
    Function,
    Object,
    Site,
    Value,
    fresh_content,
)
from loss_lint.symbolic.heap import OPEN, Deferred, Record


def construct(cls: Class, arguments: tuple[Argument, ...], site: Site, act: Activation) -> Object:
    """A new instance of a project's class."""
    created = Object(cls, site, fresh_content(), act.loops)
    act.state.heap.set(created.content, OPEN)
    act.machine.made.append(created)
    found = objects.find(cls, "__init__", act)
    if found is not None and isinstance(found[0], Function):
        bound = BoundMethod(found[0], created, fresh_content())
        if may_be_deferred(cls, arguments, act):
            _wait(created, lambda later: later.machine.call_now(bound, arguments, site, later), act)
        else:
            act.machine.call_now(bound, arguments, site, act)
    elif fields.has_fields(cls, act):
        fields.fill(created, cls, arguments, site, act)
    elif found is not None and isinstance(found[1], External):
        objects.initialize_external(created, found[1].name, arguments, site, act)
    return created


def may_be_deferred(cls: Class, arguments: tuple[Argument, ...], act: Activation) -> bool:
    """Whether a constructor may run later: it has no loss in it, and changes nothing but the object."""
    if act.machine.modules.is_apart:
        return False
    if any(running.carries_loss(argument.value, act) for argument in arguments):
        return False
    constructors = [
        method
        for entry in objects.resolution_order(cls, act)
        if isinstance(entry, Class)
        and (method := objects.written(objects.namespace(entry, act).state.names.get("__init__")))
    ]
    return not any(
        one.module.leads_to_loss(one.node) or one.module.writes_elsewhere(one.node) for one in constructors
    )


def put_off(
    function: Function, receiver: Value | None, arguments: tuple[Argument, ...], site: Site, act: Activation
) -> bool:
    """Put off what a constructor calls to set more attributes of its own object, until something looks for these."""
    if act.frame.name != "__init__" or not (
        isinstance(receiver, Object) and isinstance(act.receiver, Object)
    ):
        return False
    if receiver.content != act.receiver.content or function.name == "__init__":
        return False
    if any(running.carries_loss(argument.value, act) for argument in arguments[1:]):
        return False
    names = _set_by(function, receiver, act)
    before = act.state.heap.newest(receiver.content)
    if not names or before is None:
        return False
    _wait(receiver, lambda later: running.run(function, arguments, site, later, receiver), act, names, before)
    return True


def _set_by(function: Function, receiver: Object, act: Activation) -> frozenset[str]:
    """The attributes that a method without a loss, and methods that it calls, set, if they change nothing else."""
    names: set[str] = set()
    pending, seen = [function], {function.content}
    while pending:
        method = pending.pop()
        if method.module.leads_to_loss(method.node):
            return frozenset()
        if method is not function and not method.module.writes(method.node):
            continue
        own = method.module.own_changes(method.node)
        if own is None:
            return frozenset()
        names |= own.attributes
        for name in sorted(own.called):
            found = objects.find(receiver.cls, name, act)
            called = objects.written(found[0]) if found is not None else None
            if called is not None and called.content not in seen:
                seen.add(called.content)
                pending.append(called)
    return frozenset(names)


def _wait(
    changed: Object,
    run: Callable[[Activation], object],
    act: Activation,
    names: frozenset[str] = frozenset(),
    before: Record | Deferred | None = None,
) -> None:
    """Put off what sets `names` of an object that was `before`, or all of a new one."""
    later = running.suspended(act)

    def made() -> Record:
        start = later.state.heap.fork()
        run(later)
        act.machine.modules.adopt(later.state.heap, start)
        return later.state.heap.get(changed.content) or OPEN

    deferred = Deferred(made, names, before)
    act.machine.begin(deferred)
    act.state.heap.set(changed.content, deferred)

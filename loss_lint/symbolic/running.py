"""Running a project's function on its arguments: now, once, or when something needs its result."""

from __future__ import annotations

import ast
from contextlib import nullcontext

from loss_lint.catalogue.wrappers import NO_GRADIENT
from loss_lint.symbolic import construction, frameworks, limits, objects, torch_calls
from loss_lint.symbolic.activation import Activation, State, join, without
from loss_lint.symbolic.definitions import (
    bind_arguments,
    decorator_names,
    defaults,
    has_only_harmless_decorators,
    surplus,
    unpacks_unknown,
)
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    NONE,
    Alternatives,
    Argument,
    BoundMethod,
    Class,
    Const,
    External,
    Frame,
    Function,
    Lazy,
    Leaf,
    Object,
    Site,
    Tuple,
    Value,
    alternatives,
    const,
    fresh_content,
    leaf,
    passed,
    tuple_of,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.heap import Item
from loss_lint.symbolic.limits import MAX_DEPTH, MAX_RECURSION
from loss_lint.symbolic.loaders import stands_for_a_batch
from loss_lint.symbolic.unknown import unknown_call
from loss_lint.syntax.walk import parameters

# The name of the frame in which a module's body runs.
MODULE_FRAME = "<module>"
# From this depth on, a call with the same arguments is not run twice.
MEMO_DEPTH = 3


def call_function(
    function: Function,
    receiver: Value | None,
    arguments: tuple[Argument, ...],
    site: Site,
    act: Activation,
    *,
    now: bool,
) -> Value:
    if not (function.bare or has_only_harmless_decorators(function.node)):
        return unknown_call(
            function, arguments, site, "a decorator that may change what the function returns"
        )
    if receiver is not None:
        arguments = (Argument(None, receiver, site), *arguments)
    if now or (act.machine.modules.is_apart and not _is_an_aside(function, arguments, act)):
        return _run_once(function, arguments, site, act, receiver)
    if not construction.put_off(function, receiver, arguments, site, act) and _must_run_now(
        function, receiver, arguments, act
    ):
        return _run_once(function, arguments, site, act, receiver)
    caller = suspended(act)
    home = act.machine.modules.home()
    return Lazy(function, arguments, site, caller, caller.state, fresh_content(), home)


def _run_once(
    function: Function, arguments: tuple[Argument, ...], site: Site, act: Activation, receiver: Value | None
) -> Value:
    """`run`, remembered deep inside other calls, where each function calling two others would double the work."""
    if act.frame.depth < MEMO_DEPTH or function.module.writes(function.node):
        return run(function, arguments, site, act, receiver)
    if any(isinstance(strip(argument.value), Object) for argument in arguments):
        return run(function, arguments, site, act, receiver)
    contents = tuple((argument.keyword, argument.value.content) for argument in arguments)
    key = (function.content, contents, act.state.guards)
    known = act.machine.results.get(key)
    if known is None:
        known = act.machine.results[key] = run(function, arguments, site, act, receiver)
    return known


def suspended(act: Activation) -> Activation:
    """The caller as it is now, for a call that runs later: its names are not needed, its heap is."""
    heap = act.state.heap.share() if act.machine.modules.is_apart else act.state.heap.fork()
    later = Activation(
        act.machine,
        act.module,
        act.frame,
        State({}, heap, act.state.guards),
        loops=act.loops,
        grad=act.grad,
    )
    act.machine.begin(later)
    return later


def _must_run_now(
    function: Function, receiver: Value | None, arguments: tuple[Argument, ...], act: Activation
) -> bool:
    """Whether a call may have a loss in it, or changes what its caller sees."""
    if isinstance(function.node, ast.Lambda):
        return True
    if function.module.leads_to_loss(function.node) or _may_change(function, arguments):
        return True
    if isinstance(receiver, Object) and isinstance(receiver.cls, Class):
        cls = receiver.cls
        if cls.module.leads_to_loss(cls.node):
            if _uses_a_loss_of(receiver, cls, function, act):
                return True
            arguments = arguments[1:]
    return any(carries_loss(argument.value, act) for argument in arguments)


def _is_an_aside(function: Function, arguments: tuple[Argument, ...], act: Activation) -> bool:
    """Whether a call in a module's body is hardly about models and data: into another file, with literals only."""
    return (
        act.frame.depth == 0
        and function.module is not act.module
        and all(isinstance(strip(one.value), Const) for one in arguments)
    )


def _may_change(function: Function, arguments: tuple[Argument, ...]) -> bool:
    """Whether a call changes what its caller sees: no more than what it is given or finds by outer names."""
    changes = function.module.changes(function.node)
    if not changes:
        return False
    bound = bind_arguments(function.node, arguments)
    if changes.anything or bound is None:
        return True
    return any(
        not isinstance(strip(value), Const)
        for name in changes.set
        for value in _known_as(name, function, bound, arguments)
    ) or any(
        _is_changeable(value)
        for name in changes.mutated
        for value in _known_as(name, function, bound, arguments)
    )


def _known_as(
    name: str, function: Function, bound: dict[str, Argument], arguments: tuple[Argument, ...]
) -> list[Value]:
    """What a parameter or an outer variable of a function may be."""
    if name in bound:
        return [bound[name].value]
    spec = function.node.args
    if any(one is not None and one.arg == name for one in (spec.vararg, spec.kwarg)):
        return [argument.value for argument in arguments]
    if any(parameter.arg == name for parameter in parameters(function.node)):
        return []  # its default
    scope: Activation | None = function.closure
    while scope is not None:
        if name in scope.state.names:
            return [scope.state.names[name]]
        scope = scope.enclosing
    return []


def _is_changeable(value: Value) -> bool:
    """Whether there may be an object in a value that others see too."""
    match strip(value):
        case Object() | BoundMethod():
            return True
        case Lazy(home=home, result=result):
            return result is None or home is not None or _is_changeable(result)
        case Tuple(items=elements):
            return any(map(_is_changeable, elements))
        case Alternatives(branches=branches):
            return any(_is_changeable(branch) for _, branch in branches)
        case _:
            return False


def _uses_a_loss_of(receiver: Object, cls: Class, function: Function, act: Activation) -> bool:
    """Whether a method names what leads to a loss where its object's classes are written or made, or calls it."""
    assert not isinstance(function.node, ast.Lambda)
    names = function.module.mentions(function.node)
    if "forward" in names or function.module.calls_own_object(function.node):
        return True
    classes = [entry for entry in objects.resolution_order(cls, act) if isinstance(entry, Class)]
    if any(not entry.module.loss_names.isdisjoint(names) for entry in classes):
        return True
    held = act.state.heap.known(receiver.content)
    return held is not None and any(
        name in names and carries_loss(value, act, 1) for name, value in held.attributes.items()
    )


def carries_loss(value: Value, act: Activation, depth: int = 2) -> bool:
    """Whether a call with `value` may have a loss in it."""
    plain = strip(value)
    match plain:
        case Object(cls=External(name=name)) if name.endswith("Loss"):
            return True
        case Object(cls=Class() as cls):
            if cls.module.leads_to_loss(cls.node):
                return True
            # A class that only drives another one, as `self.trainer.fit()`, leads where that one does.
            held = act.state.heap.known(plain.content) if depth else None
            return held is not None and any(
                carries_loss(value, act, depth - 1) for value in held.attributes.values()
            )
        case Object(cls=External(name="builtins.list" | "builtins.dict" | "torch.nn.ModuleDict")) if depth:
            record = act.state.heap.get(plain.content)
            return record is not None and any(
                carries_loss(entry.value, act, depth - 1) for entry in record.items
            )
        case External(name=name):
            return name.endswith("Loss") or torch_calls.is_loss(name)
        case Function(node=node, module=module):
            return isinstance(node, ast.Lambda) or module.leads_to_loss(node)
        case BoundMethod(function=Function(node=node, module=module)):
            return module.leads_to_loss(node)
        case Alternatives(branches=branches):
            return any(carries_loss(branch, act, depth) for _, branch in branches)
        case _:
            return False


def force(lazy: Lazy) -> Value:
    """The result of a call that was put off."""
    modules = lazy.caller.machine.modules
    if lazy.result is None:
        if lazy.running:
            return leaf("call", lazy.function.name, lazy.site, reason="recursion")
        lazy.running = True
        with nullcontext() if lazy.home is None else modules.at_home(lazy.home):
            lazy.result = _run_later(lazy)
        lazy.running = False
    if lazy.home is not None:
        modules.share(lazy.home)
    return lazy.result


def _run_later(lazy: Lazy) -> Value:
    caller = lazy.caller
    caller.state = State({}, lazy.state.heap.fork(), lazy.state.guards)
    receiver = lazy.arguments[0].value if lazy.function.owner is not None and lazy.arguments else None
    with caller.machine.at_most(limits.MAX_ASIDE_STATEMENTS):
        result = run(lazy.function, lazy.arguments, lazy.site, caller, receiver)
    caller.machine.modules.adopt(caller.state.heap, lazy.state.heap, lazy.home)
    return result


def run(
    function: Function, arguments: tuple[Argument, ...], site: Site, act: Activation, receiver: Value | None
) -> Value:
    """Evaluate a function's body on its arguments; the caller's heap sees what it changes."""
    frame = Frame(
        function.name,
        site,
        act.frame,
        act.frame.depth + 1,
        function.content,
        act.frame.conventions,
        function.name == "__getitem__" and any(stands_for_a_batch(one.value) for one in arguments),
    )
    if frame.depth > MAX_DEPTH or _times_active(frame) > MAX_RECURSION:
        limits.count("calls")
        act.machine.spend()
        return leaf("call", function.name, site, reason="calls inside calls past the limit")
    bound = bind_arguments(function.node, arguments)
    if bound is None:
        return leaf("call", function.name, site, reason="arguments that do not fit")
    callee = Activation(
        act.machine,
        function.module,
        frame,
        State({}, act.state.heap, act.state.guards),
        enclosing=function.closure,
        owner=function.owner,
        receiver=receiver,
        loops=act.loops,
        chosen=act.chosen,
        grad=act.grad and NO_GRADIENT.isdisjoint(f"torch.{name}" for name in decorator_names(function.node)),
    )
    act.machine.begin(callee)
    bind_parameters(function, bound, arguments, site, callee, act)
    if isinstance(function.node, ast.Lambda):
        value = act.machine.evaluate(function.node.body, callee)
        act.state.heap = callee.state.heap
        return value
    if function.module.yields(function.node):
        callee.yielded = act.machine.new_object("builtins.list", site, callee)
    callee.trained = frameworks.is_trained_on(function, callee)
    share = _share(function, receiver, act)
    if share is None:
        act.machine.run(function.node.body, callee)
    else:
        with act.machine.at_most(share):
            act.machine.run(function.node.body, callee)
            if act.machine.remaining < 0 and receiver is not None:
                act.machine.cut_short.add(strip(receiver).content)
    return _returned(callee, function, site, act)


def _share(function: Function, receiver: Value | None, act: Activation) -> int | None:
    """How many statements a call gets; None for all that are left."""
    if act.frame.name != "__init__" or function.module is act.module:
        return None if function.module.leads_to_loss(function.node) else limits.MAX_ASIDE_STATEMENTS
    if receiver is not None and act.receiver is not None and receiver.content == act.receiver.content:
        return limits.MAX_BASE_STATEMENTS
    return None if function.module.leads_to_loss(function.node) else limits.MAX_FACTORY_STATEMENTS


def _times_active(frame: Frame) -> int:
    times = 0
    current: Frame | None = frame
    while current is not None:
        times += current.function == frame.function
        current = current.parent
    return times


def unknown_argument(parameter: ast.arg, function: Function) -> Leaf:
    """A parameter that no caller gives, or one that gives it in a way that is not known."""
    line, column = parameter.lineno, parameter.col_offset
    site = Site(function.module.path, line, column, line, column + len(parameter.arg.encode()))
    owner = f"{function.owner.name}." if function.owner is not None else ""
    return leaf("parameter", parameter.arg, site, reason=f"a parameter of `{owner}{function.name}`")


def bind_parameters(
    function: Function,
    bound: dict[str, Argument],
    arguments: tuple[Argument, ...],
    site: Site,
    callee: Activation,
    act: Activation,
) -> None:
    names = callee.state.names
    spec = function.node.args
    default_expressions = defaults(function.node)
    unknown = unpacks_unknown(arguments)
    for parameter in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs):
        argument = bound.get(parameter.arg)
        if argument is not None:
            is_receiver = callee.receiver is not None and argument.value is callee.receiver
            names[parameter.arg] = (
                argument.value if is_receiver else passed(argument.value, argument.site, site, callee.frame)
            )
        elif parameter.arg in default_expressions and not unknown:
            scope = objects.in_scope(function.closure, act)
            names[parameter.arg] = act.machine.evaluate(default_expressions[parameter.arg], scope)
        else:
            names[parameter.arg] = unknown_argument(parameter, function)
    rest, named = surplus(function.node, arguments)
    if spec.vararg is not None:
        names[spec.vararg.arg] = (
            leaf("parameter", spec.vararg.arg, None)
            if rest is None
            else tuple_of(tuple(passed(entry.value, entry.site, site, callee.frame) for entry in rest))
        )
    if spec.kwarg is not None:
        items = tuple(
            Item(const(entry.keyword), passed(entry.value, entry.site, site, callee.frame), NO_GUARDS)
            for entry in named or ()
        )
        names[spec.kwarg.arg] = act.machine.new_object(
            "builtins.dict", site, callee, items, is_open=named is None
        )


def _returned(callee: Activation, function: Function, site: Site, act: Activation) -> Value:
    """The join of a function's returns, and the heap behind it."""
    entry = act.state.guards
    returns = list(callee.returns)
    if not callee.state.dead:
        returns.append((callee.state, NONE))
    if callee.is_generator and not returns:
        return leaf("call", function.name, site, reason="a generator without end")
    if not returns:
        return leaf("call", function.name, site, reason="a function that does not return")
    state = returns[0][0]
    state.dead = False
    for other, _ in returns[1:]:
        other.dead = False
        state = join(State({}, state.heap, state.guards), State({}, other.heap, other.guards), entry)
    act.state.heap = state.heap
    if callee.yielded is not None:
        return callee.yielded
    branches = [(without(returned.guards, entry), value) for returned, value in returns]
    return branches[0][1] if len(branches) == 1 else alternatives(branches, site)

"""Calls: which code a callee stands for, and running a project's function on its arguments."""

from __future__ import annotations

import ast

from loss_lint.catalogue.wrappers import MODULE_METHODS, NO_GRADIENT
from loss_lint.symbolic import builtin_calls, containers, objects, torch_calls
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
    Guards,
    Lazy,
    Leaf,
    Method,
    Object,
    Op,
    Partial,
    Phi,
    Site,
    Value,
    alternatives,
    fresh_content,
    leaf,
    passed,
    tuple_of,
)
from loss_lint.symbolic.guards import compatible, strip
from loss_lint.symbolic.heap import Item

MAX_DEPTH = 14
MAX_RECURSION = 2
# Calls inside calls of any kind: modules in modules, callables that return callables.
MAX_NESTING = 60
# From this depth on, a call with the same arguments is not run twice.
MEMO_DEPTH = 3

# What moves a module to another place or mode and gives the module back.
_MOVES = frozenset(
    {
        "to",
        "cpu",
        "cuda",
        "to_float",
        "to_double",
        "to_half",
        "to_bfloat16",
        "data_parallel",
        "requires_grad_",
    }
)


def call(
    function: Value, arguments: tuple[Argument, ...], site: Site, act: Activation, *, now: bool = False
) -> Value:
    """What calling `function` returns. Unless `now`, a call that no loss is in sight of waits until needed."""
    machine = act.machine
    machine.nesting += 1
    try:
        if machine.nesting > MAX_NESTING:
            machine.count("calls")
            return unknown_call(function, arguments, site, "calls inside calls past the limit")
        return _call(function, arguments, site, act, now=now)
    finally:
        machine.nesting -= 1


def _call(
    function: Value, arguments: tuple[Argument, ...], site: Site, act: Activation, *, now: bool
) -> Value:
    callee = callable_behind(function, act)
    match callee:
        case Function():
            return _project_call(callee, None, arguments, site, act, now=now)
        case BoundMethod(function=bound, receiver=receiver):
            return _project_call(bound, receiver, arguments, site, act, now=now)
        case Class():
            return objects.construct(callee, arguments, site, act)
        case Object():
            return call_object(function, callee, arguments, site, act)
        case Method():
            return _method_call(callee, arguments, site, act)
        case Partial(function=inner, args=bound_arguments):
            return call(inner, (*bound_arguments, *arguments), site, act, now=now)
        case External(name=name):
            return _external_call(callee, name, arguments, site, act)
        case Alternatives(branches=branches):
            return _any_of(branches, arguments, site, act)
        case Op(name="data_parallel", operands=(inner,)):
            result = call(inner, arguments, site, act)
            return act.machine.op("data_parallel", (result,), (), site, (None,), act)
        case Leaf(role="global", name="reveal") if len(arguments) == 1:
            act.machine.reveals.append((site, arguments[0].value))
            return NONE
        case _:
            if _spelled(callee).endswith("backward"):
                values = tuple(argument.value for argument in arguments)
                act.machine.python_op("unknown_backward", values, site, act)
            _run_callbacks(arguments, site, act)
            return unknown_call(function, arguments, site)


def _run_callbacks(arguments: tuple[Argument, ...], site: Site, act: Activation) -> None:
    """A function without parameters that is handed to something unknown will be called: `optimizer.step(closure)`."""
    for argument in arguments:
        plain = strip(argument.value)
        if isinstance(plain, Function) and isinstance(plain.node, ast.FunctionDef):
            spec = plain.node.args
            if not (spec.args or spec.posonlyargs or spec.kwonlyargs) and plain.module.leads_to_loss(
                plain.node
            ):
                call(plain, (), site, act, now=True)


def callable_behind(function: Value, act: Activation) -> Value:
    """The function, class or object that a value leads to when called."""
    for _ in range(8):
        function = strip(function)
        match function:
            case Lazy():
                function = act.machine.force(function)
            case Op(name="data_parallel"):
                return function
            case Op(name=name, operands=(inner, *_)) if name in _MOVES:
                function = inner
            case Phi(init=init) if init is not None:
                function = init
            case _:
                return function
    return function


def unknown_call(
    function: Value, arguments: tuple[Argument, ...], site: Site, reason: str = "a call that is not followed"
) -> Leaf:
    operands = (function, *(argument.value for argument in arguments))
    return leaf("call", _spelled(function), site, operands, reason)


def _spelled(function: Value) -> str:
    plain = strip(function)
    match plain:
        case (
            Leaf(name=name) | External(name=name) | Method(name=name) | Function(name=name) | Class(name=name)
        ):
            return name
        case Op(name="getattr"):
            attribute = plain.parameter("name")
            return str(attribute.value) if isinstance(attribute, Const) else ""
        case Object(cls=cls):
            return cls.name.rpartition(".")[2]
        case _:
            return ""


def _any_of(
    branches: tuple[tuple[Guards, Value], ...], arguments: tuple[Argument, ...], site: Site, act: Activation
) -> Value:
    """A call of one of several callables: each under its guards."""
    entry, chosen = act.state.guards, act.chosen
    results: list[tuple[Guards, Value]] = []
    for guards, branch in branches:
        if not compatible(entry, guards):
            continue
        act.state.guards, act.chosen = entry | guards, chosen | guards
        results.append((guards, call(branch, arguments, site, act)))
        act.state.guards, act.chosen = entry, chosen
    if not results:
        return leaf("unknown", "", site, reason="an impossible call")
    return alternatives(results, site)


def call_object(
    function: Value, callee: Object, arguments: tuple[Argument, ...], site: Site, act: Activation
) -> Value:
    """`module(x)`: its project's `forward`, or what torch does for that class."""
    for name in ("__call__", "forward"):
        found = objects.find(callee.cls, name, act) if isinstance(callee.cls, Class) else None
        if found is not None and isinstance(found[0], Function):
            bound = BoundMethod(found[0], callee, fresh_content())
            return call(bound, arguments, site, act)
    return call_module(callee, objects.external_base(callee.cls, act), arguments, site, act)


def call_module(
    callee: Object, cls: str, arguments: tuple[Argument, ...], site: Site, act: Activation
) -> Value:
    if cls == "torch.nn.Sequential":
        record = act.state.heap.get(callee.content)
        if record is not None and len(arguments) == 1 and arguments[0].keyword is None:
            return containers.run_sequential(callee, record, arguments[0], site, act)
        return unknown_call(callee, arguments, site)
    applied = torch_calls.apply_module(callee, cls, arguments, site, act)
    return applied if applied is not None else unknown_call(callee, arguments, site)


def _method_call(method: Method, arguments: tuple[Argument, ...], site: Site, act: Activation) -> Value:
    receiver = strip(method.receiver)
    if type(receiver).__name__ == "Super":
        return _super_call(method, arguments, site, act)
    if isinstance(receiver, Object):
        base = objects.external_base(receiver.cls, act)
        if method.name in ("forward", "__call__"):
            return call_module(receiver, base, arguments, site, act)
        done = containers.call_method(method.receiver, receiver, method.name, arguments, site, act)
        if done is not None:
            return done
        if method.name in MODULE_METHODS:
            return method.receiver
        if method.name in ("register_buffer", "register_parameter") and len(arguments) >= 2:
            name = strip(arguments[0].value)
            if isinstance(name, Const) and isinstance(name.value, str):
                act.state.heap.set_attribute(receiver.content, name.value, arguments[1].value)
            return NONE
        if base.startswith("torch.nn.") or not base.startswith("builtins."):
            return unknown_call(method, arguments, site)
    if method.name == "prepare":
        values = tuple(argument.value for argument in arguments if argument.keyword is None)
        return values[0] if len(values) == 1 else tuple_of(values)
    applied = torch_calls.apply_method(method, arguments, site, act)
    if applied is not None:
        return applied
    applied = builtin_calls.apply_method(method, arguments, site, act)
    if applied is None:
        _run_callbacks(arguments, site, act)
    return applied if applied is not None else unknown_call(method, arguments, site)


def _super_call(method: Method, arguments: tuple[Argument, ...], site: Site, act: Activation) -> Value:
    from loss_lint.symbolic.graph import Super

    holder = method.receiver
    assert isinstance(holder, Super)
    found = objects.find(holder.receiver.cls, method.name, act, holder.after)
    owner = found[1] if found is not None else None
    if isinstance(owner, External):
        if method.name == "__init__":
            objects.initialize_external(holder.receiver, owner.name, arguments, act)
            return NONE
        if method.name in ("forward", "__call__"):
            return call_module(holder.receiver, owner.name, arguments, site, act)
    if method.name in MODULE_METHODS:
        return holder.receiver
    return unknown_call(method, arguments, site)


def _external_call(
    callee: External, name: str, arguments: tuple[Argument, ...], site: Site, act: Activation
) -> Value:
    applied = torch_calls.apply_function(name, arguments, site, act)
    if applied is not None:
        return applied
    applied = builtin_calls.apply_function(name, arguments, site, act)
    return applied if applied is not None else unknown_call(callee, arguments, site)


# Functions of the project


def _project_call(
    function: Function,
    receiver: Value | None,
    arguments: tuple[Argument, ...],
    site: Site,
    act: Activation,
    *,
    now: bool,
) -> Value:
    if not has_only_harmless_decorators(function.node):
        return unknown_call(
            function, arguments, site, "a decorator that may change what the function returns"
        )
    if receiver is not None:
        arguments = (Argument(None, receiver, site), *arguments)
    if now or _must_run_now(function, arguments, act):
        return _run_once(function, arguments, site, act, receiver)
    caller = _suspended(act)
    return Lazy(function, arguments, site, caller, caller.state, fresh_content())


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


def _suspended(act: Activation) -> Activation:
    """The caller as it is now, for a call that runs later: its names are not needed, its heap is."""
    return Activation(
        act.machine,
        act.module,
        act.frame,
        State({}, act.state.heap.fork(), act.state.guards),
        loops=act.loops,
        grad=act.grad,
    )


def _must_run_now(function: Function, arguments: tuple[Argument, ...], act: Activation) -> bool:
    """Whether a call may have a loss in it, or changes what its caller sees."""
    if isinstance(function.node, ast.Lambda):
        return True
    if function.module.leads_to_loss(function.node) or function.module.writes(function.node):
        return True
    return any(_carries_loss(argument.value, act) for argument in arguments)


def _carries_loss(value: Value, act: Activation, depth: int = 2) -> bool:
    plain = strip(value)
    match plain:
        case Object(cls=External(name=name)) if name.endswith("Loss"):
            return True
        case Object(cls=Class() as cls):
            return cls.module.leads_to_loss(cls.node)
        case Object(cls=External(name="builtins.list" | "builtins.dict" | "torch.nn.ModuleDict")) if depth:
            record = act.state.heap.get(plain.content)
            return record is not None and any(
                _carries_loss(entry.value, act, depth - 1) for entry in record.items
            )
        case External(name=name):
            return name.endswith("Loss") or torch_calls.is_loss(name)
        case Function(node=node, module=module):
            return isinstance(node, ast.Lambda) or module.leads_to_loss(node)
        case BoundMethod(function=Function(node=node, module=module)):
            return module.leads_to_loss(node)
        case Alternatives(branches=branches):
            return any(_carries_loss(branch, act, depth) for _, branch in branches)
        case _:
            return False


def force(lazy: Lazy) -> Value:
    """The result of a call that was put off."""
    if lazy.result is None:
        if lazy.running:
            return leaf("call", lazy.function.name, lazy.site, reason="recursion")
        lazy.running = True
        caller = lazy.caller
        caller.state = State({}, lazy.state.heap.fork(), lazy.state.guards)
        receiver = lazy.arguments[0].value if lazy.function.owner is not None and lazy.arguments else None
        lazy.result = run(lazy.function, lazy.arguments, lazy.site, caller, receiver)
        caller.machine.base_heap.adopt(caller.state.heap, lazy.state.heap)
        lazy.running = False
    return lazy.result


def run(
    function: Function, arguments: tuple[Argument, ...], site: Site, act: Activation, receiver: Value | None
) -> Value:
    """Evaluate a function's body on its arguments; the caller's heap sees what it changes."""
    frame = Frame(function.name, site, act.frame, act.frame.depth + 1, function.content)
    if frame.depth > MAX_DEPTH or _times_active(frame) > MAX_RECURSION:
        act.machine.count("calls")
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
        entry_guards=act.state.guards,
    )
    bind_parameters(function, bound, arguments, site, callee, act)
    if isinstance(function.node, ast.Lambda):
        value = act.machine.evaluate(function.node.body, callee)
        act.state.heap = callee.state.heap
        return value
    act.machine.run(function.node.body, callee)
    return _returned(callee, function, site, act)


def _times_active(frame: Frame) -> int:
    times = 0
    current: Frame | None = frame
    while current is not None:
        times += current.function == frame.function
        current = current.parent
    return times


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
            names[parameter.arg] = leaf(
                "parameter", parameter.arg, None, reason="an argument that is not known"
            )
    rest, named = surplus(function.node, arguments)
    if spec.vararg is not None:
        names[spec.vararg.arg] = (
            leaf("parameter", spec.vararg.arg, None)
            if rest is None
            else tuple_of(tuple(passed(entry.value, entry.site, site, callee.frame) for entry in rest))
        )
    if spec.kwarg is not None:
        from loss_lint.symbolic.graph import const

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
    if callee.is_generator or (isinstance(function.node, ast.AsyncFunctionDef) and not returns):
        return leaf("call", function.name, site, reason="a generator")
    if not returns:
        return leaf("call", function.name, site, reason="a function that does not return")
    state = returns[0][0]
    state.dead = False
    for other, _ in returns[1:]:
        other.dead = False
        state = join(State({}, state.heap, state.guards), State({}, other.heap, other.guards), entry)
    act.state.heap = state.heap
    branches = [(without(returned.guards, entry), value) for returned, value in returns]
    return branches[0][1] if len(branches) == 1 else alternatives(branches, site)

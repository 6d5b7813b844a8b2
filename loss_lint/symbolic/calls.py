"""Calls: which code a callee stands for."""

from __future__ import annotations

import ast

from loss_lint.catalogue.wrappers import MODULE_METHODS
from loss_lint.symbolic import (
    builtin_calls,
    containers,
    fitting,
    frameworks,
    items,
    launchers,
    limits,
    model_outputs,
    models,
    objects,
    own_calls,
    pretrained,
    running,
    torch_calls,
)
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import (
    NONE,
    Alternatives,
    Argument,
    BoundMethod,
    Class,
    Const,
    External,
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
    Super,
    Tuple,
    Value,
    alternatives,
    fresh_content,
    leaf,
    only,
)
from loss_lint.symbolic.guards import compatible, implied, strip
from loss_lint.symbolic.limits import MAX_NESTING
from loss_lint.symbolic.readings import narrowed
from loss_lint.symbolic.unknown import spelled, unknown_call

# What moves a module to another place or mode and gives the module back.
_MOVES = items.MOVES | {"data_parallel"}


def call(
    function: Value, arguments: tuple[Argument, ...], site: Site, act: Activation, *, now: bool = False
) -> Value:
    """What calling `function` returns. Unless `now`, a call that no loss is in sight of waits until needed."""
    machine = act.machine
    machine.nesting += 1
    try:
        if machine.nesting > MAX_NESTING:
            limits.count("calls")
            return unknown_call(function, arguments, site, "calls inside calls past the limit")
        return _call(function, arguments, site, act, now=now)
    finally:
        machine.nesting -= 1


def _call(
    function: Value, arguments: tuple[Argument, ...], site: Site, act: Activation, *, now: bool
) -> Value:
    callee = callable_behind(function, act)
    if act.machine.own_names:
        callee = act.machine.own_names.behind(callee)
    match callee:
        case Function():
            return running.call_function(callee, None, arguments, site, act, now=now)
        case BoundMethod(function=bound, receiver=receiver):
            return running.call_function(bound, receiver, arguments, site, act, now=now)
        case Class():
            return act.machine.construct(callee, arguments, site, act)
        case Object():
            return call_object(function, callee, arguments, site, act)
        case Method():
            return _method_call(callee, arguments, site, act)
        case Partial(function=inner, args=bound_arguments):
            return call(inner, (*bound_arguments, *arguments), site, act, now=now)
        case External(alias=alias) if alias:
            applied = own_calls.call(callee, arguments, site, act)
            return applied or unknown_call(callee, arguments, site, grad=act.grad)
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
            return _unfollowed(callee, arguments, site, act)


def _unfollowed(callee: Value, arguments: tuple[Argument, ...], site: Site, act: Activation) -> Value:
    """A call of something unknown, with what it does to its arguments as far as its name says it."""
    if launchers.runs_backward(callee):
        return launchers.note_backward(callee, arguments, site, act)
    if spelled(callee) == "step" and isinstance(callee, Op):
        values = tuple(argument.value for argument in arguments)
        act.machine.python_op("step", (*callee.operands[:1], *values), site, act)
    for made in (
        fitting.fit(callee, arguments, site, act),
        frameworks.restored(callee, arguments, site, act),
        pretrained.output(callee, arguments, site, act),
    ):
        if made is not None:
            return made
    if spelled(callee) == "__len__" and isinstance(callee, Op) and not arguments:
        return builtin_calls.length(callee.operands[0], site, act)
    frameworks.start(callee, arguments, site, act)
    _run_callbacks(arguments, site, act)
    return unknown_call(callee, arguments, site, grad=act.grad)


def _run_callbacks(arguments: tuple[Argument, ...], site: Site, act: Activation) -> None:
    """What is handed to something unknown to be called: `optimizer.step(closure)`, `tune.run(partial(train, net))`.

    Where the caller would give more than the program has bound, that is unknown.
    """
    for argument in arguments:
        plain = strip(argument.value)
        if _is_callback(plain):
            call(plain, (), site, act, now=True)


def _is_callback(value: Value) -> bool:
    """Whether `value` is a function with all or some of its arguments bound, in which there may be a loss."""
    match value:
        case Function(node=ast.FunctionDef() as node, module=module):
            spec = node.args
            takes = len(spec.posonlyargs) + len(spec.args) > len(spec.defaults) or None in spec.kw_defaults
            return not takes and module.leads_to_loss(node)
        case Function(node=ast.Lambda(body=body), module=module):
            called = body.func if isinstance(body, ast.Call) else None
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            return name in module.loss_names
        case Partial(function=inner):
            function = strip(inner)
            function = function.function if isinstance(function, BoundMethod) else function
            return isinstance(function, Function) and function.module.leads_to_loss(function.node)
        case _:
            return False


def callable_behind(function: Value, act: Activation) -> Value:
    """The function, class or object that a value leads to when called."""
    for _ in range(8):
        function = strip(function)
        match function:
            case Lazy():
                function = act.machine.force(function)
            case Op(name="getitem", operands=(base,)) if isinstance(strip(base), Lazy):
                known = items.resolved(
                    function, act
                )  # one of what a function returns: `model, optimizer = build()`
                if known is function:
                    return function
                function = known
            case Op(name="data_parallel"):
                return function
            case Op(name=name, operands=(inner, *_)) if name in _MOVES:
                function = inner
            case Phi(init=init) if init is not None:
                function = init
            case _:
                return function
    return function


def entered(context: Value, site: Site, act: Activation, *, by_call: bool) -> Value:
    """What entering a context gives: the project's `__enter__` says, a tensor or a loader that was handed on itself.

    What the call of a wrapper has handed on (`with tqdm(loader) as batches`) is itself too.
    For files, pools and the like nothing is followed.
    """
    plain = strip(context)
    if isinstance(plain, Object) and isinstance(plain.cls, Class):
        found = objects.find(plain.cls, "__enter__", act)
        if found is not None and isinstance(found[0], Function):
            return call(BoundMethod(found[0], plain, fresh_content()), (), site, act)
    handed_on = by_call and isinstance(plain, Leaf) and plain.site != site
    if isinstance(plain, Op | Tuple | Object) or handed_on:
        return context
    return leaf("unknown", "", site, (context,), "what a context manager returns")


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
        given = tuple(one._replace(value=narrowed(one.value, act.state.guards)) for one in arguments)
        results.append((guards, call(branch, given, site, act)))
        act.state.guards, act.chosen = entry, chosen
    if not results:
        return leaf("unknown", "", site, reason="an impossible call")
    if len(results) == 1:
        ((guards, value),) = results
        return value if implied(entry, guards) else only(value, guards)
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
        return unknown_call(callee, arguments, site, grad=act.grad)
    if isinstance(callee.cls, External) and callee.cls.alias:
        arguments = own_calls.to_instance(callee.cls, arguments, site, act)
    applied = torch_calls.apply_module(callee, cls, arguments, site, act)
    if applied is None:
        applied = models.call(callee, cls, arguments, site, act)
    return applied if applied is not None else unknown_call(callee, arguments, site, grad=act.grad)


def _method_call(method: Method, arguments: tuple[Argument, ...], site: Site, act: Activation) -> Value:
    receiver = strip(method.receiver)
    if isinstance(receiver, Super):
        return _super_call(method, arguments, site, act)
    handed_on = launchers.apply_method(receiver, method.name, arguments, site, act)
    if handed_on is not None:
        return handed_on
    if isinstance(receiver, Object):
        if launchers.runs_backward(method):
            return launchers.note_backward(method, arguments, site, act)
        if method.name == "save_hyperparameters":
            frameworks.save_hyperparameters(receiver, arguments, act)
            return NONE
        if frameworks.start_itself(receiver, method.name, site, act):
            return NONE
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
            return unknown_call(method, arguments, site, grad=act.grad)
    applied = torch_calls.apply_method(method, arguments, site, act)
    if applied is not None:
        return applied
    applied = builtin_calls.apply_method(method, arguments, site, act)
    if applied is None:
        _run_callbacks(arguments, site, act)
    return applied if applied is not None else unknown_call(method, arguments, site, grad=act.grad)


def _super_call(method: Method, arguments: tuple[Argument, ...], site: Site, act: Activation) -> Value:
    holder = method.receiver
    assert isinstance(holder, Super)
    found = objects.find(holder.receiver.cls, method.name, act, holder.after)
    owner = found[1] if found is not None else None
    if isinstance(owner, External):
        if method.name == "__init__":
            objects.initialize_external(holder.receiver, owner.name, arguments, site, act)
            return NONE
        if method.name in ("forward", "__call__"):
            return call_module(holder.receiver, owner.name, arguments, site, act)
    if method.name in MODULE_METHODS:
        return holder.receiver
    return unknown_call(method, arguments, site, grad=act.grad)


def _external_call(
    callee: External, name: str, arguments: tuple[Argument, ...], site: Site, act: Activation
) -> Value:
    for apply in (
        launchers.apply_function,
        torch_calls.apply_function,
        builtin_calls.apply_function,
        models.construct,
        model_outputs.construct,
    ):
        applied = apply(name, arguments, site, act)
        if applied is not None:
            return applied
    _run_callbacks(arguments, site, act)
    return unknown_call(callee, arguments, site, grad=act.grad)

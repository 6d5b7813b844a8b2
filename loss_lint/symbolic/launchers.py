"""What launchers, checkpoints and compilers do with a model or a loss: they hand it on, or call it."""

from __future__ import annotations

from loss_lint.catalogue.wrappers import (
    USUAL_NAMES,
    Application,
    Preparation,
    Wrapper,
    by_application,
    by_method_wrapper,
    by_preparation,
    by_wrapper,
)
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import (
    NONE,
    Argument,
    Const,
    External,
    Leaf,
    Method,
    Object,
    Op,
    Site,
    Tuple,
    Value,
    may_hold_loss,
    tuple_of,
)
from loss_lint.symbolic.guards import strip, truth
from loss_lint.symbolic.unknown import spelled, unknown_call

Arguments = tuple[Argument, ...]


def apply_function(name: str, arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """A call of a function that gives back its arguments or calls one of them; None for any other."""
    if name in by_wrapper:
        return _wrapped(by_wrapper[name], arguments, site, act)
    if name in by_preparation:
        return _prepared(by_preparation[name], arguments)
    if name in by_application:
        return _applied(by_application[name], arguments, site, act)
    return None


def method_wrapper(receiver: Value, name: str) -> Wrapper | None:
    """What a launcher's method `name` gives back, if `receiver` is one, by its class or else its usual name."""
    plain = strip(receiver)
    match plain:
        case Object(cls=External(name=cls)):
            return by_method_wrapper.get(f"{cls}.{name}")
        case Leaf() | Op(name="getattr" | "getitem"):
            cls = USUAL_NAMES.get(spelled(plain).lstrip("_"), "")
            return by_method_wrapper.get(f"{cls}.{name}")
        case _:
            return None


def apply_method(
    receiver: Value, name: str, arguments: Arguments, site: Site, act: Activation
) -> Value | None:
    wrapper = method_wrapper(receiver, name)
    return _wrapped(wrapper, arguments, site, act) if wrapper is not None else None


def _wrapped(wrapper: Wrapper, arguments: Arguments, site: Site, act: Activation) -> Value | None:
    if any(argument.keyword in ("*", "**") for argument in arguments):
        return None
    given = [argument for argument in arguments if argument.keyword in (None, wrapper.parameter)]
    if not given:
        return None
    if wrapper.each and len(given) > 1:
        return tuple_of(tuple(argument.value for argument in given))
    first = given[0]
    if wrapper.learned:
        trained = _asked_for_gradient(first, arguments)
        if trained is not None and truth(trained) is False:
            return first.value
        return act.machine.op("learned", (first.value,), (), site, (first.site,), act)
    if wrapper.cuts:
        asked = _asked_for_gradient(first, arguments)
        is_leaf = asked is not None and truth(asked) is not False
        if is_leaf or may_hold_loss(first.value) or _is_returned(first.value):
            return _cut(first, asked, site, act)
    if not wrapper.gathers:
        return first.value
    name = "data_parallel" if wrapper.name in by_wrapper else "all_gather"
    return act.machine.op(name, (first.value,), (), site, (first.site,), act)


def _is_returned(value: Value) -> bool:
    """Whether an unknown call has returned `value`, with a graph perhaps."""
    plain = strip(value)
    return isinstance(plain, Leaf) and plain.role == "call"


def _asked_for_gradient(first: Argument, arguments: Arguments) -> Value | None:
    rest = [argument for argument in arguments if argument.keyword is None and argument is not first]
    asked = [argument for argument in arguments if argument.keyword == "requires_grad"] or rest[:1]
    return asked[0].value if asked else None


def _cut(first: Argument, asked: Value | None, site: Site, act: Activation) -> Value:
    """`Variable(loss, requires_grad=True)`: the same number, at the start of another graph."""
    parameters = (("requires_grad", asked),) if asked is not None else ()
    return act.machine.op("variable", (first.value,), parameters, site, (first.site,), act)


def _prepared(preparation: Preparation, arguments: Arguments) -> Value | None:
    if any(argument.keyword in ("*", "**") for argument in arguments):
        return None
    positional = [argument.value for argument in arguments if argument.keyword is None]
    given = dict(zip(preparation.parameters, positional, strict=False))
    given |= {argument.keyword: argument.value for argument in arguments if argument.keyword is not None}
    values = tuple(given.get(name, NONE) for name in preparation.returned)
    if preparation.alone and all(_is_none(value) for value in values[1:]):
        return values[0]
    return tuple_of(values)


def _is_none(value: Value) -> bool:
    plain = strip(value)
    return isinstance(plain, Const) and plain.value is None


def _applied(application: Application, arguments: Arguments, site: Site, act: Activation) -> Value | None:
    positional = [argument for argument in arguments if argument.keyword is None]
    unpacked = any(argument.keyword in ("*", "**") for argument in arguments)
    if unpacked or len(positional) <= application.first:
        return None
    rest = positional[application.first :]
    if application.packed:
        packed = strip(rest[0].value)
        if len(rest) > 1:
            return None
        if isinstance(packed, Tuple):
            rest = [Argument(None, value, rest[0].site) for value in packed.items]
    return act.machine.call(positional[application.function].value, tuple(rest), site, act)


def runs_backward(function: Value) -> bool:
    """Whether a callee that is not followed is called like what runs `backward()`: `accelerator.backward`."""
    return spelled(function).endswith("backward")


def note_backward(function: Value, arguments: Arguments, site: Site, act: Activation) -> Value:
    """A call of `function`, which runs `backward()` on its arguments."""
    values = tuple(argument.value for argument in arguments)
    holder = strip(function.receiver) if isinstance(function, Method) else None
    if not values and isinstance(
        holder, Object
    ):  # what has no `backward()`, as an instance of a loss's class
        values = (holder,)
    act.machine.python_op("unknown_backward", values, site, act)
    return unknown_call(function, arguments, site)

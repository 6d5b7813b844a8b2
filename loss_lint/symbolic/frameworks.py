"""What training frameworks do with a project's subclasses: run backward on what a step returns, call the steps."""

from __future__ import annotations

import ast

from loss_lint.catalogue.frameworks import RESTORES, STARTS, TRAINED, Framework, of_base
from loss_lint.symbolic import batches, collators, objects
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    NONE,
    Alternatives,
    Argument,
    BoundMethod,
    Class,
    Const,
    External,
    Function,
    Leaf,
    Object,
    Op,
    Site,
    Tuple,
    Value,
    alternatives,
    const,
    fresh_content,
    leaf,
)
from loss_lint.symbolic.guards import strip, truth
from loss_lint.symbolic.heap import OPEN, Item, Record
from loss_lint.symbolic.unknown import spelled

Arguments = tuple[Argument, ...]

# Libraries whose base classes call no method that a project adds; "" is no base class at all.
_OWN_TO_PYTHON = frozenset(
    {"", "torch", "torchvision", "builtins", "object", "abc", "typing", "enum", "collections"}
)


def framework_of(cls: Class | External, act: Activation) -> Framework | None:
    """The framework that drives instances of a project's class."""
    if isinstance(cls, External):
        return None
    for entry in objects.resolution_order(cls, act):
        known = of_base(entry.name) if isinstance(entry, External) else None
        if known is not None:
            return known
    return None


# What a step returns


def is_trained_on(function: Function, act: Activation) -> bool:
    """Whether a framework runs backward on what `function`, a method, returns."""
    if function.name not in TRAINED or function.owner is None:
        return False
    receiver = strip(act.receiver) if act.receiver is not None else None
    cls = receiver.cls if isinstance(receiver, Object) else function.owner
    framework = framework_of(cls, act)
    if framework is None or function.name not in framework.trained:
        return False
    if _own(cls, function.name, act) is not function:
        return False  # a subclass's method calls it, and returns what it makes of the result
    record = act.state.heap.get(receiver.content, framework.unless) if isinstance(receiver, Object) else None
    switch = record.attributes.get(framework.unless) if record is not None else None
    return switch is None or truth(switch) is not False


def returned(value: Value, node: ast.Return, act: Activation) -> None:
    """Record the backward that a framework runs on what is returned here."""
    loss = _loss_in(value, act)
    if isinstance(strip(loss), Const):
        return
    slot = node.value if loss is value else _written_loss(node.value)
    parameters = (*_accumulated(act), *_reduced(act))
    act.machine.op("framework_backward", (loss,), parameters, node, (slot,), act)


def _own(cls: Class | External, name: str, act: Activation) -> Function | None:
    """The project's method that an instance of `cls` has under a name."""
    found = objects.find(cls, name, act) if isinstance(cls, Class) else None
    return found[0] if found is not None and isinstance(found[0], Function) else None


def _written_loss(node: ast.expr | None) -> ast.expr | None:
    """Where the loss is written in `{"loss": loss}`, `dict(loss=loss)` or `loss, outputs`."""
    match node:
        case ast.Dict(keys=keys, values=values):
            found = [value for key, value in zip(keys, values, strict=True) if _is_loss_key(key)]
            return found[0] if len(found) == 1 and None not in keys else None
        case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
            return next((keyword.value for keyword in keywords if keyword.arg == "loss"), None)
        case ast.Tuple(elts=[first, *_]):
            return first
        case _:
            return None


def _is_loss_key(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value == "loss"


def _reduced(act: Activation) -> tuple[tuple[str, Value], ...]:
    """Who may reduce what a step returns before it runs backward, if anybody does."""
    receiver = strip(act.receiver) if act.receiver is not None else None
    framework = framework_of(receiver.cls, act) if isinstance(receiver, Object) else None
    if framework is None or not isinstance(receiver, Object):
        return (("reduced", NONE),)
    if framework.averages:
        return (("reduced", const(framework.name)),)
    between = [name for name in framework.between if _own(receiver.cls, name, act) is not None]
    return (("reduced", const(between[0])),) if between else ()


def _accumulated(act: Activation) -> tuple[tuple[str, Value], ...]:
    """The number of micro-batches of a step and the count of their targets, if this step is given such a count."""
    receiver = strip(act.receiver) if act.receiver is not None else None
    framework = framework_of(receiver.cls, act) if isinstance(receiver, Object) else None
    if framework is None or not framework.count or not isinstance(receiver, Object):
        return ()
    count = act.state.names.get(framework.count)
    record = act.state.heap.get(receiver.content) or OPEN
    if count is None or _says(receiver, record, framework.uncounted, act):
        return ()
    configured = strip(record.attributes.get("args", NONE))
    if isinstance(configured, Leaf):
        for keyword, given in zip(configured.keywords, configured.operands[1:], strict=False):
            if keyword == framework.steps:
                return ("steps", given), ("count", count)
    return ()


def _says(receiver: Object, record: Record, name: str, act: Activation) -> bool:
    """Whether the project sets an attribute, on the object or in its class."""
    found = objects.find(receiver.cls, name, act)
    return name in record.attributes or (found is not None and isinstance(found[1], Class))


def _loss_in(value: Value, act: Activation) -> Value:
    """The loss in what a step returns: itself, the first of a tuple, the entry `loss` of a dict."""
    plain = strip(value)
    match plain:
        case Tuple(items=(first, *_)):
            return first
        case Object(cls=External(name="builtins.dict")):
            record = act.state.heap.get(plain.content) or OPEN
            key = const("loss")
            keys = {item.key.content for item in record.items if item.key is not None}
            return act.machine.item(value, key, plain.site, act) if key.content in keys else NONE
        case Alternatives(branches=branches):
            return alternatives([(guards, _loss_in(branch, act)) for guards, branch in branches])
        case _:
            return value


# Who calls the steps


def start(callee: Value, arguments: Arguments, site: Site, act: Activation) -> None:
    """`trainer.fit(module, data)`: the steps of each module that is handed over run."""
    if spelled(callee) not in STARTS:
        return
    for argument in arguments:
        plain = strip(argument.value)
        if isinstance(plain, Object):
            framework = framework_of(plain.cls, act)
            if framework is not None and framework.starts == spelled(callee):
                _drive(plain, framework, site, act)


def start_itself(receiver: Object, name: str, site: Site, act: Activation) -> bool:
    """`trainer.train()`, where the project's class leaves that to the framework."""
    framework = framework_of(receiver.cls, act) if name in STARTS else None
    if framework is None or framework.starts != name or not framework.given:
        return False
    _drive(receiver, framework, site, act)
    return True


def drive_made(act: Activation) -> None:
    """A library calls the methods of the project's subclasses: those of the objects that a root has made run.

    What the constructor was given is known then, which a method by itself knows nothing of.
    """
    for created in act.machine.made:
        assert isinstance(created.cls, Class)
        base = objects.external_base(created.cls, act)
        if base.partition(".")[0] in _OWN_TO_PYTHON or framework_of(created.cls, act) is not None:
            continue
        for _, method in objects.methods(created.cls, act):
            if not method.name.startswith("_") and method.module.leads_to_loss(method.node):
                act.machine.call_now(BoundMethod(method, created, fresh_content()), (), created.site, act)


def _drive(receiver: Object, framework: Framework, site: Site, act: Activation) -> None:
    record = act.state.heap.get(receiver.content) or OPEN
    for name in framework.driven:
        found = objects.find(receiver.cls, name, act)
        if found is None or not isinstance(found[0], Function):
            continue
        method = found[0]
        parameters = [parameter.arg for parameter in method.node.args.args]
        arguments = tuple(
            Argument(key, record.attributes[key], site)
            for key in framework.given
            if key in parameters and key in record.attributes
        )
        arguments += tuple(
            Argument(key, value, site)
            for key, value in _batch(framework, record, site, act).items()
            if key in parameters
        )
        act.machine.call_now(BoundMethod(method, receiver, fresh_content()), arguments, site, act)


def _batch(framework: Framework, record: Record, site: Site, act: Activation) -> dict[str, Value]:
    """A collated batch, and the count of its targets, by the parameter that gets it."""
    given: dict[str, Value] = {}
    collator, dataset = record.attributes.get("data_collator"), record.attributes.get("train_dataset")
    if framework.batch and collator is not None and not isinstance(strip(collator), Const):
        sample = batches.sample(dataset, site, act) if dataset is not None else leaf("element", "", site)
        given[framework.batch] = collators.collated(collator, sample, site, act)
    if framework.count:
        given[framework.count] = leaf("parameter", framework.count, None, reason="what a framework counts")
    return given


# Construction


def initialize(created: Object, name: str, arguments: Arguments, act: Activation) -> bool:
    """Keep what a framework's constructor keeps of its arguments; False for any other class."""
    framework = of_base(name)
    if framework is None:
        return False
    before = act.state.heap.get(created.content) or OPEN
    given: dict[str, Value] = {}
    if not any(argument.keyword == "*" for argument in arguments):
        positional = [argument.value for argument in arguments if argument.keyword is None]
        given |= dict(zip(framework.arguments, positional, strict=False))
    given |= {
        argument.keyword: argument.value for argument in arguments if argument.keyword in framework.arguments
    }
    act.state.heap.set(created.content, Record({**before.attributes, **given}, before.items, open=True))
    return True


def restored(callee: Value, arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """`Net.from_pretrained(path)`: an instance made of a configuration that is not known."""
    if not (isinstance(callee, Op) and callee.name == "getattr" and spelled(callee) in RESTORES):
        return None
    cls = strip(callee.operands[0])
    framework = framework_of(cls, act) if isinstance(cls, Class) else None
    if framework is None or spelled(callee) not in framework.restores or not isinstance(cls, Class):
        return None
    found = objects.find(cls, "__init__", act)
    if found is None or not isinstance(found[0], Function):
        return act.machine.construct(cls, (), site, act)
    spec = found[0].node.args
    names = {parameter.arg for parameter in (*spec.args, *spec.kwonlyargs)}
    unknown = leaf("unknown", "configuration", site, reason="what was saved")
    made = tuple(argument for argument in arguments if argument.keyword in names)
    if framework.configured:
        made = (Argument(None, unknown, site), *[a for a in arguments if a.keyword is None][1:], *made)
    else:
        made = (*made, Argument("**", unknown, site))
    return act.machine.construct(cls, made, site, act)


def save_hyperparameters(receiver: Object, arguments: Arguments, act: Activation) -> None:
    """`self.save_hyperparameters()`: the constructor's arguments by name, as `self.hparams`."""
    given = [strip(argument.value) for argument in arguments if argument.keyword is None]
    names = [value.value for value in given if isinstance(value, Const) and isinstance(value.value, str)]
    if given and len(names) != len(given):
        act.state.heap.set_attribute(receiver.content, "hparams", given[0])
        return
    held = _constructor_arguments(act)
    ignored = {
        word for argument in arguments if argument.keyword == "ignore" for word in _words(argument.value, act)
    }
    chosen = {
        name: value for name, value in held.items() if name not in ignored and (not names or name in names)
    }
    items = tuple(Item(const(name), value, NO_GUARDS) for name, value in chosen.items())
    created = act.machine.new_object("builtins.dict", receiver.site, act)
    act.state.heap.set(created.content, Record(chosen, items))
    act.state.heap.set_attribute(receiver.content, "hparams", created)


def _words(value: Value, act: Activation) -> list[object]:
    plain = strip(value)
    if isinstance(plain, Const):
        return [plain.value]
    elements = [strip(element) for element in act.machine.known_elements(value, act) or ()]
    return [element.value for element in elements if isinstance(element, Const)]


def _constructor_arguments(act: Activation) -> dict[str, Value]:
    """What the constructor that runs now was given, its `**kwargs` spread out."""
    names = objects.namespace(act.owner, act).state.names if act.owner is not None else {}
    initializer = names.get("__init__")
    if not isinstance(initializer, Function):
        return {}
    spec = initializer.node.args
    parameters = [parameter.arg for parameter in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)][1:]
    held = {name: act.state.names[name] for name in parameters if name in act.state.names}
    if spec.kwarg is not None:
        for item in act.machine.items_of(act.state.names.get(spec.kwarg.arg, NONE), act) or ():
            if isinstance(item.key, Const):
                held[str(item.key.value)] = item.value
    return held

"""Models of other libraries, as far as what is applied last in them: the head that a project may replace."""

from __future__ import annotations

from loss_lint.catalogue.models import ACTIVATIONS, BY_NAME, Model, factory
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import (
    NO_GUARDS,
    Argument,
    Const,
    Object,
    Site,
    Value,
    const,
    external,
    fresh_content,
    leaf,
)
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.heap import OPEN, Item, Record

Arguments = tuple[Argument, ...]


def construct(name: str, arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """A model made by a factory that the catalogue knows; None for any other call."""
    name = _named(name, arguments)
    known = factory(name)
    if known is None or not _is_plain(known, arguments):
        return None
    created = Object(external(name), site, fresh_content())
    head = _head(known, arguments, site, act)
    act.state.heap.set(created.content, Record({} if head is None else {known.head: head}, open=True))
    return created


def _named(name: str, arguments: Arguments) -> str:
    """The factory that is meant: `get_model("resnet18")` calls `torchvision.models.resnet18`."""
    if name not in BY_NAME:
        return name
    prefix, position, start = BY_NAME[name]
    given = [strip(argument.value) for argument in arguments if argument.keyword is None]
    words = [value.value for value in given if isinstance(value, Const) and isinstance(value.value, str)]
    if len(words) <= position or not words[0].startswith(start):
        return ""
    return f"{prefix}.{words[position].lower()}"


def _is_plain(known: Model, arguments: Arguments) -> bool:
    """Whether the model returns its head's output alone."""
    if any(argument.keyword in ("*", "**") for argument in arguments):
        return not (known.plain or known.activation)
    if known.plain is None:
        return True
    name, wanted = known.plain
    given = next((strip(argument.value) for argument in arguments if argument.keyword == name), None)
    if given is None:
        return wanted is None
    return isinstance(given, Const) and given.value is wanted


def _head(known: Model, arguments: Arguments, site: Site, act: Activation) -> Value | None:
    if not known.layers:
        return None
    layers: list[tuple[str, Value]] = [(name, _layer(cls, {}, site, act)) for name, cls in known.layers]
    if known.activation:
        given = next((a.value for a in arguments if a.keyword == known.activation), const(None))
        layers.append(("", _activation(given, site, act)))
    if known.single:
        return layers[0][1]
    items = tuple(Item(const(name) if name else None, layer, NO_GUARDS) for name, layer in layers)
    return act.machine.new_object("torch.nn.Sequential", site, act, items)


def _layer(cls: str, parameters: dict[str, object], site: Site, act: Activation) -> Object:
    """A module of torch's; of what it was made with only `parameters` are known."""
    created = Object(external(cls), site, fresh_content())
    act.state.heap.set(created.content, Record({name: const(value) for name, value in parameters.items()}))
    return created


def _activation(given: Value, site: Site, act: Activation) -> Value:
    """The activation that a name stands for, or that is handed over as a callable which makes it."""
    plain = strip(given)
    if not isinstance(plain, Const) or plain.value not in ACTIVATIONS:
        return leaf("unknown", "activation", site, (given,), "an activation that is not known")
    meant = ACTIVATIONS[plain.value]
    if meant is None:
        return _layer("torch.nn.Identity", {}, site, act)
    cls, parameters = meant
    return _layer(cls, parameters, site, act)


def call(callee: Object, cls: str, arguments: Arguments, site: Site, act: Activation) -> Value | None:
    """What such a model returns: its head on features that are not known; None for any other object."""
    known = factory(cls)
    if known is None:
        return None
    operands = (callee, *(argument.value for argument in arguments))
    features = leaf("call", cls.rpartition(".")[2], site, operands, "the features of a library's model")
    head = (act.state.heap.get(callee.content) or OPEN).attributes.get(known.head)
    if head is None:
        return features
    return act.machine.call(head, (Argument(None, features, site),), site, act)

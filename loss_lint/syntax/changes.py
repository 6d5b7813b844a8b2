"""What a function changes that others may see: attributes, items and containers of what it is given or finds."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from loss_lint.syntax.walk import AnyFunction, parameters, walk

_MUTATORS = frozenset(
    [
        "append",
        "extend",
        "insert",
        "add_module",
        "register_module",
        "register_buffer",
        "register_parameter",
        "update",
        "pop",
        "setdefault",
        "reverse",
        "popitem",
        "add",
        "remove",
        "clear",
        "sort",
        "backward",
    ]
)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a function may change, by the parameters and outer names from which it gets there.

    `set` are the names whose attributes or items it sets, also further down (`config.model.head = x`); `mutated` those
    that it changes by a method, or after a call in between (`config.copy().x = 1`): objects only. `anything`: it
    rebinds outer names, or trains.
    """

    set: frozenset[str] = frozenset()
    mutated: frozenset[str] = frozenset()
    anything: bool = False

    def __bool__(self) -> bool:
        return bool(self.anything or self.set or self.mutated)


_NOTHING = Changes()
_ANYTHING = Changes(anything=True)


def changes_of(function: ast.AST) -> Changes:
    """What a function (or whatever has code in it) changes; what it makes itself is nobody else's."""
    writes = [node for node in walk(function) if _is_write(node)]
    if not writes:
        return _NOTHING
    if not isinstance(function, AnyFunction) or any(_is_of_anything(write) for write in writes):
        return _ANYTHING
    near, far = _sources(function)
    collected = {one.arg for one in (function.args.vararg, function.args.kwarg) if one is not None}
    stored: set[str] = set()
    mutated: set[str] = set()
    for write in writes:
        base, is_store = _changed(write)
        if isinstance(base, ast.Name) and base.id in collected:
            continue  # collected anew; what is in there was given
        name, others = _origin(base)
        if name is not None:
            (stored if is_store else mutated).update(_reached({name}, near))
            mutated.update(_reached({name}, near, far))
        mutated.update(_reached(others, near, far))
    own = (near.keys() | far.keys()) - {parameter.arg for parameter in parameters(function)} - collected
    return Changes(frozenset(stored - own), frozenset(mutated - own))


def changes_more_than_its_own(method: AnyFunction) -> bool:
    """Whether a method changes more than its own object and variables: other objects, globals.

    What only their classes know of others is their own affair: private attributes, and that they know of the object.
    """
    own = _made_in(method)
    given = parameters(method)
    receiver = given[0].arg if given else None
    return any(
        _is_write(inner) and _written(inner) not in own and not _is_private(inner, receiver)
        for inner in walk(method)
    )


def _is_private(write: ast.AST, receiver: str | None) -> bool:
    """`config._checked = True`, `REGISTRY[self] = hooks`."""
    match write:
        case ast.Attribute(attr=name):
            return name.startswith("_")
        case ast.Subscript(slice=ast.Name(id=key)):
            return key == receiver
        case _:
            return False


@dataclass(frozen=True, slots=True)
class OwnChanges:
    """What a method makes of its own object: the attributes that it sets, and its methods that it calls."""

    attributes: frozenset[str]
    called: frozenset[str]


def own_changes_of(method: AnyFunction) -> OwnChanges | None:
    """What a method that writes makes of its own object; None if it changes anything else, or what is not known."""
    given = parameters(method)
    if not given or changes_more_than_its_own(method):
        return None
    own = given[0].arg
    attributes: set[str] = set()
    called: set[str] = set()
    for node in walk(method):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute, ctx=ast.Store()) if name == own:
                attributes.add(attribute)
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()) if name == own:
                return None
            case ast.Call(func=ast.Name(id="setattr"), args=[ast.Name(id=name), key, *_]) if name == own:
                if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                    return None
                attributes.add(key.value)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)) if name == own:
                if attribute in _MUTATORS:
                    return None
                called.add(attribute)
    return OwnChanges(frozenset(attributes), frozenset(called))


def outer_names_changed(function: AnyFunction) -> bool:
    """Whether a function changes what it finds by a name that is not its own, or a part of that."""
    given: set[str] = set()
    bound: set[str] = set()
    changed: set[str] = set()
    for node in walk(function):
        kind = type(node)
        if kind is ast.Name:
            name = cast("ast.Name", node)
            if type(name.ctx) is ast.Store:
                bound.add(name.id)
        elif kind is ast.arg:
            given.add(cast("ast.arg", node).arg)
        elif kind in _WRITING and _is_write(node) and not _is_of_tensors(node):
            held, others = _origin(_changed(node)[0])
            changed |= others if held is None else {held}
    if changed <= given - bound:
        return False
    return not _reached(changed, _sources(function)[0]) <= given | bound


# Writes

# What a write can be.
_WRITING = frozenset({ast.Attribute, ast.Subscript, ast.Call, ast.AugAssign, ast.Global, ast.Nonlocal})


def _is_write(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()) | ast.Global() | ast.Nonlocal():
            return True
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in _MUTATORS or _is_in_place(node)
        case ast.Call(func=ast.Name(id="setattr")) | ast.AugAssign(value=ast.List() | ast.ListComp()):
            return True
        case _:
            return False


def _is_of_tensors(write: ast.AST) -> bool:
    """Whether a write changes numbers and gradients alone."""
    return _is_in_place(write) or _runs_backward(write)


def _is_in_place(node: ast.AST) -> bool:
    """`self.weight.normal_()`; a function of torch's as well: `nn.init.normal_(x)`."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Attribute(), attr=name)):
            return name.endswith("_") and not name.endswith("__")
        case _:
            return False


def _is_of_anything(write: ast.AST) -> bool:
    return isinstance(write, ast.Global | ast.Nonlocal) or _runs_backward(write)


def _runs_backward(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="backward")):
            return True
        case _:
            return False


def _changed(write: ast.AST) -> tuple[ast.expr, bool]:
    """The expression whose object a write changes, and whether it sets something there."""
    match write:
        case ast.Call(func=ast.Name(id="setattr"), args=[holder, *_]):
            return holder, True
        case ast.Call(func=ast.Attribute(value=holder)):
            return holder, False
        case ast.AugAssign(target=target):
            return target, False
        case ast.Attribute(value=holder) | ast.Subscript(value=holder):
            return holder, True
        case _:
            return ast.Constant(None), False


def _origin(node: ast.expr) -> tuple[str | None, set[str]]:
    """The variable that an expression is a part of (None where it is made by a call or an operation), and all others
    that its value may come from.
    """
    inner = node
    while isinstance(inner, ast.Attribute | ast.Subscript | ast.Starred):
        inner = inner.value
    if isinstance(inner, ast.Name):
        return inner.id, set()
    called = {id(call.func) for call in walk(inner) if isinstance(call, ast.Call)}
    names = {one.id for one in walk(inner) if isinstance(one, ast.Name) and id(one) not in called}
    return None, names


# Where variables get their values


def _sources(function: AnyFunction) -> tuple[Mapping[str, set[str]], Mapping[str, set[str]]]:
    """For each variable the names that it may be a part of, and those that it is made from."""
    near: dict[str, set[str]] = defaultdict(set)
    far: dict[str, set[str]] = defaultdict(set)
    given = {parameter.arg for parameter in parameters(function)}

    def bind(target: ast.expr | None, value: ast.expr) -> None:
        name, others = _origin(value)
        for bound in _bound(target):
            near[bound].update({name} - {None, bound})  # type: ignore[arg-type]
            far[bound].update(others - {bound})

    for node in walk(function):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    for one, part in _pairs(target, value):
                        bind(one, part)
            case (
                ast.AnnAssign(target=target, value=ast.expr() as value)
                | ast.NamedExpr(target=target, value=value)
            ):
                bind(target, value)
            case ast.AugAssign(target=ast.Name() as target, value=value):
                bind(target, value)
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                bind(node.target, node.iter)
            case ast.withitem(context_expr=value, optional_vars=target):
                bind(target, value)
            case ast.ExceptHandler(name=str() as name):
                near[name].update()
            case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
                near[name].update(given)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda() if node is not function:
                # Whoever calls it may hand over what the function around it was given.
                for parameter in parameters(node):
                    near[parameter.arg].update(given - {parameter.arg})
                if not isinstance(node, ast.Lambda):
                    near[node.name].update()
            case ast.ClassDef(name=name):
                near[name].update()
    return near, far


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Targets with what they get, tuple by tuple where both are written down."""
    if (
        isinstance(target, ast.Tuple | ast.List)
        and isinstance(value, ast.Tuple | ast.List)
        and len(target.elts) == len(value.elts)
    ):
        return [pair for one, part in zip(target.elts, value.elts, strict=True) for pair in _pairs(one, part)]
    return [(target, value)]


def _bound(target: ast.expr | None) -> Iterable[str]:
    if isinstance(target, ast.Name):
        return (target.id,)
    if isinstance(target, ast.Tuple | ast.List):
        return [name for one in target.elts for name in _bound(one)]
    return _bound(target.value) if isinstance(target, ast.Starred) else ()


def _reached(names: Iterable[str], *sources: Mapping[str, set[str]]) -> set[str]:
    """`names` and all that these come from."""
    found: set[str] = set()
    pending = [*names]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            for one in sources:
                pending.extend(one.get(name, ()))
    return found


# A method's own


def _made_in(method: AnyFunction) -> frozenset[str]:
    """A method's own object and variables, and the attributes that it sets to something new: `self`, `.layers`."""
    given = parameters(method)
    names = {parameter.arg for parameter in given}
    made = {parameter.arg for parameter in given[:1]}
    made |= {one.arg for one in (method.args.vararg, method.args.kwarg) if one is not None}
    for node in walk(method):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) if name not in names:
                made.add(name)
            case ast.Assign(targets=targets, value=value) if not isinstance(value, ast.Name | ast.Attribute):
                made.update(f".{target.attr}" for target in targets if isinstance(target, ast.Attribute))
    return frozenset(made)


def _written(write: ast.AST) -> str | None:
    """What a write changes, in the words of `_made_in`: `self` for `self.a = 1`, `.a` for `self.a.append(1)`."""
    if isinstance(write, ast.Global | ast.Nonlocal):
        return None
    changed, _ = _changed(write)
    outermost = ""
    while isinstance(changed, ast.Attribute | ast.Subscript):
        outermost = f".{changed.attr}" if isinstance(changed, ast.Attribute) else outermost
        changed = changed.value
    if not isinstance(changed, ast.Name):
        return None
    return outermost if changed.id == "self" and outermost else changed.id

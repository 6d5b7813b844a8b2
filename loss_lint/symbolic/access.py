"""Names, attributes and items: what reading them yields."""

from __future__ import annotations

import builtins

from loss_lint import catalogue
from loss_lint.symbolic import (
    assign,
    containers,
    imports,
    launchers,
    model_outputs,
    namespaces,
    objects,
    strings,
)
from loss_lint.symbolic.activation import Activation, otherwise
from loss_lint.symbolic.graph import (
    Alternatives,
    Class,
    Const,
    External,
    Function,
    Guards,
    Import,
    Lazy,
    Leaf,
    Method,
    Namespace,
    Object,
    Op,
    Phi,
    Site,
    Super,
    Tuple,
    Value,
    alternatives,
    const,
    external,
    fresh_content,
    intern_content,
    leaf,
    only,
)
from loss_lint.symbolic.guards import compatible, strip
from loss_lint.symbolic.heap import FOREIGN
from loss_lint.symbolic.items import MOVES, item
from loss_lint.symbolic.readings import is_object_like, narrowed, rewrap

_BUILTINS = frozenset(dir(builtins))


def look_up(name: str, act: Activation, site: Site) -> Value:
    scope: Activation | None = act
    while scope is not None:
        if scope is act or not scope.is_class_body:
            value = scope.state.names.get(name)
            if isinstance(value, Import | Alternatives):
                value = imports.loaded(value, scope)
            if value is not None and scope.enclosing is None and act.machine.own_names:
                value = _meant(name, value, scope)
            if value is not None:
                return narrowed(value, act.state.guards) if scope is act else value
            if scope.star_imports:
                starred = imports.from_star(name, scope)
                if starred is not None:
                    return starred
        scope = scope.enclosing
    if name in _BUILTINS:
        return external(f"builtins.{name}")
    return Leaf(
        "global", name, (), site, intern_content(("global", act.module.path, name)), "an unknown name"
    )


def _meant(name: str, value: Value, module: Activation) -> Value:
    """A name of a module, or what it means by the project's configuration; what calls it asks its definition."""
    if isinstance(value, Class | Function):
        return value
    path = module.module.path
    return module.machine.own_names.at(path, name, path) or value


def attribute(base: Value, name: str, site: Site, base_site: Site, act: Activation) -> Value:
    plain = strip(base)
    if name in namespaces.NAMES and namespaces.has_names(plain):
        return namespaces.holder_names(base, site, act, name)
    record = act.state.heap.get(plain.content, name)
    if record is not None and record.items and isinstance(plain, Object):
        child = containers.child(plain, record, name, act)
        if child is not None:
            return rewrap(base, child)
    if record is not None and name in record.attributes:
        held = _with_class_attribute(plain, record.attributes[name], name, site, base_site, act)
        return rewrap(base, narrowed(held, act.state.guards))
    match plain:
        case External():
            qualified = f"{plain.name}.{name}"
            path = imports.project_file(qualified, 0, act)
            if path is not None:  # a package without `__init__.py`
                return imports.load(Import(path, None, intern_content(("import", path))), act)
            return imports.foreign(qualified, act)
        case Namespace():
            return _module_attribute(plain, name, site, act)
        case Object() | Class() | Super():
            found = objects.attribute(plain, name, site, base_site, act)
            return found if found is not None else unknown_attribute(base, name, site, act, base_site)
        case Alternatives() if is_object_like(plain):
            branches = [
                (
                    guards,
                    narrowed(attribute(rewrap(base, branch), name, site, base_site, act), guards),
                )
                for guards, branch in plain.branches
                if compatible(guards, act.state.guards)
            ]
            return alternatives(branches, site) if branches else leaf("unknown", name, site)
        case Phi(init=init) if init is not None and is_object_like(init):
            return attribute(init, name, site, base_site, act)
        case Lazy() if name not in catalogue.by_method and name not in catalogue.PROPERTIES:
            # What calls return may be one of several values that calls return, and so on.
            if not act.machine.spend():
                return leaf("unknown", name, site, reason="an attribute of what very many calls return")
            return attribute(act.machine.force(plain), name, site, base_site, act)
        case Const(value=str()) if name in strings.METHODS:
            return Method(plain, name, site, base_site, fresh_content())
        case Tuple():
            return Method(plain, name, site, base_site, fresh_content())
        case Op():
            found = _attribute_of_result(plain, name, site, base_site, act)
            if found is not None:
                return found
    return _of_tensor_or_unknown(base, name, site, base_site, act)


def _of_tensor_or_unknown(base: Value, name: str, site: Site, base_site: Site, act: Activation) -> Value:
    plain = strip(base)
    if launchers.method_wrapper(plain, name) is not None or namespaces.is_names(plain):
        return Method(base, name, site, base_site, intern_content(("method", plain.content, name)))
    if name in catalogue.PROPERTIES:
        return _tensor_attribute(base, name, site, base_site, act)
    if name in catalogue.by_method or name in PYTHON_METHODS:
        return Method(base, name, site, base_site, intern_content(("method", plain.content, name)))
    return unknown_attribute(base, name, site, act, base_site)


def _attribute_of_result(op: Op, name: str, site: Site, base_site: Site, act: Activation) -> Value | None:
    """What only some operations' results have: a moved module's attributes, the fields of `torch.max(x, 1)`."""
    is_tensors = name in catalogue.by_method or name in catalogue.PROPERTIES
    match op:
        case Op(name=moved) if moved in MOVES and not is_tensors:
            module = act.machine.resolved(op, act)
            return attribute(module, name, site, base_site, act) if module is not op else None
        case Op(name="data_parallel", operands=(inner,)) if name == "module":
            return inner
        case Op(name="max" | "min" | "sort" | "topk") if name in ("indices", "values"):
            return item(op, const(1 if name == "indices" else 0), site, act, base_site)
        case _:
            return None


def _with_class_attribute(
    holder: Value, held: Value, name: str, site: Site, base_site: Site, act: Activation
) -> Value:
    """An attribute that only one branch set: in the other one the class's own is left."""
    if not (isinstance(held, Alternatives) and len(held.branches) == 1):
        return held
    if isinstance(holder, Object):
        inherited = objects.attribute(holder, name, site, base_site, act)
    elif isinstance(holder, Leaf | Op):
        inherited = _of_tensor_or_unknown(holder, name, site, base_site, act)
    else:
        inherited = None
    if inherited is None or isinstance(inherited, Method):
        return held
    (guards, _), *_ = held.branches
    return alternatives([*held.branches, (otherwise(guards, act), inherited)])


PYTHON_METHODS = frozenset(
    {"map", "replace", "append", "extend", "items", "keys", "values", "get", "index", "forward"}
)


def _tensor_attribute(base: Value, name: str, site: Site, base_site: Site, act: Activation) -> Value:
    return act.machine.op(catalogue.PROPERTIES[name], (base,), (), site, (base_site,), act)


def unknown_attribute(
    base: Value, name: str, site: Site, act: Activation, base_site: Site | None = None
) -> Value:
    return act.machine.op("getattr", (base,), (("name", const(name)),), site, (base_site,), act)


def _module_attribute(base: Namespace, name: str, site: Site, act: Activation) -> Value:
    loaded = act.machine.module(base.module.path)
    if loaded is None:
        return leaf("global", name, site, reason="a file that cannot be read")
    return imports.load(imports.member(loaded, name, act), loaded)


def set_attribute(base: Value, name: str, value: Value, act: Activation) -> None:
    plain = strip(act.machine.resolved(base, act))
    if isinstance(plain, Alternatives):
        for guards, branch in plain.branches:
            if compatible(guards, act.state.guards):
                _set_under(guards, strip(act.machine.resolved(branch, act)), name, value, act)
        return
    if isinstance(plain, Object) and containers.set_child(plain, name, value, act):
        return
    if isinstance(plain, Object) and objects.external_base(plain.cls, act) == model_outputs.BASE:
        assign.set_item(plain, const(name), value, plain.site, act)
    if not isinstance(plain, Object):
        act.machine.modules.note_write(plain)
        if act.state.heap.get(plain.content) is None:
            act.state.heap.set(plain.content, FOREIGN)
    act.state.heap.set_attribute(plain.content, name, value)


def _set_under(guards: Guards, holder: Value, name: str, value: Value, act: Activation) -> None:
    """One of several objects gets an attribute: under the conditions that choose it."""
    if isinstance(holder, Alternatives):
        set_attribute(holder, name, value, act)
        return
    more = guards - act.state.guards
    record = act.state.heap.get(holder.content, name)
    before = record.attributes.get(name) if record else None
    if not more:
        joined = value
    elif before is None:
        joined = only(value, more)
    else:
        joined = alternatives([(more, value), (otherwise(more, act), before)])
    act.state.heap.set_attribute(holder.content, name, joined)

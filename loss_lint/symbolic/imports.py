"""Imports: torch and the like by their qualified names, the project's own modules by their files.

A module of the project is read and evaluated when something looks at a name that came from it.
"""

from __future__ import annotations

from loss_lint import catalogue
from loss_lint.catalogue.aliases import canonical
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.containers import MODULE_CONTAINERS
from loss_lint.symbolic.graph import (
    Alternatives,
    External,
    Import,
    Namespace,
    Value,
    alternatives,
    external,
    intern_content,
    leaf,
    only,
)

# What is certainly not the project's own.
_FOREIGN = frozenset({"torch", "numpy", "math", "os", "sys", "re", "typing", "collections", "functools"})

# Without these nothing here would run.
_ALWAYS_THERE = frozenset({"torch", "torch.nn", "torch.nn.functional"})


def module(name: str, level: int, act: Activation) -> Value:
    """The value of `import name`."""
    path = project_file(name, level, act)
    if path is not None:
        return Import(path, None, intern_content(("import", path)))
    return foreign("." * level + name, act)


def foreign(qualified: str, act: Activation) -> Value:
    """A name outside the project, or one of its own whose file is not there."""
    own = act.machine.own_names.qualified(qualified, act.module.path) if act.machine.own_names else None
    return own or external(canonical(qualified))


def name(source: str, attribute: str, level: int, act: Activation) -> Value:
    """The value of `from source import attribute`."""
    path = project_file(source, level, act)
    if path is not None and path != act.module.path:  # a package's own file means the modules below it
        return Import(path, attribute, intern_content(("import", path, attribute)))
    inner = f"{source}.{attribute}" if source else attribute
    path = project_file(inner, level, act)
    if path is not None:
        return Import(path, None, intern_content(("import", path)))
    return foreign("." * level + inner, act)


def load(value: Value, act: Activation) -> Value:
    """What an import stands for; anything else as it is."""
    for _ in range(10):  # a name can be handed on through several modules
        if not isinstance(value, Import):
            return value
        own = _own(value.path, value.name, act)
        if own is not None:
            return own
        loaded = act.machine.module(value.path)
        if loaded is None:
            return leaf("unknown", value.name or "", None, reason="a file that cannot be read")
        if value.name is None:
            return Namespace(loaded.module, intern_content(("namespace", value.path)))
        value = member(loaded, value.name, act)
    return leaf("unknown", "", None, reason="imports that lead in a circle")


def loaded(value: Value, act: Activation) -> Value:
    """The same for what was imported in one branch and not, or from elsewhere, in another."""
    if not isinstance(value, Alternatives) or not any(isinstance(one, Import) for _, one in value.branches):
        return load(value, act)
    branches = [(guards, load(branch, act)) for guards, branch in value.branches]
    return only(branches[0][1], branches[0][0]) if len(branches) == 1 else alternatives(branches)


def member(loaded: Activation, attribute: str, act: Activation) -> Value:
    """A name in a module: defined, imported or star-imported there, or a module below it."""
    own = _own(loaded.module.path, attribute, act)
    if own is not None:
        return own
    found = loaded.state.names.get(attribute)
    if found is None:
        found = from_star(attribute, loaded)
    if found is None:
        path = project_file(attribute, 1, loaded)
        if path is not None and path != loaded.module.path:
            return Import(path, None, intern_content(("import", path)))
    return (
        found if found is not None else leaf("unknown", attribute, None, reason="not defined in its module")
    )


def _own(path: str, attribute: str | None, act: Activation) -> Value | None:
    """What a name in a module means by the project's configuration."""
    if attribute is None or not act.machine.own_names:
        return None
    return act.machine.own_names.at(path, attribute, act.module.path)


def star(source: str, level: int, act: Activation) -> None:
    """`from source import *`: the names are found when they are looked up."""
    act.star_imports = (*act.star_imports, (source, level))


def from_star(attribute: str, act: Activation, seen: tuple[Activation, ...] = ()) -> Value | None:
    """The name that a star import brought, if it did; `seen` are the modules that were looked into on the way."""
    seen = (*seen, act)
    for source, level in act.star_imports:
        path = project_file(source, level, act)
        if path is not None:
            if attribute.startswith("_") or not act.machine.project.may_bring(path, attribute):
                continue
            loaded = act.machine.module(path)
            if loaded is None or loaded in seen:
                continue
            found = _own(path, attribute, act) or loaded.state.names.get(attribute)
            if found is None and loaded.star_imports:
                found = from_star(attribute, loaded, seen)
            if found is not None:
                return load(found, loaded)
            continue
        own = foreign("." * level + f"{source}.{attribute}", act)
        if isinstance(own, External) and own.alias:
            return own
        qualified = canonical(f"{source}.{attribute}")
        if (
            qualified in catalogue.by_function
            or qualified in catalogue.by_module
            or qualified in MODULE_CONTAINERS
        ):
            return external(qualified)
        if source == "torch" and attribute in ("nn", "optim", "autograd"):
            return external(f"torch.{attribute}")
    return None


def project_file(source: str, level: int, act: Activation) -> str | None:
    """The project's file behind a module's name."""
    if level == 0 and source.partition(".")[0] in _FOREIGN:
        return None
    return act.machine.resolve(act.module.path, source, level)


def is_there(source: str, level: int, act: Activation) -> bool:
    """Whether importing a module cannot fail for want of it: it is the project's own, or what everything needs."""
    return (not level and source in _ALWAYS_THERE) or project_file(source, level, act) is not None

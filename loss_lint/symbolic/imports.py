"""Imports: torch and the like by their qualified names, the project's own modules by their files."""

from __future__ import annotations

from loss_lint import catalogue
from loss_lint.catalogue.aliases import canonical
from loss_lint.symbolic.activation import Activation
from loss_lint.symbolic.graph import Namespace, Value, external, intern_content
from loss_lint.syntax.sources import resolve_import


def module(name: str, level: int, act: Activation) -> Value:
    """The value of `import name`."""
    path = _project_file(name, level, act)
    if path is not None:
        loaded = act.machine.module(path)
        if loaded is not None:
            return Namespace(loaded.module, intern_content(("namespace", path)))
    return external(canonical("." * level + name))


def name(source: str, attribute: str, level: int, act: Activation) -> Value:
    """The value of `from source import attribute`."""
    path = _project_file(source, level, act)
    if path is not None:
        loaded = act.machine.module(path)
        if loaded is not None and attribute in loaded.state.names:
            return loaded.state.names[attribute]
        inner = _project_file(f"{source}.{attribute}" if source else attribute, level, act)
        if inner is not None:
            return module(f"{source}.{attribute}" if source else attribute, level, act)
    return external(canonical("." * level + (f"{source}.{attribute}" if source else attribute)))


def star(source: str, level: int, act: Activation) -> None:
    """`from source import *`: a project's names are bound, torch's are found when looked up."""
    path = _project_file(source, level, act)
    if path is not None:
        loaded = act.machine.module(path)
        if loaded is not None:
            for bound, value in loaded.state.names.items():
                if not bound.startswith("_"):
                    act.state.names[bound] = value
            return
    act.star_imports = (*act.star_imports, "." * level + source)


def from_star(attribute: str, act: Activation) -> Value | None:
    """The name that a star import from torch brought, if the catalogue knows it."""
    for source in act.star_imports:
        qualified = canonical(f"{source}.{attribute}")
        if qualified in catalogue.by_function or qualified in catalogue.by_module:
            return external(qualified)
        if source == "torch" and attribute in ("nn", "optim", "autograd"):
            return external(f"torch.{attribute}")
    return None


def _project_file(source: str, level: int, act: Activation) -> str | None:
    if not act.machine.cross_files:
        return None
    if level == 0 and source.partition(".")[0] in ("torch", "numpy", "math"):
        return None
    return resolve_import(act.machine.sources, act.module.path, source, level)

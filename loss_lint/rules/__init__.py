"""The rules: one file each, found by walking this folder."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType

from loss_lint.rules.rule import Rule

_MACHINERY = frozenset({"rule", "match", "page", "engine", "wording", "sentences", "observations"})


@cache
def modules() -> tuple[ModuleType, ...]:
    """Every rule's module, by code. A rule that cannot be imported is an error, not a gap."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__) if info.name not in _MACHINERY)
    found = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return tuple(sorted(found, key=lambda module: str(module.RULE.code)))


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by code."""
    return tuple(module.RULE for module in modules())


def documentation(rule: Rule) -> str:
    """The rule's page, with what was measured when the documentation was last built."""
    from loss_lint.rules.page import page, stored

    return page(rule, docstring(rule), stored(rule))


def docstring(rule: Rule) -> str:
    """What the rule's module says of it: the page without what follows from the rule and from torch."""
    for module in modules():
        if module.RULE is rule:
            return (module.__doc__ or "").strip()
    raise KeyError(rule.code)

"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import loss_lint.watching

MODULES = sorted(info.name for info in pkgutil.iter_modules(loss_lint.watching.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"loss_lint.watching.{name}"))
    assert result.failed == 0


def test_there_are_some() -> None:
    modules = [importlib.import_module(f"loss_lint.watching.{name}") for name in MODULES]
    assert sum(doctest.testmod(module).attempted for module in modules) >= 6

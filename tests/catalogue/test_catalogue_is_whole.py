"""Whether the catalogue knows all that torch has, in all spellings: what torch adds later fails here."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import left_out
import pytest
import torch
from torch.nn import functional

from loss_lint import catalogue
from loss_lint.catalogue import HOLDS_FOR, by_function, by_method, by_module, canonical

VERSION = ".".join(torch.__version__.split(".")[:2])


def ask(names: set[str], where: str) -> str:
    return (
        f"torch {torch.__version__} has {', '.join(sorted(names))} in {where}, which loss-lint's catalogue does not "
        "know. If a rule's verdict depends on it, add it to loss_lint/catalogue/ (a loss also to LOSSES, with what it "
        "wants); else name it in tests/catalogue/left_out.py."
    )


def is_known(name: str, known: Iterator[str] | set[str] | frozenset[str]) -> bool:
    """Whether a name is known, or the twin of a known one that writes into its argument."""
    names = set(known)
    return name in names or (name.endswith("_") and name[:-1] in names)


def is_plain(value: object) -> bool:
    return callable(value) and not inspect.isclass(value) and getattr(value, "__module__", "") != "typing"


def test_every_loss_class_is_known() -> None:
    names = {
        name
        for name, value in vars(torch.nn).items()
        if inspect.isclass(value) and issubclass(value, torch.nn.Module) and "Loss" in name
    }
    assert len(names) > 20
    unknown = {name for name in names if f"torch.nn.{name}" not in by_module}
    assert not unknown, ask(unknown, "torch.nn")
    for name in names:
        entry = by_module[f"torch.nn.{name}"].operation
        assert entry.effect == "loss"
        assert catalogue.loss(entry.name) is not None, f"LOSSES does not say what {name} wants"


def test_every_module_is_known_or_left_out() -> None:
    names = {
        name
        for name, value in vars(torch.nn).items()
        if inspect.isclass(value) and issubclass(value, torch.nn.Module)
    }
    unknown = {name for name in names - left_out.MODULES if f"torch.nn.{name}" not in by_module}
    assert not unknown, ask(unknown, "torch.nn")


def test_every_function_is_known_or_left_out() -> None:
    names = {name for name, value in vars(functional).items() if is_plain(value) and not name.startswith("_")}
    known = {name for name in names if canonical(f"torch.nn.functional.{name}") in by_function}
    unknown = {name for name in names if not is_known(name, known | left_out.FUNCTIONS)}
    assert not unknown, ask(unknown, "torch.nn.functional")


def test_every_method_is_known_or_left_out() -> None:
    names = {
        name
        for name in dir(torch.Tensor)
        if not name.startswith("_") and callable(getattr(torch.Tensor, name))
    }
    unknown = {name for name in names if not is_known(name, set(by_method) | left_out.METHODS)}
    assert not unknown, ask(unknown, "torch.Tensor")


def test_every_activation_is_known() -> None:
    unknown = {name for name in torch.nn.modules.activation.__all__ if f"torch.nn.{name}" not in by_module}
    assert not unknown, ask(unknown, "torch.nn.modules.activation")


def test_what_is_left_out_is_not_in_the_catalogue() -> None:
    assert not [name for name in left_out.MODULES if f"torch.nn.{name}" in by_module]
    assert not [name for name in left_out.FUNCTIONS if f"torch.nn.functional.{name}" in by_function]
    assert not left_out.METHODS & set(by_method)


@pytest.mark.parametrize("name", sorted(by_method))
def test_a_method_is_known_as_a_function_and_in_place(name: str) -> None:
    """In all spellings that torch has: `x.softmax()`, `torch.softmax(x)`, `torch.special.softmax(x)`, `x.sub_()`."""
    operation = by_method[name].operation
    for owner, qualified in ((torch, "torch"), (torch.special, "torch.special")):
        if is_plain(getattr(owner, name, None)) and not name.endswith("_"):
            entry = by_function.get(canonical(f"{qualified}.{name}"))
            assert entry is not None, ask({name}, qualified)
            assert entry.operation is operation
    if not name.endswith("_") and hasattr(torch.Tensor, name + "_"):
        assert name + "_" in by_method, ask({name + "_"}, "torch.Tensor")


@pytest.mark.parametrize(
    "name", sorted(name for name in by_function if name.startswith("torch.") and name.count(".") == 1)
)
def test_a_function_is_known_as_a_method(name: str) -> None:
    method = name.removeprefix("torch.")
    if callable(getattr(torch.Tensor, method, None)) and not method.endswith("_"):
        assert method in by_method, ask({method}, "torch.Tensor")


def test_the_installed_torch_is_one_that_the_facts_hold_for() -> None:
    assert VERSION in HOLDS_FOR, (
        f"torch {VERSION} is installed, and loss-lint's facts of torch were compared with {', '.join(HOLDS_FOR)}. "
        "Once the other tests of tests/catalogue and tests/harness pass with it, add it to HOLDS_FOR."
    )


def test_a_new_name_is_told_clearly() -> None:
    text = ask({"FocalLoss"}, "torch.nn")
    assert "FocalLoss in torch.nn" in text
    assert "left_out.py" in text

"""The names by which a loss is seen: those that the catalogue knows, and what uses them."""

from __future__ import annotations

import ast
import time

import pytest

from loss_lint import catalogue
from loss_lint.syntax import relevance
from loss_lint.syntax.module import parse
from loss_lint.syntax.prose import code_of


def catalogued() -> set[bytes]:
    """The last parts of the qualified names of torch's losses, as functions and as classes."""
    losses = {loss.name for loss in catalogue.LOSSES}
    tables = (catalogue.by_function, catalogue.by_module)
    return {
        name.rpartition(".")[2].encode()
        for table in tables
        for name, known in table.items()
        if known.operation.name in losses
    }


def test_they_are_the_catalogues() -> None:
    # Two more have gone from torch, and live on in projects' own names.
    assert catalogued() | {b"CrossEntropyLoss2d", b"nll_loss2d"} == relevance._NAMES


@pytest.mark.parametrize("name", sorted(relevance._NAMES))
def test_each_is_found(name: bytes) -> None:
    assert relevance._loss_places(b"return x." + name + b"(y)") == [9]
    assert relevance._loss_places(b"return my_" + name + b"s(y)") == []


def leading(text: str) -> set[str]:
    """The methods and functions of a file that lead to a loss."""
    source = parse("net.py", text.encode())
    found = (node for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef))
    return {node.name for node in found if source.leads_to_loss(node)}


def test_a_method_that_names_its_own_class_does_not_use_it() -> None:
    text = """
class Net:
    def loss(self, x, y):
        return F.cross_entropy(x, y)

    def same(self, other):
        return type(other) is Net

def train():
    return Net().loss(x, y)
"""
    assert leading(text) == {"loss", "train"}


@pytest.mark.parametrize(
    "asked",
    ["isinstance(other, Net)", "isinstance(self.other, (Net, nn.Module))", "isinstance(other, mod.Net)"],
)
def test_what_is_only_asked_about_is_not_used(asked: str) -> None:
    text = f"class Net:\n    def loss(self): return F.cross_entropy(x, y)\n\ndef same(other):\n    return {asked}\n"
    assert leading(text) == {"loss"}


@pytest.mark.parametrize(
    "asked", ["isinstance(criterion, nn.CrossEntropyLoss)", "isinstance(x, (A, MyLoss))"]
)
def test_losses_that_are_asked_about_are(asked: str) -> None:
    assert leading(f"def same(x):\n    return {asked}\n") == {"same"}


@pytest.mark.parametrize(
    ("used", "leads"),
    [
        ("x not in LOSSES", False),
        ("'|'.join(LOSSES)", False),
        ("f'one of the LOSSES: {x}'", False),
        ("f'{\"|\".join(LOSSES)} {x:{width}}'", False),
        ("f'{LOSSES[x]} for {x}'", True),
        ("LOSSES[x] if x not in OTHERS else 0", True),
        ("x not in LOSSES[y]", True),
        ("[y for y in LOSSES]", True),
        ("os.path.join(LOSSES)", True),
    ],
)
def test_keys_and_sentences_do_not_use_what_is_in_a_registry(used: str, leads: bool) -> None:
    text = f"LOSSES = {{'ce': nn.CrossEntropyLoss}}\n\ndef look(x):\n    return {used}\n"
    assert leading(text) == ({"look"} if leads else set())


def test_formatted_strings_of_several_lines_end_where_they_do() -> None:
    text = 'def look(x):\n    return f"""\n    a {x}\n    b\n    """\n\ndef train(x):\n    return cross_entropy(x)\n'
    assert leading(text) == {"train"}


def test_long_checks_take_no_time() -> None:
    started = time.process_time()
    code_of(f"isinstance(x, ({'abc.' * 3000}d" + ", e" * 3000)
    code_of(f"isinstance(x, {'a' * 3000} or (y))\n" * 20)
    assert time.process_time() - started < 5

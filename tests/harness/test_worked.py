"""Worked examples from text, through the graph, to four decimals."""

from __future__ import annotations

import pytest

from loss_lint.harness.worked import worked

TEXT = """
import torch
import torch.nn.functional as F

first = torch.softmax(torch.tensor([2.0, 1.0, 0.1]), dim=0)
second = F.softmax(torch.tensor([1.0, 3.0, 0.2]), dim=0)
exponentials = torch.exp(torch.tensor([2.0, 1.0, 0.1]))
by_hand = exponentials / exponentials.sum(dim=0)
one_hot = F.one_hot(torch.tensor([0, 2, 1, 0]), num_classes=3)
rows = torch.eye(3)[torch.tensor([0, 2, 1, 0])].long()
classes = {"A": 0, "B": 1, "C": 2}
labels = ["A", "C", "B", "A"]
mapped = F.one_hot(torch.tensor([classes[label] for label in labels]), num_classes=3)
"""

ROWS = [[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("first", [0.6590, 0.2424, 0.0986]),
        ("second", [0.1131, 0.8360, 0.0508]),
        ("by_hand", [0.6590, 0.2424, 0.0986]),
    ],
)
def test_softmax(name: str, expected: list[float]) -> None:
    assert worked(TEXT, name) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("name", ["one_hot", "rows", "mapped"])
def test_one_hot(name: str) -> None:
    assert worked(TEXT, name) == ROWS


def test_an_unknown_name() -> None:
    with pytest.raises(KeyError):
        worked(TEXT, "third")


def test_text_that_does_not_parse() -> None:
    with pytest.raises(SyntaxError):
        worked("import torch\nx = (", "x")

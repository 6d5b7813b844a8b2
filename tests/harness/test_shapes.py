"""What is known of shapes, compared with the shapes that torch's tensors have."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn as nn
from torch.nn import functional

from loss_lint.symbolic.extents import Shape
from loss_lint.symbolic.machine import Machine
from loss_lint.symbolic.root import evaluate_roots
from loss_lint.symbolic.shapes import shape_of
from loss_lint.syntax.sources import Memory

# What a program says of `x` before, and what is then known.
STARTS = {
    "x": "(...)",
    "x.reshape(2, 3, 5)": "(2, 3, 5)",
    "x.reshape(-1, 3, 5)": "(?, 3, 5)",
    "x.reshape(x.size(0), -1)": "(?, ?)",
    "nn.Linear(5, 1)(x)": "(..., 1)",
    "x.reshape(-1, 1)": "(?, 1)",
    "x.reshape(-1)": "(?,)",
    "x.sum()": "()",
    "x.reshape(-1) if x.dim() > 2 else x": "(...)",
    "x.reshape(6, 5) if x.dim() > 2 else x.reshape(1, 5)": "(?, 5)",
    "x.reshape(6, 5) if x.dim() > 2 else x.reshape(1, 2, 5)": "(..., ?, 5)",
}
RAW = ((30,), (6, 5), (2, 3, 5), (1, 6, 5), (2, 3, 1, 5), (6, 1, 5))
EXPRESSIONS = (
    "x.view(-1)",
    "x.reshape(3, -1)",
    "x.reshape((-1, 1))",
    "x.view(x.shape)",
    "x.view(x.size())",
    "x.view(*x.shape[:-1], 1, 1)",
    "x.flatten()",
    "x.flatten(1)",
    "x.flatten(0, 1)",
    "x.flatten(-2)",
    "nn.Flatten()(x)",
    "x.ravel()",
    "x.squeeze()",
    "x.squeeze(0)",
    "x.squeeze(1)",
    "x.squeeze(-1)",
    "x.squeeze(-2)",
    "x.squeeze((0, -1))",
    "x.unsqueeze(0)",
    "x.unsqueeze(1)",
    "x.unsqueeze(-1)",
    "x.unsqueeze(-2)",
    "x.unsqueeze(2)",
    "x[0]",
    "x[-1]",
    "x[:, 0]",
    "x[:, :1]",
    "x[:, None]",
    "x[None]",
    "x[..., None]",
    "x[..., 0]",
    "x[..., :1]",
    "x[..., 0, None]",
    "x[..., None, 0]",
    "x[0, ..., 0]",
    "x[x > 0]",
    "x[torch.tensor([0, 0])]",
    "x[:, torch.tensor([0, 0])]",
    "x.transpose(0, 1)",
    "x.transpose(-1, -2)",
    "x.t()",
    "x.mT",
    "x.permute(1, 0)",
    "x.permute(2, 0, 1)",
    "x.expand(3, -1)",
    "x.expand(4, -1, -1, -1)",
    "x.repeat(2, 1)",
    "x.repeat(1, 2, 1)",
    "x.sum(1)",
    "x.sum(-1)",
    "x.sum(dim=(0, 1))",
    "x.mean(dim=1, keepdim=True)",
    "x.mean(-1, keepdim=True)",
    "x.max()",
    "x.max(1)[0]",
    "x.max(dim=-1).values",
    "x.max(-1, keepdim=True)[1]",
    "x.argmax(1)",
    "x.argmax(dim=1, keepdim=True)",
    "x.argmax(dim=-1, keepdim=True)",
    "x.topk(1)[1]",
    "x.topk(1, dim=1)[0]",
    "x.topk(1, 1, True, True)[1].t()",
    "x.sort(-1)[0]",
    "x.norm(dim=-1)",
    "x.logsumexp(dim=1)",
    "x.softmax(-1)",
    "x.log_softmax(0).exp()",
    "x + x.mean(-1, keepdim=True)",
    "x * x.sum()",
    "x - x.mean(0)",
    "x.view(-1, 1) - x.view(-1)",
    "x / 2",
    "x > 0",
    "torch.where(x > 0, x, torch.zeros_like(x))",
    "torch.cat([x, x])",
    "torch.cat([x, x], 1)",
    "torch.cat([x, x], -1)",
    "torch.stack([x, x])",
    "torch.stack([x, x, x], -1)",
    "torch.stack([x + i for i in range(4)], dim=1)",
    "torch.chunk(x, 2, -1)[0]",
    "x.unbind(0)[0]",
    "F.one_hot(x.abs().long(), 50)",
    "F.one_hot(x.abs().long())",
    "x.gather(-1, torch.zeros_like(x[..., :1]).long())",
    "x @ x.mT",
    "x @ torch.randn(5, 1)",
    "torch.randn(4, 6) @ x",
    "torch.mm(x, torch.randn(5, 2))",
    "torch.bmm(x, x.mT)",
    "x @ nn.Parameter(torch.randn(5, 1))",
    "nn.Linear(5, 3)(x)",
    "nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Dropout(), nn.Linear(7, 1))(x)",
    "nn.Conv1d(3, 8, 1)(x)",
    "nn.Conv1d(3, 8, 1)(x).mean(-1)",
    "nn.AdaptiveAvgPool1d(1)(x)",
    "nn.MaxPool1d(1)(x)",
    "nn.Embedding(50, 6)(x.abs().long())",
    "nn.LSTM(5, 4)(x)[0]",
    "nn.LSTM(5, 4)(x)[1][0]",
    "nn.LSTM(5, 4)(x)[0][:, -1]",
    "nn.LSTM(5, 4)(x)[1][1][-1]",
    "nn.LSTM(5, 4)(x)[0][0]",
    "nn.GRU(5, 4)(x)[0]",
    "nn.GRU(5, 4)(x)[1][-1]",
    "nn.LayerNorm(5)(x)",
    "torch.zeros(3, 1)",
    "torch.zeros(x.shape)",
    "torch.ones((x.size(0), 1))",
    "torch.full((4,), 1.0)",
    "torch.randint(0, 2, (7, 1))",
    "torch.arange(7)",
    "torch.eye(3)",
    "torch.eye(3, 2)",
    "torch.tensor([1, 2, 3])",
    "torch.tensor([[1.0], [2.0]])",
    "torch.tensor(1.0)",
    "torch.tensor([float(i) for i in range(3)]).unsqueeze(1)",
    "torch.LongTensor([[1, 2]])",
    "torch.FloatTensor(3, 1)",
    "x.new_zeros(3, 4)",
    "F.cross_entropy(torch.randn(3, 4), torch.tensor([0, 1, 2]))",
    "F.mse_loss(x, x)",
)


def known(start: str, expression: str) -> Shape:
    text = (
        "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n\n"
        f"def f(x):\n    x = {start}\n    reveal({expression})\n    F.nll_loss(x, x)\n"
    )
    machine = Machine(Memory({"program.py": text}))
    for _ in evaluate_roots(machine, "program.py"):
        pass
    (revealed,) = {id(value): value for _, value in machine.reveals}.values()
    return shape_of(revealed)


def real(start: str, expression: str) -> list[tuple[int, ...]]:
    """The shapes that the expression has for those tensors for which torch computes it."""
    found: list[tuple[int, ...]] = []
    for sizes in RAW:
        names: dict[str, Any] = {"torch": torch, "nn": nn, "F": functional, "x": torch.randn(sizes)}
        try:
            names["x"] = eval(start, names)
            found.append(tuple(eval(expression, names).shape))
        except (RuntimeError, IndexError, ValueError, TypeError, UserWarning):
            continue
    return found


def agrees(shape: Shape, sizes: tuple[int, ...]) -> bool:
    if shape.rank not in (None, len(sizes)) or len(shape.sizes) > len(sizes):
        return False
    last = sizes[len(sizes) - len(shape.sizes) :]
    return all(one in (None, other) for one, other in zip(shape.sizes, last, strict=True))


@pytest.mark.parametrize(("start", "expected"), STARTS.items())
def test_what_is_known_before(start: str, expected: str) -> None:
    assert str(known(start, "x")) == expected


@pytest.mark.parametrize("start", STARTS)
def test_what_is_known_is_true(start: str) -> None:
    wrong = [
        (expression, str(shape), sizes)
        for expression in EXPRESSIONS
        for shape in (known(start, expression),)
        for sizes in real(start, expression)
        if not agrees(shape, sizes)
    ]
    assert wrong == []


def test_every_expression_runs_somewhere() -> None:
    assert [one for one in EXPRESSIONS if not any(real(start, one) for start in STARTS)] == []


@pytest.mark.parametrize(
    ("start", "expression", "expected"),
    [
        ("x", "nn.Linear(5, 1)(x)", "(..., 1)"),
        ("x", "x.sum() if x.dim() > 2 else x.view(-1)", "(...)"),
        ("x", "x.view(-1) if x.dim() > 2 else x.sum()", "(...)"),
        ("x", "nn.Linear(5, 1)(x).squeeze(-1)", "(...)"),
        ("x.reshape(-1, 3, 5)", "nn.Linear(5, 1)(x).squeeze(-1)", "(?, 3)"),
        ("x.reshape(-1, 5)", "nn.Linear(5, 1)(x)", "(?, 1)"),
        ("x.reshape(-1, 5)", "nn.Linear(5, 1)(x).squeeze()", "(?,)"),
        ("x.reshape(-1, 5)", "nn.Linear(5, 2)(x).max(1)[0]", "(?,)"),
        ("x.reshape(-1, 5)", "nn.Linear(5, 2)(x).argmax(1, keepdim=True)", "(?, 1)"),
        ("x", "nn.Conv2d(3, 1, 1)(x)", "(?, 1, ?, ?)"),
        ("x", "nn.AdaptiveAvgPool2d(1)(nn.Conv2d(3, 8, 1)(x)).flatten(1)", "(?, 8)"),
        ("x", "nn.LSTM(5, 4, batch_first=True)(x)[0][:, -1]", "(?, ?)"),
        ("x", "nn.GRU(5, 4, batch_first=True)(x)[0]", "(?, ?, 4)"),
        ("x", "nn.Conv1d(3, 8, 1)(x).squeeze(2)", "(...)"),
        ("x", "x.view(-1, 1)", "(?, 1)"),
        ("x", "x[..., None]", "(..., 1)"),
        ("x", "x @ nn.Parameter(torch.randn(5, 1))", "(..., 1)"),
        ("x", "F.one_hot(x, 10)", "(..., 10)"),
        ("x", "torch.stack([x, x]).view(-1)", "(?,)"),
        ("x.view(-1)", "F.one_hot(x, 10)", "(?, 10)"),
        ("x.view(-1)", "torch.tensor([1, 2, 3])", "(3,)"),
        ("x.view(4, 6)", "x.view(-1, 8)", "(3, 8)"),
        ("x.view(-1, 6)", "x[:, 0]", "(?,)"),
        ("x.view(-1, 6)", "x[:, :1]", "(?, ?)"),
        ("x.view(-1, 6)", "x[x.sum(1) > 0]", "(...)"),
    ],
)
def test_what_is_known(start: str, expression: str, expected: str) -> None:
    assert str(known(start, expression)) == expected

"""Where a dimension goes, compared with what torch does to a tensor whose dimensions all differ in size."""

from __future__ import annotations

import pytest
import torch

from loss_lint.symbolic.dims import Dim, behind
from loss_lint.symbolic.graph import Op
from loss_lint.symbolic.guards import strip
from loss_lint.symbolic.machine import Machine
from loss_lint.symbolic.root import evaluate_roots
from loss_lint.syntax.sources import Memory

SIZES = (2, 3, 5)
MOVES = (
    "x.permute(1, 2, 0)",
    "x.permute(-1, 0, 1)",
    "torch.permute(x, (2, 0, 1))",
    "x.transpose(1, 2)",
    "x.transpose(0, -1)",
    "x.transpose(-2, -1)",
    "x.swapaxes(0, 1)",
    "x.mT",
    "x.unsqueeze(0)",
    "x.unsqueeze(1)",
    "x.unsqueeze(-1)",
    "x.unsqueeze(-2)",
    "torch.stack([x, x])",
    "torch.stack([x, x], dim=1)",
    "torch.stack((x, x), -1)",
    "torch.cat([x, x])",
    "torch.cat([x, x], dim=1)",
    "torch.cat([x, x], dim=-1)",
    "x.view(-1, 5)",
    "x.reshape(6, 5)",
    "x.view(2, -1)",
    "x.view(-1)",
    "x.flatten(0, 1)",
    "x[0]",
    "x[:1]",
    "x[:, 0]",
    "x[:, -1, :]",
    "x[:, None]",
    "x[..., 0]",
    "x[x.sum((1, 2)) > 0]",
    "x.contiguous().float().detach()",
    "x[None].squeeze(0)",
    "x.unsqueeze(2).squeeze(2)",
    "x.unsqueeze(1).squeeze()",
    "x.sum(1)",
)


def operations(expression: str) -> list[Op]:
    """What is done to `x`, first thing first."""
    machine = Machine(Memory({"/p.py": f"import torch\nx = read()\nreveal({expression})\n"}))
    for _ in evaluate_roots(machine, "/p.py"):
        pass
    ((_, value),) = machine.reveals
    found: list[Op] = []
    node = strip(value)
    while isinstance(node, Op):
        found.insert(0, node)
        node = strip(node.operands[0])
    return found


@pytest.mark.parametrize("start", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("expression", MOVES)
def test_a_dimension_is_where_torch_has_it(expression: str, start: int) -> None:
    sizes = tuple(SIZES)
    result = eval(expression, {"torch": torch, "x": torch.zeros(sizes)})
    place: Dim | None = Dim(start)
    for op in operations(expression):
        place = behind(place, op) if place is not None else None
    if place is not None:
        assert result.shape[place.index] == sizes[start]
        assert place.rank in (None, result.dim())


KNOWN = (
    ("x.permute(1, 2, 0)", -1, Dim(1, 3)),
    ("x.permute(0, 2, 1)", 1, Dim(2, 3)),
    ("x.transpose(1, 2)", 1, Dim(2)),
    ("x.transpose(-1, -2)", -1, Dim(-2)),
    ("x.transpose(1, 2)", -1, None),
    ("torch.stack([x, x], dim=1)", 1, Dim(2)),
    ("torch.stack([x, x])", -1, Dim(-1)),
    ("torch.cat([x, x], dim=1)", 1, None),
    ("torch.cat([x, x], dim=1)", 2, Dim(2)),
    ("torch.stack([x, x], dim=1).permute(0, 2, 1)", 1, Dim(1, 3)),
    ("x.view(-1, 5)", -1, Dim(1, 2)),
    ("x[0]", 1, Dim(0)),
    ("x.flatten(0, 1)", 2, None),
    ("x[x.sum((1, 2)) > 0]", 1, None),
)


@pytest.mark.parametrize(("expression", "start", "expected"), KNOWN)
def test_where_a_dimension_is_known_to_be(expression: str, start: int, expected: Dim | None) -> None:
    place: Dim | None = Dim(start)
    for op in operations(expression):
        place = behind(place, op) if place is not None else None
    assert place == expected

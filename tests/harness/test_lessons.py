"""The numbers of `docs/lessons.md`: computed by torch, and those that are spelled out through loss-lint's graph too."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as functional

from loss_lint.harness.worked import worked
from loss_lint.rules import all_rules

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "lessons.md").read_text(encoding="utf-8")
BLOCKS = "".join(re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
WORKED = re.findall(r"^(\w+) = .*  # (.+)$", BLOCKS, re.MULTILINE)
ROWS = re.findall(r"^\| `(.+)` \| (\S+) \| ?(\S*) ?\|$", PAGE, re.MULTILINE)


def tensors() -> dict[str, Any]:
    torch.manual_seed(0)
    x = torch.randn(8, 5, requires_grad=True)
    y = torch.randint(0, 5, (8,))
    w = torch.rand(5)
    return {
        "F": functional,
        "x": x,
        "y": y,
        "w": w,
        "m": torch.arange(8) >= 3,
        "one_hot": functional.one_hot(y, 5),
    }


def test_the_page_has_numbers() -> None:
    assert len(WORKED) >= 10
    assert len(ROWS) >= 25


@pytest.mark.parametrize(("name", "written"), WORKED)
def test_a_worked_example(name: str, written: str) -> None:
    expected = torch.tensor(ast.literal_eval(written), dtype=torch.float64)
    names: dict[str, Any] = {}
    exec(BLOCKS, names)
    for computed in (names[name].tolist(), worked(BLOCKS, name)):
        assert torch.allclose(torch.tensor(computed, dtype=torch.float64), expected, rtol=0, atol=5.1e-5)


@pytest.mark.parametrize(("expression", "value", "gradient"), ROWS)
def test_a_row(expression: str, value: str, gradient: str) -> None:
    given = tensors()
    if value.endswith("Error"):
        with pytest.raises({"RuntimeError": RuntimeError, "IndexError": IndexError}[value], match=r"\w"):
            eval(expression, given)
        return
    loss = eval(expression, given)
    loss.backward()
    norm = given["x"].grad.norm().item()
    for computed, written in ((loss.item(), value), (norm, gradient)):
        assert computed == pytest.approx(float(written), rel=1e-5, abs=5.1e-5, nan_ok=True)


def test_codes_are_rules() -> None:
    known = {rule.code for rule in all_rules()}
    assert set(re.findall(r"LOS\d{3}", PAGE)) - known <= {"LOS110"}

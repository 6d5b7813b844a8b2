"""Operations that torch's own callables compute only in one spelling, or in none."""

from __future__ import annotations

import warnings

import pytest
import torch

from loss_lint.harness import confirm
from loss_lint.harness.operators import apply


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("shape", [(4,), (4, 3), (2, 3, 4), (2, 3, 4, 5)])
def test_softmaxes_choose_their_dimension_as_torch_does(name: str, shape: tuple[int, ...]) -> None:
    x = torch.randn(shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = getattr(torch.nn.functional, name)(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(apply(name, [x], {}), expected)
        assert torch.equal(apply(name, [x], {"dim": None}), expected)


@pytest.mark.parametrize("rows", [range(3), torch.arange(3)])
def test_items_are_written_into_a_copy(rows: object) -> None:
    zeros, labels = torch.zeros(3, 4), torch.tensor([1, 3, 0])
    written = apply("setitem", [zeros, (rows, labels), 1], {})
    assert torch.equal(written, torch.nn.functional.one_hot(labels, 4).float())
    assert not zeros.any()


@pytest.mark.parametrize(
    ("module", "code"),
    [("nn.Softmax()", "LOS201"), ("nn.Softmax(dim=None)", "LOS201"), ("F.softmax", "LOS201")],
)
def test_findings_without_a_dim_are_measured(linted, module: str, code: str) -> None:
    finding = linted(f"def f(x, y):\n    return F.cross_entropy({module}(x), y)\n", code)
    assert confirm(finding).verdict == "value+gradient"

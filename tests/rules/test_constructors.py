"""Legacy booleans in a loss's constructor are LOS107's business, and no misuse of it."""

from __future__ import annotations

import pytest

from loss_lint.linter import lint
from loss_lint.syntax.sources import Memory


@pytest.mark.parametrize(
    "made",
    [
        "nn.MSELoss(False)",
        "nn.L1Loss(size_average=False)",
        "nn.CrossEntropyLoss(None, False)",
        "nn.NLLLoss(weight, size_average)",
        "nn.KLDivLoss(reduce=False)",
    ],
)
def test_legacy_booleans_are_no_misuse(made: str) -> None:
    text = f"from torch import nn\n\n\ndef loss(x, y, weight, size_average):\n    return {made}(x, y)\n"
    assert "LOS402" not in {finding.code for finding in lint("example.py", Memory({"example.py": text}))}


def test_tensors_are_misuse_at_the_same_place() -> None:
    text = "from torch import nn\n\n\ndef loss(x, y, weight, size_average):\n    return nn.MSELoss(x, y.float())\n"
    assert "LOS402" in {finding.code for finding in lint("example.py", Memory({"example.py": text}))}

"""Names that a fix exchanges are torch's, and are there afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Fixed = Callable[..., dict[str, str]]

NET = "from torch import nn\n\nnet = nn.Linear(3, 3)\n"
BCE = "\n\ndef step(x, y):\n    return {loss}(net(x), y)\n"
MASKED = "\n\ndef step(x, y):\n    loss = {loss}(net(x), y) * (y != 0).float()\n    loss.mean().backward()\n"
# What a project may call like torch's.
LOSSES = """
    import torch.nn.functional as F
    from torch import nn


    class BCELoss(nn.BCELoss):
        pass


    class CrossEntropyLoss(nn.CrossEntropyLoss):
        def __init__(self, reduction="mean", scale=1.0):
            super().__init__(reduction=reduction)


    def binary_cross_entropy(x, y):
        return F.binary_cross_entropy(x, y)
"""


@pytest.mark.parametrize(
    ("head", "loss", "after"),
    [
        ("from torch.nn import BCELoss\n", "BCELoss()", "from torch.nn import BCEWithLogitsLoss"),
        (
            "from torch.nn import BCELoss, Linear\nprint(Linear)\n",
            "BCELoss()",
            "from torch.nn import BCEWithLogitsLoss, Linear",
        ),
        (
            "from torch.nn import BCELoss\nprint(BCELoss)\n",
            "BCELoss()",
            "from torch.nn import BCELoss, BCEWithLogitsLoss",
        ),
        (
            "from torch.nn.functional import (\n    binary_cross_entropy,\n)\n",
            "binary_cross_entropy",
            "binary_cross_entropy_with_logits,",
        ),
        ("", "nn.BCELoss()", ""),
        ("import torch\n", "torch.nn.functional.binary_cross_entropy", ""),
    ],
)
def test_the_other_name_is_imported(fixed: Fixed, head: str, loss: str, after: str) -> None:
    lines = fixed("LOS207", program=head + NET + BCE.format(loss=loss))["program"].splitlines()
    names = {"BCELoss()": "BCEWithLogitsLoss()", "binary_cross_entropy": "binary_cross_entropy_with_logits"}
    base, _, name = loss.rpartition(".")
    call = f"return {base}{'.' if base else ''}{names[name]}(net(x), y)"
    assert [line for line in lines if line != call] == ([after] if after else [])
    assert call in lines


@pytest.mark.parametrize(
    ("head", "loss"),
    [
        pytest.param("from losses import BCELoss\n", "BCELoss()", id="imported"),
        pytest.param("from losses import *\n", "BCELoss()", id="by-a-star"),
        pytest.param("import losses\n", "losses.BCELoss()", id="a-modules"),
        pytest.param("import losses as nns\n", "nns.BCELoss()", id="a-modules-by-another-name"),
        pytest.param("from torch.nn import *\nclass BCELoss(nn.BCELoss): ...\n", "BCELoss()", id="defined-here"),
        pytest.param(
            "try:\n    from losses import BCELoss\nexcept ImportError:\n    from torch.nn import BCELoss\n",
            "BCELoss()",
            id="perhaps",
        ),
        pytest.param("from common import BCELoss\n", "BCELoss()", id="torchs-by-a-module-without-the-other"),
        pytest.param("import common\n", "common.BCELoss()", id="in-a-module-without-the-other"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_torchs_stays(fixed: Fixed, head: str, loss: str) -> None:
    """Or one beside which the other one is not found."""
    common = "from torch.nn import BCELoss\n"
    program = NET + head + BCE.format(loss=loss)
    assert fixed("LOS207", program=program, losses=LOSSES, common=common) == {}


@pytest.mark.parametrize(
    ("head", "loss"),
    [
        ("from common import nn\n", "nn.BCELoss()"),
        ("from common import BCELoss\n", "BCELoss()"),
        ("import common\n", "common.BCELoss()"),
        ("import common\n", "common.nn.BCELoss()"),
    ],
)
def test_torchs_by_way_of_a_module_that_has_both(fixed: Fixed, head: str, loss: str) -> None:
    common = "from torch import nn\nfrom torch.nn import BCELoss, BCEWithLogitsLoss\n"
    after = fixed("LOS207", program=NET + head + BCE.format(loss=loss), common=common)["program"]
    assert f"return {loss.replace('BCELoss', 'BCEWithLogitsLoss')}(net(x), y)" in after


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("from losses import CrossEntropyLoss\n", id="imported"),
        pytest.param(
            "class CrossEntropyLoss(nn.CrossEntropyLoss):\n    def __init__(self):\n        super().__init__()\n",
            id="defined-here",
        ),
    ],
)
def test_a_constructor_of_the_projects_own_gets_no_argument_of_torchs(fixed: Fixed, head: str) -> None:
    program = NET + head + MASKED.format(loss="CrossEntropyLoss()")
    assert fixed("LOS104", program=program, losses=LOSSES) == {}
    program = NET + "from torch.nn import CrossEntropyLoss\n" + MASKED.format(loss="CrossEntropyLoss()")
    assert 'CrossEntropyLoss(reduction="none")' in fixed("LOS104", program=program)["program"]


def test_a_function_knows_its_own_names(fixed: Fixed) -> None:
    """What is defined or imported inside one, whatever its module has by that name."""
    inside = "def step(x, y):\n    {head}\n    return {loss}(net(x), y)\n"
    own = NET + inside.format(
        head="from losses import binary_cross_entropy as bce, BCELoss", loss="BCELoss()"
    )
    assert fixed("LOS207", program="from torch.nn import BCELoss\n" + own, losses=LOSSES) == {}
    defined = NET + inside.format(head="class BCELoss(nn.BCELoss): ...", loss="BCELoss()")
    assert fixed("LOS207", program="from torch.nn import BCELoss\n" + defined) == {}
    torchs = NET + inside.format(head="import torch.nn as losses", loss="losses.BCELoss()")
    after = fixed("LOS207", program="import losses\n" + torchs, losses=LOSSES)["program"]
    assert "return losses.BCEWithLogitsLoss()(net(x), y)" in after

"""What only the text that is gone has used goes with it; what something else may use stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Fixed = Callable[..., dict[str, str]]

STEP = "def step(logits, y):\n    F.cross_entropy({softmax}, y).backward()\n"


def program(head: str, softmax: str, more: str = "") -> str:
    return f"{head}\n\n{STEP.format(softmax=softmax)}{more}"


@pytest.mark.parametrize(
    ("head", "softmax", "gone"),
    [
        ("import torch\nimport torch.nn.functional as F", "torch.softmax(logits, 1)", "-"),
        ("import torch.nn.functional as F\nfrom torch import softmax, tanh", "softmax(logits, 1)",
         "from torch import tanh"),
        ("import torch.nn.functional as F\nfrom torch import tanh, softmax", "softmax(logits, 1)",
         "from torch import tanh"),
        ("import torch.nn.functional as F\nfrom torch import (\n    softmax,  # here\n    tanh,\n)",
         "softmax(logits, 1)", ""),
    ],
)  # fmt: skip
def test_imports(fixed: Fixed, head: str, softmax: str, gone: str) -> None:
    found = fixed("LOS201", program=program(head, softmax))["program"].splitlines()
    assert "F.cross_entropy(logits, y).backward()" in found
    found.remove("F.cross_entropy(logits, y).backward()")
    assert found == gone.splitlines()


@pytest.mark.parametrize(
    ("more", "files"),
    [
        pytest.param("\nprint(torch)\n", {}, id="used"),
        pytest.param('\n__all__ = ["torch", "step"]\n', {}, id="exported"),
        pytest.param('\ndef f(x: "torch.Tensor"): ...\n', {}, id="annotation"),
        pytest.param("", {"user": "from program import torch\n"}, id="imported"),
        pytest.param("", {"user": "from program import *\n\nprint(torch)\n"}, id="star"),
        pytest.param("", {"user": "import program\n\nprint(program.torch)\n"}, id="module"),
    ],
)
def test_imports_that_stay(fixed: Fixed, more: str, files: dict[str, str]) -> None:
    head = "import torch\nimport torch.nn.functional as F"
    found = fixed("LOS201", program=program(head, "torch.softmax(logits, 1)", more), **files)
    assert found == {"program": "F.cross_entropy(logits, y).backward()"}


LOCAL = """
import torch
import torch.nn.functional as F

def step(logits, y, x):
    {made}
    loss = F.cross_entropy(logits, y) / {divisor}
    loss.backward()
    {more}
"""


@pytest.mark.parametrize(
    ("made", "more", "change"),
    [
        ("n = y.size(0)", "pass", "loss = F.cross_entropy(logits, y)\n-"),
        ("n = y.size(0)", "print(n)", "loss = F.cross_entropy(logits, y)"),
    ],
)
def test_names(fixed: Fixed, made: str, more: str, change: str) -> None:
    text = LOCAL.format(made=made, divisor="n", more=more)
    found = fixed("LOS101", program=text)["program"].splitlines()
    assert sorted(one for one in found if one) == sorted(change.splitlines())


ATTRIBUTE = """
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.softmax = nn.Softmax(dim=1)
        self.loss = nn.CrossEntropyLoss()

    def training_step(self, batch, _):
        return self.loss(self.softmax(self.fc(batch[0])), batch[1])
"""


def test_an_attribute(fixed: Fixed) -> None:
    assert "-" in fixed("LOS201", program=ATTRIBUTE)["program"].splitlines()


@pytest.mark.parametrize(
    "more",
    [
        "\n    def predict(self, x):\n        return self.softmax(self.fc(x))\n",
        "\ndef shown(net):\n    print(net.softmax)\n",
        '\ndef shown(net):\n    print(getattr(net, "softmax"))\n',
    ],
)
def test_an_attribute_that_stays(fixed: Fixed, more: str) -> None:
    found = fixed("LOS201", program=ATTRIBUTE + more)
    assert found == {"program": "return self.loss(self.fc(batch[0]), batch[1])"}

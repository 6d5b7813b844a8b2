"""Constructors and earlier statements are edited where the flagged expression alone uses what they make."""

from __future__ import annotations

import textwrap

import pytest

from loss_lint.findings import Finding
from loss_lint.linter import lint
from loss_lint.syntax.sources import Memory

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n"


def lines(program: str, **files: str) -> list[int]:
    """The lines of the program that the fix of its one finding edits."""
    sources = {f"/p/{name}.py": textwrap.dedent(text) for name, text in files.items()}
    text = HEAD + textwrap.dedent(program)
    found = lint("/p/program.py", Memory({"/p/program.py": text, **sources}), ("/p",))
    wanted: list[Finding] = [one for one in found if one.code in ("LOS104", "LOS105", "LOS108")]
    assert wanted
    fix = wanted[0].fix
    return [] if fix is None else [edit.place.line - 4 for edit in fix.edits]


ATTRIBUTE = """
class Distiller:
    def __init__(self, net):
        self.net = net
        self.kl = nn.KLDivLoss()

    def step(self, x, y):
        loss = self.kl(self.net(x).log_softmax(1), y.softmax(1))
        loss.backward()
"""


def test_an_attribute_that_one_call_uses() -> None:
    assert lines(ATTRIBUTE) == [5]


@pytest.mark.parametrize(
    "more",
    [
        "    def kept(self):\n        return self.kl\n",
        "class Other(Distiller):\n    def kept(self):\n        return self.kl\n",
        "def of(distiller):\n    return distiller.kl\n",
    ],
)
def test_an_attribute_that_something_else_uses(more: str) -> None:
    assert lines(ATTRIBUTE + "\n" + more) == []


def test_an_attribute_of_the_same_name_in_another_class() -> None:
    assert lines(ATTRIBUTE + "\nclass Other:\n    def kept(self):\n        return self.kl\n") == [5]


def test_an_attribute_that_a_base_class_of_another_file_may_use() -> None:
    base = "class Base:\n    def kept(self):\n        return self.kl\n"
    program = "from base import Base\n" + ATTRIBUTE.replace("class Distiller:", "class Distiller(Base):")
    assert lines(program, base=base) == []


@pytest.mark.parametrize(
    "user",
    [
        "from program import Distiller\n\nclass Own(Distiller):\n    def kept(self):\n        return self.kl\n",
        "from program import Distiller\n\ndef kept(net):\n    return Distiller(net).kl\n",
    ],
)
def test_an_attribute_that_an_importing_file_uses(user: str) -> None:
    assert lines(ATTRIBUTE, user=user) == []


def test_an_importing_file_with_an_attribute_of_its_own() -> None:
    user = "from program import HEAD\n\nclass Own:\n    def kept(self):\n        return self.kl\n"
    assert lines(ATTRIBUTE, user=user) == [5]


LOCAL = """
def masked(net, x, y, mask: torch.Tensor):
    criterion = nn.CrossEntropyLoss()
    loss = criterion(net(x), y)
    {more}
    loss = loss * (y > 0).float()
    return loss.sum()
"""


def test_a_local_criterion_and_an_earlier_statement() -> None:
    assert lines(LOCAL.format(more="pass")) == [3]


@pytest.mark.parametrize(
    "more",
    [
        "print(loss)",
        "total = loss.item()",
        "mean = loss.mean()",
        "other = criterion(net(x), y)",
        "net.criterion = criterion",
        "if net is None:\n        return loss",
    ],
)
def test_a_local_loss_that_something_else_uses(more: str) -> None:
    assert lines(LOCAL.format(more=more)) == []


def test_a_masked_loss_that_nothing_reduces_afterwards() -> None:
    assert lines(LOCAL.format(more="pass").replace("loss.sum()", "loss")) == []


FOCAL = """
def focal(x, y, gamma=2.0):
    ce = F.cross_entropy(x, y)
    pt = torch.exp(-ce)
    {more}
    return ((1 - pt) ** gamma * ce).mean()
"""


def test_steps_by_element_on_the_way_into_the_product() -> None:
    assert lines(FOCAL.format(more="pass")) == [3]


@pytest.mark.parametrize("more", ["print(pt)", "pt = pt if pt > 0.1 else 0.0"])
def test_steps_that_something_else_sees(more: str) -> None:
    assert lines(FOCAL.format(more=more)) == []


def test_legacy_booleans_make_way_for_the_reduction() -> None:
    text = HEAD + ATTRIBUTE.replace("KLDivLoss()", "KLDivLoss(size_average=True)")
    found = lint("/p/program.py", Memory({"/p/program.py": text}))
    fix = next(one.fix for one in found if one.code == "LOS105")
    assert fix is not None
    assert [edit.content for edit in fix.edits] == ['nn.KLDivLoss(reduction="batchmean")']

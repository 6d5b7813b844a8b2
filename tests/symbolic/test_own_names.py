"""A project's own losses and softmaxes, which its configuration says behave like torch's."""

from __future__ import annotations

import pytest

from loss_lint.conventions import Conventions
from loss_lint.findings import Finding
from loss_lint.linter import Linter
from loss_lint.runner import lint_files
from loss_lint.syntax.sources import Memory

OWN = Conventions(
    losses=(
        ("compiled.FastCE", "torch.nn.CrossEntropyLoss"),
        ("my.gone.ce", "torch.nn.functional.cross_entropy"),
        ("my.losses.CE", "torch.nn.CrossEntropyLoss"),
        ("my.losses.made", "torch.nn.functional.cross_entropy"),
        ("my.losses.Moved", "torch.nn.CrossEntropyLoss"),
        ("my.losses.ce", "torch.nn.functional.cross_entropy"),
        ("my.losses.factory", "torch.nn.CrossEntropyLoss"),
    ),
    softmaxes=(("my.losses.soft", "torch.nn.functional.softmax"), ("my.losses.Soft", "torch.nn.Softmax")),
    sample_counts=frozenset({"n_seqs"}),
    step_counts=frozenset({"rounds"}),
)
LOSSES = """
from torch import nn
from .parts import Moved
from .stars import *

class CE(nn.Module):
    def __init__(self, smoothing=0.1, reduction="mean"):
        super().__init__()

    def forward(self, pred, gold, mask=None):
        return magic(pred, gold)

def ce(pred, gold, eps=0.1, *, reduction="mean"):
    return magic(pred, gold)

def factory(smoothing=0.1):
    return magic(smoothing)

made = magic()

def soft(x, dim=-1):
    return magic(x)

class Soft(nn.Module):
    def __init__(self, axis):
        super().__init__()

    def forward(self, x):
        return magic(x)

def use(x, y):
    return CE()(x.softmax(1), y)

def reuse(x, y):
    return made(x.softmax(1), y)
"""
PARTS = "from torch import nn\nclass Moved(nn.Module):\n    def forward(self, x, y):\n        return magic(x, y)\n"
PROJECT = {
    "/p/README.md": "",
    "/p/my/__init__.py": "from .losses import CE as Exported\n",
    "/p/my/losses.py": LOSSES,
    "/p/my/parts.py": PARTS,
    "/p/my/stars.py": "",
}


def lint(text: str, own: Conventions = OWN, path: str = "main.py", **others: str) -> list[Finding]:
    project = PROJECT | {f"/p/{name}": other for name, other in others.items()} | {f"/p/{path}": text}
    return list(Linter(Memory(project), ["/p"], own).lint(f"/p/{path}"))


def codes(text: str, own: Conventions = OWN, path: str = "main.py", **others: str) -> list[str]:
    return [finding.code for finding in lint(text, own, path, **others)]


BAD = [
    pytest.param("from my.losses import CE\ndef f(x, y):\n    return CE()(x.softmax(1), y)\n", id="class"),
    pytest.param("from my.losses import ce\ndef f(x, y):\n    return ce(x.softmax(1), y)\n", id="function"),
    pytest.param("import my.losses\ndef f(x, y):\n    return my.losses.ce(x.softmax(1), y)\n", id="dotted"),
    pytest.param(
        "from my import losses as L\ndef f(x, y):\n    return L.CE()(x.softmax(1), y)\n", id="module"
    ),
    pytest.param(
        "from my.losses import CE as C\ndef f(x, y):\n    return C()(x.softmax(1), y)\n", id="alias"
    ),
    pytest.param("from my.losses import *\ndef f(x, y):\n    return ce(x.softmax(1), y)\n", id="star"),
    pytest.param(
        "from my import Exported\ndef f(x, y):\n    return Exported()(x.softmax(1), y)\n", id="exported"
    ),
    pytest.param(
        "from my.parts import Moved\ndef f(x, y):\n    return Moved()(x.softmax(1), y)\n", id="definition"
    ),
    pytest.param(
        "from my.losses import Moved\ndef f(x, y):\n    return Moved()(x.softmax(1), y)\n", id="moved"
    ),
    pytest.param("from my.losses import made\ndef f(x, y):\n    return made(x.softmax(1), y)\n", id="value"),
    pytest.param(
        "from my.losses import factory\ndef f(x, y):\n    return factory()(x.softmax(1), y)\n", id="factory"
    ),
    pytest.param(
        "from compiled import FastCE\ndef f(x, y):\n    return FastCE()(x.softmax(1), y)\n", id="foreign"
    ),
    pytest.param(
        "import compiled\ndef f(x, y):\n    return compiled.FastCE()(x.softmax(1), y)\n", id="foreign dot"
    ),
    pytest.param("from my.gone import ce\ndef f(x, y):\n    return ce(x.softmax(1), y)\n", id="no such file"),
    pytest.param(
        "from my.losses import CE\nclass T:\n    def __init__(self):\n        self.fit = CE()\n"
        "    def f(self, x, y):\n        return self.fit(x.softmax(1), y)\n",
        id="attribute",
    ),
    pytest.param(
        "from my.losses import CE\nclass Mine(CE):\n    pass\ndef f(x, y):\n    return Mine()(x.softmax(1), y)\n",
        id="subclass",
    ),
    pytest.param(
        "from functools import partial\nfrom my.losses import ce\ng = partial(ce, eps=0.2)\n"
        "def f(x, y):\n    return g(x.softmax(1), y)\n",
        id="partial",
    ),
    pytest.param(
        "from my.losses import ce\ndef f(x, y):\n    return ce(gold=y, pred=x.softmax(1))\n", id="keywords"
    ),
    pytest.param(
        "from my.losses import CE\ndef f(x, y, m):\n    return CE(0.2)(x.softmax(1), y, m)\n", id="more"
    ),
    pytest.param("from my.losses import ce, soft\ndef f(x, y):\n    return ce(soft(x), y)\n", id="softmax"),
    pytest.param(
        "from my.losses import ce, Soft\ndef f(x, y):\n    return ce(Soft(1)(x), y)\n", id="softmax class"
    ),
]


@pytest.mark.parametrize("text", BAD)
def test_is_met_as_torchs(text: str) -> None:
    assert codes(text) == ["LOS201"]
    assert codes(text, Conventions()) == []


def test_is_met_in_its_own_file() -> None:
    assert codes(LOSSES, path="my/losses.py") == ["LOS201", "LOS201"]


def test_a_relative_import_of_what_is_not_there() -> None:
    text = "from .gone import ce\ndef f(x, y):\n    return ce(x.softmax(1), y)\n"
    assert codes(text, path="my/main.py") == ["LOS201"]
    assert codes(text, path="main.py") == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("from my.losses import ce\ndef f(x, y):\n    return ce(x, y)\n", id="logits"),
        pytest.param(
            "from other.losses import CE\ndef f(x, y):\n    return CE()(x.softmax(1), y)\n", id="other"
        ),
        pytest.param("def CE(x, y):\n    ...\ndef f(x, y):\n    return CE(x.softmax(1), y)\n", id="namesake"),
        pytest.param("from my.losses import soft\ndef f(x):\n    return soft(x)\n", id="softmax without dim"),
        pytest.param("from my.losses import Soft\ndef f(x):\n    return Soft(1)(x)\n", id="axis"),
        pytest.param("from my.losses import CE\nc = CE(0.1, 'sum')\n", id="constructed"),
        pytest.param("from compiled import FastCE\nc = FastCE(0.1, True)\n", id="constructed elsewhere"),
        pytest.param("from my.losses import CE\nc = CE(reduction='own')\n", id="own reduction"),
        pytest.param("from my.losses import CE\nc = CE(size_average=False)\n", id="own legacy"),
    ],
)
def test_nothing_is_said_of_what_may_be_right(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("CE()(x, y)", True),
        ("CE(reduction='mean')(x, y)", True),
        ("CE(reduction='sum')(x, y)", False),
        ("CE(0.2, 'sum')(x, y)", False),
        ("CE(0.2)(x, y)", True),
        ("CE(0.2, own=1)(x, y)", True),
        ("CE()(x, y, y)", False),
        ("CE(reduction='own')(x, y)", False),
        ("ce(x, y)", True),
        ("ce(x, y, reduction='sum')", False),
        ("ce(x, y, 0.1)", True),
        ("FastCE()(x, y)", True),
        ("FastCE(**{'reduction': 'sum'})(x, y)", False),
        ("FastCE(smoothing=1)(x, y)", False),
    ],
)
def test_arguments_that_torchs_has_no_place_for_leave_the_rest_open(call: str, found: bool) -> None:
    text = "from my.losses import CE, ce\nfrom compiled import FastCE\n"
    text += f"def f(x, y, batch_size):\n    return {call} / batch_size\n"
    assert codes(text) == ["LOS101"] * found


def test_a_default_of_its_own_holds() -> None:
    losses = LOSSES.replace('reduction="mean"', 'reduction="sum"')
    text = "from my.losses import CE\ndef f(x, y, batch_size):\n    return CE()(x, y) / batch_size\n"
    assert codes(text, **{"my/losses.py": losses}) == []
    losses = LOSSES.replace('reduction="mean"', "reduction=DEFAULT")
    assert codes(text, **{"my/losses.py": losses}) == []


def test_an_inherited_constructor_is_not_known() -> None:
    losses = "class Base:\n    def __init__(self, average=False): ...\nclass CE(Base):\n    pass\n"
    text = "from my.losses import CE\ndef f(x, y, batch_size):\n    return CE()(x, y) / batch_size\n"
    assert codes(text, **{"my/losses.py": losses}) == []


def test_messages_speak_of_the_projects_names() -> None:
    text = "from my.losses import CE, soft\ndef f(x, y):\n    p = soft(x)\n    return CE()(p, y)\n"
    (found,) = lint(text)
    assert found.message.startswith("CE gets probabilities: soft at line 3 has been applied already")
    assert [step.message for step in found.trace] == ["soft makes probabilities"]


def test_a_file_that_names_nothing_else_counts() -> None:
    text = "from my.losses import CE\ndef make():\n    return CE()\n"
    train = "from make import make\ndef f(x, y):\n    return make()(x.softmax(1), y)\n"
    linter = Linter(Memory(PROJECT | {"/p/make.py": text, "/p/train.py": train}), ["/p"], OWN)
    assert linter.can_matter("/p/make.py")
    assert [finding.code for finding in linter.lint("/p/train.py")] == ["LOS201"]
    assert not Linter(Memory(PROJECT | {"/p/make.py": text}), ["/p"]).can_matter("/p/make.py")
    prose = "# CE\ndef make():\n    '''CE and more'''\n"
    assert not Linter(Memory(PROJECT | {"/p/make.py": prose}), ["/p"], OWN).can_matter("/p/make.py")


def test_words_that_count_samples_and_steps() -> None:
    text = "import torch.nn.functional as F\ndef f(x, y, {0}):\n    return F.cross_entropy(x, y) / {0}\n"
    assert codes(text.format("n_seqs")) == ["LOS101"]
    assert codes(text.format("N_SEQS")) == ["LOS101"]
    assert codes(text.format("n_seqs"), Conventions()) == []
    both = Conventions(sample_counts=OWN.sample_counts, step_counts=OWN.sample_counts)
    assert codes(text.format("n_seqs"), both) == []


def test_import_roots_are_looked_in() -> None:
    text = "from helper import CE\ndef f(x, y):\n    return CE()(x.softmax(1), y)\n"
    files = {"lib/python/helper.py": "import torch.nn as nn\n\ndef CE():\n    return nn.CrossEntropyLoss()\n"}
    assert codes(text, Conventions(import_roots=("/p/lib/python",)), **files) == ["LOS201"]
    assert codes(text, Conventions(), **files) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_project_of_a_run_has_its_own(jobs: int) -> None:
    text = "from losses import CE\ndef f(x, y):\n    return CE()(x.softmax(1), y)\n"
    files = {
        f"/{name}/{file}": content for name in "ab" for file, content in [("README.md", ""), ("m.py", text)]
    }
    own = Conventions(losses=(("losses.CE", "torch.nn.CrossEntropyLoss"),))
    run = lint_files(
        ["/a/m.py", "/b/m.py"],
        Memory(files),
        jobs=jobs,
        conventions=lambda path: own if path.startswith("/a") else Conventions(),
    )
    assert [(finding.code, finding.place.path) for finding in run.findings] == [("LOS201", "/a/m.py")]

"""A softmax in the model, or in an earlier statement, goes if every use of what it makes is known and wants that."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Fixed = Callable[..., dict[str, str]]

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n"
MODEL = (
    HEAD
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        {made}

    def forward(self, x):
        {body}
"""
)
TRAIN = """
from model import Net

def train(model, loader, criterion):
    for x, y in loader:
        out = model(x)
        loss = criterion(out, y)
        loss.backward()
        {more}

def main(loader):
    model = Net().to("cpu")
    train(model, loader, nn.CrossEntropyLoss())
    {after}
"""


def model(body: str, made: str = "self.size = 3") -> str:
    return MODEL.format(body=body, made=made)


def train(more: str = "pass", after: str = "pass") -> str:
    return HEAD + TRAIN.format(more=more, after=after)


@pytest.mark.parametrize(
    ("made", "body", "change"),
    [
        ("pass", "return F.softmax(self.fc(x), dim=1)", "-\nreturn self.fc(x)"),
        ("self.softmax = nn.Softmax(dim=1)", "return self.softmax(self.fc(x))", "-\nreturn self.fc(x)"),
        ("self.net = nn.Sequential(self.fc, nn.Softmax(dim=1))", "return self.net(x)",
         "self.net = nn.Sequential(self.fc)"),
        ("self.net = nn.Sequential(\n            self.fc,\n            nn.Softmax(dim=1),  # here\n        )",
         "return self.net(x)", "-"),
        ("self.net = nn.Sequential(\n            self.fc,  # kept\n            nn.Softmax(dim=1)\n        )",
         "return self.net(x)", "self.fc  # kept\n-"),
        ("layers = [self.fc]\n        layers.append(nn.Softmax(dim=1))\n        self.net = nn.Sequential(*layers)",
         "return self.net(x)", "-"),
    ],
)  # fmt: skip
def test_the_models_last_operation_in_another_file(fixed: Fixed, made: str, body: str, change: str) -> None:
    found = fixed("LOS201", model=model(body, made), train=train())
    found["model"] = "\n".join(line for line in found["model"].splitlines() if line)
    assert set(found) == {"model"}
    assert found["model"].replace("-\n", "", 1) == change.replace("-\n", "", 1)


@pytest.mark.parametrize(
    ("more", "after"),
    [
        pytest.param("hits = out.argmax(dim=1) == y", "pass", id="argmax"),
        pytest.param("_, best = torch.max(out.data, 1)", "pass", id="place-of-the-largest"),
        pytest.param("size = out.size(0)", "torch.save(model.state_dict(), 'x')", id="size-and-parameters"),
        pytest.param("best = out.detach().cpu().numpy().argmax(axis=1)", "model.eval()", id="through-numpy"),
        pytest.param("pass", "assert isinstance(model, Net)", id="its-class"),
        pytest.param("pass", "nn.DataParallel(model)(loader)", id="a-result-that-is-not-used"),
    ],
)
def test_uses_that_do_not_care(fixed: Fixed, more: str, after: str) -> None:
    body = "return F.softmax(self.fc(x), dim=1)"
    assert set(fixed("LOS201", model=model(body), train=train(more, after))) == {"model"}


@pytest.mark.parametrize(
    ("more", "after"),
    [
        pytest.param("print(out)", "pass", id="printed"),
        pytest.param("sure = out > 0.5", "pass", id="compared"),
        pytest.param("best, _ = out.max(1); print(best)", "pass", id="the-largest-itself"),
        pytest.param("first = out.argmax()", "pass", id="largest-of-all"),
        pytest.param("pass", "torch.save(model, 'x.pt')", id="saved"),
        pytest.param("pass", "torch.jit.script(model)", id="exported"),
        pytest.param("pass", "return model", id="returned"),
        pytest.param("pass", "model.register_forward_hook(print)", id="hooked"),
        pytest.param("pass", "F.nll_loss(model(x).log(), y)", id="another-loss"),
        pytest.param("outs.append(out)", "pass", id="collected"),
        pytest.param("loader.last = out", "pass", id="stored"),
        pytest.param("pass", "loader.nets = {'x': model}", id="in-a-dict"),
        pytest.param("pass", "unknown.fit_predict(model)", id="handed-to-what-is-not-known"),
    ],
)
def test_uses_that_want_probabilities_or_are_not_known(fixed: Fixed, more: str, after: str) -> None:
    body = "return F.softmax(self.fc(x), dim=1)"
    assert fixed("LOS201", model=model(body), train=train(more, after)) == {}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("from model import Net\n\ndef predict(x):\n    return Net()(x)\n", id="predicts"),
        pytest.param("import model\n\nregister(model.Net)\n", id="keeps-the-class"),
        pytest.param("import model\n\ndef net(name):\n    return getattr(model, name)()\n", id="by-its-name"),
        pytest.param("from model import *\n\nnet = Net()\nprint(net(1))\n", id="star"),
        pytest.param("from model import Net\n\nclass Own(Net):\n    def shown(self, x):\n        print(self(x))\n",
                     id="subclass"),
    ],
)  # fmt: skip
def test_another_file_that_uses_the_model(fixed: Fixed, other: str) -> None:
    body = "return F.softmax(self.fc(x), dim=1)"
    assert fixed("LOS201", model=model(body), train=train(), other=other) == {}


def test_another_file_with_a_class_of_that_name(fixed: Fixed) -> None:
    other = "class Net:\n    pass\n\nprint(Net())\n"
    body = "return F.softmax(self.fc(x), dim=1)"
    assert set(fixed("LOS201", model=model(body), train=train(), other=other)) == {"model"}


@pytest.mark.parametrize(
    ("body", "change"),
    [
        ("p = F.softmax(logits, 1)\nloss = F.cross_entropy(p, y)", "loss = F.cross_entropy(logits, y)\n-"),
        (
            "p = F.softmax(logits, 1)\nprint(p)\nloss = F.cross_entropy(p, y)",
            "loss = F.cross_entropy(logits, y)",
        ),
        (
            "p = F.softmax(net(x), 1)\nhits = p.argmax(1)\nloss = F.cross_entropy(p, y)",
            "p = net(x)",
        ),
        ("probs = F.softmax(net(x), 1)\nloss = F.cross_entropy(probs, y)", "loss = F.cross_entropy(net(x), y)\n-"),
        ("logits = F.softmax(logits, 1)  # why\nloss = F.cross_entropy(logits, y)", "-"),
        ("p = F.softmax(logits, 1)\nflat = p.view(-1, 3)\nloss = F.cross_entropy(flat, y)",
         "flat = logits.view(-1, 3)\n-"),
    ],
)  # fmt: skip
def test_an_earlier_statement(fixed: Fixed, body: str, change: str) -> None:
    program = "def step(net, logits, x, y):\n    " + body.replace("\n", "\n    ") + "\n    loss.backward()\n"
    found = fixed("LOS201", HEAD, program=program)
    assert sorted(found["program"].splitlines()) == sorted(change.splitlines())


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("p = F.softmax(net(x), 1)\nprint(p)\nloss = F.cross_entropy(p, y)", id="the-model-once"),
        pytest.param("p = F.softmax(logits, 1)\nprint(p)\nlogits = 0\nloss = F.cross_entropy(p, y)", id="rebound"),
        pytest.param("p = F.softmax(logits, 1)\nprint(p)\nlogits.mul_(2)\nloss = F.cross_entropy(p, y)", id="in-place"),
        pytest.param("if x:\n    logits = F.softmax(logits, 1)\nloss = F.cross_entropy(logits, y)", id="a-branch"),
    ],
)  # fmt: skip
def test_an_earlier_statement_that_stays(fixed: Fixed, body: str) -> None:
    program = "def step(net, logits, x, y):\n    " + body.replace("\n", "\n    ") + "\n    loss.backward()\n"
    assert fixed("LOS201", HEAD, program=program) == {}


def test_another_loss_for_all_calls_of_one(fixed: Fixed) -> None:
    program = """
    class Trainer:
        def __init__(self):
            self.net = nn.Linear(4, 3)
            self.loss = nn.NLLLoss(reduction="sum")

        def step(self, x, y):
            self.loss(self.net(x), y).backward()

        def check(self, x, y):
            return self.loss(self.net(x), y).item()
    """
    import textwrap

    text = textwrap.dedent(program)
    assert fixed("LOS204", HEAD, program=text) == {
        "program": 'self.loss = nn.CrossEntropyLoss(reduction="sum")'
    }
    right = text + "\n    def right(self, x, y):\n        return self.loss(self.net(x).log_softmax(1), y)\n"
    assert fixed("LOS204", HEAD, program=right) == {}


def test_a_helper_with_several_callers_keeps_its_loss(fixed: Fixed) -> None:
    program = """
def compute(p, y):
    return F.binary_cross_entropy(p, y)

def wrong(x, y):
    compute(nn.Linear(4, 1)(x), y).backward()
"""
    assert fixed("LOS207", HEAD, program=program)["program"].startswith("return F.binary_cross_entropy_with")
    right = program + "\ndef right(x, y):\n    compute(x.sigmoid(), y).backward()\n"
    assert fixed("LOS207", HEAD, program=right) == {}

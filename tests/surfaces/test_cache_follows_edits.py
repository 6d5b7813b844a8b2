"""Whatever is edited in a project, a run that remembers says what a run that does not says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loss_lint.cache import Cache
from loss_lint.findings import Finding
from loss_lint.linter import Linter
from loss_lint.runner import lint_files
from loss_lint.syntax.sources import Memory, Overlay

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n"

NET = (
    HEAD
    + """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(8, 3)
        self.out = {out}

    def forward(self, x):
        return {result}
"""
)
LOSSES = HEAD + "criterion = nn.CrossEntropyLoss({arguments})\n\n\ndef loss_of(z, y):\n    return {loss}\n"
TRAIN = (
    HEAD
    + """from {losses} import criterion, loss_of


def train(model, loader):
    for x, y in loader:
        loss = {call}
        loss.backward()
"""
)
MAIN = (
    "from {package}.net import Net\nfrom train import train\n\n\n"
    "def main(loader):\n    train({model}, loader)\n\n\nmain([])\n"
)
USER = "from losses import criterion\n\nprint(criterion.reduction)\n"
BROKEN = "def broken(:\n"

# The states that each file can be in; None where it is not there.
FILES: dict[str, list[str | None]] = {
    "models/__init__.py": ["", "from models.net import Net\n", None],
    "models/net.py": [
        NET.format(out="nn.Softmax(dim=1)", result="self.out(self.body(x))"),
        NET.format(out="nn.ReLU()", result="self.out(self.body(x))"),
        NET.format(out="nn.Identity()", result="F.log_softmax(self.body(x), dim=1)"),
        "from models.other import Net\n",
        BROKEN,
        None,
    ],
    "models/other.py": [NET.format(out="nn.Sigmoid()", result="self.out(self.body(x))"), None],
    "losses.py": [
        LOSSES.format(arguments="", loss="criterion(z, y)"),
        LOSSES.format(arguments="reduction='sum'", loss="criterion(z, y) / z.size(0)"),
        LOSSES.format(arguments="reduction='none'", loss="F.kl_div(z.log_softmax(1), y.softmax(1))"),
        LOSSES.format(arguments="", loss="criterion(z, y).mean()"),
        HEAD
        + "criterion = nn.KLDivLoss()\n\n\n"
        + "def loss_of(z, y):\n    return criterion(z.log_softmax(1), y.softmax(1))\n",
        None,
    ],
    "train.py": [
        TRAIN.format(losses="losses", call="loss_of(model(x), y)"),
        TRAIN.format(losses="losses", call="criterion(model(x), y) / x.size(0)"),
        TRAIN.format(losses="losses", call="criterion(F.softmax(model(x), dim=1), y)"),
        TRAIN.format(losses="elsewhere", call="criterion(model(x), y)"),
        BROKEN,
    ],
    "elsewhere.py": ["from losses import *\n", None, LOSSES.format(arguments="", loss="z.sum()")],
    "main.py": [
        MAIN.format(package="models", model="Net()"),
        MAIN.format(package="models", model="Net().eval()"),
        None,
    ],
    "user.py": [None, USER],
    "test_losses.py": [None, USER],
}

_states = st.fixed_dictionaries({path: st.sampled_from(range(len(texts))) for path, texts in FILES.items()})
_edits = st.lists(
    st.sampled_from([(path, state) for path, texts in FILES.items() for state in range(len(texts))]),
    min_size=1,
    max_size=3,
)


def found(files: dict[str, str], cached_in: Path | None) -> tuple[Finding, ...]:
    cache = None if cached_in is None else lambda linter: Cache(str(cached_in), linter)
    texts = {f"/project/{path}": text for path, text in files.items()}
    return lint_files(sorted(texts), Memory(texts), roots=("/project",), jobs=1, cache=cache).findings


@settings(max_examples=40, deadline=None)
@given(start=_states, edits=st.lists(_edits, min_size=1, max_size=6))
# Another file comes to import the loss: the fix at its constructor would change that file's numbers too.
@example(start=dict.fromkeys(FILES, 0) | {"losses.py": 4}, edits=[[("user.py", 1)], [("user.py", 0)]])
def test_a_warm_run_is_a_cold_run(
    tmp_path_factory: pytest.TempPathFactory, start: dict[str, int], edits: list[list[tuple[str, int]]]
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    states = dict(start)
    for changes in [[], *edits]:
        states.update(changes)
        texts = {path: FILES[path][state] for path, state in states.items()}
        files = {path: text for path, text in texts.items() if text is not None}
        assert found(files, folder) == found(files, None)


@settings(max_examples=40, deadline=None)
@given(start=_states, edits=st.lists(_edits, min_size=1, max_size=6), asked=st.data())
def test_a_linter_that_has_followed_changes_is_a_new_one(
    start: dict[str, int], edits: list[list[tuple[str, int]]], asked: st.DataObject
) -> None:
    texts: dict[str, bytes] = {}
    sources = Overlay(Memory({}), texts)
    linter = Linter(sources, ["/project"], keeps_reports=True)
    for changes in [[*start.items()], *edits]:
        for name, state in changes:
            path, text = f"/project/{name}", FILES[name][state]
            if text is None:
                texts.pop(path, None)
            else:
                texts[path] = text.encode()
            linter.changed(path)
        # While typing nothing is said of the project; whatever is found must not get in the way later.
        linter.lint(asked.draw(st.sampled_from(sorted(texts))))
        linter.search_again()
        for path in sorted(texts):
            assert linter.lint(path) == Linter(sources, ["/project"]).lint(path)

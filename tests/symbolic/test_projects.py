"""Values that cross files."""

from __future__ import annotations

from loss_lint.findings import Finding
from loss_lint.linter import Linter
from loss_lint.syntax.sources import Memory

NET = """
import torch.nn as nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(x).softmax(dim=1)
"""
TRAINER = """
import torch

def train(model, criterion, loader):
    for x, y in loader:
        loss = criterion(model(x), y)
        loss.backward()
"""
MAIN = """
import torch.nn as nn
from models.net import Net
from trainer import train

def main(loader):
    train(Net(), nn.CrossEntropyLoss(), loader)
"""


PROJECT = {"/p/README.md": "", "/p/models/net.py": NET, "/p/trainer.py": TRAINER, "/p/main.py": MAIN}


def lint(path: str, **changed: str) -> tuple[Finding, ...]:
    """The findings of one file of the project, with some of its files changed."""
    project = PROJECT | {f"/p/{name}": text for name, text in changed.items()}
    return Linter(Memory(project), ["/p"]).lint(path)


def test_model_loss_and_trainer_meet_in_another_file() -> None:
    (found,) = lint("/p/trainer.py")
    assert (found.code, found.place.path, found.place.line) == ("LOS201", "/p/trainer.py", 6)
    assert "net.py:10" in found.message
    assert [(step.place.path, step.place.line) for step in found.trace] == [
        ("/p/models/net.py", 10),
        ("/p/main.py", 7),
    ]


def test_the_file_that_brings_them_together_shows_it_too() -> None:
    found = lint("/p/main.py")
    assert [(finding.code, finding.place.path) for finding in found] == [("LOS201", "/p/trainer.py")]


def test_a_right_model_is_no_finding() -> None:
    right = NET.replace(".softmax(dim=1)", "")
    assert lint("/p/trainer.py", **{"models/net.py": right}) == ()


def test_names_are_handed_on_by_packages() -> None:
    main = MAIN.replace("from models.net import Net", "from models import Net")
    package = "from .net import Net\n"
    found = lint("/p/main.py", **{"models/__init__.py": package, "main.py": main})
    assert [finding.code for finding in found] == ["LOS201"]


def test_star_imports_in_a_circle_do_not_have_what_none_of_them_has() -> None:
    star = "import torch.nn as nn\nfrom models.{} import *\n"
    everything = {f"models/{name}.py": star.format(other) for name, other in ("ab", "bc", "ca")}
    net = NET.replace("import torch.nn as nn", "import torch.nn as nn\nfrom models.a import *")
    net = net.replace("(nn.Module)", "(nn.Module, Absent)")
    found = lint("/p/main.py", **{"models/net.py": net, **everything})
    assert [finding.code for finding in found] == ["LOS201"]


def test_star_imports_and_circles() -> None:
    main = MAIN.replace("from models.net import Net", "from models.net import *")
    circle = NET.replace("import torch.nn as nn", "import torch.nn as nn\nimport main")
    found = lint("/p/main.py", **{"models/net.py": circle, "main.py": main})
    assert [finding.code for finding in found] == ["LOS201"]


def test_files_that_star_import_one_another() -> None:
    main = MAIN.replace("from models.net import Net", "from models.net import *")
    circle = {
        "models/net.py": "from models.other import *\n" + NET,
        "models/other.py": "from models.net import *\n",
    }
    found = lint("/p/main.py", **circle, **{"main.py": main})
    assert [finding.code for finding in found] == ["LOS201"]
    assert lint("/p/main.py", **circle, **{"main.py": main.replace("Net()", "Absent()")}) == ()


def test_a_trainer_that_is_handed_to_a_library_with_its_arguments_bound() -> None:
    main = """
from functools import partial
import torch.nn as nn
from ray import tune
from models.net import Net
from trainer import train

def main(loader):
    tune.run(partial(train, Net(), criterion=nn.CrossEntropyLoss()), config={"lr": 0.1})
"""
    (found,) = lint("/p/trainer.py", **{"main.py": main})
    assert (found.code, found.place.path, found.place.line) == ("LOS201", "/p/trainer.py", 6)
    assert lint("/p/trainer.py", **{"main.py": main.replace("Net()", "Absent()")}) == ()


# Calls that lead to a loss only through what an object holds: no name here says so.
ROUNDS = """
class Rounds:
    def __init__(self, worker, rounds):
        self.worker = worker
        self.rounds = rounds

    def go(self):
        for _ in range(self.rounds):
            self.step()

    def step(self):
        raise NotImplementedError

class Plain(Rounds):
    def step(self):
        self.worker.go()
"""
WORKER = """
class Worker:
    def __init__(self, model, criterion, loader):
        self.model, self.criterion, self.loader = model, criterion, loader

    def go(self):
        for x, y in self.loader:
            self.criterion(self.model(x), y).backward()
"""
DRIVER = """
import torch.nn as nn
from models.net import Net
from rounds import Plain
from worker import Worker

def main(loader):
    Plain(Worker(Net(), nn.CrossEntropyLoss(), loader), 3).go()
"""


def test_an_object_leads_where_what_it_holds_does() -> None:
    files = {"rounds.py": ROUNDS, "worker.py": WORKER, "main.py": DRIVER}
    assert [(one.code, one.place.path) for one in lint("/p/main.py", **files)] == [("LOS201", "/p/worker.py")]
    files["main.py"] = DRIVER.replace("Plain(", "Absent(")
    assert lint("/p/main.py", **files) == ()

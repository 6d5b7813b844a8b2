"""A project of several files, asked for in every way: what is found in a file does not depend on it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import loss_lint
from loss_lint.cache import Cache
from loss_lint.discover import discover
from loss_lint.findings import Finding
from loss_lint.linter import Linter
from loss_lint.runner import lint_files
from loss_lint.syntax.project import MAX_UNMARKED_FILES
from loss_lint.syntax.sources import Folder, Memory

FILES = {
    "README.md": "",
    "models/__init__.py": "from .net import Net\nfrom .head import Head\n",
    "models/net.py": """
import torch.nn as nn
from models.head import Head

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = Head()

    def forward(self, x):
        return self.head(x).log()
""",
    # Neither this file nor what it imports speaks of a loss.
    "models/head.py": """
import torch.nn as nn

class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 3)

    def forward(self, x):
        return self.linear(x).softmax(dim=1)
""",
    # Nor does this one name torch.
    "data.py": """
def label_map(names):
    return {name: index for index, name in enumerate(set(names))}
""",
    "trainer.py": """
import torch

def train(model, criterion, loader, classes):
    for x, labels in loader:
        y = torch.tensor([classes[label] for label in labels])
        loss = criterion(model(x), y)
        loss.backward()
""",
    "main.py": """
import torch.nn as nn
from data import label_map
from models import Net
from trainer import train

def main(loader, names):
    train(Net(), nn.NLLLoss(), loader, label_map(names))
""",
    "tests/test_trainer.py": """
import torch.nn as nn
import torch.nn.functional as F
from trainer import train

class Probabilities(nn.Module):
    def forward(self, x):
        return F.softmax(x, dim=1)

def test_it_runs(loader):
    train(Probabilities(), nn.CrossEntropyLoss(), loader, {})
""",
}
FOUND = {
    ("LOS601", "data.py", 3),
    ("LOS205", "models/net.py", 11),
}


@pytest.fixture
def written(project: Path) -> Path:
    write(project, FILES)
    return project


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def places(lines: str) -> set[tuple[str, str, int]]:
    found = set()
    for line in lines.splitlines():
        place, _, rest = line.partition(": ")
        path, row, _ = place.removeprefix("./").split(":")
        found.add((rest.split()[0], path, int(row)))
    return found


def in_file(found: set[tuple[str, str, int]], name: str) -> set[tuple[str, str, int]]:
    return {one for one in found if one[1] == name}


PYTHON = [name for name in FILES if name.endswith(".py")]


class TestSurfaces:
    def test_check_says_of_a_file_what_it_says_of_it_in_its_folder(
        self, written: Path, run: Callable[..., Any]
    ) -> None:
        def check(*paths: str) -> set[tuple[str, str, int]]:
            return places(run("check", "-q", "--output-format", "concise", *paths).stdout.decode())

        assert check(".") == FOUND
        for name in PYTHON:
            assert in_file(check(name), name) == in_file(FOUND, name)
        assert check("models") == in_file(FOUND, "models/net.py")
        assert check("tests") == set()
        # A file that brings parts together shows what comes of it.
        assert check("main.py") == FOUND

    def test_so_does_flake8(self, written: Path) -> None:
        def flake8(*paths: str) -> set[tuple[str, str, int]]:
            command = [sys.executable, "-m", "flake8", "--select", "LOS", *paths]
            done = subprocess.run(command, capture_output=True, cwd=written, text=True, check=False)
            assert done.stderr == ""
            return places(done.stdout)

        assert flake8(".") == FOUND
        assert flake8("--jobs", "1", ".") == FOUND
        for name in ("data.py", "models/net.py", "models/head.py", "trainer.py", "main.py"):
            assert flake8(name) == in_file(FOUND, name)

    def test_so_does_the_library(self, written: Path) -> None:
        def seen(findings: tuple[Finding, ...]) -> set[tuple[str, str, int]]:
            base = f"{written}/"
            return {(one.code, one.place.path.removeprefix(base), one.place.line) for one in findings}

        assert seen(loss_lint.lint_paths([written])) == FOUND
        for name in PYTHON:
            path = written / name
            assert in_file(seen(loss_lint.lint_paths([path])), name) == in_file(FOUND, name)
            text = path.read_text()
            assert in_file(seen(loss_lint.lint_source(text, str(path))), name) == in_file(FOUND, name)

    def test_a_folder_of_tests_above_the_project_is_none_of_its_own(self) -> None:
        files = {f"/tests/project/{name}": text for name, text in FILES.items()}
        found = Linter(Memory(files)).lint("/tests/project/trainer.py")
        assert found == ()


def generated(seed: int) -> dict[str, str]:
    """A project of which each file changes or hands on something that others see."""
    choose = random.Random(seed)
    tails = ["", ".softmax(dim=1)", ".log_softmax(dim=1)", ".softmax(dim=1).log()"]
    losses = [
        "nn.CrossEntropyLoss()",
        "nn.NLLLoss()",
        "nn.CrossEntropyLoss(reduction='sum')",
        "losses.CRITERION",
    ]
    files = {
        "README.md": "",
        "registry.py": """
NETS = {}

def register(name):
    def wrap(cls):
        NETS[name] = cls
        return cls
    return wrap

def build(name):
    return NETS[name]()
""",
        "settings.py": "class Settings:\n    tail = 0\n    average = True\n\nS = Settings()\nNAMES = ['b', 'a']\n",
        "losses.py": """
import torch.nn as nn
import torch.nn.functional as F
import settings

CRITERION = nn.CrossEntropyLoss()

def use(criterion):
    global CRITERION
    CRITERION = criterion

def compute(out, y):
    loss = F.cross_entropy(out, y, reduction='mean' if settings.S.average else 'sum')
    return loss / len(y)

class Wrapped(nn.Module):
    inner = CRITERION

    def forward(self, out, y):
        return self.inner(out, y)
""",
        "shared.py": """
import torch.nn as nn
from nets.net0 import Net0

def head(model):
    return nn.Sequential(model, outer())

def outer():
    return nn.Softmax(dim=1)

MODEL = head(Net0())
""",
        "nets/__init__.py": "".join(f"from .net{number} import Net{number}\n" for number in range(3)),
    }
    for number in range(3):
        files[f"nets/net{number}.py"] = f"""
import torch.nn as nn
from registry import register
{choose.choice(["", "import shared", "import trains.train0", "from nets import Net0 as Other"])}

@register("net{number}")
class Net{number}(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(x){choose.choice(tails)}
"""
    for number in range(5):
        model = choose.choice(
            ["nets.Net0()", "nets.Net1()", "build('net2')", "shared.MODEL", "build('net1')", "nets.Net2()"]
        )
        setting = choose.choice(
            [
                "",
                "settings.S.average = False",
                "settings.Settings.tail = 1",
                "nets.Net0.forward = lambda self, x: x",
                "import config\nconfig.average = settings.S.average",
                "losses.use(nn.NLLLoss())",
                "settings.NAMES.append('c')",
            ]
        )
        inside = choose.choice(["pass", "losses.use(nn.NLLLoss())", "settings.S.average = False"])
        compute = choose.choice(["criterion(out, y)", "losses.compute(out, y)", "losses.Wrapped()(out, y)"])
        files[f"trains/train{number}.py"] = f"""
import torch.nn as nn
import losses, nets, settings, shared
from registry import build
{setting}
MAP = {{name: index for index, name in enumerate({choose.choice(["set", "sorted"])}(settings.NAMES))}}

def run(model, criterion, loader):
    for x, y in loader:
        out = model(x)
        loss = {compute}
        loss.backward()

def main(loader):
    {inside}
    run({model}, {choose.choice(losses)}, loader)
    {choose.choice(["pass", "run(shared.MODEL, losses.CRITERION, loader)"])}
"""
    return files


def below(files: dict[str, str]) -> tuple[list[str], Memory]:
    project = {f"/p/{name}": text for name, text in files.items()}
    return [name for name in project if name.endswith(".py")], Memory(project)


class TestIndependence:
    """What is found follows from the files alone, not from what was linted before, beside, or by whom."""

    @pytest.mark.parametrize("seed", range(12))
    def test_of_order_and_of_what_is_shared(self, seed: int) -> None:
        paths, sources = below(generated(seed))
        whole = lint_files(paths, sources, jobs=1)
        orders = [paths[::-1], random.Random(seed).sample(paths, len(paths))]
        for order in orders:
            assert lint_files(order, sources, jobs=1) == whole
        shared, keeping = Linter(sources), Linter(sources, keeps_reports=True)
        for path in orders[1]:
            expected = tuple(one for one in whole.findings if one.place.path == path)
            for linter in (Linter(sources), shared, keeping):
                found = linter.lint(path)
                assert tuple(one for one in found if one.place.path == path) == expected
            assert shared.examine(path).limits == Linter(sources).examine(path).limits

    @pytest.mark.parametrize("seed", range(4))
    def test_of_what_was_dropped_to_save_memory(self, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        paths, sources = below(generated(seed))
        expected = [Linter(sources).examine(path) for path in paths]
        monkeypatch.setattr("loss_lint.linter.MAX_LOADED_BYTES", 600)
        shared = Linter(sources)
        assert [shared.examine(path) for path in paths] == expected
        assert shared.dropped_bytes > 0

    @pytest.mark.parametrize(
        "change",
        [
            "Net.applies = True",
            "net.APPLIES = True",
            "import elsewhere\nelsewhere.applies = True",
            "net.SETTINGS['applies'] = True",
            "net.HOLDER.applies = True",
            "setattr(Net, 'applies', True)",
            "def change():\n    Net.applies = True\nchange()",
            "class Change:\n    net.HOLDER.applies = True\nChange.__doc__",
        ],
    )
    @pytest.mark.parametrize(
        "condition",
        ["self.applies", "APPLIES", "SETTINGS['applies']", "HOLDER.applies", "elsewhere.applies"],
    )
    def test_of_what_another_script_has_set(self, change: str, condition: str) -> None:
        net = f"""
import elsewhere
import torch.nn as nn
APPLIES = False
SETTINGS = {{"applies": False}}

class Holder:
    applies = False

HOLDER = Holder()

class Net(nn.Module):
    applies = False

    def forward(self, x):
        return x.softmax(dim=1) if {condition} is True else x
"""
        script = """
import net
from net import Net
import torch.nn.functional as F

def main(x, y):
    F.cross_entropy(Net()(x), y).backward()
"""
        files = {"/p/README.md": "", "/p/net.py": net, "/p/b.py": script, "/p/a.py": f"{script}\n{change}\n"}
        shared = Linter(Memory(files))
        for path in ("/p/b.py", "/p/a.py", "/p/b.py", "/p/net.py", "/p/a.py"):
            assert shared.examine(path) == Linter(Memory(files)).examine(path)

    def test_of_the_number_of_jobs(self) -> None:
        paths, sources = below(generated(3))
        whole = lint_files(paths, sources, jobs=1)
        assert whole.findings
        assert lint_files(paths, sources, jobs=3) == whole

    def test_of_hash_seeds(self, project: Path) -> None:
        write(project, generated(5))
        command = [sys.executable, "-m", "loss_lint", "check", "--no-cache", "--output-format", "json", "."]
        outputs = {
            subprocess.run(
                command,
                capture_output=True,
                cwd=project,
                check=False,
                env={**os.environ, "PYTHONHASHSEED": seed},
            ).stdout
            for seed in ("0", "1", "2")
        }
        assert len(outputs) == 1
        assert b"LOS" in outputs.pop()


class TestCache:
    """A run with the cache of earlier runs finds what one without finds, whatever has changed between them."""

    @pytest.mark.parametrize("seed", range(3))
    def test_edits_at_random(self, project: Path, seed: int) -> None:
        choose = random.Random(seed)
        versions = [generated(100 * seed + number) for number in range(4)]
        write(project, versions[0])
        names = [name for name in versions[0] if name.endswith(".py")]
        differing = 0
        for _ in range(12):
            before = self.run(project, cached=True)
            name = choose.choice(names)
            path = project / name
            if path.exists() and choose.random() < 0.3:
                path.unlink()
            else:
                path.write_text(choose.choice(versions)[name])
            now = self.run(project, cached=True)
            assert now == self.run(project, cached=False)
            differing += now != before
        assert differing > 2

    def test_callers_that_come_and_go(self, written: Path) -> None:
        main = (written / "main.py").read_text()
        for _ in range(2):
            (written / "main.py").unlink()
            assert self.run(written, cached=True) == ()
            (written / "main.py").write_text(main)
            assert len(self.run(written, cached=True)) == len(FOUND)

    @pytest.mark.parametrize("change", ["models/head.py", "models/__init__.py", "trainer.py"])
    def test_what_is_imported_directly_and_through_others(self, written: Path, change: str) -> None:
        before = self.run(written, cached=True)
        text = (written / change).read_text()
        (written / change).write_text("")
        assert self.run(written, cached=True) == self.run(written, cached=False) != before
        (written / change).write_text(text)
        assert self.run(written, cached=True) == before

    def test_files_in_which_an_import_is_found_first(self, written: Path) -> None:
        """A module beside the importer comes before one further up."""
        (written / "scripts").mkdir()
        (written / "main.py").rename(written / "scripts" / "main.py")
        before = self.run(written, cached=True)
        assert len(before) == len(FOUND)
        (written / "scripts" / "trainer.py").write_text("def train(*arguments): pass\n")
        assert self.run(written, cached=True) == self.run(written, cached=False) == ()
        (written / "scripts" / "trainer.py").unlink()
        assert self.run(written, cached=True) == before

    @staticmethod
    def run(folder: Path, *, cached: bool) -> tuple[Finding, ...]:
        def cache(linter: Linter) -> Cache:
            return Cache(str(folder), linter)

        paths = discover([str(folder)]).files
        return lint_files(
            paths, Folder(), roots=[str(folder)], jobs=1, cache=cache if cached else None
        ).findings


def test_a_loose_file_in_a_folder_of_everything_is_not_judged_by_all_of_it(tmp_path: Path) -> None:
    """Without a sign that a project begins, only so many files around it are read."""
    (tmp_path / "a.py").write_text(FILES["trainer.py"])
    for number in range(40):
        folder = tmp_path / f"folder{number}"
        folder.mkdir()
        for other in range(100):
            (folder / f"file{other}.py").write_text("import torch\nimport a\n")

    class Counting(Folder):
        read_files = 0

        def read(self, path: str) -> bytes:
            self.read_files += 1
            return super().read(path)

    sources = Counting()
    assert Linter(sources).lint(str(tmp_path / "a.py")) == ()
    assert sources.read_files <= MAX_UNMARKED_FILES + 2

"""Linting from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import loss_lint

BAD = """import torch.nn.functional as F


def loss(x, y):
    return F.cross_entropy(F.softmax(x, dim=1), y)
"""


def test_a_text() -> None:
    (finding,) = loss_lint.lint_source(BAD, path="train.py")
    assert (finding.code, finding.place.path, finding.place.line) == ("LOS201", "train.py", 5)
    assert isinstance(finding, loss_lint.Finding)
    assert loss_lint.lint_source(BAD.encode()) != ()


def test_its_comments_count() -> None:
    assert loss_lint.lint_source(BAD.replace(", y)\n", ", y)  # noqa\n")) == ()


def test_rules_are_selected_as_on_the_command_line() -> None:
    assert loss_lint.lint_source(BAD, select=["LOS1"]) == ()
    assert loss_lint.lint_source(BAD, ignore=["softmax-into-cross-entropy"]) == ()
    with pytest.raises(ValueError, match="unknown rule selector `LOS9`"):
        loss_lint.lint_source(BAD, select=["LOS9"])


def test_what_cannot_be_parsed_is_a_finding() -> None:
    (finding,) = loss_lint.lint_source("import torch\ndef f(:\n")
    assert finding.code == "LOS000"


def test_files_and_folders(project: Path) -> None:
    (project / "a.py").write_text(BAD)
    (project / "sub").mkdir()
    (project / "sub" / "b.py").write_text(BAD)
    findings = loss_lint.lint_paths([project / "sub", "a.py"])
    assert [finding.place.path for finding in findings] == [
        str(project / "a.py"),
        str(project / "sub" / "b.py"),
    ]
    with pytest.raises(FileNotFoundError, match=r"gone\.py"):
        loss_lint.lint_paths(["gone.py"])


TRAIN = """from torch import nn
from lib.net import Net

criterion = nn.CrossEntropyLoss()


def loss(x, y):
    return criterion(Net()(x), y)
"""
NET = """from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        return self.layer(x).softmax(dim=1)
"""


@pytest.mark.parametrize("top", ["", "repository/", "/abs/", "./"])
def test_a_project_in_memory(top: str, project: Path) -> None:
    files = {f"{top}train.py": TRAIN, f"{top}lib/net.py": NET.encode(), f"{top}notes.txt": "import torch ("}
    (finding,) = loss_lint.lint_project(files)
    assert (finding.code, finding.place.path, finding.place.line) == ("LOS201", f"{top}train.py", 8)
    assert f"{top}lib/net.py" in {step.place.path for step in finding.trace}
    assert loss_lint.lint_project(files, ignore=["LOS201"]) == ()
    assert loss_lint.lint_project({f"{top}train.py": TRAIN}) == ()


def test_a_project_in_memory_is_what_it_is_on_disk(project: Path) -> None:
    files = {
        "train.py": TRAIN,
        "lib/net.py": NET,
        "lib/__init__.py": "",
        "lib/bad.py": "import torch\n(",
        "b.py": BAD,
    }
    for path, text in files.items():
        (project / path).parent.mkdir(exist_ok=True)
        (project / path).write_text(text)
    on_disk = [
        (finding.code, str(Path(finding.place.path).relative_to(project)), finding.place.line)
        for finding in loss_lint.lint_paths([project])
    ]
    in_memory = loss_lint.lint_project(files)
    assert [(finding.code, finding.place.path, finding.place.line) for finding in in_memory] == on_disk
    assert [code for code, _, _ in on_disk] == ["LOS201", "LOS000", "LOS201"]


def test_a_projects_files_are_heard_of_as_they_begin() -> None:
    heard: list[str] = []
    assert loss_lint.lint_project({"b.py": BAD, "a.py": "import os\n"}, begins=heard.append) != ()
    assert set(heard) == {"a.py", "b.py"}
    assert heard[-1] == "b.py"


def test_findings_keep_their_witness() -> None:
    (finding,) = loss_lint.lint_source(BAD)
    assert finding.witness is not None


def test_there_is_nothing_else() -> None:
    assert set(loss_lint.__all__) <= set(dir(loss_lint))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = loss_lint.nonsense

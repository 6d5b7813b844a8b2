"""What `check` may never do: execute or import the linted code, write outside its cache and fixes, send anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

TRAIN = """\
import torch
import torch.nn.functional as F

from settings import RATE
import textwrap, helpers

open({marker!r}, "w").close()


def train(model, x, y):
    loss = F.cross_entropy(F.softmax(model(x), dim=1), y) * RATE
    loss.backward()


train(helpers.model, torch.rand(3, 3), torch.zeros(3).long())
"""
# Modules that stand before Python's own where the working folder is searched first.
TRAPS = (
    "textwrap",
    "libcst",
    "pathspec",
    "torch",
    "sitecustomize",
    "usercustomize",
    "conftest",
    "setup",
    "json",
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    trap = f"open({str(tmp_path / 'executed')!r}, 'w').close()\n"
    for name in (*TRAPS, "settings", "helpers", "__init__", "__main__"):
        (folder / f"{name}.py").write_text(
            trap + "import torch\nRATE = 2\nmodel = torch.nn.CrossEntropyLoss()\n"
        )
    (folder / "train.py").write_text(TRAIN.format(marker=str(tmp_path / "executed")))
    return folder


def watched(project: Path, *arguments: str, writable: Path | None = None) -> tuple[int, list[list[str]]]:
    """The exit status of `loss-lint` in the project, and what it did that it must not do."""
    record = project.parent / "record.jsonl"
    nowhere = project.parent / "nowhere"
    command = [sys.executable, "-P", str(HERE / "watchdog.py"), str(record), str(project)]
    done = subprocess.run(
        [*command, str(writable or nowhere), *arguments],
        cwd=project,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert not (project.parent / "executed").exists()
    return done.returncode, [json.loads(line) for line in record.read_text().splitlines()]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("check", "--no-cache"), id="check"),
        pytest.param(("check", "--no-cache", "--output-format", "json"), id="json"),
        pytest.param(("check", "--no-cache", "--jobs", "2"), id="processes"),
        pytest.param(("show", "train.py"), id="show"),
    ],
)
def test_nothing_is_executed_written_or_sent(project: Path, arguments: tuple[str, ...]) -> None:
    status, wrong = watched(project, *arguments)
    assert status == (1 if arguments[0] == "check" else 0)
    assert wrong == []


def test_the_cache_is_all_that_is_written(project: Path) -> None:
    for _ in range(2):
        status, wrong = watched(project, "check", writable=project / ".loss_lint_cache")
        assert (status, wrong) == (1, [])
    assert (project / ".loss_lint_cache").is_dir()


def test_the_watchdog_sees_what_it_is_there_for(project: Path) -> None:
    status, wrong = watched(project, "check")
    assert status == 1
    assert any(".loss_lint_cache" in "".join(one) for one in wrong)


def test_measuring_executes_none_of_the_project(project: Path) -> None:
    (project / "torch.py").unlink()  # where a script stands, Python itself would take this for torch
    _, wrong = watched(project, "check", "--confirm", "--no-cache")
    own = [one for one in wrong if str(project) in "".join(one)]
    assert own == []


def test_python_m_does_not_import_from_the_working_folder(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "loss_lint", "check", "--no-cache", "--output-format", "concise"],
        cwd=project,
        env={name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not (project.parent / "executed").exists()
    assert (done.returncode, done.stderr) == (1, "")
    assert "LOS201" in done.stdout

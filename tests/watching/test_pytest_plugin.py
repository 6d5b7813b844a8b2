"""`pytest --loss-watch`, in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
import pytest
import torch
import torch.nn.functional as F


def loss(logits, y):
    return F.cross_entropy(logits.softmax(1), y)


@pytest.fixture
def trained():
    F.mse_loss(torch.randn(8, 1, requires_grad=True), torch.randn(8)).backward()


@pytest.mark.parametrize("size", [8, 16])
def test_wrong(size):
    loss(torch.randn(size, 5, requires_grad=True), torch.randint(0, 5, (size,))).backward()


def test_right():
    F.cross_entropy(torch.randn(8, 5, requires_grad=True), torch.randint(0, 5, (8,))).backward()


def test_with_fixture(trained):
    pass


def test_raising():
    with pytest.raises(IndexError):
        F.cross_entropy(torch.randn(8, 5), torch.full((8,), 5))
"""


def run(folder: Path, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "test_losses.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\n")
    if before:
        (folder / "sitecustomize.py").write_text(before)
    environment = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]),
    }
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "loss_lint.pytest_plugin",
            "-p",
            "no:cacheprovider",
            *arguments,
        ],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_found_is_told_once_at_the_end(tmp_path: Path) -> None:
    done = run(tmp_path, "--loss-watch")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
    summary = done.stdout[done.stdout.index("= loss-lint =") :]
    assert summary.count("LOS201") == 1
    assert "  in test_losses.py::test_wrong[8] and 1 more\n" in summary
    assert "test_losses.py:13:5: LOS305 mse_loss broadcasts its input of shape (8, 1)" in summary
    assert "LOSW01 cross_entropy gets the class index 5" not in summary  # the test expects it
    assert "Found 2 errors.\n" in summary


def test_a_finding_fails_its_test_if_asked_to(tmp_path: Path) -> None:
    done = run(tmp_path, "--loss-watch-fail", "-k", "wrong or right")
    assert done.returncode == 1
    assert "2 failed, 1 passed" in done.stdout
    assert "loss-lint found:" in done.stdout


def test_several_processes_tell_together(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    done = run(tmp_path, "-p", "xdist", "-n", "2", "--loss-watch", "-k", "wrong or right")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "LOS201" in done.stdout[done.stdout.index("= loss-lint =") :]


def test_nothing_is_told_unless_asked(tmp_path: Path) -> None:
    done = run(tmp_path, "-k", "wrong")
    assert done.returncode == 0
    assert "loss-lint" not in done.stdout.partition("\n\n")[2]
    assert "LOS201" not in done.stdout


def test_the_configuration_file_can_ask(tmp_path: Path) -> None:
    done = run(tmp_path, "-k", "wrong", "-o", "loss_watch=true")
    assert "LOS201" in done.stdout


def test_without_torch_it_says_so(tmp_path: Path) -> None:
    done = run(tmp_path, "--loss-watch", before="import sys; sys.modules['torch'] = None\n")
    assert done.returncode == 4
    assert "torch is not installed" in done.stderr


def test_loading_it_imports_nothing_heavy() -> None:
    code = (
        "import pytest, sys; before = set(sys.modules); import loss_lint.pytest_plugin\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"loss_lint", "loss_lint.pytest_plugin"}


def test_pytest_finds_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"loss-lint": "loss_lint.pytest_plugin"}

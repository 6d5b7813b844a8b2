"""What starts must start fast: heavy imports are paid for by those who need them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "libcst",
    "torch",
    "numpy",
    "pathspec",
    "multiprocessing",
    "asyncio",
    "loss_lint.rules.engine",
    "loss_lint.symbolic",
)

# Runs a command and prints which of the heavy modules it has imported.
PROBE = f"""
import sys
from loss_lint.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
TORCH = (
    "import torch.nn.functional as F\n\n\ndef loss(x, y):\n    return F.cross_entropy(F.softmax(x, 1), y)\n"
)


def imported(folder: Path, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], capture_output=True, check=True, cwd=folder, text=True
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--version"], id="version"),
        pytest.param(["check", "--help"], id="help"),
        pytest.param(["check", "."], id="a run over files without torch"),
        pytest.param(
            ["check", "--output-format", "json", "--statistics", "."], id="the same with statistics"
        ),
    ],
)
def test_without_torch_nothing_heavy_is_imported(project: Path, arguments: list[str]) -> None:
    (project / "a.py").write_text("import os\nloss = cross_entropy(softmax(x), y)\n")
    assert imported(project, *arguments) == set()


def test_neither_is_it_for_files_that_use_no_loss(project: Path) -> None:
    (project / "a.py").write_text("import torch\nx = torch.zeros(1)\n")
    assert imported(project, "check", ".") == set()


def test_nor_for_a_cached_run(project: Path) -> None:
    (project / "a.py").write_text(TORCH.replace("F.softmax(x, 1)", "x"))
    assert "loss_lint.symbolic" in imported(project, "check", ".")
    assert imported(project, "check", ".") == set()


def test_torch_is_for_the_harness_alone(project: Path) -> None:
    (project / "a.py").write_text(TORCH)
    assert "torch" not in imported(project, "check", "--no-cache", ".")
    assert imported(project, "rule", "--all").isdisjoint({"torch", "numpy"})


def test_the_package_itself_imports_next_to_nothing() -> None:
    code = (
        "import sys, typing; before = set(sys.modules); import loss_lint; print(*set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert set(done.stdout.split()) <= {"loss_lint", "__future__"}


def test_the_flake8_plugin_is_cheap_for_files_without_torch() -> None:
    code = (
        "import sys; from loss_lint.flake8_plugin import Plugin\n"
        "assert list(Plugin(None, ['x = 1\\n'], 'a.py').run()) == []\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == []

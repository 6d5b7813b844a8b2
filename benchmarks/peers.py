"""The tools that loss-lint is compared with, each in an environment of its own."""

from __future__ import annotations

import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment and the version of what it was made for."""

    folder: Path
    version: str

    def tool(self, name: str) -> str:
        """The path of a command in the environment."""
        return str(self.folder / "bin" / name)


# What each environment holds; the first is what it is for. The plugin needs a flake8 beside it.
REQUIREMENTS = {
    "loss-lint": [str(ROOT)],
    "flake8 with loss-lint": ["flake8", str(ROOT)],
    "flake8": ["flake8"],
    "ruff": ["ruff"],
    "libcst": ["libcst"],
    "torch-preflight": ["torch-preflight==0.5.0"],
    "TorchFix": ["torchfix", "flake8"],
}


def environment(name: str, work: Path) -> Environment:
    """The environment of a tool, made anew for loss-lint itself, so that it is measured as it is."""
    folder = work / "environments" / name.replace(" ", "-")
    requirements = REQUIREMENTS[name]
    ours = str(ROOT) in requirements
    if not folder.exists():
        venv.create(folder, with_pip=True)
        _pip(folder, "install", "-q", *requirements)
    elif ours:
        _pip(folder, "install", "-q", "--force-reinstall", "--no-deps", str(ROOT))
    distribution = "torch-loss-lint" if name == "loss-lint" else requirements[0].partition("==")[0]
    shown = _pip(folder, "show", distribution)
    version = next(line.split()[1] for line in shown.splitlines() if line.startswith("Version"))
    return Environment(folder, version)


def _pip(folder: Path, *arguments: str) -> str:
    command = [str(folder / "bin" / "python"), "-m", "pip", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout

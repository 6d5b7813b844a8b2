"""A linter that needs no rules, for tests of what surrounds the linter."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from loss_lint.findings import Edit, Finding, Fix, Place, Step
from loss_lint.syntax.sources import Sources

# What the screen lets pass; the fake linter finds a LOS201 at each `bad(...)`.
HEAD = "import torch  # cross_entropy\n"

# The same linter for processes of their own, as a `sitecustomize` module: `crash` raises, and `die` ends the
# process if another one started it.
FAKE_LINTER = """
import os, re, sys, types
from dataclasses import dataclass
import loss_lint
from loss_lint.findings import Finding, Place

@dataclass
class Result:
    findings: tuple
    dependencies: tuple

def lint(path, sources):
    import multiprocessing
    text = sources.read(path).decode()
    if "crash" in text:
        raise RuntimeError("boom")
    if "die" in text and multiprocessing.parent_process():
        os._exit(9)
    found = []
    for row, line in enumerate(text.splitlines(), 1):
        for match in re.finditer(r"bad[(].*[)]", line):
            place = Place(path, row, match.start() + 1, row, match.end() + 1)
            found.append(Finding("LOS201", "softmax-into-cross-entropy", "Bad.", place))
    return Result(tuple(found), ())

module = types.ModuleType("loss_lint.linter")
module.lint = lint
sys.modules["loss_lint.linter"] = loss_lint.linter = module
"""


# A machine without torch.
NO_TORCH = 'import sys; sys.modules["torch"] = None\n'


@dataclass(frozen=True)
class FakeResult:
    findings: tuple[Finding, ...]
    dependencies: tuple[str, ...] = ()


class FakeLinter(types.ModuleType):
    """Stands in for `loss_lint.linter`; remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__("loss_lint.linter")
        self.linted: list[str] = []
        self.dependencies: tuple[str, ...] = ()

    def lint(self, path: str, sources: Sources) -> FakeResult:
        self.linted.append(path)
        try:
            text = sources.read(path).decode("utf-8", "replace")
        except OSError as error:
            place = Place(path, 1, 1, 1, 1)
            return FakeResult((Finding("LOS000", "unparsable", f"cannot be read: {error.strerror}", place),))
        if "crash" in text:
            raise RuntimeError("boom\nwith a second line")
        rows = enumerate(text.split("\n"), 1)
        return FakeResult(
            tuple(finding_at(path, row, line) for row, line in rows if "bad(" in line), self.dependencies
        )


def finding_at(path: str, row: int, line: str) -> Finding:
    start = line.index("bad(") + 1
    place = Place(path, row, start, row, line.index(")", start) + 2)
    edit = Edit(Place(path, row, start, row, start + 3), "good")
    return Finding(
        "LOS201",
        "softmax-into-cross-entropy",
        "cross_entropy gets probabilities.",
        place,
        ("value", "gradient"),
        (Step(place, "softmax over dim 1"),),
        ("use_softmax",),
        Fix("unsafe", "Pass the logits.", (edit,)),
    )


@pytest.fixture
def linter(monkeypatch: pytest.MonkeyPatch) -> FakeLinter:
    fake = FakeLinter()
    monkeypatch.setitem(sys.modules, "loss_lint.linter", fake)
    monkeypatch.setattr("loss_lint.linter", fake, raising=False)
    return fake


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is also the working directory."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for variable in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    return folder


Completed = subprocess.CompletedProcess[bytes]


@pytest.fixture
def run(project: Path, tmp_path: Path) -> Callable[..., Completed]:
    """Runs `loss-lint` in the project; `fake` replaces the linter by the fake one."""
    for name, text in (("fake", FAKE_LINTER), ("no_torch", NO_TORCH)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "sitecustomize.py").write_text(text)

    def run(
        *arguments: str | bytes,
        stdin: bytes = b"",
        fake: bool = False,
        without_torch: bool = False,
        **environment: str,
    ) -> Completed:
        for folder in [tmp_path / "fake"] * fake + [tmp_path / "no_torch"] * without_torch:
            environment["PYTHONPATH"] = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
        return subprocess.run(
            [sys.executable, "-m", "loss_lint", *arguments],
            input=stdin,
            capture_output=True,
            cwd=project,
            env={**os.environ, **environment},
            check=False,
            timeout=120,
        )

    return run

"""A linter that needs no rules, for tests of what surrounds the linter."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from loss_lint.findings import Edit, Finding, Fix, Place, Step
from loss_lint.linter import Linter
from loss_lint.sightings import Report, Sighting, single

# What the screen lets pass; the fake linter finds a LOS201 at each `bad(...)`.
HEAD = "import torch; cross_entropy\n"

# The same linter for processes of their own, as a `sitecustomize` module: `crash` raises, and `die` ends the
# process if another one started it.
FAKE_LINTER = """
import os, re
from loss_lint.findings import Finding, Place
from loss_lint.linter import Linter
from loss_lint.sightings import Report, Sighting, Sink
from loss_lint.syntax.site import Site

def evaluated(self, path, *how, **also):
    import multiprocessing
    text = self.project.read(path).decode()
    if "crash" in text:
        raise RuntimeError("boom")
    if "die" in text and multiprocessing.parent_process():
        os._exit(9)
    found = []
    for row, line in enumerate(text.splitlines(), 1):
        for match in re.finditer(r"bad[(].*[)]", line):
            span = (path, row, match.start() + 1, row, match.end() + 1)
            finding = Finding("LOS201", "softmax-into-cross-entropy", "Bad.", Place(*span))
            found.append(Sighting(finding, Sink("LOS201", Site(*span)), (0, 0, 0)))
    return Report(path, tuple(found))

Linter._evaluated = evaluated
"""


# A machine without torch.
NO_TORCH = 'import sys; sys.modules["torch"] = None\n'


class FakeLinter:
    """Stands in for what a linter sees in a file; remembers what it was asked for."""

    def __init__(self) -> None:
        self.linted: list[str] = []
        self.dependencies: tuple[str, ...] = ()

    def evaluated(self, linter: Linter, path: str) -> Report:
        self.linted.append(path)
        text = linter.project.read(path).decode("utf-8", "replace")
        for other in self.dependencies:
            with suppress(OSError):
                linter.project.read(other)
        if "crash" in text:
            raise RuntimeError("boom\nwith a second line")
        rows = enumerate(text.split("\n"), 1)
        return Report(path, tuple(sighting_at(path, row, line) for row, line in rows if "bad(" in line))


def sighting_at(path: str, row: int, line: str) -> Sighting:
    (sighting,) = single(path, finding_at(path, row, line)).sightings
    return sighting


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

    def evaluated(linter: Linter, path: str, *_how: object, **_also: object) -> Report:
        return fake.evaluated(linter, path)

    monkeypatch.setattr(Linter, "_evaluated", evaluated)
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

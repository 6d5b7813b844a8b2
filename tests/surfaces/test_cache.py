"""The cache never changes a result, whatever has happened to it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import loss_lint.cache
from loss_lint.cache import FOLDER, Cache
from loss_lint.findings import Edit, Finding, Fix, Place, Step
from loss_lint.linter import Linter
from loss_lint.runner import lint_files
from loss_lint.sightings import Report, Sighting, Sink, single
from loss_lint.syntax.site import Site
from loss_lint.syntax.sources import Folder, Memory

DATA = "import torch; cross_entropy\nbad(1)\n"
PLACE = Place("a.py", 2, 1, 2, 7)
FULL = Finding(
    "LOS201",
    "softmax-into-cross-entropy",
    "é \udcff",
    PLACE,
    ("value", "gradient"),
    (Step(PLACE, "softmax"),),
    ("use_softmax",),
    Fix("unsafe", "Pass the logits.", (Edit(PLACE, "x"),)),
    also=(Place("b.py", 1, 1, 1, 2),),
)
SINK = Sink("LOS201", Site("a.py", 2, 1, 2, 7))
REPORT = Report(
    "a.py",
    (Sighting(FULL, SINK, (1, 2, 3), called=True, unanimous=True),),
    frozenset({SINK}),
    frozenset({Sink("LOS101", SINK.site)}),
    ("a.py", "b.py"),
    (".",),
    ("b.py",),
    (("statements", 2),),
)
SMALL = single("a.py", Finding("LOS101", "mean-loss-divided", "Bad.", PLACE))


def cache_of(folder: Path, files: dict[str, str | bytes] | None = None) -> Cache:
    """A cache in `folder`, of a run over `files`."""
    return Cache(str(folder), Linter(Memory({"a.py": DATA, "b.py": ""} if files is None else files)))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return cache_of(tmp_path)


def entry(tmp_path: Path) -> Path:
    (path,) = (tmp_path / FOLDER).glob("*.json")
    return path


def test_gives_back_what_was_stored(cache: Cache, tmp_path: Path) -> None:
    cache.store(REPORT)
    assert cache.load("a.py") == REPORT
    assert cache.load("b.py") is None
    assert cache_of(tmp_path, {"a.py": DATA + "#", "b.py": ""}).load("a.py") is None
    assert cache_of(tmp_path, {}).load("a.py") is None


@pytest.mark.parametrize(
    ("then", "now", "hit"),
    [
        ({"b.py": "1"}, {"b.py": "1"}, True),
        ({"b.py": "1"}, {"b.py": "2"}, False),
        ({"b.py": "1"}, {}, False),
        ({}, {"b.py": "1"}, False),
        ({}, {}, True),
    ],
)
def test_follows_the_files_that_a_result_depends_on(
    tmp_path: Path, then: dict[str, str | bytes], now: dict[str, str | bytes], hit: bool
) -> None:
    report = replace(SMALL, files=("a.py", "b.py"))
    cache_of(tmp_path, {"a.py": DATA, **then}).store(report)
    assert cache_of(tmp_path, {"a.py": DATA, **now}).load("a.py") == (report if hit else None)


@pytest.mark.parametrize("now", ["net.py", "lib/net.py"])
def test_follows_the_folders_in_which_imports_were_looked_for(tmp_path: Path, now: str) -> None:
    report = replace(SMALL, files=("a.py",), folders=("", "lib"))
    cache_of(tmp_path, {"a.py": DATA}).store(report)
    assert cache_of(tmp_path, {"a.py": DATA}).load("a.py") == report
    assert cache_of(tmp_path, {"a.py": DATA, now: ""}).load("a.py") is None


def test_follows_which_imports_lead_to_a_loss(tmp_path: Path) -> None:
    """What is evaluated of a file depends on it, and `b.py` itself need not have been evaluated."""
    user = "import torch\nfrom b import f\n"
    with_loss = "import torch.nn.functional as F\n\ndef f(x, y):\n    return F.mse_loss(x, y)\n"
    report = replace(SMALL, files=("a.py",))
    cache_of(tmp_path, {"a.py": user, "b.py": "def f(): pass\n"}).store(report)
    assert cache_of(tmp_path, {"a.py": user, "b.py": "def f(): return 1\n"}).load("a.py") == report
    assert cache_of(tmp_path, {"a.py": user, "b.py": with_loss}).load("a.py") is None


def test_another_version_of_loss_lint_starts_anew(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.store(SMALL)
    monkeypatch.setattr(loss_lint.cache, "_own_version", lambda: "another")
    assert cache.load("a.py") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_no_entry(cache: Cache, tmp_path: Path, data: st.DataObject) -> None:
    cache.store(REPORT)
    path = entry(tmp_path)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[place:]
    else:
        content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert cache.load("a.py") in (None, REPORT)


@pytest.mark.parametrize("content", [b"", b"\n", b"null", b"[" * 100_000, b"\xff\n{}", b"{}\n{}"])
def test_nonsense_is_no_entry(cache: Cache, tmp_path: Path, content: bytes) -> None:
    cache.store(REPORT)
    for text in (content, loss_lint.cache._digest(content).encode() + b"\n" + content):
        entry(tmp_path).write_bytes(text)
        assert cache.load("a.py") is None


def test_folder_says_what_it_is_and_stays_out_of_git(cache: Cache, tmp_path: Path) -> None:
    cache.store(Report("a.py"))
    folder = tmp_path / FOLDER
    assert (folder / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    assert "*" in (folder / ".gitignore").read_text().splitlines()
    assert len(list(folder.iterdir())) == 3, "nothing temporary is left"


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_where_nothing_can_be_written_there_is_no_cache(cache: Cache, tmp_path: Path, kind: str) -> None:
    if kind == "file":
        (tmp_path / FOLDER).write_text("")
    else:
        cache.store(Report("a.py"))
        path = entry(tmp_path)
        path.unlink()
        path.mkdir()
    cache.store(Report("a.py"))
    assert cache.load("a.py") is None


def test_what_was_read_counts_and_not_what_was_saved_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(DATA)
    linter = Linter(Folder(), [str(tmp_path)])
    path = str(tmp_path / "a.py")
    report = linter.examine(path)
    (tmp_path / "a.py").write_text(DATA + "#")
    Cache(str(tmp_path), linter).store(report)
    assert Cache(str(tmp_path), Linter(Folder(), [str(tmp_path)])).load(path) is None


class TestRuns:
    @pytest.fixture
    def lint(self, project: Path, linter: Any) -> Callable[[], tuple[Finding, ...]]:
        def lint() -> tuple[Finding, ...]:
            linter.linted.clear()
            paths = sorted(str(path) for path in project.glob("*.py"))
            return lint_files(
                paths, Folder(), jobs=1, cache=lambda linter: Cache(str(project), linter)
            ).findings

        return lint

    def test_lint_what_has_changed(self, project: Path, linter: Any, lint: Callable[[], Any]) -> None:
        for name in ("a.py", "b.py"):
            (project / name).write_text(DATA)
        first = lint()
        assert lint() == first
        assert linter.linted == []
        (project / "b.py").write_text(DATA + "bad(2)\n")
        assert len(lint()) == 3
        assert [os.path.basename(path) for path in linter.linted] == ["b.py"]

    def test_do_not_remember_internal_errors(
        self, project: Path, linter: Any, lint: Callable[[], Any]
    ) -> None:
        (project / "a.py").write_text(DATA + "crash")
        assert [finding.code for finding in lint()] == ["LOS999"]
        lint()
        assert len(linter.linted) == 1

    def test_leave_no_trace_of_files_without_torch(
        self, project: Path, linter: Any, lint: Callable[[], Any]
    ) -> None:
        (project / "a.py").write_text("bad(1)")
        lint()
        assert not (project / FOLDER).exists()

    def test_heed_dependencies(self, project: Path, linter: Any, lint: Callable[[], Any]) -> None:
        (project / "a.py").write_text(DATA)
        linter.dependencies = (str(project / "net.txt"),)
        lint()
        lint()
        assert linter.linted == []
        (project / "net.txt").write_text("new")
        lint()
        assert len(linter.linted) == 1

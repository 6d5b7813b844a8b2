"""The cache never changes a result, whatever has happened to it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import loss_lint.cache
import loss_lint.eviction
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


class TestSize:
    """What is old or too much goes, at most once an hour or when a run has added many entries."""

    @pytest.fixture
    def folder(self, cache: Cache, tmp_path: Path) -> Path:
        """A cache's folder with one entry, of `a.py`, looked through long ago."""
        cache.store(REPORT)
        os.utime(tmp_path / FOLDER / "CACHEDIR.TAG", (0, 0))
        return tmp_path / FOLDER

    def other(self, folder: Path, number: int, *, days: float, size: int = 1) -> Path:
        """An entry of another file, used so many days ago."""
        path = folder / f"{number:040x}.json"
        path.write_bytes(b"x" * size)
        self.age(path, days)
        return path

    def age(self, path: Path, days: float) -> None:
        then = time.time() - days * 24 * 3600
        os.utime(path, (then, then))

    def run(self, folder: Path, *, adds: bool = True) -> Cache:
        """A run that lints `a.py` and `b.py`, and finds the one or both in the cache."""
        cache = cache_of(folder.parent)
        assert cache.load("a.py") == REPORT
        if adds:
            cache.store(Report("b.py"))
            cache.has_stored("b.py")
        cache.tidy([cache])
        return cache

    def test_what_was_not_used_for_long_goes(self, folder: Path) -> None:
        self.age(entry(folder.parent), 300)
        old, older = self.other(folder, 1, days=29), self.other(folder, 2, days=31)
        future, wrong = self.other(folder, 3, days=-2), self.other(folder, 4, days=-300)
        self.run(folder)
        assert (old.exists(), older.exists(), future.exists(), wrong.exists()) == (True, False, True, False)
        assert cache_of(folder.parent).load("a.py") == REPORT

    def test_beyond_a_size_what_was_used_the_longest_ago_goes(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(loss_lint.eviction, "MAX_BYTES", 6 * 4096)
        others = [self.other(folder, number, days=number, size=5000) for number in (3, 1, 4, 2)]
        self.run(folder)  # two blocks each, and one each of the run's own
        assert [path.exists() for path in others] == [False, True, False, True]

    def test_a_run_loses_nothing_of_its_own(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(loss_lint.eviction, "MAX_BYTES", 0)
        other = self.other(folder, 1, days=0)
        self.run(folder)
        assert not other.exists()
        again = cache_of(folder.parent)
        assert again.load("a.py") == REPORT
        assert again.load("b.py") == Report("b.py", files=("b.py",))

    def test_a_use_is_remembered(self, folder: Path) -> None:
        path = entry(folder.parent)
        self.age(path, 29)
        self.run(folder, adds=False)
        assert time.time() - path.stat().st_mtime < 3600

    def test_a_run_that_adds_nothing_looks_at_nothing(self, folder: Path) -> None:
        old = self.other(folder, 1, days=300)
        self.run(folder, adds=False)
        assert old.exists()

    def test_what_was_looked_through_is_left_alone_for_an_hour(self, folder: Path) -> None:
        self.run(folder)
        old = self.other(folder, 1, days=300)
        cache = self.run(folder)
        assert old.exists()
        for number in range(100):
            cache.has_stored(f"{number}.py")
        cache.tidy([cache])
        assert not old.exists()

    def test_what_other_files_there_are_is_not_its_own(self, folder: Path, tmp_path: Path) -> None:
        names = ("notes.txt", "a.json", ".new-", f"{1:041x}.json", f"{1:040x}.json.bak")
        foreign = [folder / name for name in names]
        for path in foreign:
            path.write_text("mine")
        (folder / f"{5:040x}.json").mkdir()
        (folder / f"{6:040x}.json").symlink_to(tmp_path / "elsewhere")
        foreign += [folder / f"{5:040x}.json"]
        for path in foreign:
            self.age(path, 300)
        unfinished, leftover = folder / ".new-abcd1234", folder / ".new-abcd1235"
        for path in (unfinished, leftover):
            path.write_text("")
        self.age(leftover, 1)
        self.run(folder)
        assert all(path.exists() for path in foreign)
        assert (folder / f"{6:040x}.json").is_symlink()
        assert (unfinished.exists(), leftover.exists()) == (True, False)

    def test_what_another_run_renews_meanwhile_stays(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old, renewed = self.other(folder, 1, days=300), self.other(folder, 2, days=299)
        listed = loss_lint.eviction._entries

        def entries(of: str) -> Any:
            found = list(listed(of))
            self.other(folder, 2, days=0)
            return iter(found)

        monkeypatch.setattr(loss_lint.eviction, "_entries", entries)
        self.run(folder)
        assert (old.exists(), renewed.exists()) == (False, True)

    @pytest.mark.parametrize("call", ["utime", "scandir", "unlink"])
    def test_where_it_may_not_delete_all_stays_as_it_is(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, call: str
    ) -> None:
        def refuse(*_: object, **__: object) -> Any:
            raise PermissionError(13, "Permission denied")

        old = self.other(folder, 1, days=300)
        monkeypatch.setattr(os, call, refuse)
        self.run(folder)
        monkeypatch.undo()
        assert old.exists()
        assert cache_of(folder.parent).load("a.py") == REPORT

    def test_goes_on_in_a_run_of_several_processes_and_projects(
        self, project: Path, run: Callable[..., Any]
    ) -> None:
        """What one project's files added is not what makes room for another's."""
        for name, key in (("one", "step"), ("two", "micro")):
            (project / name).mkdir()
            (project / name / "loss-lint.toml").write_text(f'step-count-names = ["{key}"]\n')
            for number in range(3):
                (project / name / f"{number}.py").write_text(DATA)
        run("check", ".", "--jobs", "2")
        (project / FOLDER / f"{1:040x}.json").write_text("")
        self.age(project / FOLDER / f"{1:040x}.json", 300)
        os.utime(project / FOLDER / "CACHEDIR.TAG", (0, 0))
        (project / "two" / "0.py").write_text(DATA + "#")
        run("check", ".", "--jobs", "2")
        assert len(list((project / FOLDER).glob("*.json"))) == 6

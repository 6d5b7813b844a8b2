"""The cache never changes a result, whatever has happened to it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import loss_lint.cache
from loss_lint.cache import FOLDER, Cache, Recorder
from loss_lint.findings import Edit, Finding, Fix, Place, Step
from loss_lint.runner import lint_files
from loss_lint.syntax.sources import Folder, Memory, Overlay

DATA = b"import torch  # cross_entropy\nbad(1)\n"
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
BARE = Finding("LOS101", "mean-loss-divided", "Bad.", PLACE)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(str(tmp_path), Memory({}))


def entry(tmp_path: Path) -> Path:
    (path,) = (tmp_path / FOLDER).glob("*.json")
    return path


def test_gives_back_what_was_stored(cache: Cache) -> None:
    cache.store("a.py", DATA, [FULL, BARE], [], Recorder(Memory({})))
    assert cache.load("a.py", DATA) == (FULL, BARE)
    assert cache.load("a.py", DATA + b"#") is None
    assert cache.load("b.py", DATA) is None


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
    cache: Cache, tmp_path: Path, then: dict[str, str], now: dict[str, str], hit: bool
) -> None:
    cache.store("a.py", DATA, [BARE], ["a.py", "b.py"], Recorder(Memory(then)))
    assert Cache(str(tmp_path), Memory(now)).load("a.py", DATA) == ((BARE,) if hit else None)


def test_another_version_of_loss_lint_starts_anew(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.store("a.py", DATA, [BARE], [], Recorder(Memory({})))
    monkeypatch.setattr(loss_lint.cache, "_own_version", lambda: "another")
    assert cache.load("a.py", DATA) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_no_entry(cache: Cache, tmp_path: Path, data: st.DataObject) -> None:
    cache.store("a.py", DATA, [FULL], [], Recorder(Memory({})))
    path = entry(tmp_path)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[place:]
    else:
        content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert cache.load("a.py", DATA) in (None, (FULL,))


@pytest.mark.parametrize("content", [b"", b"\n", b"null", b"[" * 100_000, b"\xff\n{}", b"{}\n{}"])
def test_nonsense_is_no_entry(cache: Cache, tmp_path: Path, content: bytes) -> None:
    cache.store("a.py", DATA, [FULL], [], Recorder(Memory({})))
    for text in (content, loss_lint.cache._digest(content).encode() + b"\n" + content):
        entry(tmp_path).write_bytes(text)
        assert cache.load("a.py", DATA) is None


def test_folder_says_what_it_is_and_stays_out_of_git(cache: Cache, tmp_path: Path) -> None:
    cache.store("a.py", DATA, [], [], Recorder(Memory({})))
    folder = tmp_path / FOLDER
    assert (folder / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    assert "*" in (folder / ".gitignore").read_text().splitlines()
    assert len(list(folder.iterdir())) == 3, "nothing temporary is left"


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_where_nothing_can_be_written_there_is_no_cache(cache: Cache, tmp_path: Path, kind: str) -> None:
    if kind == "file":
        (tmp_path / FOLDER).write_text("")
    else:
        cache.store("a.py", DATA, [], [], Recorder(Memory({})))
        path = entry(tmp_path)
        path.unlink()
        path.mkdir()
    cache.store("a.py", DATA, [], [], Recorder(Memory({})))
    assert cache.load("a.py", DATA) is None


def test_what_was_read_counts_and_not_what_was_saved_meanwhile(tmp_path: Path) -> None:
    recorder = Recorder(Overlay(Memory({"b.py": "new"}), {"b.py": b"old"}))
    recorder.read("b.py")
    cache = Cache(str(tmp_path), Memory({"b.py": "new"}))
    cache.store("a.py", DATA, [BARE], ["b.py"], recorder)
    assert cache.load("a.py", DATA) is None


@pytest.mark.parametrize(("then", "now"), [({}, {"net.py": "x"}), ({"net.py": "x"}, {})])
def test_an_import_that_resolves_otherwise_makes_a_new_result(
    tmp_path: Path, then: dict[str, str], now: dict[str, str]
) -> None:
    recorder = Recorder(Memory(then))
    recorder.exists("net.py")
    Cache(str(tmp_path), Memory(then)).store("a.py", DATA, [BARE], [], recorder)
    assert Cache(str(tmp_path), Memory(then)).load("a.py", DATA) == (BARE,)
    assert Cache(str(tmp_path), Memory(now)).load("a.py", DATA) is None


def test_what_was_read_counts_also_if_it_was_not_reported(tmp_path: Path) -> None:
    recorder = Recorder(Memory({"b.py": "1"}))
    recorder.read("b.py")
    Cache(str(tmp_path), Memory({})).store("a.py", DATA, [BARE], [], recorder)
    assert Cache(str(tmp_path), Memory({"b.py": "1"})).load("a.py", DATA) == (BARE,)
    assert Cache(str(tmp_path), Memory({"b.py": "2"})).load("a.py", DATA) is None


def test_what_follows_from_a_whole_project_is_not_remembered(cache: Cache) -> None:
    recorder = Recorder(Memory({}))
    recorder.has_listed = True
    cache.store("a.py", DATA, [BARE], [], recorder)
    assert cache.load("a.py", DATA) is None


class TestRuns:
    @pytest.fixture
    def lint(self, project: Path, linter: Any) -> Callable[[], tuple[Finding, ...]]:
        def lint() -> tuple[Finding, ...]:
            linter.linted.clear()
            paths = sorted(str(path) for path in project.glob("*.py"))
            return lint_files(paths, Folder(), jobs=1, cache=Cache(str(project), Folder()))

        return lint

    def test_lint_what_has_changed(self, project: Path, linter: Any, lint: Callable[[], Any]) -> None:
        for name in ("a.py", "b.py"):
            (project / name).write_bytes(DATA)
        first = lint()
        assert lint() == first
        assert linter.linted == []
        (project / "b.py").write_bytes(DATA + b"bad(2)\n")
        assert len(lint()) == 3
        assert [os.path.basename(path) for path in linter.linted] == ["b.py"]

    def test_do_not_remember_internal_errors(
        self, project: Path, linter: Any, lint: Callable[[], Any]
    ) -> None:
        (project / "a.py").write_bytes(DATA + b"crash")
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
        (project / "a.py").write_bytes(DATA)
        linter.dependencies = (str(project / "net.txt"),)
        lint()
        lint()
        assert linter.linted == []
        (project / "net.txt").write_text("new")
        lint()
        assert len(linter.linted) == 1

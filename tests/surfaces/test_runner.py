"""From many files to findings."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import Any

import pytest

from loss_lint.linter import Linter
from loss_lint.runner import Run, lint_files, witnessed
from loss_lint.syntax.sources import Folder, Memory

HEAD = "import torch; cross_entropy\n"


def test_findings_are_sorted_and_single(linter: Any) -> None:
    sources = Memory(dict.fromkeys(("b.py", "a.py"), f"{HEAD}bad(1)\nbad(2)\n"))
    findings = lint_files(["b.py", "a.py", "b.py"], sources).findings
    assert [(finding.place.path, finding.place.line) for finding in findings] == [
        ("a.py", 2),
        ("a.py", 3),
        ("b.py", 2),
        ("b.py", 3),
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("bad(1)", id="no torch"),
        pytest.param("bad(", id="no torch, whatever else"),
        pytest.param("import torch\nbad(1)\n", id="torch, but no loss"),
        pytest.param("import torch\nclass A:\n  '''\xa0'''\n", id="torch and a character beyond ASCII"),
    ],
)
def test_the_screen_keeps_files_from_the_linter(linter: Any, text: str) -> None:
    assert lint_files(["a.py"], Memory({"a.py": text})) == Run(())
    assert linter.linted == []


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"import torch\ndef f(:\n", id="syntax"),
        pytest.param(b"import torch\n\0", id="null byte"),
        pytest.param(b"import torch\nx = '\xff'\n", id="not UTF-8"),
        pytest.param(b"# coding: nonsense\nimport torch\n", id="unknown encoding"),
        pytest.param(b"import torch\n" + b"(" * 10_000, id="deeply nested"),
    ],
)
def test_a_broken_file_of_torch_is_a_finding(data: bytes) -> None:
    (finding,) = lint_files(["a.py"], Memory({"a.py": data})).findings
    assert finding.code == "LOS000"


def test_an_unreadable_file_is_a_finding() -> None:
    (finding,) = lint_files(["gone.py"], Memory({})).findings
    assert finding.code == "LOS000"


@pytest.mark.usefixtures("linter")
def test_an_exception_becomes_a_finding_and_the_run_goes_on() -> None:
    sources = Memory({"a.py": f"{HEAD}crash", "b.py": f"{HEAD}bad(1)"})
    internal, found = lint_files(["a.py", "b.py"], sources).findings
    assert (internal.code, internal.name, found.code) == ("LOS999", "internal-error", "LOS201")
    assert "RuntimeError: boom with a second line" in internal.message
    assert "report" in internal.message


@pytest.mark.usefixtures("linter")
@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_collection_is_left_as_it_was(enabled: bool) -> None:
    was_enabled = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        lint_files(["a.py"], Memory({"a.py": HEAD}))
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()


BAD = """
import torch.nn.functional as F


def loss(x, y):
    return F.cross_entropy(F.softmax(x, dim=1), y)
"""


@pytest.mark.parametrize("threads", [0, 1], ids=["forked if alone", "never forked beside a thread"])
def test_processes_find_what_one_process_finds(tmp_path: Path, threads: int) -> None:
    paths = []
    for number in range(4):
        path = tmp_path / f"{number}.py"
        path.write_text(BAD)
        paths.append(str(path))
    done = threading.Event()
    waiting = [threading.Thread(target=done.wait) for _ in range(threads)]
    for thread in waiting:
        thread.start()
    try:
        found = lint_files(reversed(paths), Folder(), jobs=2)
    finally:
        done.set()
    assert [finding.place.path for finding in found.findings] == paths
    assert found == lint_files(paths, Folder(), jobs=1)


def test_witnesses_come_from_linting_again(linter: Any) -> None:
    sources = Memory({"a.py": f"{HEAD}bad(1)"})
    findings = lint_files(["a.py"], sources).findings
    assert tuple(witnessed(findings, Linter(sources))) == findings
    assert linter.linted == ["a.py", "a.py"]

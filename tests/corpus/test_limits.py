"""What one repository may cost: it is ended in earnest, reported, and the others are linted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from corpora import BAD, Row, Serial, brief, corpus, found

from loss_lint.corpus import sandbox
from loss_lint.corpus.progress import Progress
from loss_lint.corpus.scanning import scan_on
from loss_lint.corpus.settings import Settings

# A linter that does not survive some files, for the processes that are started.
FRAGILE = """
import os, sys, time
from loss_lint.linter import Linter

evaluated = Linter._evaluated

def fragile(self, path, *how, **also):
    text = self.project.read(path)
    if b"#spin" in text:
        while True:
            pass
    if b"#sleep" in text:
        time.sleep(1000)
    if b"#abort" in text:
        os.abort()
    if b"#swallow" in text:
        held = bytearray(1 << 40)
    return evaluated(self, path, *how, **also)

Linter._evaluated = fragile
"""
GOOD = ("good", "bad.py", BAD.encode())


@pytest.fixture(autouse=True)
def _fragile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(FRAGILE)
    known = os.environ.get("PYTHONPATH", "")
    root = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), known or root]))
    sandbox.sandbox.cache_clear()


def scanned(tmp_path: Path, rows: list[Row], **settings: Any) -> list[tuple[Any, ...]]:
    source = corpus(tmp_path / "in", rows)
    scan_on(Serial(), source, str(tmp_path / "out"), Settings(**settings), Progress(None))
    return brief(tmp_path / "out")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("spin", "loss-lint failed on this file: it took more than 1 s of processor time"),
        ("abort", "loss-lint failed on this file: its process was ended by SIGABRT"),
        ("swallow", "loss-lint failed on this file (MemoryError"),
    ],
)
def test_a_file_at_which_linting_ends_is_reported_and_the_others_are_linted(
    tmp_path: Path, word: str, message: str
) -> None:
    poison = f"{BAD}#{word}\n".encode()
    rows = [
        ("poisoned", "a.py", BAD.encode()),
        ("poisoned", "b.py", poison),
        ("poisoned", "c.py", BAD.encode()),
        GOOD,
    ]
    assert scanned(tmp_path, rows, seconds=1.0) == [
        ("good", "bad.py", "LOS201", 5),
        ("poisoned", "a.py", "LOS201", 5),
        ("poisoned", "b.py", "LOS999", 1 if word == "swallow" else None),
        ("poisoned", "c.py", "LOS201", 5),
    ]
    (row,) = (row for row in found(tmp_path / "out") if row["code"] == "LOS999")
    assert row["message"].startswith(message)


def test_a_process_that_waits_for_ever_is_ended_by_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "_CLOCK_SECONDS", 5.0)
    monkeypatch.setattr(sandbox, "_CLOCK_FACTOR", 0.0)
    rows = [("poisoned", "b.py", f"{BAD}#sleep\n".encode()), GOOD]
    assert scanned(tmp_path, rows) == [("good", "bad.py", "LOS201", 5), ("poisoned", "b.py", "LOS999", None)]


def test_a_repository_of_many_such_files_is_given_up(tmp_path: Path) -> None:
    poison = f"{BAD}#abort\n".encode()
    codes = scanned(tmp_path, [*(("poisoned", f"{number}.py", poison) for number in range(6)), GOOD])
    assert codes == [
        ("good", "bad.py", "LOS201", 5),
        ("poisoned", None, "LOS999", None),
        *(("poisoned", f"{number}.py", "LOS999", None) for number in range(3)),
    ]


def test_a_repository_of_too_much_text_is_reported(tmp_path: Path) -> None:
    rows = [("giant", f"{number}.py", b"import torch\n" * 10) for number in range(10)]
    assert scanned(tmp_path, rows, memory=8_000) == [("giant", None, "LOS999", None)]
    (row,) = found(tmp_path / "out")
    assert "its source has 1,300 bytes, more than the 1,000" in row["message"]

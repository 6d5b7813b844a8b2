"""`check --watch`: a run after each change, until the keyboard ends it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest

from loss_lint.cli import main, watching

HEAD = "import torch.nn.functional as F\n\n\n"
BAD = HEAD + "def loss(x, y):\n    return F.cross_entropy(F.softmax(x, dim=1), y)\n"
GOOD = BAD.replace("F.softmax(x, dim=1)", "x")
FOUND = "Found 1 error. Watching for file changes."
CLEAN = "Found 0 errors. Watching for file changes."

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGINT reaches a process of its own group only")

Wait = Callable[[str], list[str]]


@contextmanager
def watched(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], Wait]]:
    """A process that watches a folder, and what waits for a line of its output."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-u",
            "-m",
            "loss_lint",
            "check",
            "--watch",
            "--output-format",
            "concise",
            *arguments,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
    )
    lines: Queue[str] = Queue()
    assert process.stdout is not None
    stdout = process.stdout
    reader = Thread(target=lambda: [lines.put(line.rstrip("\n")) for line in stdout], daemon=True)
    reader.start()

    def wait(text: str) -> list[str]:
        seen: list[str] = []
        while not seen or text not in seen[-1]:
            try:
                seen.append(lines.get(timeout=60))
            except Empty:
                raise AssertionError(f"no {text!r} after {seen}") from None
        return seen

    try:
        yield process, wait
    finally:
        process.kill()
        process.wait()
        reader.join()
        stdout.close()


def test_each_change_is_a_run(project: Path) -> None:
    file = project / "a.py"
    file.write_text(BAD)
    with watched(project) as (process, wait):
        first = wait("LOS201")
        assert re.fullmatch(r"\[\d\d:\d\d:\d\d\] Starting linter in watch mode\.\.\.", first[0])
        assert [line.partition("] ")[2] for line in first[2:3]] == [FOUND]
        file.write_text(GOOD)
        assert re.fullmatch(r"\[\d\d:\d\d:\d\d\] File change detected\.\.\.", wait("File change")[-1])
        wait(CLEAN)
        (project / "new").mkdir()
        wait(CLEAN)  # a folder may hold what there is to look at
        (project / "new" / "b.py").write_text(BAD)
        wait("new/b.py:5:12: LOS201")
        (project / "loss-lint.toml").write_text('ignore = ["LOS201"]\n')
        wait(CLEAN)
        (project / "loss-lint.toml").write_text('ignore = ["LOS999999"]\n')
        wait("unknown rule selector")  # and goes on
        (project / "loss-lint.toml").unlink()
        wait(FOUND)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130


def test_a_file_that_was_not_asked_for_counts(project: Path) -> None:
    (project / "net.py").write_text("import torch\n\n\ndef head(x):\n    return torch.softmax(x, 1)\n")
    main_file = project / "main.py"
    main_file.write_text(
        HEAD + "from net import head\n\n\ndef loss(x, y):\n    return F.cross_entropy(head(x), y)\n"
    )
    with watched(project, "main.py") as (_, wait):
        wait("LOS201")
        (project / "net.py").write_text("def head(x):\n    return x\n")
        wait(CLEAN)


def test_its_own_fixes_are_no_change(project: Path) -> None:
    file = project / "a.py"
    file.write_text(BAD)
    with watched(project, "--fix", "--unsafe-fixes") as (_, wait):
        wait("Found 1 error (1 fixed, 0 remaining). Watching for file changes.")
        (project / "b.py").write_text(GOOD)
        seen = wait(CLEAN)
        assert sum("File change" in line for line in seen) == 1
    assert file.read_text() == GOOD


@pytest.mark.parametrize(
    "arguments",
    [["-"], ["--output-format", "json"], ["--diff"], ["--output-file", "x"], ["--stdin-filename", "a.py"]],
)
def test_what_cannot_be_watched(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(["check", "--watch", *arguments]) == 2
    assert "`--watch`" in capsys.readouterr().err


def test_a_terminal_is_cleared(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(list[str]):
        write = list.append

        def isatty(self) -> bool:
            return True

        def flush(self) -> None: ...

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    watching._announce("Starting linter in watch mode...")
    assert "".join(terminal).startswith("\x1b[H\x1b[2J\x1b[3J[")

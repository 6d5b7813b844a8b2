"""`check --fix` and its kin, from outside; what ruff says and does in the same situation."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from loss_lint.cli import main
from loss_lint.cli.looking import Look
from loss_lint.findings import Edit, Finding, Fix, Place
from loss_lint.syntax.sources import Snapshot

# LOS502 has a safe fix, LOS201 an unsafe one, LOS604 none.
SAFE = """\
def total(criterion: nn.CrossEntropyLoss, model, loader):
    running = 0.0
    for x, y in loader:
        loss = criterion(model(x), y)
        loss.backward()
        running += loss
    return running
"""
UNSAFE = """\
def step(model, x, y):
    return F.cross_entropy(F.softmax(model(x), dim=1), y)
"""
HEAD = "import torch.nn as nn\nimport torch.nn.functional as F\n\n\n"
SAFE_FIXED = SAFE.replace("+= loss", "+= loss.detach()")
UNSAFE_FIXED = UNSAFE.replace("F.softmax(model(x), dim=1)", "model(x)")
BOTH = HEAD + SAFE + "\n\n" + UNSAFE
HALF = HEAD + SAFE_FIXED + "\n\n" + UNSAFE
FIXED = HEAD + SAFE_FIXED + "\n\n" + UNSAFE_FIXED
BROKEN = "import torch; cross_entropy\nx = (\n"
NOTHING = "import torch\n"


class Done:
    """What a run has written and how it ended."""

    def __init__(self, status: int, out: bytes, err: bytes) -> None:
        self.status = status
        self.out = out.decode()
        self.err = err.decode()

    @property
    def last(self) -> list[str]:
        """Standard output but for findings."""
        return [line for line in self.out.splitlines() if ": LOS" not in line]


Check = Callable[..., Done]


@pytest.fixture
def check(
    project: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Check:
    """Runs `loss-lint check` in the project, with one line for each finding."""

    def check(*arguments: str, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        status = main(["check", "--no-cache", "--output-format", "concise", *arguments])
        return Done(status, *capsysbinary.readouterr())

    return check


@pytest.fixture
def both(project: Path) -> Path:
    path = project / "a.py"
    path.write_text(BOTH)
    return path


class TestWhatIsFixed:
    def test_safe_fixes(self, both: Path, check: Check) -> None:
        done = check("--fix")
        assert both.read_text() == HALF
        assert done.last == [
            "Found 2 errors (1 fixed, 1 remaining).",
            "1 unsafe fix available with `--fix --unsafe-fixes`.",
        ]
        assert done.out.startswith("a.py:15:12: LOS201 ")

    def test_unsafe_fixes(self, both: Path, check: Check) -> None:
        done = check("--fix", "--unsafe-fixes")
        assert both.read_text() == FIXED
        assert (done.status, done.out) == (0, "Found 2 errors (2 fixed, 0 remaining).\n")

    def test_a_second_time_changes_nothing(self, both: Path, check: Check) -> None:
        check("--fix", "--unsafe-fixes")
        written = os.stat(both)
        assert check("--fix", "--unsafe-fixes").out == "All checks passed!\n"
        assert os.stat(both) == written

    def test_unsafe_fixes_alone_change_nothing(self, both: Path, check: Check) -> None:
        done = check("--unsafe-fixes")
        assert both.read_text() == BOTH
        assert done.out.count("[*] ") == 3
        assert done.last == ["Found 2 errors.", "[*] 2 fixable with `--fix`."]

    def test_without_any_of_it(self, both: Path, check: Check) -> None:
        assert check().last == [
            "Found 2 errors.",
            "[*] 1 fixable with `--fix` (1 unsafe fix available with `--fix --unsafe-fixes`).",
        ]

    def test_no_hints_where_they_are_not_wanted(self, both: Path, check: Check) -> None:
        assert check("--no-unsafe-fixes").last == ["Found 2 errors.", "[*] 1 fixable with `--fix`."]
        assert check("--no-unsafe-fixes", "--fix").last == ["Found 2 errors (1 fixed, 1 remaining)."]

    def test_only_what_is_selected(self, both: Path, check: Check) -> None:
        check("--fix", "--unsafe-fixes", "--ignore", "LOS201")
        assert both.read_text() == HALF

    def test_not_what_is_silenced(self, both: Path, check: Check) -> None:
        both.write_text(BOTH.replace("+= loss\n", "+= loss  # noqa: LOS502\n"))
        assert check("--fix").last[0] == "Found 1 error."
        assert check("--fix", "--ignore-noqa").last[0] == "Found 2 errors (1 fixed, 1 remaining)."

    def test_bytes_around_it_stay(self, both: Path, check: Check) -> None:
        def dressed(text: str) -> bytes:
            text = f"# coding: latin-1\n# é\n\x0c{text}".replace("\n", "\r\n").rstrip("\r\n")
            return text.encode("latin-1")

        both.write_bytes(dressed(BOTH))
        check("--fix", "--unsafe-fixes")
        assert both.read_bytes() == dressed(FIXED)

    def test_notebooks(self, project: Path, check: Check) -> None:
        cells = [
            {"cell_type": "code", "metadata": {}, "outputs": [], "source": [HEAD, *BOTH.splitlines(True)[4:]]}
        ]
        book = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}, indent=1)
        (project / "a.ipynb").write_text(book)
        assert check("--fix", "--unsafe-fixes").out == "Found 2 errors (2 fixed, 0 remaining).\n"
        wanted = book.replace("+= loss\\n", "+= loss.detach()\\n").replace(
            "F.softmax(model(x), dim=1)", "model(x)"
        )
        assert (project / "a.ipynb").read_text() == wanted


class TestReports:
    def test_what_was_fixed(self, both: Path, check: Check) -> None:
        (both.parent / "b.py").write_text(HEAD + UNSAFE + UNSAFE.replace("step", "other"))
        done = check("--fix", "--unsafe-fixes", "--show-fixes")
        assert done.out == (
            "\nFixed 4 errors:\n- a.py:\n    1 × LOS201 (softmax-into-cross-entropy)\n"
            "    1 × LOS502 (loss-graph-kept)\n- b.py:\n    2 × LOS201 (softmax-into-cross-entropy)\n\n"
            "Found 4 errors (4 fixed, 0 remaining).\n"
        )

    def test_quiet(self, both: Path, check: Check) -> None:
        assert check("--fix", "--unsafe-fixes", "-q").out == ""

    def test_places_are_those_of_the_fixed_text(self, both: Path, check: Check) -> None:
        done = check("--fix", "--output-format", "full")
        assert "15 |     return F.cross_entropy(F.softmax(model(x), dim=1), y)" in done.out

    def test_programs_read_what_remains(self, both: Path, check: Check) -> None:
        (record,) = json.loads(check("--fix", "--output-format", "json", "--show-fixes").out)
        assert record["code"] == "LOS201"

    def test_statistics(self, both: Path, check: Check) -> None:
        done = check("--fix", "--statistics")
        assert done.out.startswith(
            "1\tLOS201\tsoftmax-into-cross-entropy\nFound 2 errors (1 fixed, 1 remaining).\n"
        )

    def test_output_file(self, both: Path, check: Check) -> None:
        assert check("--fix", "-o", "report.txt").out == ""
        assert "Found 2 errors (1 fixed, 1 remaining)." in (both.parent / "report.txt").read_text()

    def test_fix_only(self, both: Path, check: Check) -> None:
        done = check("--fix-only")
        assert done.out == "Fixed 1 error (1 additional fix available with `--unsafe-fixes`).\n"
        assert both.read_text() == HALF
        assert check("--fix-only").out == "No errors fixed (1 fix available with `--unsafe-fixes`).\n"
        assert check("--fix-only", "--unsafe-fixes").out == "Fixed 1 error.\n"
        assert check("--fix-only").out == ""


class TestDiff:
    def test_nothing_is_changed(self, both: Path, check: Check) -> None:
        done = check("--diff")
        assert both.read_text() == BOTH
        assert done.out == (
            "--- a.py\n+++ a.py\n@@ -7,7 +7,7 @@\n     for x, y in loader:\n         loss = criterion(model(x), y)\n"
            "         loss.backward()\n-        running += loss\n+        running += loss.detach()\n"
            "     return running\n \n \n\nWould fix 1 error (1 additional fix available with `--unsafe-fixes`).\n"
        )

    @pytest.mark.parametrize("end", ["\n", "\r\n", ""])
    def test_it_can_be_applied(self, project: Path, end: str) -> None:
        if shutil.which("git") is None:
            pytest.skip("there is no git")
        text = "# coding: latin-1\n# é\n" + BOTH.rstrip("\n")
        before = (text.replace("\n", end or "\n") + end).encode("latin-1")
        (project / "a.py").write_bytes(before)
        done = subprocess.run(
            [sys.executable, "-m", "loss_lint", "check", "--no-cache", "-q", "--diff", "--unsafe-fixes"],
            capture_output=True,
            cwd=project,
            check=False,
        )
        applied = subprocess.run(
            ["git", "apply", "-p0", "--whitespace=nowarn"],
            input=done.stdout,
            check=False,
            cwd=project,
            capture_output=True,
        )
        assert applied.stderr == b""
        text = "# coding: latin-1\n# é\n" + FIXED.rstrip("\n")
        assert (project / "a.py").read_bytes() == (text.replace("\n", end or "\n") + end).encode("latin-1")

    def test_nothing_to_fix(self, project: Path, check: Check) -> None:
        (project / "a.py").write_text(HEAD + UNSAFE)
        done = check("--diff")
        assert (done.status, done.out) == (
            0,
            "No errors would be fixed (1 fix available with `--unsafe-fixes`).\n",
        )

    def test_colour(self, both: Path, check: Check) -> None:
        out = check("--diff", "--color", "always").out
        assert (
            "\x1b[31m-        running += loss\x1b[0m\n\x1b[32m+        running += loss.detach()\x1b[0m\n"
            in out
        )


class TestStandardInput:
    def test_the_text_goes_to_standard_output(self, check: Check) -> None:
        done = check("-", "--fix", stdin=BOTH)
        assert (done.status, done.out) == (1, HALF)
        assert done.err.startswith("-:15:12: LOS201 ")
        assert "Found 2 errors (1 fixed, 1 remaining)." in done.err

    @pytest.mark.parametrize(
        "text", [pytest.param(NOTHING, id="nothing to fix"), pytest.param(BROKEN, id="broken")]
    )
    def test_also_where_nothing_is_fixed(self, check: Check, text: str) -> None:
        assert check("-", "--fix", stdin=text).out == text
        assert check("-", "--fix-only", stdin=text).out == text

    def test_the_difference(self, both: Path, check: Check) -> None:
        done = check("-", "--diff", stdin=BOTH)
        assert done.out.startswith("@@ -7,7 +7,7 @@\n")
        assert done.err == "Would fix 1 error (1 additional fix available with `--unsafe-fixes`).\n"
        assert check("--stdin-filename", "b.py", "--diff", stdin=BOTH).out.startswith("--- b.py\n+++ b.py\n")

    def test_the_file_of_that_name_stays(self, both: Path, check: Check) -> None:
        both.write_text(NOTHING)
        assert check("--stdin-filename", "a.py", "--fix", stdin=BOTH).out == HALF
        assert both.read_text() == NOTHING


# What ruff 0.17 ends with in the same situation (there with F401 and a rule with an unsafe fix).
STATUSES = {
    # flags: (a safe and an unsafe fix, safe fixes alone, an unsafe one alone, nothing)
    "": (1, 1, 1, 0),
    "--exit-zero": (0, 0, 0, 0),
    "--exit-non-zero-on-fix": (1, 1, 1, 0),
    "--unsafe-fixes": (1, 1, 1, 0),
    "--fix": (1, 0, 1, 0),
    "--fix --unsafe-fixes": (0, 0, 0, 0),
    "--fix --exit-zero": (0, 0, 0, 0),
    "--fix --exit-non-zero-on-fix": (1, 1, 1, 0),
    "--fix --unsafe-fixes --exit-non-zero-on-fix": (1, 1, 1, 0),
    "--fix-only": (0, 0, 0, 0),
    "--fix-only --exit-non-zero-on-fix": (1, 1, 0, 0),
    "--fix-only --exit-zero": (0, 0, 0, 0),
    "--fix --fix-only": (0, 0, 0, 0),
    "--diff": (1, 1, 0, 0),
    "--diff --unsafe-fixes": (1, 1, 1, 0),
    "--diff --fix": (1, 1, 0, 0),
    "--diff --fix-only": (1, 1, 0, 0),
    "--diff --exit-zero": (0, 0, 0, 0),
    "--diff --exit-non-zero-on-fix": (1, 1, 0, 0),
    "--diff --show-fixes": (2, 2, 2, 2),
    "--diff --statistics": (2, 2, 2, 2),
    "--exit-zero --exit-non-zero-on-fix": (2, 2, 2, 2),
    "--add-noqa": (0, 0, 0, 0),
    "--add-noqa --fix": (2, 2, 2, 2),
    "--add-noqa --diff": (2, 2, 2, 2),
    "--add-noqa --ignore-noqa": (2, 2, 2, 2),
    "--add-noqa --statistics": (2, 2, 2, 2),
    "--add-noqa --watch": (2, 2, 2, 2),
}


@pytest.mark.parametrize("flags", STATUSES)
def test_exit_statuses_are_those_of_ruff(flags: str, project: Path, check: Check) -> None:
    found = []
    for text in (BOTH, HEAD + SAFE, HEAD + UNSAFE, NOTHING):
        (project / "a.py").write_text(text)
        found.append(check(*flags.split()).status)
    assert tuple(found) == STATUSES[flags]


class TestTrouble:
    def test_a_file_that_must_not_be_written(
        self, both: Path, check: Check, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (both.parent / "b.py").write_text(BOTH)
        access = os.access
        monkeypatch.setattr(
            os,
            "access",
            lambda path, mode, **rest: not str(path).endswith("a.py") and access(path, mode, **rest),
        )
        done = check("--fix")
        assert done.status == 1
        assert done.err == (
            "warning: a.py:10:9: the fix of LOS502 is left out: a.py cannot be written: Read-only file\n"
        )
        assert both.read_text() == BOTH
        assert (both.parent / "b.py").read_text() == HALF
        assert done.last[0] == "Found 4 errors (1 fixed, 3 remaining)."

    def test_a_write_that_fails(self, both: Path, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
        (both.parent / "b.py").write_text(BOTH)
        exchange = os.replace

        def full(source: str, target: str) -> None:
            if target.endswith("a.py"):
                raise OSError(28, "No space left on device")
            exchange(source, target)

        monkeypatch.setattr(os, "replace", full)
        done = check("--fix")
        assert done.status == 2
        assert done.err == "error: a.py cannot be written: No space left on device\n"
        assert (both.read_text(), (both.parent / "b.py").read_text()) == (BOTH, HALF)
        assert done.last[0] == "Found 4 errors (1 fixed, 3 remaining)."

    def test_other_hard_links_are_said(self, both: Path, check: Check) -> None:
        os.link(both, both.parent / "a.txt")
        assert check("--fix").err == "warning: a.py has other hard links: they keep the old text\n"


class TestAddNoqa:
    def test_comments(self, both: Path, check: Check) -> None:
        done = check("--add-noqa")
        assert (done.status, done.out, done.err) == (0, "", "Added 2 noqa directives.\n")
        assert "running += loss  # noqa: LOS502\n" in both.read_text()
        assert check().out == "All checks passed!\n"
        assert check("--add-noqa").err == ""

    def test_quiet(self, both: Path, check: Check) -> None:
        assert check("--add-noqa", "-q").err == ""
        assert "# noqa: LOS201" in both.read_text()

    def test_a_reason(self, both: Path, check: Check) -> None:
        """As in ruff: behind an equals sign, and of one line. What follows a blank is a path."""
        done = check("--add-noqa=old code\nor new", "a.py")
        assert (done.status, done.err) == (
            2,
            "error: the reason of `--add-noqa` cannot be of several lines\n",
        )
        assert check("--add-noqa=old code", "--select", "LOS502").err == "Added 1 noqa directive.\n"
        assert check("--add-noqa", "a.py").err == "Added 1 noqa directive.\n"
        assert "running += loss  # noqa: LOS502 old code\n" in both.read_text()
        assert "# noqa: LOS201\n" in both.read_text()
        assert check().out == "All checks passed!\n"

    def test_only_what_is_selected(self, both: Path, check: Check) -> None:
        assert check("--add-noqa", "--select", "LOS502").err == "Added 1 noqa directive.\n"

    def test_a_broken_file_stays(self, project: Path, check: Check) -> None:
        (project / "a.py").write_text(BROKEN)
        assert check("--add-noqa").status == 0
        assert (project / "a.py").read_text() == BROKEN

    def test_standard_input_is_left_alone(self, check: Check) -> None:
        done = check("-", "--add-noqa", stdin=BOTH)
        assert (done.status, done.out, done.err) == (0, "", "")

    def test_where_the_finding_stands_in_another_file(self, project: Path, check: Check) -> None:
        """`main.py` alone is given, and brings together what is wrong in the other one."""
        train = (
            HEAD + "def train(model, criterion, x, y):\n    return criterion(F.softmax(model(x), dim=1), y)\n"
        )
        (project / "train.py").write_text(train)
        (project / "main.py").write_text(
            "import torch.nn as nn\nfrom train import train\n\n\ndef main(model, x, y):\n"
            "    return train(model, nn.CrossEntropyLoss(), x, y)\n"
        )
        assert "train.py:" in check("main.py").out
        assert check("main.py", "--add-noqa").err == "Added 1 noqa directive.\n"
        assert (project / "train.py").read_text() == train
        assert check("main.py").out == "All checks passed!\n"


class TestOtherFiles:
    """A fix may edit another file than the one in which its finding stands."""

    @pytest.fixture
    def reaching(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
        """Gives the finding in `train.py` a fix that edits the text `old` of a file, which it makes."""

        def reach(name: str) -> Path:
            (project / "train.py").write_text(HEAD + UNSAFE)
            (project / "README.md").write_text("")
            path = project / name
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_text("old = 1\n")
            lint = Look.__call__

            def found(look: Look, sources: Snapshot) -> list[Finding]:
                edit = Edit(Place(str(path), 1, 1, 1, 4), "new")
                is_old = sources.read(str(path)).startswith(b"old")
                fix = Fix("safe", "Rename", (edit,)) if is_old else None
                return [replace(one, fix=fix) for one in lint(look, sources)]

            monkeypatch.setattr(Look, "__call__", found)
            return path

        return reach

    def test_one_of_the_project(self, reaching: Callable[[str], Path], check: Check) -> None:
        path = reaching("net.py")
        assert "(1 fixed, 1 remaining)" in check("train.py", "--fix").out
        assert path.read_text() == "new = 1\n"

    @pytest.mark.parametrize("name", ["venv/lib/site-packages/net.py", "build/net.py", "../other/net.py"])
    def test_not_one_that_is_none_of_the_project(
        self, reaching: Callable[[str], Path], check: Check, name: str
    ) -> None:
        path = reaching(name)
        done = check("train.py", "--fix")
        assert path.read_text() == "old = 1\n"
        assert "the fix of LOS201 is left out: it edits" in done.err
        assert "which is not the project's" in done.err
        assert done.last == ["Found 1 error."]

    def test_not_one_that_git_ignores(
        self, reaching: Callable[[str], Path], check: Check, project: Path
    ) -> None:
        path = reaching("generated.py")
        (project / ".git").mkdir()
        (project / ".gitignore").write_text("generated.py\n")
        check("train.py", "--fix")
        assert path.read_text() == "old = 1\n"

    def test_none_for_standard_input(self, reaching: Callable[[str], Path], check: Check) -> None:
        path = reaching("net.py")
        done = check("--stdin-filename", "train.py", "--fix", stdin=HEAD + UNSAFE)
        assert (done.out, path.read_text()) == (HEAD + UNSAFE, "old = 1\n")
        assert "it edits another file, net.py" in done.err

    def test_the_difference_has_it(self, reaching: Callable[[str], Path], check: Check) -> None:
        reaching("net.py")
        assert check("train.py", "--diff").out.startswith(
            "--- net.py\n+++ net.py\n@@ -1 +1 @@\n-old = 1\n+new = 1\n"
        )


def test_what_torch_refutes_is_not_fixed(both: Path, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loss_lint.cli.confirming.confirmed", lambda findings, *_: ([], list(findings)))
    assert check("--fix", "--confirm").out == "All checks passed!\n"
    assert both.read_text() == BOTH

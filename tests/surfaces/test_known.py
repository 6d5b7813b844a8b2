"""Findings that are known already: baselines, and git revisions."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from loss_lint.cli import main

HEAD = "import torch; cross_entropy\n"
Check = Callable[..., list[str]]


Said = tuple[int, str, str]
Run = Callable[..., Said]


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """`loss-lint` in this process: its status, output and complaints."""

    def run(*arguments: str, stdin: bytes = b"") -> Said:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = main(["check", *arguments])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def check(run: Run, linter: object) -> Check:
    """The places that `check` reports, by the fake linter that finds each `bad(...)`."""

    def check(*arguments: str, stdin: bytes = b"") -> list[str]:
        status, out, complaints = run("-q", "--output-format", "concise", *arguments, stdin=stdin)
        found = [line.partition(": ")[0] for line in out.splitlines()]
        assert (status, complaints) == (bool(found), "")
        return found

    return check


def write(project: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = project / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(HEAD + text)


class TestBaseline:
    def test_only_what_is_new_is_reported(self, project: Path, check: Check) -> None:
        write(project, a="bad(1)\n", sub__b="bad(2)\n")
        assert check("--write-baseline", "known.json") == []
        assert check("--baseline", "known.json") == []
        write(project, a="x = 1\n\n\n    \nif x:\n    bad(1)\nbad(3)\n", sub__b="bad(2)\n", c="bad(1)\n")
        assert check("--baseline", "known.json") == ["a.py:8:1", "c.py:2:1"]

    def test_of_several_alike_as_many_are_known_as_there_were(self, project: Path, check: Check) -> None:
        write(project, a="bad(1)\nbad(1)\n")
        check("--write-baseline", "known.json")
        write(project, a="bad(1)\nx = 1\nbad(1)\nbad(1)\n")
        assert check("--baseline", "known.json") == ["a.py:5:1"]

    def test_it_is_sorted_and_speaks_of_paths_from_its_own_folder(self, project: Path, check: Check) -> None:
        write(project, b="bad('é')\n", a="bad(2)\nbad(1)\nbad(1)\n", sub__c="bad(3)\n")
        check("--write-baseline", "sub/known.json")
        document = json.loads((project / "sub" / "known.json").read_text(encoding="utf-8"))
        assert document["version"] == 1
        assert [tuple(entry.values()) for entry in document["findings"]] == [
            ("../a.py", "LOS201", "bad(1)", 1),
            ("../a.py", "LOS201", "bad(1)", 2),
            ("../a.py", "LOS201", "bad(2)", 1),
            ("../b.py", "LOS201", "bad('é')", 1),
            ("c.py", "LOS201", "bad(3)", 1),
        ]
        assert check("--baseline", "sub/known.json") == []
        (project / "sub").rename(project / "moved")
        os.chdir(project / "moved")
        assert check("--baseline", "known.json") == []

    def test_it_shrinks_and_does_not_grow(self, project: Path, check: Check, run: Run) -> None:
        write(project, a="bad(1)\nbad(2)\n", b="bad(1)\n", c="bad(1)\n")
        check("--write-baseline", "known.json")
        write(project, a="bad(2)\nbad(3)\n")
        (project / "c.py").unlink()
        _, _, said = run("-v", "--baseline", "known.json", "a.py")
        assert "a.py: LOS201 of the baseline is gone: bad(1)" in said
        both = ("--baseline", "known.json", "--write-baseline", "known.json")
        assert check("a.py", *both) == ["a.py:3:1"]
        kept = json.loads((project / "known.json").read_text())["findings"]
        assert [(entry["path"], entry["line"]) for entry in kept] == [("a.py", "bad(2)"), ("b.py", "bad(1)")]
        assert check("--baseline", "known.json") == ["a.py:3:1"]

    def test_what_is_not_shown_is_not_written(self, project: Path, check: Check) -> None:
        write(project, a="bad(1)  # noqa\nbad(2)\n")
        check("--write-baseline", "known.json", "--ignore", "LOS201")
        assert json.loads((project / "known.json").read_text())["findings"] == []
        check("--write-baseline", "known.json")
        (entry,) = json.loads((project / "known.json").read_text())["findings"]
        assert entry["line"] == "bad(2)"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (None, "known.json: cannot be read: No such file or directory"),
            ("[", "known.json: not JSON"),
            ("[]", "known.json: not a baseline of loss-lint"),
            ('{"version": 2, "findings": []}', "version 2; this loss-lint reads version 1"),
            ('{"version": 1, "findings": [{"path": 1}]}', "known.json: an entry that is none"),
        ],
    )
    def test_what_is_wrong_is_said(self, project: Path, run: Run, text: str | None, message: str) -> None:
        if text is not None:
            (project / "known.json").write_text(text)
        status, _, said = run("--baseline", "known.json")
        assert status == 2
        assert message in said

    def test_where_it_cannot_be_written(self, project: Path, run: Run) -> None:
        status, _, said = run("--write-baseline", "nowhere/known.json")
        assert status == 2
        assert "nowhere/known.json: cannot be written: No such file" in said

    def test_findings_of_notebooks(self, project: Path, run: Run) -> None:
        bad = "import torch.nn.functional as F\ndef f(x, y):\n    return F.cross_entropy(x.softmax(1), y)\n"

        def store(*cells: str) -> None:
            made = [
                {"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
                for cell in cells
            ]
            notebook = {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
            (project / "a.ipynb").write_text(json.dumps(notebook))

        store(bad)
        run("--write-baseline", "known.json")
        (entry,) = json.loads((project / "known.json").read_text())["findings"]
        assert entry["line"] == "return F.cross_entropy(x.softmax(1), y)"
        store("x = 1\n", "# more\n", bad)
        assert run("--baseline", "known.json")[0] == 0


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
class TestSince:
    @pytest.fixture
    def git(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        for name in ("AUTHOR", "COMMITTER"):
            monkeypatch.setenv(f"GIT_{name}_NAME", "A")
            monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@example.org")
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)

        def git(*arguments: str) -> None:
            subprocess.run(["git", *arguments], cwd=project, check=True, capture_output=True)

        git("init", "-q", "-b", "main")
        return git

    @pytest.fixture
    def committed(self, project: Path, git: Callable[..., None]) -> None:
        write(project, a="bad(1)\n", sub__b="bad(2)\n", clean="x = 1\n")
        git("add", ".")
        git("commit", "-q", "-m", "one")

    @pytest.mark.usefixtures("committed")
    def test_what_a_change_introduced(self, project: Path, git: Callable[..., None], check: Check) -> None:
        assert check("--since", "HEAD") == []
        write(project, a="x = 1\nbad(1)\nbad(3)\n", new="bad(1)\n", clean="bad(4)\n")
        expected = ["a.py:4:1", "clean.py:2:1", "new.py:2:1"]
        assert check("--since", "HEAD") == expected, "uncommitted and untracked files count"
        git("add", ".")
        git("commit", "-q", "-m", "two")
        assert check("--since", "HEAD") == []
        assert check("--since", "HEAD~1") == expected
        assert check("--since", "HEAD~1", "clean.py") == ["clean.py:2:1"]

    @pytest.mark.usefixtures("committed")
    def test_a_file_that_moved_takes_its_findings_along(
        self, project: Path, git: Callable[..., None], check: Check
    ) -> None:
        git("mv", "sub/b.py", "c.py")
        assert check("--since", "HEAD") == []
        write(project, c="bad(2)\nbad(2)\n")
        assert check("--since", "HEAD") == ["c.py:3:1"]

    @pytest.mark.usefixtures("committed")
    def test_what_a_comment_silenced_then_is_new_without_it(
        self, project: Path, git: Callable[..., None], check: Check
    ) -> None:
        write(project, a="bad(1)  # noqa\n")
        git("commit", "-q", "-a", "-m", "silenced")
        write(project, a="bad(1)  # no\n")
        assert check("--since", "HEAD") == ["a.py:2:1"]

    @pytest.mark.usefixtures("committed")
    def test_standard_input(self, check: Check) -> None:
        text = (HEAD + "bad(1)\nbad(5)\n").encode()
        assert check("--since", "HEAD", "--stdin-filename", "a.py", "-", stdin=text) == ["a.py:3:1"]

    @pytest.mark.usefixtures("committed")
    def test_beside_a_baseline(self, project: Path, check: Check) -> None:
        write(project, a="bad(1)\nbad(3)\nbad(4)\n")
        check("a.py", "--write-baseline", "known.json")
        write(project, a="bad(1)\nbad(3)\nbad(4)\nbad(5)\n")
        assert check("--baseline", "known.json", "--since", "HEAD") == ["a.py:5:1"]

    def test_a_change_of_another_file_counts(self, project: Path, git: Callable[..., None], run: Run) -> None:
        train = (
            "import torch.nn.functional as F\nfrom net import out\n\n\n"
            "def f(x, y):\n    return F.cross_entropy(out(x), y)\n"
        )
        (project / "train.py").write_text(train)
        (project / "net.py").write_text("def out(x):\n    return x\n")
        git("add", ".")
        git("commit", "-q", "-m", "one")
        (project / "net.py").write_text("def out(x):\n    return x.softmax(1)\n")
        _, found, _ = run("-q", "--output-format", "concise", "--since", "HEAD")
        assert found.startswith("train.py:6:12: LOS201")
        git("commit", "-q", "-a", "-m", "two")
        (project / "net.py").write_text("# more\ndef out(x):\n    return x.softmax(1)\n")
        assert run("-q", "--since", "HEAD")[1] == ""

    @pytest.mark.usefixtures("committed")
    @pytest.mark.parametrize(
        ("revision", "message"),
        [
            ("HEAD~9", "unknown revision `HEAD~9`"),
            ("--help", "unknown revision `--help`"),
            ("", "unknown revision ``"),
        ],
    )
    def test_an_unknown_revision(self, run: Run, revision: str, message: str) -> None:
        status, _, said = run(f"--since={revision}")
        assert status == 2
        assert message in said

    def test_outside_of_a_repository(self, project: Path, run: Run) -> None:
        write(project, a="bad(1)\n")
        status, _, said = run("--since", "HEAD")
        assert status == 2
        assert f"{project} is not in a git repository" in said

    @pytest.mark.usefixtures("committed")
    def test_without_git(self, project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        (project / "nothing").mkdir()
        monkeypatch.setenv("PATH", str(project / "nothing"))
        status, _, said = run("--since", "HEAD")
        assert (status, said) == (2, "error: --since: git is not installed, or not on the path\n")

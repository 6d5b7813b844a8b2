"""What ignore files leave out: the same as in ruff, which is asked as well."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loss_lint.discover import discover

Found = Callable[[str], list[str]]

# By name: the files of the project, and which of `{a,b,c,d}.py`, here and in `sub`, are left.
CASES = {
    ".ignore": ({".ignore": "a.py\nsub/b.py\n"}, "b c d sub/c sub/d"),
    ".ignore in a folder": ({"sub/.ignore": "*.py\n!c.py\n"}, "a b c d sub/c"),
    ".ignore before .gitignore": ({".ignore": "!a.py", ".gitignore": "a.py"}, "a b c d sub/a sub/b sub/c sub/d"),
    "a .gitignore within does not undo it": ({".ignore": "a.py", "sub/.gitignore": "!a.py"}, "b c d sub/b sub/c sub/d"),
    "an .ignore within undoes a .gitignore": (
        {".gitignore": "a.py", "sub/.ignore": "!a.py"},
        "b c d sub/a sub/b sub/c sub/d",
    ),
    "the repository's own": ({".git/info/exclude": "a.py\n/b.py\n"}, "c d sub/b sub/c sub/d"),
    ".gitignore before it": (
        {".git/info/exclude": "a.py\nb.py", ".gitignore": "!a.py"},
        "a c d sub/a sub/c sub/d",
    ),
    "the user's": ({"~/.config/git/ignore": "a.py"}, "b c d sub/b sub/c sub/d"),
    "the user's, by name": (
        {"~/.config/git/ignore": "a.py", "~/.gitconfig": "[core]\n\texcludesFile = ~/mine\n", "~/mine": "b.py"},
        "a c d sub/a sub/c sub/d",
    ),
    "the user's, by name elsewhere": (
        {"~/.config/git/config": '[core]\nexcludesfile = "~/mine"\n', "~/mine": "b.py"},
        "a c d sub/a sub/c sub/d",
    ),
    "the user's, by a name that is none": (
        {"~/.config/git/ignore": "a.py", "~/.gitconfig": "[core]\n\texcludesFile = ~/mine\n"},
        "a b c d sub/a sub/b sub/c sub/d",
    ),
    "the repository's own before the user's": (
        {"~/.config/git/ignore": "a.py\nb.py", ".git/info/exclude": "!a.py"},
        "a c d sub/a sub/c sub/d",
    ),
    "of folders above a repository": (
        {"../.gitignore": "a.py", "../.ignore": "b.py"},
        "a c d sub/a sub/c sub/d",
    ),
    "a repository within": (
        {
            "sub/.git/info/exclude": "d.py",
            ".gitignore": "a.py",
            ".git/info/exclude": "b.py",
            ".ignore": "c.py",
        },
        "d sub/a sub/b",
    ),
    "a folder": ({".ignore": "sub/"}, "a b c d"),
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, with no settings."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def found(project: Path, home: Path) -> Found:
    """What is covered in a folder of the project, by ruff as well."""
    for folder in ("", "sub/"):
        for name in "abcd":
            path = project / f"{folder}{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.touch()

    def found(path: str) -> list[str]:
        ours = sorted(discover([path]).files)
        if sys.platform != "win32":
            ruff = shutil.which("ruff", path=os.path.dirname(sys.executable)) or "ruff"
            done = subprocess.run(
                [ruff, "check", "--show-files", "--isolated", "--no-cache", path],
                capture_output=True, check=True, text=True,
            )  # fmt: skip
            assert sorted(line for line in done.stdout.splitlines() if line.endswith(".py")) == ours
        return [os.path.relpath(one, project).replace(os.sep, "/") for one in ours]

    return found


def write(project: Path, home: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = home / name[2:] if name.startswith("~/") else project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize("case", CASES)
def test_what_is_left(project: Path, home: Path, found: Found, case: str) -> None:
    files, left = CASES[case]
    (project / ".git").mkdir()
    write(project, home, files)
    assert found(".") == [f"{name}.py" for name in left.split()]
    inner = [f"{name}.py" for name in left.split() if name.startswith("sub/")]
    if inner:
        assert found("sub") == inner


def test_outside_of_a_repository_only_ignore_files_count(project: Path, home: Path, found: Found) -> None:
    write(project, home, {".ignore": "a.py", ".gitignore": "b.py", "~/.config/git/ignore": "c.py"})
    assert found("sub") == ["sub/b.py", "sub/c.py", "sub/d.py"]


def test_a_work_tree_that_was_added_has_its_repositorys_list(project: Path, home: Path, found: Found) -> None:
    git = project.parent / "main" / ".git"
    write(git, home, {"info/exclude": "a.py", "worktrees/project/commondir": "../..\n"})
    (project / ".git").write_text(f"gitdir: {git}/worktrees/project\n")
    assert found("sub") == ["sub/b.py", "sub/c.py", "sub/d.py"]


@pytest.mark.parametrize("content", ["gitdir: ../modules/sub\n", "gitdir: nowhere\n", "\0", ""])
def test_a_submodule_has_its_own_list(project: Path, home: Path, content: str) -> None:
    """As git has it; ruff does not look there."""
    write(
        project,
        home,
        {"modules/sub/info/exclude": "a.py", "sub/.git": content, "sub/a.py": "", "sub/b.py": ""},
    )
    left = [os.path.basename(path) for path in discover(["sub"]).files]
    assert left == (["b.py"] if "modules" in content else ["a.py", "b.py"])


@pytest.mark.parametrize(
    ("line", "hits"),
    [
        ('excludesFile = "~/my list"', True),
        ("excludesfile=~/list # mine", True),
        ("# excludesFile = ~/list", False),
        ("excludesFile =", False),
        ("excludesFile = ~/other\n\tEXCLUDESFILE = ~/list", True),
    ],
)
def test_how_the_users_list_is_named(project: Path, home: Path, line: str, hits: bool) -> None:
    """As git has it; ruff does not understand the first two, and takes the first of several."""
    (project / ".git").mkdir()
    files = {"~/.gitconfig": f"[core]\n\t{line}\n", "~/list": "a.py", "~/my list": "a.py"}
    write(project, home, {**files, "a.py": ""})
    assert (discover(["."]).files == ()) == hits


def test_the_flag_turns_all_of_them_off(
    project: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from loss_lint.cli import main

    write(project, home, {".ignore": "*.py", "a.py": "import torch\nx ="})
    assert main(["check", "-q"]) == 0
    assert main(["check", "-q", "--no-respect-gitignore"]) == 1

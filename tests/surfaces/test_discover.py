"""Which files a run covers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loss_lint.discover import discover


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(*paths: str | Path) -> list[str]:
    return [
        os.path.relpath(path).replace(os.sep, "/") for path in discover([str(path) for path in paths]).files
    ]


def test_python_files_and_notebooks_of_a_folder_sorted(project: Path) -> None:
    write(project, "b.py", "a.py", "sub/c.py", "sub/d.pyi", "e.txt", "f.ipynb", ".ipynb_checkpoints/f.ipynb")
    assert found(".") == ["a.py", "b.py", "f.ipynb", "sub/c.py"]
    assert found("sub", "b.py", ".", "./a.py") == found(".")


@pytest.mark.parametrize(
    "name", [".git", ".venv", "venv", "node_modules", "build", "dist", "__pycache__", ".tox"]
)
def test_folders_that_hold_no_source_are_left_out(project: Path, name: str) -> None:
    write(project, f"{name}/a.py", "b.py")
    assert found(".") == ["b.py"]
    assert found(name) == [f"{name}/a.py"], "unless they are named"


def test_what_is_named_is_covered_whatever_it_is_called(project: Path) -> None:
    write(project, "script", "sub/x.txt")
    assert found("script", "sub/x.txt") == ["script", "sub/x.txt"]


def test_a_folder_called_like_a_file_is_a_folder(project: Path) -> None:
    write(project, "x.py/y.py")
    assert found(".") == ["x.py/y.py"]
    assert found("x.py") == ["x.py/y.py"]


class TestGitignore:
    @pytest.fixture(autouse=True)
    def repository(self, project: Path) -> None:
        (project / ".git").mkdir()

    def test_is_respected(self, project: Path) -> None:
        write(project, "a.py", "gen/b.py", "sub/gen/c.py", "sub/d.py")
        (project / ".gitignore").write_text("# made\ngen/\n/a.py\n")
        assert found(".") == ["sub/d.py"]

    def test_inner_files_have_the_last_word(self, project: Path) -> None:
        write(project, "a_pb.py", "sub/b_pb.py", "sub/c.py")
        (project / ".gitignore").write_text("*_pb.py\n")
        (project / "sub" / ".gitignore").write_text("!b_pb.py\nc.py\n")
        assert found(".") == ["sub/b_pb.py"]

    def test_outer_files_hold_for_a_folder_that_is_named(self, project: Path) -> None:
        write(project, "sub/a.py", "sub/b_pb.py")
        (project / ".gitignore").write_text("*_pb.py\n")
        assert found("sub") == ["sub/a.py"]

    def test_what_is_named_is_covered(self, project: Path) -> None:
        write(project, "gen/a.py", "gen/sub/b.py")
        (project / ".gitignore").write_text("gen/\n")
        assert found("gen") == ["gen/a.py", "gen/sub/b.py"]
        assert found("gen/sub") == ["gen/sub/b.py"]
        assert found("gen/a.py") == ["gen/a.py"]

    @pytest.mark.parametrize("content", [b"", b"# nothing\n\n", b"\xff\xfe*.py\n", b"!\n[\n"])
    def test_odd_content_is_no_error(self, project: Path, content: bytes) -> None:
        write(project, "a.py")
        (project / ".gitignore").write_bytes(content)
        assert found(".") == ["a.py"]

    def test_a_folder_of_that_name_is_no_error(self, project: Path) -> None:
        write(project, "a.py", ".gitignore/x")
        assert found(".") == ["a.py"]


def test_a_gitignore_means_nothing_outside_a_repository(project: Path) -> None:
    write(project, "a.py")
    (project / ".gitignore").write_text("*.py\n")
    assert found(".") == ["a.py"]


def test_pathspec_is_imported_for_a_gitignore_only(project: Path) -> None:
    code = "import sys, loss_lint.discover as d; d.discover(['.']); print('pathspec' in sys.modules)"
    (project / ".git").mkdir()
    for content, expected in (("# none", b"False"), ("*.pyc", b"True")):
        (project / ".gitignore").write_text(content)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=project)
        assert done.stdout.strip() == expected


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege there")
class TestSymbolicLinks:
    def test_files_are_followed_and_folders_are_not(self, project: Path) -> None:
        write(project, "a/b.py")
        (project / "loop").symlink_to(project)
        (project / "a" / "up").symlink_to("..")
        (project / "link.py").symlink_to("a/b.py")
        assert found(".") == ["a/b.py", "link.py"]

    def test_broken_ones_and_loops_are_left_out(self, project: Path) -> None:
        (project / "gone.py").symlink_to("nowhere")
        (project / "self.py").symlink_to("self.py")
        assert discover(["."]) == discover([str(project)])
        assert found(".") == []

    def test_a_folder_named_through_a_link_is_walked(self, project: Path) -> None:
        write(project, "a/b.py")
        (project / "link").symlink_to("a")
        assert found("link") == ["link/b.py"]


def test_what_is_not_there_is_a_problem_and_the_rest_is_covered(project: Path) -> None:
    write(project, "a.py")
    discovery = discover(["gone.py", "a.py"])
    assert discovery.problems == ("gone.py: No such file or directory",)
    assert discovery.files == (str(project / "a.py"),)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_is_never_waited_for(project: Path) -> None:
    os.mkfifo(project / "pipe.py")
    assert found(".") == []
    assert discover(["pipe.py"]).problems == ("pipe.py: Not a regular file",)


def test_an_unreadable_folder_is_a_problem(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, "a.py", "closed/b.py")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    discovery = discover(["."])
    assert discovery.files == (str(project / "a.py"),)
    assert discovery.problems == (f"{project / 'closed'}: Permission denied",)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode there")
def test_names_need_not_be_utf8(project: Path) -> None:
    with open(os.fsencode(project) + b"/\xff.py", "wb"):
        pass
    assert found(".") == ["\udcff.py"]


def test_deep_folders_are_no_problem(project: Path) -> None:
    folder = project
    for _ in range(200):
        folder /= "d"
    folder.mkdir(parents=True)
    (folder / "a.py").touch()
    assert len(found(".")) == 1

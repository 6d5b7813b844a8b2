"""`loss-lint show`: whole programs with what it says of them, and laws over all other fixtures.

Each folder of `fixtures/show` is a program with an `expected.txt`: commands, each with its output. After a change
that is meant, `python tests/surfaces/test_show.py` writes them anew; read the difference.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loss_lint.cli import main
from loss_lint.explain.explanation import Explanation
from loss_lint.explain.losses import explain, roots_of
from loss_lint.report.palette import Palette
from loss_lint.report.tree import render
from loss_lint.symbolic.machine import Machine
from loss_lint.syntax.project import Project
from loss_lint.syntax.sources import Folder, Memory

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = sorted(path for path in (ROOT / "fixtures" / "show").iterdir() if path.is_dir())
RULE_FILES = sorted((ROOT / "fixtures" / "rules").glob("*/*.py"))


def commands(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.startswith("$ loss-lint "):
            yield line.removeprefix("$ loss-lint ")


def transcript(program: Path, folder: Path) -> str:
    """The program's commands with their outputs, run in a copy of it."""
    shutil.copytree(program, folder, dirs_exist_ok=True)
    expected = (program / "expected.txt").read_text(encoding="utf-8")
    before = os.getcwd()
    os.chdir(folder)
    try:
        return "".join(
            f"$ loss-lint {command}\n{output_of(command.split())}" for command in commands(expected)
        )
    finally:
        os.chdir(before)


def output_of(arguments: list[str]) -> str:
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        assert main(arguments) == 0
    return written.getvalue()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_programs(program: Path, tmp_path: Path) -> None:
    expected = (program / "expected.txt").read_text(encoding="utf-8")
    assert list(commands(expected)), "a program needs a command"
    assert transcript(program, tmp_path / program.name) == expected


def explanation_of(text: str, path: str = "/p/train.py", **others: str) -> Explanation:
    sources = Memory({path: text, **{f"/p/{name}.py": other for name, other in others.items()}})
    machine = Machine(Project(sources, ["/p"]))
    return explain(machine, roots_of(machine, path), path)


def loss_calls(text: str) -> set[int]:
    """The lines on which a fixture calls one of torch's losses as a function, wherever that is evaluated."""
    names = {
        "cross_entropy",
        "nll_loss",
        "binary_cross_entropy",
        "binary_cross_entropy_with_logits",
        "kl_div",
    }
    return {
        node.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in names
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "F"
    }


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_loss_of_a_file_is_shown(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    shown = {loss.place.line for loss in explanation_of(text).losses}
    assert loss_calls(text) - shown == set()


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_loss_says_what_it_computes(path: Path) -> None:
    for loss in explanation_of(path.read_text(encoding="utf-8")).losses:
        assert loss.title
        assert loss.readings
        for reading in loss.readings:
            assert all("\n" not in line for line in reading.formula)
            unknown = [node for node in reading.tree.walk() if node.kind == "unknown" and not node.children]
            assert all(node.note or node.place for node in unknown), "it says where knowledge ended, or why"


def test_two_runs_say_the_same() -> None:
    program = ROOT / "fixtures" / "show" / "guards"
    outputs = {
        subprocess.run(
            [sys.executable, "-m", "loss_lint", "show", "main.py"],
            cwd=program,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1


PROGRAM = (
    "import torch.nn.functional as F\n\ndef f(z, y):\n    a = F.cross_entropy(z, y)\n    F.mse_loss(z, y)\n"
)


def test_a_line_chooses_what_passes_through_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "train.py"
    file.write_text(PROGRAM)
    assert main(["show", f"{file}:4"]) == 0
    assert "mse_loss" not in capsys.readouterr().out
    assert main(["show", f"{file}:5:5"]) == 0
    assert "cross_entropy" not in capsys.readouterr().out
    assert main(["show", f"{file}:1"]) == 0
    assert capsys.readouterr().out.startswith("No loss at ")


def test_a_line_that_the_file_does_not_have(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "train.py"
    file.write_text(PROGRAM)
    for line in (0, 6, 99):
        assert main(["show", f"{file}:{line}"]) == 2
        assert capsys.readouterr().err == f"error: {file}: there is no line {line}; the file has 5\n"
    assert main(["show", f"{file}:2"]) == 0
    assert capsys.readouterr().out.endswith("The file's losses are at lines 4 and 5.\n")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_lines_fit_in_a_width(program: Path) -> None:
    """But for what has no place to be broken: a step with its place."""
    sources = Folder()
    for path in sorted(program.glob("*.py")):
        project = Project(sources, [str(program)])
        machine = Machine(project)
        explanation = explain(machine, roots_of(machine, str(path)), str(path))
        for width in (60, 80, 100):
            text = "".join(render(explanation, None, Palette(), str(program), width))
            for line in text.splitlines():
                step, gap, place = line.rpartition("  ")
                is_message = not line.startswith("  ")
                assert len(line) <= width or is_message or (gap and step and ".py:" in place)


def test_what_readings_share_is_shown_once() -> None:
    """Three losses of one model, whose output is a choice with several steps."""
    text = (ROOT / "fixtures" / "show" / "guards" / "expected.txt").read_text(encoding="utf-8")
    assert text.count("reading ") == 3
    assert text.count("one of") - text.count("as above") == 2
    assert text.count("sigmoid  ") == 1


def test_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "train.py"
    file.write_text(PROGRAM)
    assert main(["show", str(file), "--output-format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["filename"] == str(file)
    first, second = record["losses"]
    assert (first["name"], first["place"]["location"]) == ("cross_entropy", {"row": 4, "column": 9})
    assert second["readings"][0]["formula"] == ["mean over all elements of (z - y)^2"]
    assert [child["label"] for child in first["readings"][0]["tree"]["children"]] == ["input", "target"]


def test_colour(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "train.py"
    file.write_text(PROGRAM)
    assert main(["show", str(file), "--color", "always"]) == 0
    assert "\x1b[" in capsys.readouterr().out
    assert main(["show", str(file), "--color", "never"]) == 0
    assert "\x1b[" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("", 0, "No loss in "),
        ("x = 1\n", 0, "No loss in "),
        ("import torch\nx = (\n", 1, "LOS000"),
        ("\0", 1, "LOS000"),
    ],
)
def test_files_without_a_loss(
    text: str, status: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "train.py"
    file.write_text(text)
    assert main(["show", str(file)]) == status
    assert capsys.readouterr().out.startswith(message)


def test_what_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(tmp_path / "absent.py:3")]) == 2
    assert "no such file" in capsys.readouterr().err
    assert main(["show", str(tmp_path)]) == 2
    assert "a folder" in capsys.readouterr().err


def write_programs_anew() -> None:
    import tempfile

    for program in PROGRAMS:
        with tempfile.TemporaryDirectory() as folder:
            text = transcript(program, Path(folder) / program.name)
        (program / "expected.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_programs_anew()

"""`loss-lint run`: a script as `python` runs it, watched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Completed = subprocess.CompletedProcess[str]
WRONG = """
import torch
import torch.nn.functional as F

x, y = torch.randn(32, 5, requires_grad=True), torch.randint(0, 5, (32,))
F.cross_entropy(x.softmax(1), y).backward()
"""
ABOUT = """
import json, os, sys
import beside
print(json.dumps({
    "argv": sys.argv,
    "path": sys.path[0],
    "name": __name__,
    "file": __file__,
    "main": sys.modules["__main__"].__dict__ is globals(),
    "spec": __spec__ is not None,
    "package": __package__,
    "doc": __doc__,
    "beside": beside.__name__,
}))
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Completed]:
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def run(
        *arguments: str, tool: tuple[str, ...] = ("-m", "loss_lint", "run"), **environment: str
    ) -> Completed:
        return subprocess.run(
            [sys.executable, *tool, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **environment},
            timeout=120,
        )

    return run


def written(folder: Path, text: str, name: str = "train.py") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_findings_go_to_standard_error_and_make_the_status(
    tmp_path: Path, run: Callable[..., Completed]
) -> None:
    written(tmp_path, WRONG + "print('trained')\n")
    done = run("train.py")
    assert (done.returncode, done.stdout) == (1, "trained\n")
    assert done.stderr.startswith("train.py:6:1: LOS201 cross_entropy gets probabilities: softmax at line 6")
    assert done.stderr.endswith("Found 1 error in 1 call of losses.\n")


def test_a_right_script_is_as_if_nobody_watched(tmp_path: Path, run: Callable[..., Completed]) -> None:
    written(tmp_path, WRONG.replace(".softmax(1)", "") + "print('trained')\n")
    done = run("train.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "trained\n", "")


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("sys.exit(3)", 3),
        ("sys.exit()", 1),
        ("sys.exit(0)", 1),
        ("sys.exit('no data')", 1),
        ("raise KeyError('mine')", 1),
        ("raise KeyboardInterrupt", 130),
    ],
)
def test_the_scripts_own_end_comes_first(
    tmp_path: Path, run: Callable[..., Completed], ending: str, status: int
) -> None:
    written(tmp_path, f"import sys\n{WRONG}{ending}\n")
    done = run("train.py")
    assert done.returncode == status
    assert "LOS201" in done.stderr
    plain = run("train.py", tool=())
    if ending.startswith("raise KeyError"):
        assert plain.stderr in done.stderr
    if "no data" in ending:
        assert done.stderr.startswith("no data\n")


def test_a_script_finds_what_it_would_find(tmp_path: Path, run: Callable[..., Completed]) -> None:
    written(tmp_path, "", "folder/beside.py")
    written(tmp_path, ABOUT, "folder/script.py")
    arguments = ("folder/script.py", "--lr", "0.1", "-m", "x", "--select", "LOS")
    assert json.loads(run(*arguments).stdout) == json.loads(run(*arguments, tool=()).stdout)


def test_a_module_finds_what_it_would_find(tmp_path: Path, run: Callable[..., Completed]) -> None:
    written(tmp_path, "", "beside.py")
    written(tmp_path, ABOUT, "package/inner.py")
    written(tmp_path, ABOUT, "package/__main__.py")
    for name in ("package.inner", "package"):
        assert json.loads(run("-m", name, "--lr", "-m").stdout) == json.loads(
            run("-m", name, "--lr", "-m", tool=()).stdout
        )


def test_processes_that_a_script_starts_find_it(tmp_path: Path, run: Callable[..., Completed]) -> None:
    written(
        tmp_path,
        "import multiprocessing\n\n\ndef double(x):\n    return 2 * x\n\n\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map(double, [1, 2]))\n",
    )
    done = run("train.py")
    assert (done.returncode, done.stdout) == (0, "[2, 4]\n"), done.stderr


def test_options_of_its_own(tmp_path: Path, run: Callable[..., Completed]) -> None:
    written(tmp_path, WRONG)
    assert run("--exit-zero", "train.py").returncode == 0
    assert run("--ignore", "LOS201", "train.py").returncode == 0
    assert run("--select", "LOS1", "train.py").stderr == ""
    done = run("--output-format", "full", "train.py")
    assert "LOS201 softmax-into-cross-entropy\n" in done.stderr
    assert "6 | F.cross_entropy(x.softmax(1), y).backward()" in done.stderr
    done = run("--output-format", "json", "-o", "found.json", "train.py")
    (record,) = json.loads((tmp_path / "found.json").read_text())
    assert (done.returncode, done.stderr, record["code"]) == (1, "", "LOS201")
    assert record["evidence"]["verdict"] == "value+gradient"


def test_a_watch_inside_tells_it_once(tmp_path: Path, run: Callable[..., Completed]) -> None:
    written(tmp_path, WRONG.replace("F.cross", "import loss_lint\nwith loss_lint.watch():\n    F.cross"))
    assert run("train.py").stderr.count("LOS201") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.py"], "error: can't open file 'nothing.py': No such file or directory\n"),
        (["-m", "nothing"], "error: No module named nothing\n"),
        (["/dev/zero"], "error: can't open file '/dev/zero': Not a regular file\n"),
        ([], "error: name a script to run, or a module with `-m`\n"),
        (["-m"], "error: name a script to run, or a module with `-m`\n"),
        (["folder"], "error: can't find '__main__' module in 'folder'\n"),
        (["--select", "LOX", "train.py"], "error: unknown rule selector `LOX`"),
    ],
)
def test_what_cannot_be_run(
    tmp_path: Path, run: Callable[..., Completed], arguments: list[str], message: str
) -> None:
    (tmp_path / "folder").mkdir()
    written(tmp_path, "print('ran')\n")
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)


def test_a_script_that_is_no_python(tmp_path: Path, run: Callable[..., Completed]) -> None:
    written(tmp_path, "for\n")
    done = run("train.py")
    assert done.returncode == 1
    assert "SyntaxError" in done.stderr


def test_a_folder_with_a_main(tmp_path: Path, run: Callable[..., Completed]) -> None:
    written(tmp_path, "import beside; print(beside.__name__)", "app/__main__.py")
    written(tmp_path, "", "app/beside.py")
    assert run("app").stdout == "beside\n"


def test_without_torch_it_says_so(tmp_path: Path, run: Callable[..., Completed]) -> None:
    written(tmp_path, "import sys; sys.modules['torch'] = None\n", "without/sitecustomize.py")
    written(tmp_path, "print('ran')\n")
    path = os.pathsep.join([str(tmp_path / "without"), os.environ.get("PYTHONPATH", "")])
    done = run("train.py", PYTHONPATH=path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        'error: `run` cannot watch: torch is not installed: pip install "torch-loss-lint[harness]"\n'
    )

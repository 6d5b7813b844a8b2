"""`loss-lint scan` as a user runs it, on a Ray that it starts, and on a cluster that loses a node."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from corpora import BAD, NET, TRAIN, Serial, brief, corpus

ROOT = Path(__file__).parents[2]
LOSES_A_NODE = str(Path(__file__).with_name("lose_a_node.py"))
ROWS = [
    ("a/net", "train.py", TRAIN.encode()),
    ("a/net", "lib/net.py", NET.encode()),
    ("b/bad", "x/bad.py", BAD.encode()),
    ("plain", "a.py", b"import os\n"),
]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False, env=environment, timeout=300
    )


def test_a_corpus_is_scanned_and_told_of(tmp_path: Path) -> None:
    command = (
        "-m",
        "loss_lint",
        "scan",
        corpus(tmp_path / "in", ROWS),
        str(tmp_path / "out"),
        "--workers",
        "1",
    )
    done = run(*command)
    assert done.stdout == (
        "2  LOS201  softmax-into-cross-entropy\nFound 2 errors in 2 of 2 repositories with torch.\n"
    ), done.stderr
    assert done.returncode == 1
    assert "linting: 1 of 1 buckets" in done.stderr
    assert "linted 23 lines in" in done.stderr
    assert [line for line in done.stderr.splitlines() if not re.match(r"[a-z ]+: ", line)] == []
    assert [place[:3] for place in brief(tmp_path / "out")] == [
        ("a/net", "train.py", "LOS201"),
        ("b/bad", "x/bad.py", "LOS201"),
    ]

    again = run(*command, "--exit-zero")
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert "info: this scan was done before" in again.stderr


def test_a_cluster_that_loses_a_node_loses_nothing(tmp_path: Path) -> None:
    rows = [
        (f"r{number}", f"{kind}.py", f"{BAD}# {number} {kind}\n".encode())
        for number in range(120)
        for kind in "ab"
    ]
    done = run(LOSES_A_NODE, corpus(tmp_path / "in", rows), str(tmp_path / "out"), "--bucket-bytes", "2000")
    assert done.returncode == 0, done.stderr
    told = dict(
        line.split(maxsplit=1) for line in done.stdout.splitlines() if line.startswith(("buckets", "alive"))
    )
    lost = re.search(r"^lost after (\d+)$", done.stdout, re.MULTILINE)
    assert lost is not None
    assert int(lost[1]) < int(told["buckets"])
    assert told["alive"] == "2"
    assert [place[:2] for place in brief(tmp_path / "out")] == sorted((name, path) for name, path, _ in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone", "out"], "error: gone: No such file or directory"),
        (
            ["in", "out", "--text-column", "content"],
            "no column `content`; there are `repository`, `path`, `text`",
        ),
        (["in", "out", "--select", "LOS9"], "error: unknown rule selector `LOS9`"),
        (["in", "in"], "the folder is not empty"),
    ],
)
def test_wrong_usage(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    from loss_lint.cli import main

    monkeypatch.chdir(tmp_path)
    corpus(tmp_path / "in", ROWS)
    assert main(["scan", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("name", ["ray", "pyarrow"])
def test_what_is_missing_is_named(tmp_path: Path, name: str) -> None:
    code = f"import sys; sys.modules[{name!r}] = None; from loss_lint.cli import main; sys.exit(main(sys.argv[1:]))"
    done = run("-c", code, "scan", "in", "out")
    assert done.returncode == 2
    assert done.stderr == (
        f'error: `scan` needs {name}, which is not installed: pip install "torch-loss-lint[corpus]"\n'
    )


def test_ray_is_told_to_report_nothing_before_it_is_imported(tmp_path: Path) -> None:
    (tmp_path / "site" / "ray").mkdir(parents=True)
    told = "import os\nraise OSError('usage statistics: ' + os.environ['RAY_USAGE_STATS_ENABLED'])\n"
    (tmp_path / "site" / "ray" / "__init__.py").write_text(told)
    first = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})"
    code = f"{first}; from loss_lint.cli import main; main(sys.argv[1:])"
    done = run("-c", code, "scan", corpus(tmp_path / "in", ROWS), str(tmp_path / "out"))
    assert done.stderr == "error: usage statistics: 0\n"


def test_what_a_worker_could_not_do_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from loss_lint.cli import main
    from loss_lint.corpus import engine, scanning

    def full(item: object) -> object:
        raise OSError(28, "No space left on device", f"{item}.rows")

    class Worker(Serial):
        def mapped(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
            done = engine.Mapped(full)({"item": pickle.dumps("unit")})
            yield engine.result(done)

    monkeypatch.setattr(scanning.engine, "cluster", lambda *given: Worker()())
    assert main(["scan", corpus(tmp_path / "in", ROWS), str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: the scan was ended by OSError: [Errno 28] No space left on device: 'unit.rows' "
        "(the same command goes on with it)"
    )


def test_neither_is_imported_by_other_commands_or_where_it_lints() -> None:
    code = (
        "import sys, loss_lint.corpus.child, loss_lint.cli\n"
        "assert loss_lint.cli.main(['rule', 'LOS201']) == 0\n"
        "print([name for name in ('ray', 'pyarrow', 'numpy') if name in sys.modules])"
    )
    assert run("-c", code).stdout.splitlines()[-1] == "[]"

"""Scans without a cluster: what comes out of which rows, and how a scan goes on."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from corpora import BAD, NET, TRAIN, Row, Serial, brief, corpus, found, pa, pq, write

from loss_lint.corpus import merge, plan, shuffle
from loss_lint.corpus.census import SCREEN, Screen, census
from loss_lint.corpus.plan import Unusable
from loss_lint.corpus.progress import Progress
from loss_lint.corpus.scanning import Summary, scan_on
from loss_lint.corpus.settings import MAX_FILE_BYTES, Settings

OTHER = [("plain", f"{number}.py", f"import os\nx = {number}\n".encode()) for number in range(20)]
ROWS: list[Row] = [
    ("a/net", "train.py", TRAIN.encode()),
    *OTHER[:10],
    ("a/net", "lib/net.py", NET.encode()),
    ("b/bad", "x/bad.py", BAD.encode()),
    ("b/bad", "quiet.py", BAD.replace(", y)\n", ", y)  # noqa\n").encode()),
    *OTHER[10:],
]
EXPECTED = [("a/net", "train.py", "LOS201", 8), ("b/bad", "x/bad.py", "LOS201", 5)]


def scan(source: str | Path, output: str | Path, engine: Serial | None = None, **settings: Any) -> Summary:
    return scan_on(engine or Serial(), str(source), str(output), Settings(**settings), Progress(None))


def test_files_of_a_repository_are_linted_together(tmp_path: Path) -> None:
    summary = scan(corpus(tmp_path / "in", ROWS), tmp_path / "out")
    assert brief(tmp_path / "out") == EXPECTED
    assert (summary.files, summary.counts.repositories, summary.counts.flagged) == (24, 2, 2)
    assert summary.counts.codes == {"LOS201": 2}
    assert summary.linted == sum(text.count(b"\n") for name, _, text in ROWS if name != "plain")


def test_a_row_has_all_that_json_has(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "lib").mkdir(parents=True)
    (project / "train.py").write_text(TRAIN)
    (project / "lib" / "net.py").write_text(NET)
    (project / "bad.py").write_text(BAD)
    command = [sys.executable, "-m", "loss_lint", "check", "--output-format", "json", "--isolated", "-n", "."]
    done = subprocess.run(command, cwd=project, capture_output=True, check=False)

    rows = [("r", str(path.relative_to(project)), path.read_bytes()) for path in project.rglob("*.py")]
    scan(corpus(tmp_path / "in", rows), tmp_path / "out")
    flat = [_flat(record, project) for record in json.loads(done.stdout)]
    assert [{**record, "repository": "r"} for record in flat] == found(tmp_path / "out")
    assert any(record["fix"] for record in flat)


def _flat(record: dict[str, Any], project: Path) -> dict[str, Any]:
    """A JSON element as a row: positions side by side, paths in the project."""
    flat = {key: value for key, value in record.items() if key != "url"}
    if "filename" in flat:
        flat["path"] = os.path.relpath(flat.pop("filename"), project)
        flat["row"], flat["column"] = (flat["location"][key] for key in ("row", "column"))
        end = flat.pop("end_location")
        flat["end_row"], flat["end_column"] = end["row"], end["column"]
        del flat["location"]
        flat.setdefault("cell", None)
    for key in ("trace", "edits"):
        if key in flat:
            flat[key] = [_flat(one, project) for one in flat[key]]
    if flat.get("fix"):
        flat["fix"] = _flat(flat["fix"], project)
    return flat


@pytest.mark.parametrize("text", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()], ids=str)
@pytest.mark.parametrize(
    "name", [pa.string(), pa.large_binary(), pa.dictionary(pa.int32(), pa.string())], ids=str
)
def test_columns_of_many_types(tmp_path: Path, text: Any, name: Any) -> None:
    convert = bytes.decode if pa.types.is_string(text) or pa.types.is_large_string(text) else bytes
    encode = str.encode if pa.types.is_large_binary(name) else str
    rows = [(encode(repository), encode(path), convert(data)) for repository, path, data in ROWS]
    write(tmp_path / "in.parquet", rows, (name, name, text))
    scan(tmp_path / "in.parquet", tmp_path / "out")
    assert brief(tmp_path / "out") == EXPECTED


def test_columns_of_other_names_and_a_number_as_repository(tmp_path: Path) -> None:
    table = pa.table(
        {"n": [7, 7], "file": ["train.py", "lib/net.py"], "content": [TRAIN, NET], "stars": [1, 2]}
    )
    pq.write_table(table, tmp_path / "in.parquet")
    scan(tmp_path / "in.parquet", tmp_path / "out", repository="n", path="file", text="content")
    assert brief(tmp_path / "out") == [("7", "train.py", "LOS201", 8)]


def test_rules_are_selected(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", [*ROWS, ("c", "bad.py", b"import torch\n(")])
    scan(source, tmp_path / "1", select=("LOS1",))
    assert brief(tmp_path / "1") == [("c", "bad.py", "LOS000", 2)]
    scan(source, tmp_path / "2", ignore=("LOS0", "softmax-into-cross-entropy"))
    assert brief(tmp_path / "2") == []
    with pytest.raises(ValueError, match="unknown rule selector `LOS9`"):
        scan(source, tmp_path / "3", select=("LOS9",))


def test_poisoned_rows_are_reported_and_the_others_linted(tmp_path: Path) -> None:
    rows: list[Row] = [
        ("r", "null.py", None),
        ("r", None, b"import torch"),
        ("r", "binary.py", bytes(range(256)) + b"torch"),
        ("r", "deep.py", b"import torch\ncriterion(" + b"-" * 50_000 + b"1)"),
        ("r", "giant.py", b"import torch\n#" + b"x" * MAX_FILE_BYTES),
        ("r", "giant_without_torch.py", b"#" * (MAX_FILE_BYTES + 1)),
        ("r", "null.txt", None),
        ("r", "twice.py", b"import os"),
        ("r", "twice.py", b"import os"),
        ("r", "twice.py", b"import sys"),
        ("r", "good.py", BAD.encode()),
    ]
    summary = scan(corpus(tmp_path / "in", rows), tmp_path / "out")
    assert {(path, code) for _, path, code, _ in brief(tmp_path / "out")} == {
        (None, "LOS000"),
        ("null.py", "LOS000"),
        ("binary.py", "LOS000"),
        ("deep.py", "LOS000"),
        ("giant.py", "LOS000"),
        ("twice.py", "LOS000"),
        ("good.py", "LOS201"),
    }
    assert summary.counts.codes == {"LOS000": 6, "LOS201": 1}


def test_a_row_without_a_repository_is_one_of_its_own(tmp_path: Path) -> None:
    rows = [
        (None, "train.py", TRAIN.encode()),
        (None, "lib/net.py", NET.encode()),
        (None, "a.py", BAD.encode()),
    ]
    scan(corpus(tmp_path / "in", [*rows, rows[2]]), tmp_path / "out")
    assert brief(tmp_path / "out") == [(None, "a.py", "LOS201", 5)] * 2


def test_a_notebook_is_linted_by_its_cells(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "source": BAD, "metadata": {}, "outputs": [], "execution_count": None}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    scan(corpus(tmp_path / "in", [("r", "n.ipynb", json.dumps(notebook).encode())]), tmp_path / "out")
    (row,) = found(tmp_path / "out")
    assert (row["cell"], row["row"], row["noqa_row"], row["trace"][0]["cell"]) == (1, 5, 5, 1)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Units, buckets, runs and chunks of a few rows, so that a small corpus has many."""
    monkeypatch.setattr(plan, "UNIT_BYTES", 2_000)
    monkeypatch.setattr(plan, "BUCKET_BYTES", 4_000)
    monkeypatch.setattr(shuffle, "RUN_BYTES", 1_000)
    monkeypatch.setattr(shuffle, "CHUNK_BYTES", 300)


def many(folder: Path, seed: int) -> list[tuple[Any, ...]]:
    """Rows of many repositories in several files, in a random order; gives what is to be found in them."""
    rows: list[Row] = []
    for number in range(12):
        name = f"repository-{number}"
        rows += [(name, f"pad{index}.py", b"import os\n" * 20) for index in range(number)]
        rows.append((name, f"bad{number}.py", BAD.encode()))
        if number % 3 == 0:
            rows += [(name, "train.py", TRAIN.encode()), (name, "lib/net.py", NET.encode())]
    random.Random(seed).shuffle(rows)
    folder.mkdir()
    for index in range(3):
        write(folder / f"{index}.parquet", rows[index::3], row_group_size=5)
    wanted = [(f"repository-{number}", f"bad{number}.py", "LOS201", 5) for number in range(12)]
    return sorted(wanted + [(f"repository-{number}", "train.py", "LOS201", 8) for number in range(0, 12, 3)])


def contents(output: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in output.glob("*.parquet")}


def test_the_findings_do_not_depend_on_the_division(tmp_path: Path, small: None) -> None:
    wanted = many(tmp_path / "in", seed=1)
    engine = Serial()
    summary = scan(tmp_path / "in", tmp_path / "out", engine)
    assert brief(tmp_path / "out") == wanted
    assert summary.counts.repositories == 12
    assert len(contents(tmp_path / "out")) > 3
    assert not (tmp_path / "out" / "_scan" / "shuffle").exists()


@pytest.mark.parametrize("room", [0, 1_000, 10_000])
def test_the_findings_do_not_depend_on_the_room_that_a_merge_has(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    many(tmp_path / "in", seed=3)
    scan(tmp_path / "in", tmp_path / "wide")
    monkeypatch.setattr(merge, "MERGE_BYTES", room)
    scan(tmp_path / "in", tmp_path / "narrow")
    assert contents(tmp_path / "narrow") == contents(tmp_path / "wide")


def test_a_merge_takes_no_more_memory_where_there_are_more_files_to_merge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A corpus that is all torch, each of whose repositories lies in each of sixteen sorted files."""
    monkeypatch.setattr(plan, "UNIT_BYTES", 1_000_000)
    monkeypatch.setattr(plan, "BUCKET_BYTES", 10**9)
    monkeypatch.setattr(merge, "MERGE_BYTES", 2_000_000)
    (tmp_path / "in").mkdir()
    rows = [(f"r{number}", "a.py", b"import torch\n" * 20_000) for number in range(4)]
    for index in range(16):
        write(
            tmp_path / "in" / f"{index:02}.parquet", [(name, f"{index}.py", text) for name, _, text in rows]
        )
    planned = plan.plan(str(tmp_path / "in"), str(tmp_path / "out"), Settings())
    screen = Screen(planned.slots)
    for unit in planned.units:
        screen.add(census(unit, planned))
    planned.output.write(SCREEN, screen.dump())
    files = [shuffle.shuffle(unit, planned).files for unit in planned.units]
    before = pa.total_allocated_bytes()
    most, seen = 0, []
    for row in merge.bucket_rows(planned.output, files, 0, 1):
        most = max(most, pa.total_allocated_bytes() - before)
        seen.append((row.repository, row.path))
    assert seen == [(f"r{number}", f"{index}.py") for number in range(4) for index in range(16)]
    assert 1_000_000 < most < 4_000_000


class _Again(Serial):
    """In the middle of a scan, asks for it again."""

    def __init__(self, source: Path, output: Path) -> None:
        super().__init__()
        self._given = source, output
        self.messages: list[str] = []

    def mapped(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        for result in super().mapped(function, items):
            with pytest.raises(Unusable) as refused:
                scan(*self._given)
            self.messages.append(str(refused.value))
            yield result


def test_a_second_scan_at_the_same_time_is_refused(tmp_path: Path) -> None:
    corpus(tmp_path / "in", ROWS)
    engine = _Again(tmp_path / "in", tmp_path / "out")
    scan(tmp_path / "in", tmp_path / "out", engine)
    assert len(engine.messages) == 3
    assert set(engine.messages) == {
        f"{tmp_path / 'out'}: another scan is writing to this folder (process {os.getpid()} on {socket.gethostname()})"
    }
    assert brief(tmp_path / "out") == EXPECTED
    scan(tmp_path / "in", tmp_path / "out")


def test_a_folder_that_is_refused_stays_as_it_is(tmp_path: Path) -> None:
    corpus(tmp_path / "in", ROWS)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Unusable, match="the folder is not empty"):
        scan(tmp_path / "in", tmp_path / "in")
    assert sorted(tmp_path.rglob("*")) == before


HOLDS = """
import sys, time
sys.path.insert(0, sys.argv[1])
from corpora import Serial
from loss_lint.corpus.progress import Progress
from loss_lint.corpus.scanning import scan_on
from loss_lint.corpus.settings import Settings

class Waits(Serial):
    def mapped(self, function, items):
        yield from super().mapped(function, items)
        print("waiting", flush=True)
        time.sleep(60)

scan_on(Waits(), sys.argv[2], sys.argv[3], Settings(), Progress(None))
"""


def test_a_scan_that_was_killed_keeps_nobody_out(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", ROWS)
    command = [sys.executable, "-c", HOLDS, os.path.dirname(__file__), source, str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"waiting\n"
        with pytest.raises(
            Unusable, match=rf"another scan is writing to this folder \(process {other.pid} on "
        ):
            scan(source, tmp_path / "out")
        other.kill()
    scan(source, tmp_path / "out")
    assert brief(tmp_path / "out") == EXPECTED
    assert sorted(os.listdir(tmp_path / "out" / "_scan")) == ["scan.json", "summary.json"]


@pytest.mark.parametrize(("number", "goes_on"), [(errno.ENOLCK, True), (errno.EAGAIN, False)])
def test_where_there_are_no_locks_it_goes_on_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, goes_on: bool
) -> None:
    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    source = corpus(tmp_path / "in", ROWS)
    if goes_on:
        scan(source, tmp_path / "out")
        assert brief(tmp_path / "out") == EXPECTED
    else:
        with pytest.raises(Unusable, match="it is not known which"):
            scan(source, tmp_path / "out")


def test_a_scan_that_was_ended_goes_on(tmp_path: Path, small: None) -> None:
    wanted = many(tmp_path / "in", seed=2)
    whole = Serial()
    scan(tmp_path / "in", tmp_path / "whole", whole)
    for number in range(0, len(whole.done), 3):
        output = tmp_path / f"out{number}"
        with pytest.raises(KeyboardInterrupt):
            scan(tmp_path / "in", output, Serial(ends_after=number))
        before = {path: path.stat().st_ino for path in output.glob("*.parquet")}
        # What a process that was killed had not finished.
        (output / "_scan" / "begun").mkdir(exist_ok=True)
        (output / "_scan" / "begun" / "1-part-00000.parquet").write_bytes(b"PAR1")
        summary = scan(tmp_path / "in", output)
        assert brief(output) == wanted
        assert summary.counts.repositories == 12
        assert {path: path.stat().st_ino for path in before} == before
        assert contents(output) == contents(tmp_path / "whole")
        assert sorted(os.listdir(output / "_scan")) == ["scan.json", "summary.json"]


def test_a_scan_that_is_done_is_not_done_again(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", ROWS)
    first = scan(source, tmp_path / "out")
    engine = Serial()
    again = scan(source, tmp_path / "out", engine)
    assert engine.done == []
    assert again.counts == first.counts


def test_another_scan_does_not_go_on_with_it(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", ROWS)
    scan(source, tmp_path / "out")
    with pytest.raises(Unusable, match="holds a scan of other settings"):
        scan(source, tmp_path / "out", ignore=("LOS2",))
    write(tmp_path / "in" / "more.parquet", ROWS)
    with pytest.raises(Unusable, match="holds a scan of other input"):
        scan(source, tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(Unusable, match="the folder is not empty"):
        scan(source, tmp_path / "mine")


def test_a_damaged_part_of_the_input_is_reported(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shuffle.time, "sleep", lambda seconds: None)
    many(tmp_path / "in", seed=3)
    rows = [("damaged", f"{number}.py", random.Random(number).randbytes(3_000)) for number in range(2)]
    path = tmp_path / "in" / "damaged.parquet"
    write(path, rows, row_group_size=1)
    data = bytearray(path.read_bytes())
    place = data.index(rows[0][2][:8]) - 40
    data[place : place + 40] = b"\xff" * 40
    path.write_bytes(data)
    summary = scan(tmp_path / "in", tmp_path / "out")
    (problem,) = summary.problems
    assert "damaged.parquet: cannot be read" in problem
    assert (None, None, "LOS000", None) in brief(tmp_path / "out")
    assert summary.counts.codes["LOS201"] == 16
    assert scan(tmp_path / "in", tmp_path / "out").problems == summary.problems


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda path: None, "No such file or directory", id="nothing there"),
        pytest.param(lambda path: path.mkdir(), "no Parquet files", id="an empty folder"),
        pytest.param(lambda path: path.write_text("a,b\n" * 99), "Parquet magic bytes", id="no Parquet"),
        pytest.param(
            lambda path: pq.write_table(pa.table({"path": ["a"], "text": ["b"]}), path),
            "no column `repository`; there are `path`, `text`",
            id="a column is missing",
        ),
        pytest.param(
            lambda path: pq.write_table(pa.table({"repository": ["a"], "path": ["b"], "text": [1]}), path),
            "column `text` is of type int64, not text",
            id="a column of another type",
        ),
    ],
)
def test_input_that_is_none(tmp_path: Path, make: Any, message: str) -> None:
    make(tmp_path / "in")
    with pytest.raises(Unusable, match=message):
        scan(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("groups", [0, 1])
def test_an_empty_corpus(tmp_path: Path, groups: int) -> None:
    table = pa.table({name: pa.array([], pa.string()) for name in ("repository", "path", "text")})
    with pq.ParquetWriter(tmp_path / "in.parquet", table.schema) as writer:
        for _ in range(groups):
            writer.write_table(table)
    assert scan(tmp_path / "in.parquet", tmp_path / "out").counts.repositories == 0
    assert found(tmp_path / "out") == []


def test_a_url_names_a_folder_too(tmp_path: Path) -> None:
    scan(f"file://{corpus(tmp_path / 'in', ROWS)}", f"file://{tmp_path}/out")
    assert brief(tmp_path / "out") == EXPECTED

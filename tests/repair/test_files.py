"""Files are replaced whole or not at all, and stay what they were."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loss_lint.repair.files import Change, Unwritten, obstacle, replace_all

OLD, NEW = b"old\n", b"new\n" * 3


def replace(*paths: Path) -> None:
    replace_all({str(path): Change(OLD, NEW) for path in paths})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_bytes(OLD)
    return path


def test_nothing_else_is_left_in_the_folder(file: Path) -> None:
    replace(file)
    assert file.read_bytes() == NEW
    assert os.listdir(file.parent) == ["a.py"]


@pytest.mark.parametrize("mode", [0o755, 0o640, 0o606])
def test_permissions_stay(file: Path, mode: int) -> None:
    file.chmod(mode)
    replace(file)
    assert file.stat().st_mode & 0o7777 == mode


def test_whoever_watches_sees_the_change(file: Path) -> None:
    os.utime(file, (1, 1))
    replace(file)
    assert file.stat().st_mtime > 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays(file: Path) -> None:
    os.chown(file, 1234, 4321)
    replace(file)
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 4321)


def test_an_owner_that_cannot_be_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    stat = os.stat(file)
    other = os.stat_result((*stat[:4], stat.st_uid + 1, *stat[5:]))
    monkeypatch.setattr(os, "chown", refused)
    monkeypatch.setattr("loss_lint.repair.files.os.stat", lambda path: other if path == str(file) else stat)
    with pytest.raises(Unwritten, match="owner"):
        replace(file)
    assert file.read_bytes() == OLD


def test_a_symbolic_link_stays(file: Path) -> None:
    link = file.parent / "folder" / "b.py"
    link.parent.mkdir()
    link.symlink_to(file)
    replace(link)
    assert link.is_symlink()
    assert file.read_bytes() == NEW
    assert os.listdir(link.parent) == ["b.py"]


def test_other_hard_links_keep_the_old_text(file: Path) -> None:
    other = file.parent / "b.py"
    os.link(file, other)
    replace(file)
    assert (file.read_bytes(), other.read_bytes()) == (NEW, OLD)


def test_a_file_that_was_changed_meanwhile(file: Path) -> None:
    file.write_bytes(b"newer\n")
    with pytest.raises(Unwritten, match="changed"):
        replace(file)
    assert file.read_bytes() == b"newer\n"
    assert os.listdir(file.parent) == ["a.py"]


def test_a_full_disk_leaves_the_old_files(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = file.parent / "b.py"
    other.write_bytes(OLD)
    calls = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unwritten, match="No space left on device"):
        replace(file, other)
    assert (file.read_bytes(), other.read_bytes()) == (OLD, OLD)
    assert sorted(os.listdir(file.parent)) == ["a.py", "b.py"]


def test_where_the_second_exchange_fails_the_first_is_taken_back(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = file.parent / "b.py"
    other.write_bytes(OLD)
    exchange = os.replace

    def refused(source: str, target: str) -> None:
        if target == str(other):
            raise PermissionError(13, "Permission denied")
        exchange(source, target)

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(Unwritten) as error:
        replace(file, other)
    assert error.value.path == str(other)
    assert (file.read_bytes(), other.read_bytes()) == (OLD, OLD)
    assert sorted(os.listdir(file.parent)) == ["a.py", "b.py"]


def test_obstacles(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert obstacle(str(file)) is None
    assert obstacle(str(file.parent)) == "Not a regular file"
    assert obstacle(str(file.parent / "b.py")) == "No such file or directory"
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(file))
    assert obstacle(str(file)) == "Read-only file"
    monkeypatch.setattr(os, "access", lambda path, mode: path == str(file))
    assert obstacle(str(file)) == "Read-only folder"


# Replaces a file for ever, now by one text and now by another, each of many megabytes.
WRITER = """
import sys
from loss_lint.repair.files import Change, replace_all
path = sys.argv[1]
texts = [bytes([letter]) * 3_000_000 for letter in b"ab"]
print("started", flush=True)
while True:
    for before, after in (texts, texts[::-1]):
        replace_all({path: Change(before, after)})
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="a process cannot be killed at once here")
def test_a_process_that_is_killed_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    for attempt in range(6):
        path.write_bytes(b"a" * 3_000_000)
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        with process, process.stdout:
            process.stdout.readline()
            time.sleep(0.007 * attempt)
            process.kill()
        assert process.returncode == -signal.SIGKILL
        assert path.read_bytes() in (b"a" * 3_000_000, b"b" * 3_000_000)

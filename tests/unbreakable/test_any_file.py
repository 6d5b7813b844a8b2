"""No file, stream or disk whatever makes a run raise, hang, end with another status, or lose a file."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

BAD = (
    "import torch\nimport torch.nn.functional as F\n\n\n"
    "def step(x, y):\n    return F.cross_entropy(x.softmax(1), y)\n"
)
FIXED = BAD.replace(".softmax(1)", "")
COMMAND = (sys.executable, "-m", "loss_lint", "check", "--output-format", "concise")
SECONDS = 60

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.py").write_text(BAD)
    return folder


@pytest.fixture
def run(folder: Path) -> Run:
    """Runs the check in the folder; whatever it prints on standard error is no traceback."""

    def run(*arguments: str, shell: str = "", **options: object) -> subprocess.CompletedProcess[bytes]:
        command: list[str] = [*COMMAND, "--no-cache", *arguments]
        if shell:  # redirections of the shell, for streams that are closed or full
            command = ["sh", "-c", f'"$@" {shell}', "sh", *command]
        done = subprocess.run(
            command, cwd=folder, check=False, timeout=SECONDS, capture_output=True, stdin=subprocess.DEVNULL
        )
        assert b"Traceback" not in done.stderr
        return done

    return run


def found(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    """The files and codes that were found."""
    rows = [line for line in done.stdout.decode().splitlines() if " LOS" in line]
    return [f"{row.partition(':')[0]} {row.split(' LOS')[1][:3]}" for row in rows]


@needs_pipes
@pytest.mark.parametrize("name", ["net.py", "other.py", "sub/__init__.py", ".gitignore"])
def test_a_pipe_in_the_project_is_not_waited_for(folder: Path, run: Run, name: str) -> None:
    (folder / ".git").mkdir()
    (folder / "a.py").write_text("from net import x\nimport sub\n" + BAD)
    (folder / name).parent.mkdir(exist_ok=True)
    os.mkfifo(folder / name)
    for paths in ("a.py", "."):
        assert found(run(paths)) == ["a.py 201"]


@needs_pipes
@pytest.mark.parametrize("name", ["pyproject.toml", "loss-lint.toml"])
def test_a_pipe_is_no_configuration(folder: Path, run: Run, name: str) -> None:
    os.mkfifo(folder / name)
    done = run(".")
    assert (done.returncode, b"Not a regular file" in done.stderr) == (2, True)


needs_devices = pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no endless device")


@needs_devices
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_no_baseline_and_no_configuration(folder: Path, run: Run, device: str) -> None:
    baseline, config = run(".", "--baseline", device), run(".", "--config", device)
    assert (baseline.returncode, baseline.stderr.decode()) == (
        2,
        f"error: {device}: cannot be read: Not a regular file\n",
    )
    assert (config.returncode, config.stderr.count(b"\n")) == (2, 1)
    link = folder / "loss-lint.toml"
    link.symlink_to(device)
    for arguments in (["."], ["a.py"], [".", "--config", "loss-lint.toml"]):
        done = run(*arguments)
        assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)


@needs_devices
def test_standard_input_without_an_end(run: Run) -> None:
    done = run("-", shell="< /dev/zero")
    assert (done.returncode, done.stderr) == (2, b"error: standard input: File too large\n")


@needs_pipes
def test_a_pipe_may_be_a_baseline(folder: Path, run: Run) -> None:
    assert run(".", "--write-baseline", "known.json").returncode == 0
    os.mkfifo(folder / "pipe")
    with subprocess.Popen(["sh", "-c", "cat known.json > pipe"], cwd=folder):
        done = run(".", "--baseline", "pipe")
    assert (done.returncode, found(done)) == (0, [])


@needs_pipes
def test_a_pipe_in_place_of_a_cache_entry_is_not_waited_for(folder: Path) -> None:
    for _ in range(2):
        done = subprocess.run([*COMMAND, "."], cwd=folder, check=False, timeout=SECONDS, capture_output=True)
        assert found(done) == ["a.py 201"]
        for entry in (folder / ".loss_lint_cache").glob("*.json"):
            entry.unlink()
            os.mkfifo(entry)


@pytest.mark.skipif(sys.platform == "win32", reason="files of these kinds are Unix's")
def test_files_that_are_none(folder: Path, run: Run) -> None:
    (folder / "a.py").write_text("import device, huge, local, folder, loop\n" + BAD)
    (folder / "device.py").symlink_to("/dev/zero")
    with open(folder / "huge.py", "wb") as file:
        file.truncate(10**12)
    here = os.getcwd()
    os.chdir(folder)  # the names of sockets are short
    with socket.socket(socket.AF_UNIX) as local:
        try:
            local.bind("local.py")
        finally:
            os.chdir(here)
        (folder / "folder.py").mkdir()
        (folder / "loop.py").symlink_to("loop.py")
        (folder / "inner").mkdir()
        (folder / "inner" / "outer").symlink_to("..")
        (folder / "closed.py").write_text(BAD)
        (folder / "closed.py").chmod(0)
        done = run(".")
        assert done.returncode == 1
        closed = "closed.py 201" if os.access(folder / "closed.py", os.R_OK) else "closed.py 000"
        assert found(done) == ["a.py 201", closed, "huge.py 000"]
        assert run("local.py").returncode == 2
        assert run("device.py", "a.py").returncode == 2


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are Unicode there")
@pytest.mark.parametrize(
    "name", [b"\xff.py", b"a\nb.py", b"a\x1b[31m.py", b" .py", b"-x.py", b"a" * 250 + b".py"]
)
def test_names(folder: Path, run: Run, name: bytes) -> None:
    os.rename(folder / "a.py", os.fsencode(folder) + b"/" + name)
    for output_format in ("json", "full"):
        done = run(".", "--output-format", output_format)
        assert (done.returncode, b"LOS201" in done.stdout, done.stderr) == (1, True, b"")
    assert run(".", "--fix", "--unsafe-fixes").returncode == 0
    with open(os.fsencode(folder) + b"/" + name, encoding="utf-8") as file:
        assert file.read() == FIXED


@needs_full
@pytest.mark.parametrize("shell", ["> /dev/full", "> /dev/full 2> /dev/full", "-v 2> /dev/full"])
def test_a_full_disk_behind_a_stream(run: Run, shell: str) -> None:
    assert run("a.py", shell=shell).returncode == 2


@needs_full
def test_a_full_disk_behind_a_file(run: Run) -> None:
    for flag in ("-o", "--write-baseline"):
        done = run("a.py", flag, "/dev/full")
        assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert not os.path.isfile("/dev/full")


@pytest.mark.skipif(sys.platform == "win32", reason="of the shell")
@pytest.mark.parametrize(("shell", "status"), [(">&-", 1), ("2>&-", 1), (">&- 2>&- <&-", 1), ("- <&-", 0)])
def test_streams_that_are_closed(run: Run, shell: str, status: int) -> None:
    paths = () if shell.startswith("-") else ("a.py",)
    assert run(*paths, shell=shell).returncode == status


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use stays there")
def test_a_working_folder_that_is_gone(tmp_path: Path) -> None:
    script = 'mkdir gone; cd gone; rmdir ../gone; "$@"'
    done = subprocess.run(
        ["sh", "-c", script, "sh", *COMMAND], capture_output=True, check=False, timeout=SECONDS, cwd=tmp_path
    )
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)


# `{dot}` is a dot in a package, and nothing outside of one.
IMPORTS = {
    "a circle": {
        "net": "from {dot}main import step\nfrom {dot}net import step",
        "other": "from {dot}net import *",
    },
    "stars": {"net": "from {dot}other import *", "other": "from {dot}net import *"},
    "itself": {
        "net": "from {dot}net import *\nimport net.net, pack.net",
        "other": "from . import other, net",
    },
    "a circle of classes": {
        "net": "from {dot}other import B\nclass A(B):\n    def forward(self, x):\n        return super().forward(x)",
        "other": "from {dot}net import A\nclass B(A):\n    def forward(self, x):\n        return super().forward(x)",
    },
}


@pytest.mark.parametrize("circle", IMPORTS)
@pytest.mark.parametrize("dot", ["", "."])
def test_circles(folder: Path, run: Run, circle: str, dot: str) -> None:
    """Imports and classes that need each other change nothing beside them."""
    where = folder / "pack" if dot else folder
    where.mkdir(exist_ok=True)
    (folder / "a.py").unlink()
    for name, text in IMPORTS[circle].items():
        (where / f"{name}.py").write_text(f"import torch\n{text.format(dot=dot)}\n")
    if dot:
        (where / "__init__.py").write_text("from . import *\nfrom .net import *\nfrom .main import step\n")
    (where / "main.py").write_text(f"from {dot}net import *\nfrom {dot}other import *\n{BAD}")
    assert found(run(".")) == ["pack/main.py 201" if dot else "main.py 201"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="a process cannot be killed at once here")
def test_a_run_that_is_killed_while_it_fixes(folder: Path) -> None:
    """Each file is the old one or the new one, whole, and the next run makes an end of it."""
    (folder / "a.py").unlink()
    names = [f"m{number}.py" for number in range(12)]
    statuses = set()
    for attempt in range(4):
        for name in names:
            (folder / name).write_text(BAD)
        process = subprocess.Popen(
            [*COMMAND, "--no-cache", "--fix", "--unsafe-fixes", "."],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + SECONDS
        # Killed when the first text, the second, ... lies beside its file, or has replaced it.
        while process.poll() is None and time.monotonic() < end:
            made = sum(name.startswith(".m") for name in os.listdir(folder))
            if made > 3 * attempt:
                break
        process.kill()
        statuses.add(process.wait())
        assert {(folder / name).read_text() for name in names} <= {BAD, FIXED}
    assert statuses <= {-signal.SIGKILL, 0}
    done = subprocess.run(
        [*COMMAND, "--no-cache", "--fix", "--unsafe-fixes", "."], cwd=folder, check=False, capture_output=True
    )
    assert done.returncode == 0
    assert {(folder / name).read_text() for name in names} == {FIXED}

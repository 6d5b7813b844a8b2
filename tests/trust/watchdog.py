"""Runs `loss-lint` and writes down, one JSON record a line, what it does that a linter must not do.

    python watchdog.py RECORD PROJECT WRITABLE ARGUMENTS...

The interpreter's own audit events show everything that is opened, imported, executed or sent, in forked processes too.
"""

from __future__ import annotations

import json
import os
import sys

record, project, writable = (os.path.realpath(path) for path in sys.argv[1:4])
arguments = sys.argv[4:]
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "os.chown",
    "os.utime",
    "os.setxattr",
    "shutil.rmtree",
    "shutil.move",
    "tempfile.mkstemp",
    "tempfile.mkdtemp",
}
STARTS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "pty.spawn"}
out = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
at_work: list[str] = []


def is_inside(path: object, folder: str) -> bool:
    if not isinstance(path, str | bytes) or str(path).startswith("<"):
        return False  # `<string>` is where code that was made in memory stands
    found = os.path.realpath(os.fsdecode(path))
    return found == folder or found.startswith(folder + os.sep)


def wrong(event: str, given: tuple[object, ...]) -> bool:
    if event.startswith(("socket.", "urllib.", "http.", "ftplib.", "smtplib.")) or event in STARTS:
        return True
    if event == "open":
        path, mode, flags = given
        writes = bool(isinstance(flags, int) and flags & WRITES) or "w" in str(mode)
        return writes and isinstance(path, str | bytes) and not is_inside(path, writable)
    if event in CHANGES:
        paths = [one for one in given[:2] if isinstance(one, str | bytes)]
        return not all(is_inside(path, writable) for path in paths)
    if event == "exec":
        return is_inside(getattr(given[0], "co_filename", None), project)
    if event == "import":
        return is_inside(given[1], project)
    return False


def audit(event: str, given: tuple[object, ...]) -> None:
    if at_work:
        return
    at_work.append(event)
    try:
        if wrong(event, given):
            os.write(out, (json.dumps([event, *map(repr, given)]) + "\n").encode())
    finally:
        at_work.clear()


from loss_lint.cli import main  # noqa: E402 - what Python itself does at its start is not watched

sys.addaudithook(audit)
sys.exit(main(arguments))

"""The command line in this process, and what must hold of every run of it."""

from __future__ import annotations

import ast
import io
import json
import sys
import time
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from loss_lint.cli import main
from loss_lint.linter import RECURSION_LIMIT

SECONDS = 20  # of the processor, for one text: generous for slow machines; most take a tenth of one


class Broken(AssertionError):
    """What must hold of every run does not hold of this one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended, what it wrote, and the seconds of the processor that it took."""

    status: int
    out: bytes
    err: bytes
    seconds: float


def run(data: bytes, *arguments: str, name: str = "train.py") -> Outcome:
    """`loss-lint check` with `data` as standard input, under a name."""
    started = time.process_time()
    with _streams(data) as (out, err):
        status = main(["check", "--isolated", "--no-cache", "--stdin-filename", name, *arguments, "-"])
        sys.stdout.flush()
        sys.stderr.flush()
        return Outcome(status, out.getvalue(), err.getvalue(), time.process_time() - started)


@contextmanager
def _streams(data: bytes) -> Iterator[tuple[io.BytesIO, io.BytesIO]]:
    out, err = io.BytesIO(), io.BytesIO()
    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin = io.TextIOWrapper(io.BytesIO(data), "utf-8")
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(stream, "utf-8", errors="backslashreplace", write_through=True)
        for stream in (out, err)
    )
    try:
        yield out, err
    finally:
        sys.stdin, sys.stdout, sys.stderr = before


def is_python(data: bytes) -> bool:
    """Whether the interpreter reads the text, where as much depth is allowed as loss-lint allows."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(data)
            # From bytes, but not from a file, Python takes comments that it cannot decode.
            data.decode(tokenize.detect_encoding(io.BytesIO(data).readline)[0])
    except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError):
        return False
    finally:
        sys.setrecursionlimit(limit)
    return True


def examined(data: bytes, *, fixes: bool = True) -> Sequence[Any]:
    """The findings in a text, as JSON has them, after all that must hold of every text was found to hold."""
    outcome = run(data, "--output-format", "json")
    _require(outcome.err == b"", f"it complains: {outcome.err!r}")
    _require(outcome.seconds < SECONDS, f"it takes {outcome.seconds:.0f} seconds")
    findings: Sequence[Any] = json.loads(outcome.out)
    codes = {one["code"] for one in findings}
    _require("LOS999" not in codes, f"it fails: {[one['message'] for one in findings]}")
    _require(outcome.status == bool(findings), f"status {outcome.status} with {len(findings)} findings")
    readable = is_python(data)
    if readable or b"torch" in data:
        _require(("LOS000" in codes) != readable, f"Python reads it: {readable}; found: {codes}")
    count = max(1, len(data.splitlines()), data.count(b"\r") + data.count(b"\n") + 1)
    for one in findings:
        start, end = one["location"], one["end_location"]
        _require(1 <= start["row"] <= end["row"] <= count, f"a place outside: {one}")
        _require(min(start["column"], end["column"]) >= 1, f"a column outside: {one}")
    if fixes and findings:
        _require_sound_fixes(data, readable)
    return findings


def _require_sound_fixes(data: bytes, readable: bool) -> None:
    """What fixing makes of Python is Python; what is none stays, and `full` shows either."""
    fixed = run(data, "--fix", "--unsafe-fixes")
    _require(fixed.status in (0, 1), f"fixing ends with {fixed.status}: {fixed.err!r}")
    _require(fixed.out == data or (readable and is_python(fixed.out)), f"fixing makes {fixed.out!r}")
    shown = run(data)
    _require(shown.status == 1, f"showing ends with {shown.status}")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise Broken(message)

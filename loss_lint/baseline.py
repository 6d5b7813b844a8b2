"""Findings that are known already: by file, code, the text of their line, and which of several alike they are.

So they outlive that lines move, and one that is gone makes no room for another one.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from loss_lint.syntax.sources import read_given

if TYPE_CHECKING:
    from loss_lint.findings import Finding, Place

VERSION = 1


class BaselineError(Exception):
    """A baseline that cannot be read or written; the message names the file."""


class Known(NamedTuple):
    """What a finding is known by. `path` is what it is called in the baseline; `occurrence` counts from one."""

    path: str
    code: str
    line: str
    occurrence: int


def known_by(
    findings: Iterable[Finding], line_of: Callable[[Place], str], called: Callable[[str], str]
) -> Iterator[tuple[Finding, Known]]:
    """The findings, which are sorted, with what each is known by; `line_of` has its text, `called` names its file."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for finding in findings:
        key = (called(finding.place.path), finding.code, line_of(finding.place).strip())
        counts[key] += 1
        yield finding, Known(*key, counts[key])


def relative_to(file: str) -> Callable[[str], str]:
    """How a baseline in `file` calls a path: as it leads there from the baseline's folder, with forward slashes."""
    folder = os.path.dirname(os.path.abspath(file))

    def called(path: str) -> str:
        absolute = os.path.abspath(path)
        with suppress(ValueError):  # another drive
            absolute = os.path.relpath(absolute, folder)
        return absolute.replace(os.sep, "/")

    return called


def read(file: str) -> frozenset[Known]:
    """What a baseline knows; raises BaselineError."""
    try:
        document = json.loads(read_given(file).decode("utf-8", "surrogatepass"))
    except OSError as error:
        raise BaselineError(f"{file}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"{file}: not JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("findings"), list):
        raise BaselineError(f"{file}: not a baseline of loss-lint")
    if document.get("version") != VERSION:
        raise BaselineError(
            f"{file}: a baseline of version {document.get('version')!r}; this loss-lint reads version {VERSION}"
        )
    try:
        return frozenset(
            Known(str(one["path"]), str(one["code"]), str(one["line"]), int(one["occurrence"]))
            for one in document["findings"]
        )
    except (TypeError, KeyError, ValueError):
        raise BaselineError(f"{file}: an entry that is none") from None


def write(file: str, entries: Iterable[Known]) -> None:
    """Write a baseline, at once and sorted, one finding a line; raises BaselineError."""
    lines = [json.dumps(one._asdict(), ensure_ascii=False) for one in sorted(entries)]
    inside = ",\n    ".join(lines)
    findings = f"[\n    {inside}\n  ]" if lines else "[]"
    text = f'{{\n  "version": {VERSION},\n  "findings": {findings}\n}}\n'
    target = os.path.realpath(file)
    folder = os.path.dirname(target)
    if os.path.exists(target) and not os.path.isfile(target):
        raise BaselineError(f"{file}: cannot be written: Not a regular file")
    try:
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as opened:
                opened.write(text.encode("utf-8", "surrogatepass"))
            os.chmod(temporary, _mode(target))
            os.replace(temporary, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise BaselineError(f"{file}: cannot be written: {error.strerror}") from None


def _mode(file: str) -> int:
    """The permissions of the file that is replaced, or of a new one."""
    try:
        return os.stat(file).st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask

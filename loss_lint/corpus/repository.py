"""The files of one repository put together and linted; whatever is wrong with them is reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from loss_lint.corpus.records import Defect, defect_record
from loss_lint.corpus.sandbox import Ended, Linted
from loss_lint.corpus.settings import MAX_FILE_BYTES
from loss_lint.selection import INTERNAL_ERROR, UNPARSABLE
from loss_lint.syntax.sources import is_linted

if TYPE_CHECKING:
    from loss_lint.corpus.merge import Row
    from loss_lint.corpus.records import Record
    from loss_lint.corpus.sandbox import Sandbox

# So often a repository is linted anew without the file at which it failed.
MAX_SET_ASIDE = 3


@dataclass(slots=True)
class Repository:
    """Texts by path, what is to be reported of rows, and how much text there is in all.

    Where there is more than may be held, there are no texts.
    """

    name: str | None
    files: dict[str, bytes] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    bytes: int = 0
    is_too_large: bool = False


def repositories(rows: Iterable[Row], limit: int) -> Iterator[Repository]:
    """The repositories of a bucket's rows, with at most `limit` bytes of text each.

    A row that names no repository is one of its own.
    """
    numbered = enumerate(rows)
    for _, group in groupby(
        numbered, key=lambda pair: (pair[1].repository, pair[0] * (pair[1].repository is None))
    ):
        yield _together((row for _, row in group), limit)


def _together(rows: Iterator[Row], limit: int) -> Repository:
    first = next(rows)
    found = Repository(first.repository)
    _add(first, found, limit)
    for row in rows:
        _add(row, found, limit)
    return found


def _add(row: Row, found: Repository, limit: int) -> None:
    if row.path is None:
        found.records.append(_unreadable(None, "the row has no path"))
    elif row.text is None and is_linted(row.path):
        why = "the row has no text"
        if row.size is not None:
            why = f"the file has {row.size:,} bytes, more than the {MAX_FILE_BYTES:,} that are linted"
        found.records.append(_unreadable(row.path, why))
    elif row.path in found.files:
        if found.files[row.path] != row.text:
            why = "another row of this repository has this path; its text was linted"
            found.records.append(_unreadable(row.path, why))
    else:
        text = row.text or b""
        found.bytes += len(text)
        if found.bytes > limit:
            found.is_too_large = True
            found.files.clear()
        if not found.is_too_large:
            found.files[row.path] = text


def _unreadable(path: str | None, why: str) -> Record:
    return defect_record(path, Defect(UNPARSABLE, "unreadable-file", why))


def lint(repository: Repository, sandbox: Sandbox, limit: int) -> tuple[list[Record], float]:
    """The records of a repository, in a fixed order, and the processor time that they took, in seconds.

    A file at which linting fails is reported (LOS999), and the others are linted without it.
    """
    records = [*repository.records]
    files = dict(repository.files)
    seconds = 0.0
    if repository.is_too_large:
        why = f"its source has {repository.bytes:,} bytes, more than the {limit:,} that are linted together"
        records.append(_failed(None, why))
        files.clear()
    set_aside = 0
    while any(map(is_linted, files)):
        match sandbox.lint(files):
            case Linted(found, took):
                records += found
                seconds += took
                break
            case Ended(reason, path, took):
                seconds += took
                if path is None or set_aside == MAX_SET_ASIDE:
                    records.append(_failed(None, reason))
                    break
                records.append(_failed(path, reason))
                del files[path]
                set_aside += 1
    return sorted(records, key=_order), seconds


def _failed(path: str | None, why: str) -> Record:
    what = "this repository" if path is None else "this file"
    message = f"loss-lint failed on {what}: {' '.join(why.split())[:400]}"
    return defect_record(path, Defect(INTERNAL_ERROR, "internal-error", message))


def _order(record: Record) -> tuple[object, ...]:
    keys = ("cell", "row", "column", "end_row", "end_column")
    numbers = tuple(record.get(key) or 0 for key in keys)
    return (record["path"] or "", numbers, record["code"], record["message"])

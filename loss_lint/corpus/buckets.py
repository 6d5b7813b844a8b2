"""The third pass: the repositories of a bucket linted, and their findings written to one file."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from loss_lint.corpus import repository
from loss_lint.corpus.merge import bucket_rows
from loss_lint.corpus.records import Defect, Record, defect_record
from loss_lint.corpus.sandbox import sandbox
from loss_lint.selection import UNPARSABLE
from loss_lint.syntax.sources import is_linted

if TYPE_CHECKING:
    from loss_lint.corpus.plan import Plan
    from loss_lint.corpus.store import Store

_COUNTS = b"loss_lint"
# Findings that are held before they are written.
_ROWS_HELD = 1_000

_SPAN = [pa.field(name, pa.int32()) for name in ("cell", "row", "column", "end_row", "end_column")]
_PLACE = [pa.field("path", pa.string()), *_SPAN]
_EDIT = pa.struct([*_PLACE, pa.field("content", pa.string())])
SCHEMA = pa.schema(
    [
        *(
            pa.field(name, pa.string())
            for name in ("repository", "path", "code", "name", "message", "severity")
        ),
        *_SPAN,
        pa.field("noqa_row", pa.int32()),
        pa.field("claim", pa.list_(pa.string())),
        pa.field("guards", pa.list_(pa.string())),
        pa.field("trace", pa.list_(pa.struct([*_PLACE, pa.field("message", pa.string())]))),
        pa.field(
            "fix",
            pa.struct(
                [
                    pa.field("applicability", pa.string()),
                    pa.field("message", pa.string()),
                    pa.field("edits", pa.list_(_EDIT)),
                ]
            ),
        ),
    ]
)


@dataclass(slots=True)
class Counts:
    """What a bucket, or all of them, had in it: kept in the file of its findings."""

    repositories: int = 0
    flagged: int = 0
    files: int = 0
    lines: int = 0
    codes: dict[str, int] = field(default_factory=dict)

    def add(self, other: Counts) -> None:
        self.repositories += other.repositories
        self.flagged += other.flagged
        self.files += other.files
        self.lines += other.lines
        self.codes = dict(Counter(self.codes) + Counter(other.codes))


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket to lint, and what was wrong with units of the input that it reports."""

    number: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """A bucket whose findings are written, and the processor time that it took, in seconds."""

    number: int
    counts: Counts
    seconds: float = 0.0


def name(number: int) -> str:
    """The file of a bucket's findings."""
    return f"part-{number:05}.parquet"


def finished(output: Store, number: int) -> Finished | None:
    """What is written of a bucket, if it is."""
    if not output.exists(name(number)):
        return None
    with output.open(name(number)) as stream:
        metadata = pq.read_metadata(stream).metadata
    return Finished(number, Counts(**json.loads(metadata[_COUNTS])))


def lint_bucket(bucket: Bucket, plan: Plan, files: Sequence[int]) -> Finished:
    """Lint a bucket and write its findings, unless that has been done; `files` counts the second pass's, by unit."""
    done = finished(plan.output, bucket.number)
    if done is not None:
        return done
    started = time.process_time()
    counts = Counts()
    seconds = 0.0
    with plan.output.writing(name(bucket.number)) as stream, _Table(stream) as table:
        for problem in bucket.problems:
            table.add(None, [defect_record(None, Defect(UNPARSABLE, "unreadable-file", problem))], counts)
        limit = plan.settings.repository_bytes
        rows = bucket_rows(plan.output, files, bucket.number, plan.buckets)
        for found in repository.repositories(rows, limit):
            records, took = repository.lint(found, sandbox(plan.settings), limit)
            seconds += took
            counts.repositories += 1
            counts.files += sum(map(is_linted, found.files))
            counts.lines += sum(text.count(b"\n") for text in found.files.values())
            counts.flagged += bool(records)
            table.add(found.name, records, counts)
        table.finish(counts)
    return Finished(bucket.number, counts, seconds + time.process_time() - started)


class _Table:
    """Writes records with their repository."""

    def __init__(self, stream: Any) -> None:
        self._writer = pq.ParquetWriter(stream, SCHEMA, compression="zstd")
        self._held: list[Record] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._writer.close()

    def add(self, name: str | None, records: Sequence[Record], counts: Counts) -> None:
        for record in records:
            counts.codes[record["code"]] = counts.codes.get(record["code"], 0) + 1
            self._held.append({"repository": name, **record})
        if len(self._held) >= _ROWS_HELD:
            self._write()

    def finish(self, counts: Counts) -> None:
        if self._held:
            self._write()
        counts.codes = dict(sorted(counts.codes.items()))
        self._writer.add_key_value_metadata({_COUNTS: json.dumps(asdict(counts)).encode()})

    def _write(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._held, SCHEMA))
        self._held = []

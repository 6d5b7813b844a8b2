"""The second pass: the rows of each unit sorted by bucket and repository.

A unit writes files of a plain format: for each bucket in turn, chunks (eight bytes of length, an Arrow stream),
then the offsets between which the buckets lie. Whoever wants a bucket reads two offsets of each file.
"""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from loss_lint.corpus.census import SCREEN, Screen
from loss_lint.corpus.rows import batches, is_linted, is_marker, of_torch, spread
from loss_lint.corpus.settings import CHUNK_BYTES, MAX_FILE_BYTES, RUN_BYTES

if TYPE_CHECKING:
    from loss_lint.corpus.plan import Plan, Unit

FOLDER = "_scan/shuffle"

# How long a chunk is, and where a bucket begins.
LENGTH = struct.Struct("<q")
# A read that fails may go well a little later, on a file system that others use too.
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Shuffled:
    """What a unit was made into: how many files, the bytes of text in each bucket, and what was wrong with it."""

    unit: int
    files: int
    bytes: tuple[int, ...]
    problem: str | None = None


def shuffle(unit: Unit, plan: Plan) -> Shuffled:
    """Sort a unit into files, unless that has been done."""
    done = f"{FOLDER}/unit-{unit.number:06}.json"
    if plan.output.exists(done):
        return _loaded(json.loads(plan.output.read(done)))
    problem: str | None = None
    for attempt in range(_ATTEMPTS):
        time.sleep(attempt)
        runs = _Runs(unit, plan)
        problem = runs.read()
        if problem is None:
            break
    runs.flush()
    found = Shuffled(unit.number, runs.files, tuple(runs.bytes), problem)
    plan.output.write(done, json.dumps([found.unit, found.files, found.bytes, found.problem]).encode())
    return found


def _loaded(fields: Sequence[Any]) -> Shuffled:
    unit, files, sizes, problem = fields
    return Shuffled(unit, files, tuple(sizes), problem)


def run_name(unit: int, run: int) -> str:
    """The name of a file that a unit was made into."""
    return f"{FOLDER}/unit-{unit:06}-{run:04}.rows"


class _Runs:
    """Collects rows of a unit, and writes them sorted when they are many."""

    def __init__(self, unit: Unit, plan: Plan) -> None:
        self._unit = unit
        self._plan = plan
        self._screen = Screen(plan.slots, plan.output.read(SCREEN))
        self._tables: list[Any] = []
        self._held = 0
        self._row = 0
        self._buckets: dict[str, int | None] = {}
        self.files = 0
        self.bytes = [0] * plan.buckets

    def read(self) -> str | None:
        """Read the unit, as far as that is possible; gives what was wrong with it.

        What cannot be written is another matter, and raises OSError.
        """
        tables = batches(self._plan.source, self._unit, self._plan.settings)
        while True:
            try:
                table = next(tables, None)
            except (OSError, ValueError, pa.ArrowException) as error:
                return (
                    f"{self._plan.source.path(self._unit.name)}: cannot be read: {str(error).splitlines()[0]}"
                )
            if table is None:
                return None
            kept = self._kept(table)
            self._row += len(table)
            if len(kept):
                self._tables.append(kept)
                self._held += kept["text"].nbytes
            if self._held > RUN_BYTES:
                self.flush()

    def _kept(self, table: Any) -> Any:
        """The rows that a bucket needs, with their bucket, size and number."""
        paths, texts = table["path"], table["text"]
        python = pc.fill_null(is_linted(paths), False)
        torch = of_torch(texts)
        size = pc.binary_length(texts)
        no_path = pc.is_null(paths)
        # A large file without torch is there for those that import it, a marker for its name; a null stays one.
        is_large = pc.greater(size, MAX_FILE_BYTES)
        is_empty = pc.or_(pc.and_(is_large, pc.invert(torch)), pc.invert(python))
        texts = pc.if_else(pc.or_(is_empty, no_path), pa.scalar(b"", pa.large_binary()), texts)
        texts = pc.if_else(pc.and_(is_large, torch), pa.scalar(None, pa.large_binary()), texts)
        rows = pa.array(range(self._row, self._row + len(table)), pa.int64())
        alone = pc.or_(pc.and_(python, pc.fill_null(torch, True)), no_path).to_pylist()
        buckets = [
            self._bucket(repository)
            if repository is not None
            else row % self._plan.buckets
            if matters
            else None
            for repository, row, matters in zip(
                table["repository"].to_pylist(), rows.to_pylist(), alone, strict=True
            )
        ]
        bucket = pa.array(buckets, pa.int32())
        kept = pa.table(
            {
                "bucket": bucket,
                "repository": table["repository"],
                "path": paths,
                "text": texts,
                "size": size,
                "row": rows,
            }
        )
        wanted = pc.or_(pc.or_(python, pc.fill_null(is_marker(paths), False)), no_path)
        return kept.filter(pc.and_(wanted, pc.is_valid(bucket)))

    def _bucket(self, repository: str) -> int | None:
        """A repository's bucket; none where the screen stops it."""
        if repository not in self._buckets:
            number = spread(repository)[1] % self._plan.buckets
            self._buckets[repository] = number if self._screen.passes(repository) else None
        return self._buckets[repository]

    def flush(self) -> None:
        """Write what is held."""
        if not self._tables:
            return
        order = [("bucket", "ascending"), ("repository", "ascending"), ("row", "ascending")]
        table = pa.concat_tables(self._tables).sort_by(order)
        self._tables, self._held = [], 0
        counts = dict(
            zip(*(column.to_pylist() for column in pc.value_counts(table["bucket"]).flatten()), strict=True)
        )
        offsets = [0]
        first = 0
        with self._plan.output.writing(run_name(self._unit.number, self.files)) as stream:
            for bucket in range(self._plan.buckets):
                rows = table.slice(first, counts.get(bucket, 0))
                first += len(rows)
                self.bytes[bucket] += pc.sum(pc.binary_length(rows["text"])).as_py() or 0
                for chunk in _chunks(rows.drop_columns(["bucket"])):
                    stream.write(LENGTH.pack(len(chunk)))
                    stream.write(chunk)
                offsets.append(stream.tell())
            stream.write(b"".join(map(LENGTH.pack, offsets)))
        self.files += 1


def _chunks(rows: Any) -> Iterator[bytes]:
    """The rows as Arrow streams, each of so many that their texts are about a chunk."""
    sizes = pc.fill_null(pc.binary_length(rows["text"]), 0).to_pylist()
    first = held = 0
    for last, size in enumerate(sizes, 1):
        held += size
        if held >= CHUNK_BYTES or last == len(sizes):
            sink = pa.BufferOutputStream()
            options = pa.ipc.IpcWriteOptions(compression="zstd")
            with pa.ipc.new_stream(sink, rows.schema, options=options) as writer:
                writer.write_table(rows.slice(first, last - first).combine_chunks())
            yield sink.getvalue().to_pybytes()
            first, held = last, 0

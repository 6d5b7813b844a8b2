"""The rows of a bucket, merged from the files that the second pass has written.

Each of these is sorted by repository, so that one of them at a time is read: what is held of the others is where they
are. Of their chunks so many are kept as a limit allows, whatever the number of files, and the size of a bucket or of
a repository; a chunk that had no room is read again.
"""

from __future__ import annotations

import heapq
import struct
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from loss_lint.corpus.settings import MERGE_BYTES
from loss_lint.corpus.shuffle import LENGTH, run_name

if TYPE_CHECKING:
    from loss_lint.corpus.store import Store


class Row(NamedTuple):
    """A file of the corpus. Where it has no text, `size` says how much too large it is, and None that it is null."""

    repository: str | None
    path: str | None
    text: bytes | None
    size: int | None


# As Arrow sorts: nulls come last.
_Key = tuple[bool, str]


def bucket_rows(output: Store, files: Sequence[int], bucket: int, buckets: int) -> Iterator[Row]:
    """The rows of a bucket, those of a repository together and in the order of the input.

    `files` says for each unit how many files it was made into.
    """
    chunks = _Chunks(output, MERGE_BYTES)
    waiting: list[tuple[_Key, int, _Run]] = []
    names = (run_name(unit, run) for unit, count in enumerate(files) for run in range(count))
    for order, name in enumerate(names):
        found = _Run(name, bucket, buckets, chunks)
        if (key := found.next_key()) is not None:
            waiting.append((key, order, found))
    heapq.heapify(waiting)
    while waiting:
        key, order, found = heapq.heappop(waiting)
        yield from found.rows(key)
        if (following := found.next_key()) is not None:
            heapq.heappush(waiting, (following, order, found))


class _Run:
    """The rows of a bucket in one file, and how far they have been given."""

    __slots__ = ("_chunks", "_end", "_name", "_place", "_row")

    def __init__(self, name: str, bucket: int, buckets: int, chunks: _Chunks) -> None:
        self._name = name
        self._chunks = chunks
        self._place, self._end = chunks.span(name, bucket, buckets)
        self._row = 0

    def next_key(self) -> _Key | None:
        """The repository of the next row, as it is sorted; None where there is no more."""
        if self._place == self._end:
            return None
        chunk, _ = self._chunks.at(self._name, self._place)
        return _key(chunk["repository"][self._row].as_py())

    def rows(self, key: _Key) -> Iterator[Row]:
        """The rows from here on that are of the repository with this key."""
        while self._place < self._end:
            chunk, following = self._chunks.at(self._name, self._place)
            repositories = chunk["repository"]
            columns = [chunk[name] for name in Row._fields]
            while self._row < len(chunk):
                if _key(repositories[self._row].as_py()) != key:
                    return
                row = Row(*(column[self._row].as_py() for column in columns))
                self._row += 1
                yield row
            self._chunks.drop(self._name, self._place)
            self._place, self._row = following, 0


class _Chunks:
    """Reads chunks, and keeps those that were used last, up to a limit on their bytes."""

    def __init__(self, output: Store, limit: int) -> None:
        self._output = output
        self._room = limit
        self._kept: OrderedDict[tuple[str, int], tuple[Any, int]] = OrderedDict()

    def span(self, name: str, bucket: int, buckets: int) -> tuple[int, int]:
        """Where a bucket begins and ends in a file."""
        with self._output.open(name) as file:
            file.seek(file.size() - (buckets + 1 - bucket) * LENGTH.size)
            start, end = struct.unpack("<qq", file.read(2 * LENGTH.size))
        return start, end

    def at(self, name: str, place: int) -> tuple[Any, int]:
        """The chunk at a place, and the place of the next. The file is not kept open: there may be thousands."""
        known = self._kept.get((name, place))
        if known is not None:
            self._kept.move_to_end((name, place))
            return known
        with self._output.open(name) as file:
            file.seek(place)
            (length,) = LENGTH.unpack(file.read(LENGTH.size))
            data = file.read(length)
        with pa.ipc.open_stream(data) as reader:
            read = (reader.read_all(), place + LENGTH.size + length)
        self._kept[name, place] = read
        self._room -= read[0].nbytes
        while self._room < 0:
            self.drop(*next(iter(self._kept)))
        return read

    def drop(self, name: str, place: int) -> None:
        """Forget a chunk."""
        known = self._kept.pop((name, place), None)
        if known is not None:
            self._room += known[0].nbytes


def _key(repository: str | None) -> _Key:
    return (repository is None, repository or "")

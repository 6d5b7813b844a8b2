"""The rows of a unit of the input, in batches whose columns have one type, whatever the file's are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loss_lint.corpus.settings import CHUNK_BYTES
from loss_lint.syntax.sources import LESSER_MARKERS, MARKERS, NOTEBOOK

if TYPE_CHECKING:
    from loss_lint.corpus.plan import Unit
    from loss_lint.corpus.settings import Settings
    from loss_lint.corpus.store import Store

# Text that is decoded at once, as far as a file tells: equal texts count once in it, so that rows are limited too.
_BATCH_BYTES = 8 * CHUNK_BYTES
_BATCH_ROWS = 250


def batches(source: Store, unit: Unit, settings: Settings) -> Iterator[Any]:
    """Tables of `repository` and `path` (string) and `text` (large_binary), null where the input is.

    Raises OSError, ValueError or ArrowException where the input is damaged.
    """
    size = max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(1, unit.bytes // max(1, unit.rows))))
    with source.open(unit.name) as stream:
        file = pq.ParquetFile(stream, pre_buffer=False, buffer_size=CHUNK_BYTES)
        read = file.iter_batches(
            size, row_groups=list(unit.groups), columns=list(settings.columns), use_threads=False
        )
        for batch in read:
            columns = [batch.column(batch.schema.get_field_index(name)) for name in settings.columns]
            repository, path, text = columns
            yield pa.table(
                {"repository": _as_text(repository), "path": _as_text(path), "text": _as_bytes(text)}
            )


def is_linted(paths: Any) -> Any:
    """Where a column of paths has Python files and notebooks."""
    return pc.or_(pc.ends_with(paths, ".py"), pc.ends_with(paths, NOTEBOOK))


def is_marker(paths: Any) -> Any:
    """Where a column of paths has files whose names say that a project begins in their folder."""
    found = pc.is_in(paths, pa.array([*MARKERS, *LESSER_MARKERS]))
    for name in (*MARKERS, *LESSER_MARKERS):
        found = pc.or_(found, pc.ends_with(paths, f"/{name}"))
    return found


def of_torch(texts: Any) -> Any:
    """Where a column of texts holds the bytes without which nothing is found in a file."""
    return pc.match_substring(texts, b"torch")


def spread(repository: str) -> tuple[int, int]:
    """Two numbers of 32 bits that follow from a repository's name, the same in every process."""
    digest = hashlib.blake2b(repository.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")


def _plain(column: Any) -> Any:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _as_text(column: Any) -> Any:
    column = _plain(column)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return pa.array(
            [
                None if value is None else value.decode("utf-8", "backslashreplace")
                for value in column.to_pylist()
            ],
            pa.string(),
        )
    return column.cast(pa.string())


def _as_bytes(column: Any) -> Any:
    return _plain(column).cast(pa.large_binary())

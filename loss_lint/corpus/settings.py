"""What a scan is asked for, as far as its result depends on it, and the limits that hold for every one."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 2**20

# A file of more is reported (LOS000) and not linted: its tree alone would take gigabytes.
MAX_FILE_BYTES = 10 * MEGABYTE
# A repository's texts are held together, in the process that reads them and in the one that lints them: they may
# take this part of the memory limit.
PART_FOR_TEXTS = 1 / 8
# Source text in one piece of the input, and what is sorted at once of it.
UNIT_BYTES = 64 * MEGABYTE
RUN_BYTES = 128 * MEGABYTE
# Text in one record batch of a sorted file, and in those that are held at once where such files are merged.
CHUNK_BYTES = MEGABYTE
MERGE_BYTES = 64 * MEGABYTE
# Source text to a bucket, if no more buckets than the highest number follow from it.
BUCKET_BYTES = 8 * MEGABYTE
MAX_BUCKETS = 4096
MAX_UNITS = 4096


@dataclass(frozen=True, slots=True)
class Settings:
    """The columns of the input, the rules that are selected, and what one repository may cost.

    `seconds` are of processor time, `memory` is in bytes of address space.
    """

    repository: str = "repository"
    path: str = "path"
    text: str = "text"
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    seconds: float = 300.0
    memory: int = 4096 * MEGABYTE

    @property
    def columns(self) -> tuple[str, str, str]:
        return (self.repository, self.path, self.text)

    @property
    def repository_bytes(self) -> int:
        """How much text a repository may have."""
        return int(self.memory * PART_FOR_TEXTS)

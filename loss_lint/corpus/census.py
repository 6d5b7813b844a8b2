"""The first pass: which repositories have a file of torch at all, in a set of bits of a fixed size.

Most repositories have none. Nothing can be found in them, and they need not be brought together.
"""

from __future__ import annotations

import zlib
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from loss_lint.corpus.rows import batches, is_linted, of_torch, spread

if TYPE_CHECKING:
    from loss_lint.corpus.plan import Plan, Unit

SCREEN = "_scan/screen"


@dataclass(frozen=True, slots=True)
class Census:
    """What a unit holds: slots of the repositories that matter, and the Python files with their lines and bytes.

    Where the unit is damaged (`is_whole` is false), what it holds is not known.
    """

    unit: int
    slots: bytes
    files: int = 0
    lines: int = 0
    bytes: int = 0
    is_whole: bool = True


def census(unit: Unit, plan: Plan) -> Census:
    """Count a unit."""
    found: set[int] = set()
    files = lines = size = 0
    is_whole = True
    try:
        for table in batches(plan.source, unit, plan.settings):
            paths, texts = table["path"], table["text"]
            python = pc.fill_null(is_linted(paths), False)
            source = pc.filter(texts, python)
            files += len(source)
            size += pc.sum(pc.binary_length(source)).as_py() or 0
            lines += pc.sum(pc.count_substring(source, b"\n")).as_py() or 0
            # Rows without a path or a text are reported.
            matters = pc.or_(pc.and_(python, pc.fill_null(of_torch(texts), True)), pc.is_null(paths))
            for repository in pc.unique(pc.filter(table["repository"], matters)).to_pylist():
                if repository is not None:
                    found.add(slot(repository, plan.slots))
    except (OSError, ValueError, pa.ArrowException):
        is_whole = False
    return Census(
        unit.number, zlib.compress(array("I", sorted(found)).tobytes()), files, lines, size, is_whole
    )


def slot(repository: str, slots: int) -> int:
    return spread(repository)[0] % slots


class Screen:
    """A set of slots."""

    def __init__(self, slots: int, bits: bytes | None = None) -> None:
        self._slots = slots
        self._bits = bytearray(slots // 8) if bits is None else bytearray(bits)

    def add(self, counted: Census) -> None:
        if not counted.is_whole:  # any repository may be in it
            self._bits = bytearray(b"\xff" * len(self._bits))
            return
        numbers = array("I")
        numbers.frombytes(zlib.decompress(counted.slots))
        for number in numbers:
            self._bits[number >> 3] |= 1 << (number & 7)

    def passes(self, repository: str) -> bool:
        """Whether a repository may have a file of torch: surely where it has one, seldom where it has none."""
        number = slot(repository, self._slots)
        return bool(self._bits[number >> 3] >> (number & 7) & 1)

    def dump(self) -> bytes:
        return bytes(self._bits)

"""How a scan is divided: the input into units that are read in one go, the repositories into buckets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from loss_lint import __version__
from loss_lint.corpus.settings import BUCKET_BYTES, MAX_BUCKETS, MAX_UNITS, UNIT_BYTES, Settings
from loss_lint.corpus.store import BEGUN, Store, store

MANIFEST = "_scan/scan.json"

# Slots of the screen for each row, and how many there are at least and at most (16 MB of bits).
_SLOTS_PER_ROW = 8
_MIN_SLOT_BITS, _MAX_SLOT_BITS = 16, 27


class Unusable(ValueError):
    """The scan cannot be done; the message says why, with the file."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Consecutive row groups of one input file."""

    number: int
    name: str
    groups: tuple[int, ...]
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The input's units, and how many buckets the repositories go to; `slots` is the size of the screen in bits.

    The same input and settings make the same plan, whatever the cluster.
    """

    source: Store
    output: Store
    settings: Settings
    units: tuple[Unit, ...]
    buckets: int
    slots: int
    input_digest: str

    def manifest(self) -> dict[str, Any]:
        """What has to be the same for a scan to go on where another one ended."""
        return {
            "version": __version__,
            "input": self.input_digest,
            "settings": asdict(self.settings),
            "buckets": self.buckets,
        }


@dataclass(frozen=True, slots=True)
class _File:
    """An input file, with the rows and bytes of its row groups, uncompressed."""

    name: str
    size: int
    groups: tuple[tuple[int, int], ...]


def plan(source: str, output: str, settings: Settings) -> Plan:
    """The plan of a scan; raises Unusable where the input is none."""
    try:
        files, folder = _files(source)
        target = store(output)
    except (OSError, ValueError) as error:
        raise Unusable(f"{source}: {_reason(error)}") from None
    with ThreadPoolExecutor(16) as pool:
        read = [*pool.map(lambda name: _file(folder, name, settings), files)]
    total = sum(bytes_ for file in read for _, bytes_ in file.groups)
    rows = sum(rows for file in read for rows, _ in file.groups)
    digest = hashlib.sha256(json.dumps([asdict(file) for file in read], sort_keys=True).encode()).hexdigest()
    return Plan(
        source=folder,
        output=target,
        settings=settings,
        units=tuple(_units(read, max(UNIT_BYTES, total // MAX_UNITS))),
        buckets=min(MAX_BUCKETS, 1 + total // BUCKET_BYTES),
        slots=1 << min(_MAX_SLOT_BITS, max(_MIN_SLOT_BITS, (rows * _SLOTS_PER_ROW).bit_length())),
        input_digest=digest,
    )


def check(plan: Plan) -> bool:
    """Whether a scan to go on with has been begun in the output folder.

    Raises Unusable where the folder holds something else.
    """
    if plan.output.exists(MANIFEST):
        wanted, found = plan.manifest(), json.loads(plan.output.read(MANIFEST))
        different = sorted(key for key in wanted if found.get(key) != json.loads(json.dumps(wanted[key])))
        if different:
            what = " and ".join(different)
            raise Unusable(f"{plan.output.root}: holds a scan of other {what}; name another folder")
        return True
    if plan.output.exists("") and plan.output.names():
        raise Unusable(f"{plan.output.root}: the folder is not empty, and holds no scan to go on with")
    return False


def claim(plan: Plan) -> None:
    """Make the output folder this scan's; raises Unusable where it holds something else."""
    if check(plan):
        plan.output.delete(BEGUN)
    else:
        manifest = json.dumps(plan.manifest(), indent=2, sort_keys=True)
        plan.output.write(MANIFEST, manifest.encode())


def _files(source: str) -> tuple[Sequence[str], Store]:
    """The Parquet files of the input, by name in its folder."""
    whole = store(source)
    match whole.filesystem.get_file_info(whole.root).type:
        case fs.FileType.File:
            parent, _, name = whole.root.rpartition("/")
            return [name], Store(whole.filesystem, parent or "/")
        case fs.FileType.Directory:
            names = [name for name in whole.names(recursive=True) if _is_input(name)]
            if names:
                return names, whole
            raise ValueError("no Parquet files in this folder")
        case _:
            raise ValueError("No such file or directory")


def _is_input(name: str) -> bool:
    return name.endswith(".parquet") and not any(part.startswith(("_", ".")) for part in name.split("/"))


def _file(folder: Store, name: str, settings: Settings) -> _File:
    try:
        with folder.open(name) as stream:
            file = pq.ParquetFile(stream)
            _check_columns(file.schema_arrow, settings)
            groups = tuple(_group(file.metadata.row_group(index)) for index in range(file.num_row_groups))
        return _File(name, folder.size(name), groups)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise Unusable(f"{folder.path(name)}: {_reason(error)}") from None


def _group(group: Any) -> tuple[int, int]:
    return (group.num_rows, group.total_byte_size)


def _check_columns(schema: Any, settings: Settings) -> None:
    for name in settings.columns:
        places = schema.get_all_field_indices(name)
        if not places:
            known = ", ".join(f"`{field.name}`" for field in schema)
            raise ValueError(f"no column `{name}`; there are {known}")
        if len(places) > 1:
            raise ValueError(f"several columns `{name}`")
        kind = schema.field(places[0]).type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        is_number = pa.types.is_integer(kind) and name != settings.text
        if not (_is_text(kind) or is_number or pa.types.is_null(kind)):
            raise ValueError(f"column `{name}` is of type {kind}, not text")


def _is_text(kind: Any) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(test(kind) for test in tests)


def _units(files: Sequence[_File], limit: int) -> Iterator[Unit]:
    number = 0
    for file in files:
        groups: list[int] = []
        rows = bytes_ = 0
        for index, (group_rows, group_bytes) in enumerate(file.groups):
            if groups and bytes_ + group_bytes > limit:
                yield Unit(number, file.name, tuple(groups), rows, bytes_)
                number, groups, rows, bytes_ = number + 1, [], 0, 0
            groups.append(index)
            rows, bytes_ = rows + group_rows, bytes_ + group_bytes
        if groups:
            yield Unit(number, file.name, tuple(groups), rows, bytes_)
            number += 1


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).splitlines()[0]

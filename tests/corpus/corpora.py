"""Corpora of a few files, and an engine that needs no cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

_WHY = "the extra `corpus` is not installed"
pa = pytest.importorskip("pyarrow", reason=_WHY)
pq = pytest.importorskip("pyarrow.parquet", reason=_WHY)

BAD = """import torch.nn.functional as F


def loss(x, y):
    return F.cross_entropy(F.softmax(x, dim=1), y)
"""
TRAIN = """from torch import nn
from lib.net import Net

criterion = nn.CrossEntropyLoss()


def loss(x, y):
    return criterion(Net()(x), y)
"""
NET = """from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        return self.layer(x).softmax(dim=1)
"""

Row = tuple[Any, Any, Any]


class Serial:
    """Maps in this process, and can be made to fail after so many results."""

    def __init__(self, ends_after: int | None = None) -> None:
        self.done: list[object] = []
        self._ends_after = ends_after

    def __call__(self) -> Any:
        return nullcontext(self)

    def mapped(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        for item in items:
            if len(self.done) == self._ends_after:
                raise KeyboardInterrupt
            self.done.append(item)
            yield function(item)


def corpus(path: Path, rows: Iterable[Row]) -> str:
    """A folder with the rows in one file; its path."""
    path.mkdir()
    write(path / "rows.parquet", rows)
    return str(path)


def write(path: Path, rows: Iterable[Row], types: Sequence[Any] | None = None, **options: Any) -> None:
    columns = zip(*rows, strict=True)
    kinds = types or (pa.string(), pa.string(), pa.binary())
    names = ("repository", "path", "text")
    arrays = [pa.array([*column], kind) for column, kind in zip(columns, kinds, strict=True)]
    pq.write_table(pa.table(dict(zip(names, arrays, strict=True))), path, **options)


def found(output: Path) -> list[dict[str, Any]]:
    """The findings, sorted by repository and place."""
    rows = pq.read_table(output).to_pylist()
    return sorted(
        rows, key=lambda row: (row["repository"] or "", row["path"] or "", row["row"] or 0, row["message"])
    )


def brief(output: Path) -> list[tuple[Any, ...]]:
    return [(row["repository"], row["path"], row["code"], row["row"]) for row in found(output)]

"""How time grows with lines: parts of one tree, ever larger, each linted cold by one process."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import cost
from trees import Tree, lines_in

PARTS = 8


@dataclass(frozen=True, slots=True)
class Point:
    """A part of a tree and what it cost."""

    lines: int
    wall: float


def points(tree: Tree, command: Sequence[str], work: Path) -> list[Point]:
    """The cost of eight parts of the tree: the first eighth of its models, two eighths, and so on.

    A part holds the whole tree but for the folders of `models/` that are not in it, so that imports resolve.
    """
    models = sorted(path.name for path in (tree.folder / "models").iterdir() if path.is_dir())
    found = []
    for part in range(1, PARTS + 1):
        left_out = set(models[len(models) * part // PARTS :])
        folder = work / "growth" / f"{part}"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(
            tree.folder,
            folder / tree.folder.name,
            ignore=lambda at, names, left=left_out: [
                name
                for name in names
                if (Path(at).name == "models" and name in left) or not _is_source(at, name)
            ],
        )
        found.append(Point(lines_in(folder), cost(command, folder=folder, runs=1).wall))
        shutil.rmtree(folder)
    return found


def _is_source(folder: str, name: str) -> bool:
    return name.endswith(".py") or (Path(folder) / name).is_dir()


def line(measured: Sequence[Point]) -> tuple[float, float, float]:
    """The straight line nearest to the points: seconds a line, seconds at none, and the share of variance explained."""
    count = len(measured)
    mean_x = sum(point.lines for point in measured) / count
    mean_y = sum(point.wall for point in measured) / count
    xx = sum((point.lines - mean_x) ** 2 for point in measured)
    xy = sum((point.lines - mean_x) * (point.wall - mean_y) for point in measured)
    yy = sum((point.wall - mean_y) ** 2 for point in measured)
    slope = xy / xx
    return slope, mean_y - slope * mean_x, xy * xy / (xx * yy)

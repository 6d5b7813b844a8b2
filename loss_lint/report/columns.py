"""Rows as text in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """A line for each row, of as many cells each; the last one comes as it is, since its width varies most."""
    padded = len(rows[0]) - 1
    widths = [max(len(row[column]) for row in rows) for column in range(padded)]
    lines = []
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[padded]]).rstrip())
    return "\n".join(lines) + "\n"

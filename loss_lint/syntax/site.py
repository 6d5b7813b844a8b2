"""Where something is written."""

from __future__ import annotations

from typing import NamedTuple


class Site(NamedTuple):
    """A range of source text, in `ast`'s terms: 1-based lines, 0-based columns in UTF-8 bytes."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int

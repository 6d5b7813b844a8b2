"""A corpus of source files in Parquet, linted repository by repository on Ray Data.

`scan` is imported on first use: this package itself needs neither Ray nor pyarrow (extra `corpus`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loss_lint.corpus.scanning import scan

__all__ = ["scan"]


def __getattr__(name: str) -> object:
    """The public names, imported when they are asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from loss_lint.corpus import scanning

    return getattr(scanning, name)

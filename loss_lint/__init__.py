"""Finds PyTorch code that computes a different training loss than its author believes.

`lint_source`, `lint_paths` and `lint_project` return findings, `watch` finds what a training run shows. They are
imported on first use, so that importing this package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loss_lint.findings import Finding
    from loss_lint.library import lint_paths, lint_project, lint_source
    from loss_lint.watching.api import LossMisuse, LossMisuseWarning, watch

__version__ = "0.1.0"
__all__ = [
    "Finding",
    "LossMisuse",
    "LossMisuseWarning",
    "__version__",
    "lint_paths",
    "lint_project",
    "lint_source",
    "watch",
]

_HOMES = {
    "Finding": "loss_lint.findings",
    "LossMisuse": "loss_lint.watching.api",
    "LossMisuseWarning": "loss_lint.watching.api",
    "lint_paths": "loss_lint.library",
    "lint_project": "loss_lint.library",
    "lint_source": "loss_lint.library",
    "watch": "loss_lint.watching.api",
}


def __getattr__(name: str) -> object:
    """The public names, imported when they are asked for."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

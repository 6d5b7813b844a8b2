"""The output formats by name, each a module of this folder that is imported when it is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loss_lint.report.material import Material

NAMES = (
    "concise",
    "full",
    "json",
    "json-lines",
    "junit",
    "grouped",
    "github",
    "gitlab",
    "pylint",
    "rdjson",
    "sarif",
)
# What people read ends in a sentence; what programs read does not.
FOR_PEOPLE = frozenset({"concise", "full", "grouped"})
# How `--statistics` counts: as text or as JSON.
FOR_STATISTICS = frozenset({"concise", "full", "json"})


def render(name: str, material: Material) -> Iterator[str]:
    """The findings in the format of that name, in pieces of text."""
    module = importlib.import_module(f"loss_lint.report.{name.replace('-', '_')}")
    renderer: Callable[[Material], Iterator[str]] = module.render
    return renderer(material)

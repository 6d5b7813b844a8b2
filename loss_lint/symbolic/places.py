"""Sites to places: `ast`'s byte columns to the 1-based characters that people see, and source text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.findings import Place
from loss_lint.symbolic.graph import Site

if TYPE_CHECKING:
    from loss_lint.symbolic.machine import Machine


class Places:
    """Looks sites up in the modules that a machine has read."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def _lines(self, path: str) -> list[str]:
        module = self._machine.modules.known(path)
        return module.module.lines if module is not None else []

    def place(self, site: Site) -> Place:
        lines = self._lines(site.path)
        return Place(
            str(site.path),
            site.line,
            _characters(lines, site.line, site.column) + 1,
            site.end_line or site.line,
            _characters(lines, site.end_line or site.line, site.end_column) + 1,
        )

    def text(self, site: Site) -> str:
        """The source text of a site that lies on one line; "" for others."""
        lines = self._lines(site.path)
        if site.line != site.end_line or site.line > len(lines):
            return ""
        return lines[site.line - 1].encode()[site.column : site.end_column].decode(errors="replace")


def _characters(lines: list[str], line: int, column: int) -> int:
    """A column in bytes as one in characters."""
    if line > len(lines) or lines[line - 1].isascii():
        return column
    return len(lines[line - 1].encode()[:column].decode(errors="replace"))

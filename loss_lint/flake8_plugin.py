"""The flake8 plugin: what `loss-lint check` finds, at the same places.

flake8 hands over the text, selects codes and applies `# noqa` at a finding's own line. Here remain the
rules that are off by default, `[tool.loss-lint]`, and `# noqa` at a finding's other places. An exception
would end the user's whole run, so every one becomes LOS999 on its file.
"""

from __future__ import annotations

import io
import os
import tokenize
from typing import TYPE_CHECKING, ClassVar

from loss_lint import __version__
from loss_lint.selection import INTERNAL_ERROR, UNPARSABLE

if TYPE_CHECKING:
    import argparse
    import ast
    from collections.abc import Iterator, Sequence

    from loss_lint.config import Configuration
    from loss_lint.findings import Finding
    from loss_lint.linter import Linter
    from loss_lint.syntax.sources import Sources

# flake8's report: line, column counted from zero, text that begins with the code, and a type it ignores.
_Report = tuple[int, int, str, type["Plugin"]]

_BOM = "\ufeff"


class Plugin:
    """What flake8 makes for each file."""

    name: ClassVar[str] = "loss-lint"
    version: ClassVar[str] = __version__

    _asked_for: ClassVar[frozenset[str]] = frozenset()
    _uses_noqa: ClassVar[bool] = True
    _configuration: ClassVar[Configuration | None] = None
    _shared: ClassVar[Linter | None] = None

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Take from flake8's options what it does not apply itself."""
        # `select = LOS` does not turn on what is off by default; the rule's own code does.
        selectors = [
            *(getattr(options, "select", None) or ()),
            *(getattr(options, "extend_select", None) or ()),
        ]
        cls._asked_for = frozenset(selectors)
        cls._uses_noqa = not getattr(options, "disable_noqa", False)
        cls._configuration = cls._shared = None

    def __init__(
        self,
        tree: ast.AST,  # noqa: ARG002 - by this name flake8 knows what kind of plugin it is
        lines: Sequence[str],
        filename: str,
    ) -> None:
        self._lines = lines
        self._path = os.path.abspath(filename)

    def run(self) -> Iterator[_Report]:
        """The findings of the file; never raises."""
        try:
            reports = list(self._reports())
        except Exception as error:  # noqa: BLE001 - flake8 would stop at it
            reports = [_report(1, 1, INTERNAL_ERROR, f"loss-lint failed: {type(error).__name__}: {error}")]
        yield from reports

    def _reports(self) -> Iterator[_Report]:
        linter = self._linter()
        if not linter.can_matter(self._path):
            return
        for finding in self._findings(linter):
            yield _report(finding.place.line, finding.place.column, finding.code, finding.message)

    def _linter(self) -> Linter:
        """What knows the project on disk, or one for this file alone if its text is another one."""
        from loss_lint.discover import import_roots
        from loss_lint.linter import Linter
        from loss_lint.syntax.encoded import encoded
        from loss_lint.syntax.sources import Folder, Overlay

        roots = import_roots([self._path])
        cls = type(self)
        if cls._shared is None or cls._shared.roots != roots:
            cls._shared = Linter(Folder(), roots, keeps_reports=True)
        if _holds(cls._shared.project.sources, self._path, self._lines):
            return cls._shared
        return Linter(Overlay(Folder(), {self._path: encoded("".join(self._lines))}), roots)

    def _findings(self, linter: Linter) -> Iterator[Finding]:
        from loss_lint.syntax.noqa import Suppressions

        suppressions = Suppressions(linter.project.sources)
        found = [finding for finding in linter.lint(self._path) if finding.place.path == self._path]
        codes = self._codes() if found else frozenset()
        for finding in found:
            if finding.code not in codes or finding.code == UNPARSABLE:
                continue
            if self._uses_noqa and suppressions.silences_at(finding.code, finding.also):
                continue
            yield finding

    def _codes(self) -> frozenset[str]:
        from loss_lint.config import Configuration
        from loss_lint.selection import known_codes

        cls = type(self)
        if cls._configuration is None:
            cls._configuration = Configuration(known_codes)
        return cls._configuration.codes(self._path) | cls._asked_for | {INTERNAL_ERROR}


def _report(line: int, column: int, code: str, message: str) -> _Report:
    return line, column - 1, f"{code} {' '.join(message.split())}", Plugin


def _holds(sources: Sources, path: str, lines: Sequence[str]) -> bool:
    """Whether what flake8 lints is the file itself, and not text from its standard input."""
    try:
        data = io.BytesIO(sources.read(path))
        encoding, _ = tokenize.detect_encoding(data.readline)
        data.seek(0)
        return io.TextIOWrapper(data, encoding).read().removeprefix(_BOM) == "".join(lines).removeprefix(_BOM)
    except (OSError, ValueError, SyntaxError):
        return False

"""The flake8 plugin: what `loss-lint check` finds, at the same places.

flake8 hands over the text, selects codes and applies `# noqa` at a finding's own line. Here remain the
rules that are off by default, `[tool.loss-lint]`, and `# noqa` at a finding's other places. An exception
would end the user's whole run, so every one becomes LOS999 on its file.
"""

from __future__ import annotations

import io
import os
import tokenize
from typing import TYPE_CHECKING, Any, ClassVar

from loss_lint import __version__
from loss_lint.config import ConfigError
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


_TABLES = frozenset({"losses", "softmaxes"})
_OPTIONS = (
    ("select", "RULE[,...]", "codes, prefixes or names of rules to turn on, instead of the usual ones"),
    ("extend-select", "RULE[,...]", "the same, in addition to what is on already"),
    ("ignore", "RULE[,...]", "codes, prefixes or names of rules to turn off"),
    ("sample-count-names", "NAME[,...]", "identifiers that count the samples of a batch"),
    ("step-count-names", "NAME[,...]", "identifiers that count the steps of a gradient accumulation"),
    ("losses", "NAME=TORCH[,...]", "losses of your own that behave like one of torch's"),
    ("softmaxes", "NAME=TORCH[,...]", "softmaxes of your own that behave like one of torch's"),
    ("src", "FOLDER[,...]", "folders in which imports are looked for as well"),
)


class Plugin:
    """What flake8 makes for each file."""

    name: ClassVar[str] = "loss-lint"
    version: ClassVar[str] = __version__

    _asked_for: ClassVar[frozenset[str]] = frozenset()
    _uses_noqa: ClassVar[bool] = True
    _options: ClassVar[dict[str, object]] = {}
    _configuration: ClassVar[Configuration | None] = None
    # One for each of the folders in which projects begin, and of what their own names mean: rarely more than one.
    _shared: ClassVar[dict[object, Linter]] = {}

    @staticmethod
    def add_options(manager: Any) -> None:
        """The keys of `[tool.loss-lint]` that mean something here, for flake8's command line and its files."""
        for key, metavar, meaning in _OPTIONS:
            manager.add_option(
                f"--loss-lint-{key}",
                metavar=metavar,
                default="",
                parse_from_config=True,
                comma_separated_list=True,
                help=meaning,
            )

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
        given = {key: getattr(options, f"loss_lint_{key.replace('-', '_')}", None) for key, _, _ in _OPTIONS}
        cls._options = {
            key: _table(value) if key in _TABLES else value for key, value in given.items() if value
        }
        cls._configuration, cls._shared = None, {}

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
        try:
            if _is_left_out(self._path, self._configured()):
                return
        except ConfigError:
            if any("torch" in line for line in self._lines):
                raise
            return  # said where there is something to configure
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
        meant = self._configured().conventions(self._path)
        shared = self._shared.get((roots, meant))
        if shared is None:
            shared = self._shared[roots, meant] = Linter(Folder(), roots, meant, keeps_reports=True)
        if _holds(shared.project.sources, self._path, self._lines):
            return shared
        return Linter(Overlay(Folder(), {self._path: encoded("".join(self._lines))}), roots, meant)

    def _findings(self, linter: Linter) -> Iterator[Finding]:
        from loss_lint.syntax.noqa import Suppressions

        suppressions = Suppressions(linter.project.sources)
        findings = linter.lint(self._path, with_fixes=False)
        found = [finding for finding in findings if finding.place.path == self._path]
        codes = self._codes() if found else frozenset()
        for finding in found:
            if finding.code not in codes or finding.code == UNPARSABLE:
                continue
            if self._uses_noqa and suppressions.silences_at(finding.code, finding.also):
                continue
            yield finding

    def _codes(self) -> frozenset[str]:
        return self._configured().codes(self._path) | self._asked_for | {INTERNAL_ERROR}

    def _configured(self) -> Configuration:
        """flake8's options over `[tool.loss-lint]`; raises ConfigError."""
        from loss_lint.config import Configuration, Settings
        from loss_lint.selection import known_codes

        cls = type(self)
        if cls._configuration is None:
            settings = Settings()
            if cls._options:
                from loss_lint.config.documents import Document
                from loss_lint.config.keys import inline_settings

                document = Document("flake8's options loss-lint-...", os.getcwd(), cls._options)
                settings = inline_settings(document, known_codes)
            cls._configuration = Configuration(known_codes, settings)
        return cls._configuration


def _is_left_out(path: str, configuration: Configuration) -> bool:
    """Whether a configuration file says that loss-lint leaves the file out."""
    settings = configuration.settings(os.path.dirname(path))
    speaks = settings.exclude is not None or bool(settings.extend_exclude)
    return speaks and configuration.excludes(path)


def _table(pairs: Sequence[str]) -> dict[str, str]:
    """`my.CE=torch.nn.CrossEntropyLoss` as a name and what it means."""
    return {name.strip(): target.strip() for name, _, target in (pair.partition("=") for pair in pairs)}


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

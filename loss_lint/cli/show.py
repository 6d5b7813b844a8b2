"""`loss-lint show`."""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TYPE_CHECKING

from loss_lint.cells import placed
from loss_lint.cli.console import is_coloured, terminal_width

if TYPE_CHECKING:
    import argparse

    from loss_lint.conventions import Conventions
    from loss_lint.explain.explanation import Explanation
    from loss_lint.findings import Finding
    from loss_lint.report.palette import Palette
    from loss_lint.syntax.sources import Snapshot, Sources

# Widths of a terminal that output is laid out for.
_NARROWEST, _WIDEST = 60, 120

_CELL = re.compile(r"(?P<path>.+\.ipynb):cell (?P<cell>\d+)")

SHOWN, UNREADABLE, FAILED = 0, 1, 2


def show(options: argparse.Namespace) -> int:
    """Write what the losses of a file compute; gives the exit status."""
    from loss_lint.config import ConfigError, Configuration
    from loss_lint.report.palette import Palette
    from loss_lint.selection import known_codes
    from loss_lint.syntax.sources import Folder, Snapshot

    given, cell, line = _target(options.target)
    if not os.path.exists(given):
        return _fail(f"{given}: no such file")
    if os.path.isdir(given):
        return _fail(f"{given}: a folder; name one file")
    path = os.path.abspath(given)
    sources = Snapshot(Folder())
    palette = Palette(is_coloured(options.color))
    problem = _unreadable(path, sources)
    if problem is not None:
        return _report(problem, sources, palette)
    if line is not None or cell is not None:
        missing = _missing(path, cell, line, sources)
        if missing:
            return _fail(f"{given}: {missing}")
    notebook = sources.notebook(path)
    of_module = line if notebook is None or cell is None or line is None else notebook.line(cell, line)
    try:
        conventions = Configuration(known_codes).conventions(path)
    except ConfigError as error:
        return _fail(str(error))
    try:
        explanation = placed(_explained(path, of_module, sources, conventions), sources)
    except Exception as error:  # noqa: BLE001 - the outermost edge
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        return _fail(f"{given}: loss-lint failed on this file ({cause[:200]}). Please report this.")
    _write(explanation, cell, line, options.output_format, palette)
    return SHOWN


def _missing(path: str, cell: int | None, line: int | None, sources: Snapshot) -> str:
    """What is wrong with the line that is asked for; "" if nothing is."""
    notebook = sources.notebook(path)
    if notebook is None:
        length = len(sources.read(path).splitlines())
        if cell is not None:
            return f"there is no cell {cell}; the file is no notebook"
    elif cell is None or line is None:
        return f"name a cell and a line of it, as in {os.path.basename(path)}:cell 3:1"
    else:
        length = len(notebook.lines(cell))
        if not length:
            return f"there is no Python in cell {cell}"
    if line is not None and 1 <= line <= length:
        return ""
    return f"there is no line {line}; the {'file' if notebook is None else 'cell'} has {length}"


def _target(text: str) -> tuple[str, int | None, int | None]:
    """`FILE:LINE` (also `FILE:LINE:COLUMN`, and `FILE:cell N:LINE`, as findings are written), taken apart."""
    path, line = _path_and_line(text)
    found = _CELL.fullmatch(path)
    return (path, None, line) if found is None else (found["path"], int(found["cell"]), line)


def _path_and_line(text: str) -> tuple[str, int | None]:
    if os.path.exists(text):
        return text, None
    path, line = text, None
    for _ in range(2):
        head, colon, number = path.rpartition(":")
        if not (colon and number.isdecimal() and head):
            break
        path, line = head, int(number)
        if os.path.exists(path):
            break
    return path, line


def _unreadable(path: str, sources: Sources) -> Finding | None:
    """LOS000, where the file cannot be read or parsed."""
    from loss_lint.findings import Finding, Place
    from loss_lint.rules.unreadable_file import RULE
    from loss_lint.syntax.cells import NotANotebook
    from loss_lint.syntax.module import Unparsable, parse

    try:
        parse(path, sources.read(path))
    except Unparsable as error:
        place = Place(path, error.line, error.column, error.line, error.column + 1)
        return Finding(RULE.code, RULE.name, error.message, place)
    except NotANotebook as error:
        place = Place(path, error.line, error.column, error.line, error.column + 1)
        return Finding(RULE.code, RULE.name, str(error), place)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Finding(RULE.code, RULE.name, f"the file cannot be read: {reason}", Place(path, 1, 1, 1, 2))
    return None


def _report(problem: Finding, sources: Sources, palette: Palette) -> int:
    from loss_lint.report import full
    from loss_lint.report.material import Material
    from loss_lint.report.source import SourceLines
    from loss_lint.syntax.noqa import Suppressions

    material = Material(
        [problem],
        SourceLines(sources),
        Suppressions(sources),
        os.getcwd(),
        width=terminal_width(sys.stdout),
        palette=palette,
    )
    sys.stdout.writelines(full.render(material))
    return UNREADABLE


def _explained(path: str, line: int | None, sources: Sources, conventions: Conventions) -> Explanation:
    from loss_lint.discover import import_roots
    from loss_lint.explain.losses import explain, roots_of
    from loss_lint.linter import RECURSION_LIMIT
    from loss_lint.symbolic.machine import Machine
    from loss_lint.syntax.project import Project

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
    try:
        project = Project(sources, import_roots([path]), conventions.import_roots)
        machine = Machine(project, conventions=conventions)
        return explain(machine, roots_of(machine, path), path, line)
    finally:
        sys.setrecursionlimit(limit)


def _write(
    explanation: Explanation, cell: int | None, line: int | None, output_format: str, palette: Palette
) -> None:
    if output_format == "json":
        from loss_lint.report import explanation_json

        sys.stdout.write(explanation_json.render(explanation))
        return
    from loss_lint.report import tree

    sys.stdout.writelines(tree.render(explanation, line, palette, width=_width(), cell=cell))


def _width() -> int:
    """How wide the terminal is, within what can be read; the usual width where there is none."""
    from loss_lint.report.layout import WIDTH

    if not sys.stdout.isatty():
        return WIDTH
    return min(max(shutil.get_terminal_size().columns - 1, _NARROWEST), _WIDEST)


def _fail(message: str) -> int:
    from loss_lint.report.paths import printable

    sys.stderr.write(f"error: {printable(message)}\n")
    return FAILED

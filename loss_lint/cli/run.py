"""`loss-lint run`: a training script, watched while it runs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

from loss_lint.config import ConfigError
from loss_lint.harness.missing import TorchMissing, require_torch
from loss_lint.watching.api import Watch
from loss_lint.watching.script import NoProgram, Program, first_on_path, module, run, script

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

FOUND, FAILED = 1, 2


def run_script(options: argparse.Namespace) -> int:
    """Run and watch; gives the script's exit status, or 1 where it ended well and something was found."""
    target: Sequence[str] = options.module if options.module is not None else options.target
    if not target:
        return _fail("name a script to run, or a module with `-m`")
    try:
        require_torch()
    except TorchMissing as error:
        return _fail(f"`run` cannot watch: {error}")
    folder = os.getcwd() if options.module is not None else _folder(target[0])
    with first_on_path(folder):
        try:
            program = module(target[0]) if options.module is not None else script(target[0])
        except NoProgram as error:
            return _fail(str(error))
        except SyntaxError as error:
            sys.excepthook(type(error), error, None)
            return FOUND
        return _watched(program, target, options)


def _folder(path: str) -> str:
    """Where a script's imports begin."""
    return os.path.abspath(path) if os.path.isdir(path) else os.path.dirname(os.path.realpath(path))


def _watched(program: Program, arguments: Sequence[str], options: argparse.Namespace) -> int:
    watch = Watch(
        on_finding="collect",
        select=options.select,
        ignore=options.ignore or (),
        isolated=options.isolated,
        check=options.check,
    )
    watch.is_reported = True
    try:
        watch.validate()
    except ConfigError as error:
        return _fail(str(error))
    status = run(program, arguments, lambda: watch)
    try:
        _write(watch, options)
    except OSError as error:
        return _fail(f"{options.output_file}: {error.strerror}")
    if status:
        return status
    return FOUND if watch.findings and not options.exit_zero else 0


def _write(watch: Watch, options: argparse.Namespace) -> None:
    if options.output_file is None:
        _report(watch, options, sys.stderr)
        return
    with open(options.output_file, "w", encoding="utf-8") as file:
        _report(watch, options, file)


def _report(watch: Watch, options: argparse.Namespace, stream: TextIO) -> None:
    from loss_lint.cli.console import is_coloured, terminal_width
    from loss_lint.report import formats
    from loss_lint.report.material import Material
    from loss_lint.report.palette import Palette
    from loss_lint.report.source import SourceLines
    from loss_lint.syntax.noqa import Suppressions
    from loss_lint.syntax.sources import Folder
    from loss_lint.watching import report

    material = Material(
        watch.findings,
        SourceLines(Folder()),
        Suppressions(Folder()),
        os.getcwd(),
        width=terminal_width(stream),
        palette=Palette(is_coloured(options.color, stream)),
    )
    stream.writelines(formats.render(options.output_format, material))
    if options.output_format in formats.FOR_PEOPLE:
        stream.write(report.ending(watch.findings, watch.notes, watch.calls))


def _fail(message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return FAILED

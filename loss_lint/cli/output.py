"""Where a report goes, and in which format."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

from loss_lint.cli.console import is_coloured, stamped, terminal_width
from loss_lint.report import formats
from loss_lint.report.material import Material
from loss_lint.report.palette import Palette

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from loss_lint.cli.inputs import Input
    from loss_lint.findings import Finding
    from loss_lint.report.summary import Fixing
    from loss_lint.syntax.sources import Snapshot


def write_report(
    options: argparse.Namespace,
    findings: Sequence[Finding],
    given: Input,
    sources: Snapshot,
    fixing: Fixing,
) -> None:
    """Write the findings to where reports go; raises OSError where that is a file."""
    if options.output_file is None:
        # Standard output has the fixed text, or the difference.
        is_taken = given.from_stdin and (options.fix or options.fix_only or options.diff)
        stream = sys.stderr if is_taken else sys.stdout
        _write(options, _material(options, findings, sources, stream), given, fixing, stream)
        return
    os.makedirs(os.path.dirname(os.path.abspath(options.output_file)), exist_ok=True)
    with open(options.output_file, "w", encoding="utf-8", errors="backslashreplace") as file:
        _write(options, _material(options, findings, sources, file), given, fixing, file)


def _material(
    options: argparse.Namespace, findings: Sequence[Finding], sources: Snapshot, stream: TextIO
) -> Material:
    from loss_lint.report.source import SourceLines
    from loss_lint.syntax.noqa import Suppressions

    here = os.getcwd()
    return Material(
        findings,
        SourceLines(sources),
        Suppressions(sources),
        here,
        root=_repository(here),
        width=terminal_width(stream),
        palette=Palette(options.output_file is None and is_coloured(options.color, stream)),
        unsafe_fixes=bool(options.unsafe_fixes),
    )


def _write(
    options: argparse.Namespace, material: Material, given: Input, fixing: Fixing, stream: TextIO
) -> None:
    from loss_lint.report import summary

    for_people = options.output_format in formats.FOR_PEOPLE
    # A run that could not look at everything has not passed.
    is_ended = for_people and not options.quiet and bool(material.findings or not given.problems)
    if options.diff or options.fix_only:
        if for_people and options.show_fixes:
            stream.writelines(summary.by_file(fixing.fixed, material.folder, material.palette))
        if is_ended:
            stream.write(summary.only_fixes(material, fixing))
        return
    if options.watch:
        stream.write(stamped(f"{summary.found(material, fixing)} Watching for file changes.\n\n"))
    _write_findings(options, material, stream)
    if for_people and options.show_fixes:
        stream.writelines(summary.by_file(fixing.fixed, material.folder, material.palette))
    if is_ended and not options.watch:
        stream.write(summary.ending(material, fixing))


def _write_findings(options: argparse.Namespace, material: Material, stream: TextIO) -> None:
    from loss_lint.report import statistics

    if not options.statistics:
        if material.findings or options.output_format not in formats.FOR_PEOPLE:
            stream.writelines(formats.render(options.output_format, material))
    elif options.output_format == "json":
        stream.write(statistics.render_json(material))
    else:
        stream.write(statistics.render(material))


def _repository(folder: str) -> str:
    """The root of the git work tree around a folder, or else the folder itself."""
    from loss_lint.discover import repository

    return repository(folder) or folder

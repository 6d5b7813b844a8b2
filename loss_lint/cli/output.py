"""Where a report goes, and in which format."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

from loss_lint.cli.console import is_coloured, terminal_width
from loss_lint.report import formats

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from loss_lint.cli.inputs import Input
    from loss_lint.findings import Finding
    from loss_lint.syntax.noqa import Suppressions


def misused(options: argparse.Namespace) -> str | None:
    """What is wrong with the flags that say how to write, if anything is."""
    if options.statistics and options.output_format not in formats.FOR_STATISTICS:
        known = ", ".join(f"`{name}`" for name in sorted(formats.FOR_STATISTICS))
        return f"`--statistics` has no output format `{options.output_format}`; it has {known}"
    return None


def write_report(
    options: argparse.Namespace, findings: Sequence[Finding], given: Input, suppressions: Suppressions
) -> None:
    """Write the findings to standard output or to the file that is asked for; raises OSError for the latter."""
    if options.output_file is None:
        _write(options, findings, given, suppressions, sys.stdout)
        return
    os.makedirs(os.path.dirname(os.path.abspath(options.output_file)), exist_ok=True)
    with open(options.output_file, "w", encoding="utf-8", errors="backslashreplace") as file:
        _write(options, findings, given, suppressions, file)


def _write(
    options: argparse.Namespace,
    findings: Sequence[Finding],
    given: Input,
    suppressions: Suppressions,
    stream: TextIO,
) -> None:
    from loss_lint.report import statistics
    from loss_lint.report.material import Material
    from loss_lint.report.palette import Palette
    from loss_lint.report.source import SourceLines

    here = os.getcwd()
    material = Material(
        findings,
        SourceLines(given.sources),
        suppressions,
        here,
        root=_repository(here),
        width=terminal_width(stream),
        palette=Palette(stream is sys.stdout and is_coloured(options.color)),
    )
    for_people = options.output_format in formats.FOR_PEOPLE
    if not options.statistics:
        if findings or not for_people:
            stream.writelines(formats.render(options.output_format, material))
    elif options.output_format == "json":
        stream.write(statistics.render_json(material))
    else:
        stream.write(statistics.render(material))
    # A run that could not look at everything has not passed.
    if for_people and not options.quiet and (findings or not given.problems):
        stream.write(statistics.summary(findings))


def _repository(folder: str) -> str:
    """The root of the git work tree around a folder, or else the folder itself."""
    from loss_lint.discover import repository

    return repository(folder) or folder

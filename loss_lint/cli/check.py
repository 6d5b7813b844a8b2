"""`loss-lint check`."""

from __future__ import annotations

import gc
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from loss_lint.config import ConfigError, Configuration
from loss_lint.discover import discover, import_roots
from loss_lint.selection import INTERNAL_ERROR, Layer, known_codes
from loss_lint.syntax.noqa import Suppressions
from loss_lint.syntax.sources import Folder, Overlay, Snapshot

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from loss_lint.cache import Cache
    from loss_lint.findings import Finding
    from loss_lint.linter import Linter
    from loss_lint.runner import Run
    from loss_lint.syntax.sources import Sources

CLEAN, FOUND, FAILED = 0, 1, 2
_STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class _Input:
    """What a run reads: its files, where their text comes from, and what could not be looked at."""

    files: tuple[str, ...]
    sources: Sources
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    from_stdin: bool = False
    # Where the projects of the files begin if nothing in them says so.
    roots: tuple[str, ...] = ()


def check(options: argparse.Namespace) -> int:
    """Lint and report; gives the exit status."""
    started = time.perf_counter()
    given = _standard_input(options) if _reads_stdin(options) else _files(options.paths)
    try:
        configuration = _configuration(options, given)
    except ConfigError as error:
        return _fail(str(error))
    if not options.quiet:
        _complain("warning", given.warnings)
    _complain("error", given.problems)

    suppressions = Suppressions(given.sources)
    run = _lint(options, given)
    shown = [
        finding
        for finding in run.findings
        if finding.code == INTERNAL_ERROR
        or (
            finding.code in configuration.codes(_absolute(finding.place.path))
            and not suppressions.silences(finding)
        )
    ]
    if options.confirm and shown:
        try:
            shown, refuted = _confirmed(shown, given)
        except ImportError as error:
            return _fail(f"`--confirm` cannot measure: {error}")
        if options.verbose:
            _complain("defect", [_defect(finding) for finding in refuted])
    _write_report(options, shown, given, suppressions)
    if options.verbose:
        _complain("info", [f"linted {len(given.files)} files in {time.perf_counter() - started:.2f} s"])
        _complain("info", [f"gave up {count} times: {name}" for name, count in run.limits])
    return _status(options, shown, given.problems)


def _reads_stdin(options: argparse.Namespace) -> bool:
    return options.paths == [_STANDARD_INPUT] or options.stdin_filename is not None


def _files(paths: Sequence[str]) -> _Input:
    found = discover(paths)
    empty = not found.files and not found.problems
    warnings = ("no Python files found under the given paths",) if empty else ()
    return _Input(found.files, Snapshot(Folder()), found.problems, warnings, roots=import_roots(paths))


def _standard_input(options: argparse.Namespace) -> _Input:
    name = options.stdin_filename
    path = _STANDARD_INPUT if name is None else os.path.abspath(name)
    others = [given for given in options.paths if given not in (_STANDARD_INPUT, ".")]
    warnings = tuple(f"ignoring {other} in favor of standard input" for other in others)
    data = sys.stdin.buffer.read()
    sources = Snapshot(Overlay(Folder(), {path: data}))
    roots = () if name is None else import_roots([path])
    return _Input((path,), sources, warnings=warnings, from_stdin=True, roots=roots)


def _configuration(options: argparse.Namespace, given: _Input) -> Configuration:
    select = None if options.select is None else tuple(options.select)
    layer = Layer(select, tuple(options.ignore or ()), tuple(options.extend_select or ()))
    configuration = Configuration(known_codes, layer, options.isolated)
    configuration.validate(sorted({os.path.dirname(_absolute(path)) for path in given.files}))
    return configuration


def _absolute(path: str) -> str:
    return os.path.abspath(path)


def _lint(options: argparse.Namespace, given: _Input) -> Run:
    from loss_lint.runner import lint_files

    cache = None if options.no_cache or given.from_stdin else _cache
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return lint_files(given.files, given.sources, roots=given.roots, jobs=options.jobs, cache=cache)
    finally:
        gc.freeze()  # what is left of the evaluation ends with the process: no collection need look at it
        if was_enabled:
            gc.enable()


def _cache(linter: Linter) -> Cache:
    from loss_lint.cache import Cache

    return Cache(os.getcwd(), linter)


def _confirmed(findings: Sequence[Finding], given: _Input) -> tuple[list[Finding], list[Finding]]:
    """The findings with their evidence, and apart those that torch refutes; raises ImportError without torch."""
    from loss_lint.harness import confirm_all, contradicts
    from loss_lint.linter import Linter
    from loss_lint.runner import witnessed

    # A file that cannot be read claims nothing of numbers.
    silent = [finding for finding in findings if not finding.claim]
    speaking = [finding for finding in findings if finding.claim]
    confirmed = confirm_all(witnessed(speaking, Linter(given.sources, given.roots)))
    ordered = sorted([*silent, *confirmed], key=lambda finding: finding.sort_key())
    refuted = [finding for finding in ordered if contradicts(finding)]
    return [finding for finding in ordered if not contradicts(finding)], refuted


def _defect(finding: Finding) -> str:
    """What is said of a finding that torch refutes."""
    from loss_lint.report.evidence import evidence_line
    from loss_lint.report.paths import shown_path

    assert finding.evidence is not None
    place = finding.place
    return (
        f"{shown_path(place.path, os.getcwd())}:{place.line}:{place.column}: {finding.code} claims "
        f"{' or '.join(finding.claim)}, torch shows {finding.evidence.verdict} "
        f"({evidence_line(finding.evidence)}); it is not reported. Please report this, with the file if you can."
    )


def _write_report(
    options: argparse.Namespace, findings: Sequence[Finding], given: _Input, suppressions: Suppressions
) -> None:
    from loss_lint.report import statistics
    from loss_lint.report.palette import Palette

    palette = Palette(is_coloured(options.color))
    write = sys.stdout.write
    if options.output_format == "json":
        from loss_lint.report import json

        write(statistics.render_json(findings) if options.statistics else json.render(findings, suppressions))
        return
    if options.statistics:
        write(statistics.render(findings, palette))
    elif options.output_format == "concise":
        from loss_lint.report import concise

        sys.stdout.writelines(concise.render(findings, palette))
    elif findings:
        from loss_lint.report import full
        from loss_lint.report.source import SourceLines

        sys.stdout.writelines(full.render(findings, SourceLines(given.sources), palette))
    # A run that could not look at everything has not passed.
    if not options.quiet and (findings or not given.problems):
        write(statistics.summary(findings))


def is_coloured(when: str, stream: TextIO | None = None) -> bool:
    """Whether to colour what is written, as ruff decides it."""
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream or sys.stdout).isatty()


def _status(options: argparse.Namespace, findings: Sequence[Finding], problems: Sequence[str]) -> int:
    if problems or any(finding.code == INTERNAL_ERROR for finding in findings):
        return FAILED
    return FOUND if findings and not options.exit_zero else CLEAN


def _complain(level: str, messages: Sequence[str]) -> None:
    from loss_lint.report.paths import printable

    for message in messages:
        sys.stderr.write(f"{level}: {printable(message)}\n")


def _fail(message: str) -> int:
    _complain("error", [message])
    return FAILED

"""`loss-lint check`: what is given, what is found in it, what of that is shown, and how it is written."""

from __future__ import annotations

import gc
import os
import time
from typing import TYPE_CHECKING

from loss_lint.cells import in_cells
from loss_lint.cli import inputs
from loss_lint.cli.console import CLEAN, FAILED, FOUND, complain, fail
from loss_lint.cli.output import misused, write_report
from loss_lint.config import ConfigError, Configuration
from loss_lint.selection import INTERNAL_ERROR, Layer, known_codes
from loss_lint.showing import Showing
from loss_lint.syntax.noqa import Suppressions

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from loss_lint.cache import Cache
    from loss_lint.cli.inputs import Input
    from loss_lint.findings import Finding
    from loss_lint.linter import Linter
    from loss_lint.runner import Run
    from loss_lint.syntax.sources import Sources


def check(options: argparse.Namespace) -> int:
    """Lint and report; gives the exit status."""
    started = time.perf_counter()
    problem = misused(options)
    if problem is not None:
        return fail(problem)
    given = inputs.given(options)
    try:
        configuration = _configuration(options, given)
    except ConfigError as error:
        return fail(str(error))
    if not options.quiet:
        complain("warning", given.warnings)
    complain("error", given.problems)

    run = _lint(options, given, given.sources)
    suppressions = Suppressions(given.sources)
    showing = Showing(configuration, suppressions)
    findings = [finding for finding in run.findings if showing.shows(finding)]
    if options.confirm and findings:
        from loss_lint.cli.confirming import confirmed, defect

        try:
            findings, refuted = confirmed(findings, given)
        except ImportError as error:
            return fail(f"`--confirm` cannot measure: {error}")
        if options.verbose:
            complain("defect", [defect(finding) for finding in in_cells(refuted, given.sources)])
    try:
        write_report(options, in_cells(findings, given.sources), given, suppressions)
    except OSError as error:
        if options.output_file is None:
            raise
        return fail(f"{options.output_file}: {error.strerror}")
    if options.verbose:
        complain("info", [f"linted {len(given.files)} files in {time.perf_counter() - started:.2f} s"])
        complain("info", [f"gave up {count} times: {name}" for name, count in run.limits])
    return _status(options, findings, given.problems)


def _configuration(options: argparse.Namespace, given: Input) -> Configuration:
    select = None if options.select is None else tuple(options.select)
    layer = Layer(select, tuple(options.ignore or ()), tuple(options.extend_select or ()))
    configuration = Configuration(known_codes, layer, options.isolated)
    configuration.validate(given.folders)
    return configuration


def _lint(options: argparse.Namespace, given: Input, sources: Sources) -> Run:
    """What there is to say of the given files, as `sources` have them."""
    from loss_lint.runner import lint_files

    cache = None if options.no_cache or given.from_stdin else _cache
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return lint_files(given.files, sources, roots=given.roots, jobs=options.jobs, cache=cache)
    finally:
        gc.freeze()  # what is left of the evaluation ends with the process: no collection need look at it
        if was_enabled:
            gc.enable()


def _cache(linter: Linter) -> Cache:
    from loss_lint.cache import Cache

    return Cache(os.getcwd(), linter)


def _status(options: argparse.Namespace, findings: Sequence[Finding], problems: Sequence[str]) -> int:
    if problems or any(finding.code == INTERNAL_ERROR for finding in findings):
        return FAILED
    return FOUND if findings and not options.exit_zero else CLEAN

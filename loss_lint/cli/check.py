"""`loss-lint check`: what is given, what is found in it, what of that is fixed, and how the rest is written.

What only a run over files needs is imported when there are files.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from loss_lint.cli import inputs
from loss_lint.cli.configuring import configuration_of
from loss_lint.cli.console import CLEAN, FAILED, FOUND, complain, fail
from loss_lint.cli.misuse import misused
from loss_lint.config import ConfigError
from loss_lint.report.formats import FOR_PEOPLE
from loss_lint.selection import INTERNAL_ERROR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loss_lint.cli.inputs import Input
    from loss_lint.cli.known import News
    from loss_lint.cli.looking import Look
    from loss_lint.config import Configuration, Settings
    from loss_lint.findings import Finding
    from loss_lint.report.summary import Fixing


@dataclass(frozen=True, slots=True)
class Checked:
    """How a run ended, the files that it has written, and the files and folders that it followed from."""

    status: int
    written: frozenset[str] = frozenset()
    looked_at: frozenset[str] = field(default=frozenset(), repr=False)


def check(options: argparse.Namespace) -> int:
    """Lint, fix and report, with `--watch` again and again; gives the exit status."""
    problem = misused(options)
    if problem is not None:
        return fail(problem)
    if options.watch:
        from loss_lint.cli.watching import watch

        return watch(options)
    return run_once(options).status


def run_once(options: argparse.Namespace) -> Checked:
    """One run; its report is written."""
    started = time.perf_counter()
    try:
        configuration = configuration_of(options)
        given = inputs.given(options, configuration)
        configuration.validate(given.folders)
        options = _settled(options, configuration.base())
        news = _news(options, given, configuration)
    except ConfigError as error:
        return Checked(fail(str(error)))
    problem = misused(options)
    if problem is not None:
        return Checked(fail(problem))
    if not options.quiet:
        complain("warning", given.warnings)
    complain("error", given.problems)
    if _says_nothing(options, given):
        sys.stdout.write("" if options.quiet else "All checks passed!\n")
        return Checked(CLEAN)

    from loss_lint.cli.looking import Look

    look = Look(options, given, configuration, news)
    try:
        checked = _done(options, given, look)
    except ImportError as error:
        return Checked(fail(f"`--confirm` cannot measure: {error}"))
    except ConfigError as error:
        return Checked(fail(str(error)))
    if options.verbose:
        complain("info", [f"linted {len(given.files)} files in {time.perf_counter() - started:.2f} s"])
        complain("info", [f"gave up {count} times: {name}" for name, count in look.limits])
    return replace(checked, looked_at=look.looked_at)


def _done(options: argparse.Namespace, given: Input, look: Look) -> Checked:
    """Do what the flags ask for, and report."""
    from loss_lint.cells import in_cells
    from loss_lint.cli.output import write_report
    from loss_lint.report.summary import Fixing

    findings: Sequence[Finding]
    fixing, sources = Fixing(hints=options.unsafe_fixes is None), given.sources
    failures: Sequence[str] = ()
    written: frozenset[str] = frozenset()
    with ExitStack() as stack:
        if _is_fixing(options) and (options.no_cache or given.from_stdin):
            import tempfile

            look.scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="loss-lint-"))
        findings = look(given.sources)
        if options.write_baseline is not None and options.baseline is None:
            return Checked(FAILED if given.problems else CLEAN)
        if options.add_noqa:
            from loss_lint.cli.silencing import silence

            status = silence(given, findings, options.noqa_reason, quiet=options.quiet)
            return Checked(FAILED if given.problems else status)
        if _is_fixing(options):
            from loss_lint.cli.fixing import fixed

            done = fixed(options, given, findings, look)
            findings, sources, fixing, failures = done.findings, done.sources, done.fixing, done.failures
            written = done.written
    if options.verbose:
        from loss_lint.cli.confirming import defect

        complain("defect", [defect(finding) for finding in in_cells(look.refuted, sources)])
    try:
        write_report(options, in_cells(findings, sources), given, sources, fixing)
    except OSError as error:
        if options.output_file is None:
            raise
        return Checked(fail(f"{options.output_file}: {error.strerror}"))
    return Checked(_status(options, findings, [*given.problems, *failures], fixing), written)


def _says_nothing(options: argparse.Namespace, given: Input) -> bool:
    """Whether there is nothing to lint, and no more to say of it than that."""
    asks_more = (
        options.verbose or options.watch or options.write_baseline or options.add_noqa or options.statistics
    )
    is_plain = options.output_format in FOR_PEOPLE and options.output_file is None
    return not (given.files or given.problems or asks_more or _is_fixing(options)) and is_plain


def _is_fixing(options: argparse.Namespace) -> bool:
    """Whether the flags ask for fixes, made or shown."""
    return bool(options.fix or options.fix_only or options.diff)


def _settled(options: argparse.Namespace, settings: Settings) -> argparse.Namespace:
    """The flags, with what the configuration says where they are silent."""
    settled = argparse.Namespace(**vars(options))
    settled.output_format = settings.output_format or "full"
    if settled.unsafe_fixes is None:
        settled.unsafe_fixes = settings.unsafe_fixes
    return settled


def _news(options: argparse.Namespace, given: Input, configuration: Configuration) -> News | None:
    """What tells new findings from known ones, if a flag asks for that; raises ConfigError."""
    if (options.baseline, options.since, options.write_baseline) == (None, None, None):
        return None
    from loss_lint.cli.known import News

    return News(options, given, configuration)


def _status(
    options: argparse.Namespace, findings: Sequence[Finding], problems: Sequence[str], fixing: Fixing
) -> int:
    if problems or any(finding.code == INTERNAL_ERROR for finding in findings):
        return FAILED
    if options.exit_zero:
        return CLEAN
    if options.diff:
        return FOUND if fixing.fixed else CLEAN
    if options.exit_non_zero_on_fix and fixing.fixed:
        return FOUND
    return FOUND if findings and not options.fix_only else CLEAN

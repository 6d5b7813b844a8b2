"""`loss-lint scan`: a corpus of source files in Parquet."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

from loss_lint.cli.console import CLEAN, FAILED, FOUND, complain, fail
from loss_lint.selection import INTERNAL_ERROR, UnknownSelector, known_rules

if TYPE_CHECKING:
    import argparse

    from loss_lint.corpus.scanning import Summary

_MEGABYTE = 2**20


def scan(options: argparse.Namespace) -> int:
    """Scan, and say on standard output how many findings there are of each rule; gives the exit status."""
    missing = [name for name in ("pyarrow", "ray") if not _is_installed(name)]
    if missing:
        what = " and ".join(missing)
        return fail(f'`scan` needs {what}, which is not installed: pip install "torch-loss-lint[corpus]"')
    from loss_lint.corpus import scanning
    from loss_lint.corpus.engine import EngineFailed
    from loss_lint.corpus.plan import Unusable
    from loss_lint.corpus.progress import Progress
    from loss_lint.corpus.settings import Settings

    settings = Settings(
        repository=options.repository_column,
        path=options.path_column,
        text=options.text_column,
        select=None if options.select is None else tuple(options.select),
        ignore=tuple(options.ignore or ()),
        seconds=options.time_limit,
        memory=options.memory_limit * _MEGABYTE,
    )
    try:
        summary = scanning.scan(
            options.input,
            options.output,
            settings=settings,
            workers=options.workers,
            address=options.address,
            progress=Progress(None if options.quiet else sys.stderr),
        )
    except EngineFailed as error:
        return fail(f"the scan was ended by {error} (the same command goes on with it)")
    except (Unusable, UnknownSelector, OSError) as error:
        return fail(str(error))
    complain("error", summary.problems)
    if not options.quiet:
        complain("info", _told(summary))
    _write(summary)
    return _status(options, summary)


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:  # a module that another one put in its place
        return False


def _told(summary: Summary) -> list[str]:
    if not summary.seconds:
        return ["this scan was done before: nothing was left to do"]
    rate = summary.linted / summary.seconds
    cost = f"{summary.seconds:,.1f} s ({rate:,.0f} a second), {summary.processor_seconds:,.1f} s of processor time"
    told = [f"linted {summary.linted:,} lines in {cost}"]
    if summary.lines:
        told.insert(
            0, f"the input has {summary.files:,} Python files and notebooks with {summary.lines:,} lines"
        )
    return told


def _write(summary: Summary) -> None:
    counts = summary.counts
    names = {rule.code: rule.name for rule in known_rules()}
    width = max((len(f"{count:,}") for count in counts.codes.values()), default=0)
    for code, count in sorted(counts.codes.items(), key=lambda pair: (-pair[1], pair[0])):
        sys.stdout.write(f"{count:>{width},}  {code}  {names.get(code, 'internal-error')}\n")
    total = sum(counts.codes.values())
    sys.stdout.write(
        f"Found {total:,} {'error' if total == 1 else 'errors'} in {counts.flagged:,} of {counts.repositories:,} "
        f"{'repository' if counts.repositories == 1 else 'repositories'} with torch.\n"
    )


def _status(options: argparse.Namespace, summary: Summary) -> int:
    if summary.problems or INTERNAL_ERROR in summary.counts.codes:
        return FAILED
    return FOUND if summary.counts.codes and not options.exit_zero else CLEAN

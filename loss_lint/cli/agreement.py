"""`loss-lint prove --agreement`: what the static check, the harness and the watcher say of each case."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from loss_lint.report.columns import aligned
from loss_lint.report.paths import printable, shown_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from loss_lint.watching.cases import Answer, Case

AGREE, DISAGREE, IMPOSSIBLE = 0, 1, 2
_HEADS = ("case", "static", "harness", "watcher")
_KINDS = {"flagged": " as flagged", "fixed": " as fixed", "right": "", "run": " run"}


def agreement(options: argparse.Namespace, codes: Sequence[str]) -> int:
    """Print the table; gives the exit status."""
    missing = [path for path in (*options.files, *options.scripts) if not os.path.exists(path)]
    if missing:
        sys.stderr.write(f"error: {printable(missing[0])} does not exist\n")
        return IMPOSSIBLE
    try:
        from loss_lint.watching import cases
    except ImportError as error:
        sys.stderr.write(f"error: `prove` cannot measure: {error}\n")
        return IMPOSSIBLE
    if options.files or options.scripts:
        found = [case for path in _files(options.files) for case in cases.of_file(path, codes)]
        found += [case for path in _files(options.scripts) for case in cases.of_script(path, codes)]
    else:
        found = list(cases.of_examples(codes))
    if options.output_format == "json":
        from loss_lint.report import cases_json

        sys.stdout.write(cases_json.render(found))
    else:
        sys.stdout.write(table(found) + summary(found))
    return AGREE if all(case.agrees for case in found) else DISAGREE


def _files(paths: Sequence[str]) -> Iterator[str]:
    from loss_lint.discover import discover

    return (path for path in discover(paths).files if path.endswith(".py")) if paths else iter(())


def table(found: Sequence[Case]) -> str:
    return aligned([_HEADS, *(_row(case) for case in found)])


def _row(case: Case) -> tuple[str, str, str, str]:
    path = shown_path(case.path, os.getcwd())
    where = f"{case.code} {path}:{case.line}" if case.code else path
    mark = "" if case.agrees else "DISAGREES "
    static, harness, watcher = map(_cell, case.answers)
    return f"{mark}{where}{_KINDS[case.kind]}", static, harness, watcher


def _cell(answer: Answer) -> str:
    return f"{answer.outcome}: {answer.detail}" if answer.detail else answer.outcome


def summary(found: Sequence[Case]) -> str:
    """How many cases all agree on, and how often each of the three is blind."""
    agreeing = sum(case.agrees for case in found)
    blind = [sum(case.answers[column].outcome == "blind" for case in found) for column in range(3)]
    return (
        f"{agreeing} of {len(found)} cases agree; blind are the static check in {blind[0]}, "
        f"the harness in {blind[1]}, the watcher in {blind[2]}.\n"
    )

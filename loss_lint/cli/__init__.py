"""The command line. Each command is imported when it is asked for, so that the others start fast."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from loss_lint.cli.arguments import parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives its exit status (0 nothing to report, 1 findings, 2 it could not do its work)."""
    options = parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper) and options.command != "run":
        # A path or a source line may hold what the terminal's encoding does not.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = _run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`head`) has seen enough; the interpreter's own flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def program() -> int:
    """`main` in a process of its own: a check ends it at once, as taking apart all that it knows takes a while."""
    status = main()
    if "loss_lint.cli.check" in sys.modules and "torch" not in sys.modules:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
    return status


def _run(options: argparse.Namespace) -> int:
    if options.command == "check":
        from loss_lint.cli.check import check

        return check(options)
    if options.command == "rule":
        from loss_lint.cli.rule import rule

        return rule(options)
    if options.command == "show":
        from loss_lint.cli.show import show

        return show(options)
    if options.command == "server":
        from loss_lint.cli.server import server

        return server()
    if options.command == "run":
        from loss_lint.cli.run import run_script

        return run_script(options)
    if options.command == "scan":
        from loss_lint.cli.scan import scan

        return scan(options)
    from loss_lint.cli.prove import prove

    return prove(options)

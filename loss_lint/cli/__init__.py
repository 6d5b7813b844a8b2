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
    _open_closed_streams()
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
        _give_up_output()  # the reader (`head`) has seen enough
        return 0
    except OSError as error:
        # What a run needs beside its files: there is a full disk behind `>`, or the working folder is gone.
        _give_up_output()
        return _failed(": ".join(filter(None, (error.filename, error.strerror or str(error)))))
    return status


def program() -> int:
    """`main` in a process of its own: a check ends it at once, as taking apart all that it knows takes a while."""
    try:
        status = main()
    except Exception as error:  # noqa: BLE001 - the outermost edge: what is left is a defect of loss-lint
        status = _failed(f"loss-lint failed ({_told(error)}). Please report this, with the files if you can.")
    if "loss_lint.cli.check" in sys.modules and "torch" not in sys.modules:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
    return status


def _open_closed_streams() -> None:
    """Where a stream was closed by whoever started this, nothing comes from it and nothing goes into it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - it stays open


def _give_up_output() -> None:
    """Let the interpreter's own flush at exit succeed: it must not complain."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(message: str) -> int:
    from loss_lint.cli.console import FAILED, complain

    with suppress(OSError):  # it is standard error that cannot be written to
        complain("error", [message])
    return FAILED


def _told(error: Exception) -> str:
    """An exception with the place in loss-lint where it was raised, in one line."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    return " ".join(f"{type(error).__name__}: {error}{where}".split())


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

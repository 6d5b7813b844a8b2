"""The commands and their flags; `check` takes ruff's, with ruff's meaning."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from loss_lint import __version__
from loss_lint.report import formats

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DESCRIPTION = "Finds PyTorch code that computes a different training loss than its author believes."


class _Columns(argparse.HelpFormatter):
    """argparse's formatter, which makes one for each flag: it imports `shutil` where nobody tells it a width."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    try:
        return int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        pass
    try:
        return os.get_terminal_size().columns or 80
    except OSError:
        return 80


class _Command(argparse.ArgumentParser):
    """A command whose flags are added when it is the one that is asked for."""

    def __init__(self, *, fill: Callable[[argparse.ArgumentParser], None], **given: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Columns, **given)
        self._fill: Callable[[argparse.ArgumentParser], None] | None = fill

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        fill, self._fill = self._fill, None
        if fill is not None:
            fill(self)
        if fill is _add_check:
            # Of what follows behind a blank argparse takes nothing for the reason.
            args = [f"{one}=" if one == _ADD_NOQA else one for one in args]
        return super().parse_known_args(args, namespace)


_ADD_NOQA = "--add-noqa"


class _AddNoqa(argparse.Action):
    """`--add-noqa`, and `--add-noqa=REASON`."""

    def __init__(self, option_strings: Sequence[str], dest: str, **given: Any) -> None:
        super().__init__(option_strings, dest, default=False, **given)

    def __call__(self, _parser: Any, namespace: Any, values: Any, _flag: Any = None) -> None:
        namespace.add_noqa, namespace.noqa_reason = True, values


def parser() -> argparse.ArgumentParser:
    """The parser of `loss-lint`; its result has `command` and that command's flags."""
    root = argparse.ArgumentParser(
        "loss-lint", description=DESCRIPTION, allow_abbrev=False, formatter_class=_Columns
    )
    root.add_argument("-V", "--version", action="version", version=f"loss-lint {__version__}")
    commands = root.add_subparsers(
        dest="command", prog="loss-lint", required=True, metavar="COMMAND", parser_class=_Command
    )
    commands.add_parser("check", help="lint files and folders", fill=_add_check)
    commands.add_parser("rule", help="explain a rule", fill=_add_rule)
    commands.add_parser("show", help="explain what losses compute", fill=_add_show)
    commands.add_parser("prove", help="measure what the rules claim", fill=_add_prove)
    commands.add_parser("run", help="watch a training script while it runs", fill=_add_run)
    commands.add_parser("server", help="serve an editor", fill=_add_server)
    commands.add_parser("scan", help="lint a corpus of source files in Parquet", fill=_add_scan)
    return root


def _add_server(server: argparse.ArgumentParser) -> None:
    server.description = "A language server on standard input and output; editors start it."
    server.add_argument("--stdio", action="store_true", help="the only way there is; some clients say so")


def _add_check(check: argparse.ArgumentParser) -> None:
    check.description = "Lint files and folders. Exit status: 0 nothing found, 1 findings, 2 failure."
    check.add_argument(
        "paths", nargs="*", metavar="PATH", default=["."], help="files or folders, or `-` (default: .)"
    )
    check.add_argument("--confirm", action="store_true", help="run each finding's expression in torch")
    check.add_argument(
        "--output-format",
        choices=formats.NAMES,
        help="how findings are written (default: full)",
    )
    check.add_argument(
        "-o", "--output-file", metavar="FILE", help="write findings to a file instead of standard output"
    )
    check.add_argument("--statistics", action="store_true", help="count the findings of each rule instead")
    check.add_argument(
        "--stdin-filename", metavar="PATH", help="the path of what is read from standard input"
    )
    check.add_argument(
        "-e", "--exit-zero", action="store_true", help="exit with 0 even if there are findings"
    )
    check.add_argument("--baseline", metavar="FILE", help="report only what a baseline does not know")
    check.add_argument(
        "--write-baseline",
        metavar="FILE",
        help="write what is found to a baseline instead; with --baseline, what of that is left",
    )
    check.add_argument(
        "--since",
        metavar="REV",
        help="report only what was introduced since a revision of the git repository",
    )
    check.add_argument("-j", "--jobs", type=_positive, metavar="N", help="number of processes")
    check.add_argument("-n", "--no-cache", action="store_true", help="neither read nor write the cache")
    check.add_argument("--cache-dir", metavar="FOLDER", help="where the cache is (default: .loss_lint_cache)")
    check.add_argument(
        "--config",
        action="append",
        metavar="FILE|KEY=VALUE",
        help="a TOML file that holds instead of all others, or one of its keys, which holds over every file",
    )
    check.add_argument("--isolated", action="store_true", help="ignore all configuration files")
    check.add_argument("-w", "--watch", action="store_true", help="check again whenever a file changes")
    _add_color(check)
    _add_fixes(check.add_argument_group("fixes and comments"))
    _add_selection(check.add_argument_group("rule selection"))
    _add_file_selection(check.add_argument_group("file selection"))
    levels = check.add_argument_group("log levels").add_mutually_exclusive_group()
    levels.add_argument("-q", "--quiet", action="store_true", help="write findings and nothing else")
    levels.add_argument("-v", "--verbose", action="store_true", help="say on stderr what is done")


def _add_fixes(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--fix", action=argparse.BooleanOptionalAction, help="apply fixes that change no number"
    )
    group.add_argument(
        "--unsafe-fixes",
        action=argparse.BooleanOptionalAction,
        help="with --fix, apply also those that change the numbers; alone, count them as available",
    )
    group.add_argument(
        "--show-fixes", action=argparse.BooleanOptionalAction, help="list what was fixed, by file and rule"
    )
    group.add_argument("--diff", action="store_true", help="show what --fix would change, and change nothing")
    group.add_argument(
        "--fix-only", action=argparse.BooleanOptionalAction, help="as --fix, but report no findings"
    )
    group.add_argument(
        "--exit-non-zero-on-fix",
        action="store_true",
        help="exit with 1 if anything was fixed, even if all was",
    )
    group.add_argument(
        _ADD_NOQA,
        action=_AddNoqa,
        nargs="?",
        metavar="REASON",
        help="write `# noqa` comments where there are findings now, with a reason behind the codes: --add-noqa=REASON",
    )
    group.add_argument("--ignore-noqa", action="store_true", help="report what `# noqa` silences, too")


def _add_color(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--color",
        choices=["auto", "always", "never"],
        default="auto",
        help="when to use colour (default: auto: on a terminal, unless NO_COLOR or FORCE_COLOR is set)",
    )


def _add_selection(group: argparse._ArgumentGroup) -> None:
    for flag, meaning in (
        ("--select", "codes, prefixes or names of rules to turn on, or ALL"),
        ("--ignore", "codes, prefixes or names of rules to turn off"),
        ("--extend-select", "as --select, in addition to what is on already"),
    ):
        group.add_argument(flag, action="extend", type=_selectors, metavar="RULE[,...]", help=meaning)

    for flag, meaning in (
        ("--per-file-ignores", "codes, prefixes or names of rules to turn off in the files of a pattern"),
        ("--extend-per-file-ignores", "as --per-file-ignores, in addition to those of the configuration"),
    ):
        group.add_argument(flag, action="extend", type=_selectors, metavar="PATTERN:RULE[,...]", help=meaning)


def _add_file_selection(group: argparse._ArgumentGroup) -> None:
    for flag, meaning in (
        ("--exclude", "patterns of files and folders to leave out, instead of the configuration's"),
        ("--extend-exclude", "as --exclude, in addition to what is left out already"),
    ):
        group.add_argument(flag, action="extend", type=_selectors, metavar="PATTERN[,...]", help=meaning)
    switches = argparse.BooleanOptionalAction
    group.add_argument("--force-exclude", action=switches, help="leave out even what is named")
    group.add_argument(
        "--respect-gitignore", action=switches, help="leave out what git or .ignore files ignore (default)"
    )


def _add_rule(rule: argparse.ArgumentParser) -> None:
    rule.description = "Explain a rule: what it flags, why that is bad, what to write instead."
    rule.add_argument("selector", nargs="?", metavar="RULE", help="a rule's code or name")
    rule.add_argument("--all", action="store_true", help="explain all rules")
    rule.add_argument(
        "--output-format", choices=["text", "json"], default="text", help="how it is written (default: text)"
    )


def _add_show(show: argparse.ArgumentParser) -> None:
    show.description = (
        "Explain what each loss of a file computes: a tree of its steps, a formula, and where knowledge ends."
    )
    show.add_argument("target", metavar="FILE[:LINE]", help="a file, or a line that losses pass through")
    show.add_argument(
        "--output-format", choices=["text", "json"], default="text", help="how it is written (default: text)"
    )
    _add_color(show)


def _add_prove(prove: argparse.ArgumentParser) -> None:
    prove.description = (
        "Run each rule's own example in torch, bad against good. Exit status: 1 if a claim fails."
    )
    which = prove.add_mutually_exclusive_group()
    which.add_argument(
        "codes", nargs="*", metavar="RULE", default=[], help="codes or names of rules (default: all)"
    )
    which.add_argument("--all", action="store_true", help="every rule, also those that are off by default")
    how = prove.add_mutually_exclusive_group()
    how.add_argument(
        "--output-format", choices=["text", "json"], default="text", help="how it is written (default: text)"
    )
    how.add_argument(
        "--plot",
        metavar="FILE",
        help="train a small network with one rule's example (default: LOS201), as flagged and as fixed, and draw "
        "loss and accuracy by step (.png, .svg or .pdf)",
    )
    _add_agreement(prove)


def _add_agreement(prove: argparse.ArgumentParser) -> None:
    group = prove.add_argument_group("agreement")
    group.add_argument(
        "--agreement",
        action="store_true",
        help="print what the static check, the harness and the watcher say of each rule's example",
    )
    group.add_argument(
        "--files",
        nargs="+",
        metavar="PATH",
        default=[],
        help="... of the findings in these files; none is run",
    )
    group.add_argument(
        "--scripts", nargs="+", metavar="PATH", default=[], help="... of these programs, which are run"
    )


def _add_run(run: argparse.ArgumentParser) -> None:
    run.description = (
        "Run a training script as `python SCRIPT ARGS` does, and watch its losses. Exit status: the script's own; "
        "if that is 0, 1 where something was found."
    )
    run.usage = "loss-lint run [options] (SCRIPT | -m MODULE) [ARGS ...]"
    run.add_argument("target", nargs=argparse.REMAINDER, metavar="SCRIPT [ARGS ...]", help="what to run")
    run.add_argument(
        "-m",
        dest="module",
        nargs=argparse.REMAINDER,
        metavar="MODULE",
        help="run a module, as `python -m` does",
    )
    run.add_argument(
        "--output-format",
        choices=formats.NAMES,
        default="concise",
        help="how findings are written, to standard error (default: concise)",
    )
    run.add_argument("-o", "--output-file", metavar="FILE", help="write findings to a file instead")
    run.add_argument("-e", "--exit-zero", action="store_true", help="findings do not change the exit status")
    run.add_argument("--isolated", action="store_true", help="ignore all configuration files")
    run.add_argument(
        "--no-check",
        dest="check",
        action="store_false",
        help="do not measure what the static check says of the files on the run's tensors",
    )
    _add_color(run)
    _add_choice(run)


def _add_choice(command: argparse.ArgumentParser) -> None:
    """The flags that choose rules, of a command that has two for it."""
    group = command.add_argument_group("rule selection")
    for flag, meaning in (("--select", "on"), ("--ignore", "off")):
        group.add_argument(
            flag,
            action="extend",
            type=_selectors,
            metavar="RULE[,...]",
            help=f"codes, prefixes or names of rules to turn {meaning}",
        )


def _add_scan(scan: argparse.ArgumentParser) -> None:
    scan.description = (
        "Lint a corpus, repository by repository, on Ray: Parquet in, Parquet out. A scan that was ended goes on "
        "when it is asked for again. Exit status: 0 nothing found, 1 findings, 2 failure."
    )
    scan.add_argument("input", metavar="IN", help="a Parquet file, or a folder of them; one row is one file")
    scan.add_argument("output", metavar="OUT", help="the folder for the findings; one row is one finding")
    for column in ("repository", "path", "text"):
        scan.add_argument(
            f"--{column}-column",
            default=column,
            metavar="NAME",
            help=f"the column with each file's {column} (default: {column})",
        )
    scan.add_argument("-e", "--exit-zero", action="store_true", help="exit with 0 even if there are findings")
    scan.add_argument("-q", "--quiet", action="store_true", help="show no progress")
    _add_choice(scan)
    work = scan.add_argument_group("work")
    work.add_argument(
        "--address",
        metavar="ADDRESS",
        help="a Ray cluster (default: $RAY_ADDRESS, or else one that is started on this machine)",
    )
    work.add_argument(
        "--workers", type=_positive, metavar="N", help="at most so many processes (default: all processors)"
    )
    work.add_argument(
        "--time-limit",
        type=_positive,
        default=300,
        metavar="SECONDS",
        help="processor time that one repository may take (default: 300)",
    )
    work.add_argument(
        "--memory-limit",
        type=_positive,
        default=4096,
        metavar="MB",
        help="address space that one repository may take (default: 4096)",
    )


def _selectors(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return number

"""Flags of `check` that contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loss_lint.report import formats

if TYPE_CHECKING:
    import argparse

# Pairs of flags of which only one can be given; as in ruff, and `--watch` with what does not go on.
_EXCLUSIVE = (
    ("add_noqa", "fix"),
    ("add_noqa", "fix_only"),
    ("add_noqa", "diff"),
    ("add_noqa", "ignore_noqa"),
    ("add_noqa", "statistics"),
    ("add_noqa", "watch"),
    ("diff", "show_fixes"),
    ("diff", "statistics"),
    ("diff", "watch"),
    ("exit_zero", "exit_non_zero_on_fix"),
    ("watch", "output_file"),
    ("write_baseline", "add_noqa"),
    ("write_baseline", "diff"),
    ("write_baseline", "fix"),
    ("write_baseline", "fix_only"),
    ("write_baseline", "watch"),
)


def misused(options: argparse.Namespace) -> str | None:
    """What is wrong with the flags together, if anything is."""
    for one, other in _EXCLUSIVE:
        if getattr(options, one) and getattr(options, other):
            return f"`{_flag(one)}` cannot be used with `{_flag(other)}`"
    if options.add_noqa and any(end in options.noqa_reason for end in "\r\n"):
        return "the reason of `--add-noqa` cannot be of several lines"
    if options.statistics and options.output_format not in (None, *formats.FOR_STATISTICS):
        known = ", ".join(f"`{name}`" for name in sorted(formats.FOR_STATISTICS))
        return f"`--statistics` has no output format `{options.output_format}`; it has {known}"
    if options.watch and options.output_format not in formats.FOR_PEOPLE:
        known = ", ".join(f"`{name}`" for name in sorted(formats.FOR_PEOPLE))
        return f"`--watch` has no output format `{options.output_format}`; it has {known}"
    return None


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"

"""What a run of `check` sees in its files: linted, measured where that is asked for, and what of it is shown."""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from loss_lint.showing import Showing
from loss_lint.syntax.noqa import Suppressions

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from loss_lint.cache import Cache
    from loss_lint.cli.inputs import Input
    from loss_lint.cli.known import News
    from loss_lint.config import Configuration
    from loss_lint.findings import Finding
    from loss_lint.linter import Linter
    from loss_lint.runner import Run
    from loss_lint.syntax.sources import Snapshot


@dataclass
class Look:
    """One way to look at files, for all texts that they hold while they are fixed.

    Once called, it knows which findings torch refuted, how often limits were met and what the findings followed
    from. Without a cache of its own a run that looks several times gets a folder, `scratch`, to remember in.
    """

    options: argparse.Namespace
    given: Input
    configuration: Configuration
    news: News | None = None
    scratch: str | None = None
    refuted: list[Finding] = field(default_factory=list)
    limits: tuple[tuple[str, int], ...] = ()
    looked_at: frozenset[str] = frozenset()

    def __call__(self, sources: Snapshot) -> list[Finding]:
        """The findings to show, sorted.

        Raises ImportError where `--confirm` has no torch, ConfigError where what is new cannot be told.
        """
        run = self._linted(sources)
        self.limits, self.looked_at = run.limits, self.looked_at | run.looked_at
        suppressions = None if self.options.ignore_noqa else Suppressions(sources)
        showing = Showing(self.configuration, suppressions)
        findings = [finding for finding in run.findings if showing.shows(finding)]
        if self.news is not None:
            findings = self.news(findings, sources)
        if self.options.confirm and findings:
            from loss_lint.cli.confirming import confirmed

            findings, self.refuted = confirmed(
                findings, replace(self.given, sources=sources), self.configuration.conventions
            )
        return findings

    def _linted(self, sources: Snapshot) -> Run:
        from loss_lint.runner import lint_files

        given, options = self.given, self.options
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            return lint_files(
                given.files,
                sources,
                roots=given.roots,
                jobs=options.jobs,
                cache=self._memory(),
                conventions=self.configuration.conventions,
            )
        finally:
            gc.freeze()  # what is left of the evaluation ends with the process: no collection need look at it
            if was_enabled:
                gc.enable()

    def _memory(self) -> Callable[[Linter], Cache] | None:
        if not (self.options.no_cache or self.given.from_stdin):
            return partial(_cache, os.getcwd(), self.configuration.base().cache_dir)
        return None if self.scratch is None else partial(_cache, self.scratch, None)


def _cache(parent: str, folder: str | None, linter: Linter) -> Cache:
    from loss_lint.cache import Cache

    return Cache(parent, linter, folder=folder)

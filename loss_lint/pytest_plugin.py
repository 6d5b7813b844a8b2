"""`pytest --loss-watch`: every test is watched, and what its losses show is told at the end.

This module is loaded by every pytest of an environment that loss-lint is installed in: it imports nothing that costs
time until it is asked to watch.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from loss_lint.findings import Finding

_NAME = "loss-lint-watch"
# Where findings travel from a test to the summary, also from one process to another (pytest-xdist).
_KEY = "loss_watch"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("loss-lint", "watching the losses of tests (loss-lint)")
    group.addoption(
        "--loss-watch",
        action="store_true",
        help="watch what the losses of each test get, and tell at the end",
    )
    group.addoption(
        "--loss-watch-fail",
        action="store_true",
        help="as --loss-watch; a test in which something is found fails",
    )
    parser.addini("loss_watch", "watch what the losses of each test get", type="bool", default=False)
    parser.addini("loss_watch_fail", "a test in which something is found fails", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    fails = bool(config.getoption("--loss-watch-fail") or config.getini("loss_watch_fail"))
    if not (fails or config.getoption("--loss-watch") or config.getini("loss_watch")):
        return
    from loss_lint.harness.missing import TorchMissing, require_torch

    try:
        require_torch()
    except TorchMissing as error:
        raise pytest.UsageError(f"--loss-watch: {error}") from None
    config.pluginmanager.register(Watcher(fails=fails), _NAME)


@dataclass(slots=True)
class Seen:
    """A finding as it is told, and the tests that showed it."""

    line: str
    tests: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Watcher:
    """Watches tests, and tells at the end what was found: each cause once."""

    fails: bool
    found: dict[str, Seen] = field(default_factory=dict)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        with _Watched(item):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        with _Watched(item):
            result = yield
        lines = _lines_of(item).values()
        if lines and self.fails:
            pytest.fail("\n".join(["loss-lint found:", *lines]), pytrace=False)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.when == "teardown":
            setattr(report, _KEY, _lines_of(item))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for cause, line in getattr(report, _KEY, {}).items():
            self.found.setdefault(cause, Seen(line)).tests.append(report.nodeid)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.found:
            return
        terminalreporter.section("loss-lint")
        for seen in self.found.values():
            terminalreporter.line(seen.line)
            more = f" and {len(seen.tests) - 1} more" if len(seen.tests) > 1 else ""
            terminalreporter.line(f"  in {seen.tests[0]}{more}")
        count = len(self.found)
        terminalreporter.line(f"Found {count} error{'s' * (count > 1)}.")


class _Watched:
    """A watch over a part of a test."""

    def __init__(self, item: pytest.Item) -> None:
        from loss_lint.watching.api import Watch

        self._item = item
        self._watch = Watch(on_finding="collect", check=False)

    def __enter__(self) -> None:
        self._watch.__enter__()

    def __exit__(self, *error: Any) -> None:  # noqa: PYI036 - passed on
        self._watch.__exit__(*error)
        kept = self._item.stash.setdefault(_FINDINGS, {})
        kept.update(_told(self._watch.findings))


_FINDINGS = pytest.StashKey[dict[str, str]]()


def _lines_of(item: pytest.Item) -> dict[str, str]:
    """What was found in a test: how it is told, by its cause."""
    return item.stash.get(_FINDINGS, {})


def _told(findings: Sequence[Finding]) -> Iterator[tuple[str, str]]:
    if findings:
        from loss_lint.watching.report import line

        for finding in findings:
            place = finding.place
            yield f"{finding.code} {place.path}:{place.line}:{place.column}", line(finding)

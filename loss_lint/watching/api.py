"""`watch()`: what the user calls. torch is imported when a watch begins."""

from __future__ import annotations

import inspect
import os
import sys
import warnings
from contextlib import ContextDecorator
from typing import TYPE_CHECKING, Any, Literal, Self, TextIO, TypeVar, overload

from loss_lint.config import Configuration, Settings
from loss_lint.harness.missing import require_torch
from loss_lint.selection import Layer, known_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from loss_lint.findings import Finding
    from loss_lint.watching.session import Session

OnFinding = Literal["report", "warn", "raise", "collect"]
F = TypeVar("F", bound="Callable[..., Any]")


class LossMisuse(Exception):
    """A loss of the running program is not what its author believes; `finding` says what is the matter."""

    def __init__(self, finding: Finding, text: str) -> None:
        super().__init__(text)
        self.finding = finding


class LossMisuseWarning(UserWarning):
    """The same as a warning."""


def configuration(watch: Watch) -> Configuration:
    """What a watch is to look for, by file."""
    layer = Layer(watch.select, watch.ignore)
    return Configuration(known_codes, Settings(layers=(layer,)), isolated=watch.isolated)


class Watch(ContextDecorator):
    """A watch over what runs inside it; use it as a context manager or as a decorator.

    `findings` are what was found so far, and everything once the watch is over. A watch inside another one sees what
    happens inside itself; each cause is told once.
    """

    def __init__(
        self,
        *,
        on_finding: OnFinding = "report",
        select: Sequence[str] | None = None,
        ignore: Sequence[str] = (),
        isolated: bool = False,
        check: bool = True,
        file: TextIO | None = None,
    ) -> None:
        if on_finding not in ("report", "warn", "raise", "collect"):
            raise ValueError(f"on_finding must be 'report', 'warn', 'raise' or 'collect', not {on_finding!r}")
        self.on_finding = on_finding
        self.select = None if select is None else tuple(select)
        self.ignore = tuple(ignore)
        self.isolated = isolated
        self.check = check
        self.file = file
        self.findings: tuple[Finding, ...] = ()
        self.notes: tuple[str, ...] = ()
        self.calls = 0
        # Whoever made this watch reports what it finds.
        self.is_reported = on_finding == "report"
        self._session: Session | None = None

    def __call__(self, func: F) -> F:
        if (
            inspect.iscoroutinefunction(func)
            or inspect.isgeneratorfunction(func)
            or inspect.isasyncgenfunction(func)
        ):
            raise TypeError(
                "what a generator or coroutine runs is not over when its call is: use `with watch():` inside"
            )
        return super().__call__(func)

    def _recreate_cm(self) -> Watch:
        """A decorated function is watched anew by each call."""
        return Watch(
            on_finding=self.on_finding,
            select=self.select,
            ignore=self.ignore,
            isolated=self.isolated,
            check=self.check,
            file=self.file,
        )

    def __enter__(self) -> Self:
        require_torch()
        from loss_lint.watching.session import Session

        if self._session is not None:
            raise RuntimeError("this watch is running already")
        self._session = Session(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        session, self._session = self._session, None
        findings = session.end(error) if session is not None else None
        if session is None or findings is None:  # another process, which a fork made of this one
            return
        self.findings, self.notes, self.calls = findings, session.notes, session.calls
        if self.on_finding == "report" and not session.is_told_by_another:
            self._write()
        for finding in session.late:
            if error is None or self.on_finding == "warn":
                self.tell(finding)

    def _write(self) -> None:
        from loss_lint.watching.report import render

        text = render(self.findings, self.notes, self.calls)
        stream = self.file or sys.stderr
        if text and stream is not None:
            stream.write(text)
            stream.flush()

    def validate(self) -> None:
        """Read the selectors and the nearest configuration file; raises ConfigError."""
        configuration(self).codes(os.path.join(os.getcwd(), "."))

    def tell(self, finding: Finding) -> None:
        """A new finding, at once."""
        from loss_lint.watching.report import line

        if self.on_finding == "warn":
            # The place is in the message; the registry of warnings must not swallow a second one of a line.
            warnings.warn(LossMisuseWarning(line(finding)), stacklevel=2)
        elif self.on_finding == "raise":
            raise LossMisuse(finding, line(finding))


@overload
def watch(function: F, /) -> F: ...
@overload
def watch(
    *,
    on_finding: OnFinding = ...,
    select: Sequence[str] | None = ...,
    ignore: Sequence[str] = ...,
    isolated: bool = ...,
    check: bool = ...,
    file: TextIO | None = ...,
) -> Watch: ...
def watch(
    function: Any = None,
    /,
    *,
    on_finding: OnFinding = "report",
    select: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    isolated: bool = False,
    check: bool = True,
    file: TextIO | None = None,
) -> Any:
    """Watch a training run for losses that are not what their author believes.

        with loss_lint.watch():
            train(model, loader)

        @loss_lint.watch(on_finding="raise")
        def main(): ...

    `on_finding` is what happens with a finding: `"report"` writes all of them to `file` (standard error) at the end,
    `"warn"` warns at once, `"raise"` raises `LossMisuse` at once, `"collect"` keeps them in `.findings` alone.
    `select` and `ignore` take codes, prefixes and names, over the nearest configuration file unless `isolated`;
    `# noqa` comments hold. With `check`, what the static check says of the files that ran is measured on the run's own
    tensors. Raises TorchMissing (an ImportError) where torch is not installed.

    No number of the training changes, and nothing waits for a GPU once the first calls are over. What runs in other
    threads or processes, and what is inside a compiled function, is not seen.
    """
    made = Watch(
        on_finding=on_finding, select=select, ignore=ignore, isolated=isolated, check=check, file=file
    )
    return made if function is None else made(function)

"""Decides what is linted when: one file at a time, what was typed in last first, what depends on it after a pause."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loss_lint.runner import internal_error
from loss_lint.server.messages import Found, Lint, Linted
from loss_lint.server.process import Failed, Superseded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from loss_lint.server.documents import Documents
    from loss_lint.server.process import Process

# Seconds between a keystroke and the lint that it causes, so that a burst of them causes one.
TYPING = 0.01
# Seconds of peace before the files are linted that depend on one that was typed in.
REST = 0.4


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a lint gave, and the versions of the documents that it saw."""

    linted: Linted
    versions: Mapping[str, int | None]


@dataclass(slots=True)
class _Waiting:
    """A file to lint, not before `due`; `rank` orders those that are due."""

    due: float
    rank: int
    edited: bool = False
    quick: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """Somebody who waits for an outcome, a `whole` one or any."""

    answer: asyncio.Future[Outcome]
    whole: bool


@dataclass(slots=True)
class Checks:
    """The lint of the open documents. `done` is called with each outcome and with the one before it."""

    documents: Documents
    process: Process
    done: Callable[[Outcome, Outcome | None], None]
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    _waiting: dict[str, _Waiting] = field(default_factory=dict)
    _must_search: bool = True
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _asked: dict[str, list[_Asked]] = field(default_factory=dict)
    _running: str | None = None

    def want(
        self,
        path: str,
        *,
        after: float = 0.0,
        search: bool = False,
        edited: bool = False,
        quick: bool = False,
    ) -> None:
        """Lint a file when `after` seconds have passed.

        With `search`, after a look at the whole project; when `quick`, without fixes and with what is remembered of
        its callers: both are looked at after a pause.
        """
        known = self._waiting.get(path)
        due = time.monotonic() + after
        rank = 1 if after >= REST else 0
        if known is not None:
            edited = edited or known.edited
            quick = quick and (known.quick or known.rank > 0)
            rank = min(rank, known.rank)
            due = due if edited and after else min(due, known.due)
        self._waiting[path] = _Waiting(due, rank, edited, quick)
        self._must_search = self._must_search or search
        self._woken.set()

    def forget(self, path: str) -> None:
        """A document was closed."""
        self._waiting.pop(path, None)
        self.outcomes.pop(path, None)
        for asked in self._asked.pop(path, ()):
            asked.answer.cancel()

    async def current(self, path: str, *, whole: bool = False) -> Outcome | None:
        """The outcome for the documents as they are; None for a file that is not open.

        With `whole`, one with fixes, and with its callers as they are.
        """
        known = self.outcomes.get(path)
        if (
            known is not None
            and path not in self._waiting
            and self._running != path
            and self.is_current(known)
            and (known.linted.is_whole or not (whole and known.linted.is_parsable))
        ):
            return known
        if self.documents.at(path) is None:
            return None
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(path, []).append(_Asked(answer, whole))
        self.want(path, quick=known is not None and not whole)
        return await answer

    def is_current(self, outcome: Outcome) -> bool:
        """Whether the document of an outcome is still the one that was linted."""
        document = self.documents.at(outcome.linted.path)
        return document is not None and outcome.versions.get(outcome.linted.path, -1) == document.version

    def want_dependents(self, path: str, after: float) -> None:
        """Lint the other open documents whose findings followed from the file at `path`."""
        for other, outcome in self.outcomes.items():
            if other != path and path in outcome.linted.files:
                self.want(other, after=after)

    async def run(self) -> None:
        """Lint what is wanted, for ever."""
        while True:
            path = self._next()
            if path is None:
                await self._sleep()
                continue
            waiting = self._waiting.pop(path)
            versions = self.documents.versions()
            search, self._must_search = self._must_search, False
            self._running = path
            try:
                linted = await self._lint(path, search, quick=waiting.quick and not search)
            finally:
                self._running = None
            if linted is None:
                self._must_search = self._must_search or search
                if path in versions:
                    self.want(path, edited=waiting.edited, quick=waiting.quick and not search)
                continue
            if self.documents.at(path) is not None:
                self._finish(Outcome(linted, versions), edited=waiting.edited)

    async def _lint(self, path: str, search: bool, *, quick: bool) -> Linted | None:
        try:
            answer = await self.process.ask(Lint(path, search, quick))
        except Superseded:
            return None
        except Failed as error:
            found = Found(internal_error(path, str(error)), None, "")
            return Linted(path, (found,), {}, failure=str(error))
        assert isinstance(answer, Linted)
        return answer

    def _finish(self, outcome: Outcome, *, edited: bool) -> None:
        path = outcome.linted.path
        before = self.outcomes.get(path)
        self.outcomes[path] = outcome
        self.done(outcome, before)
        unanswered = [asked for asked in self._asked.pop(path, ()) if not self._is_answered(asked, outcome)]
        if unanswered:
            self._asked[path] = unanswered
            self.want(path, quick=not any(asked.whole for asked in unanswered))
        if outcome.linted.is_parsable and not outcome.linted.is_whole and path not in self._waiting:
            self.want(path, after=REST)
        # What a file is in the middle of being typed says nothing of the others.
        if edited and outcome.linted.is_parsable:
            self.want_dependents(path, REST)

    def _is_answered(self, asked: _Asked, outcome: Outcome) -> bool:
        """Whether nobody waits any more; an outcome that is what they wait for is given to them."""
        if asked.answer.done():
            return True
        linted = outcome.linted
        if not self.is_current(outcome) or (asked.whole and linted.is_parsable and not linted.is_whole):
            return False
        asked.answer.set_result(outcome)
        return True

    def _next(self) -> str | None:
        now = time.monotonic()
        due = [(one.rank, -one.due, path) for path, one in self._waiting.items() if one.due <= now]
        return min(due)[2] if due else None

    async def _sleep(self) -> None:
        self._woken.clear()
        timeout = None
        if self._waiting:
            timeout = max(0.0, min(one.due for one in self._waiting.values()) - time.monotonic())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), timeout)

"""The worker as the server sees it: a process that is started when needed, and again when it has ended."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from loss_lint.server.channel import packed, receive_later
from loss_lint.server.messages import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from loss_lint.server.messages import Answer, Asked, Told


class Superseded(Exception):
    """Something newer was told before the answer was there."""


class Failed(Exception):
    """There is no answer: the worker has ended or failed; the message says why."""


class Process:
    """One worker. `state` gives all that a new one has to be told."""

    def __init__(self, state: Callable[[], Iterable[Told]]) -> None:
        self._state = state
        self._process: asyncio.subprocess.Process | None = None
        self._answers: dict[int, asyncio.Future[Answer]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._number = 0

    def tell(self, told: Told) -> None:
        """Tell the worker something; one that is not there will hear it when it is started."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError, RuntimeError):
                self._process.stdin.write(packed(told))

    async def ask(self, asked: Asked) -> Answer:
        """The worker's answer; raises Superseded and Failed."""
        process = await self._running()
        assert process.stdin is not None
        self._number += 1
        number = self._number
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            process.stdin.write(packed(Request(number, asked)))
            await process.stdin.drain()
        except (OSError, RuntimeError) as error:
            self._answers.pop(number, None)
            raise Failed(f"the worker has ended: {error}") from None
        return await answer

    async def _running(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._process is not None:
                return self._process
            # `-P`: a file of the user's in the working directory is no module of the standard library's.
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "loss_lint.server.worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            assert process.stdin is not None
            for told in self._state():
                process.stdin.write(packed(told))
            self._process = process
            self._reading = asyncio.create_task(self._read(process))
            return process

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                self._take(await receive_later(process.stdout))
        if self._process is process:
            self._process = None
        status = await process.wait()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(Failed(f"its process ended (status {status})"))
        self._answers.clear()

    def _take(self, response: Response) -> None:
        answer = self._answers.pop(response.number, None)
        if answer is None or answer.done():
            return  # nobody waits for it any more
        if response.superseded:
            answer.set_exception(Superseded())
        elif response.failure is not None:
            answer.set_exception(Failed(response.failure))
        else:
            answer.set_result(response.answer)

    async def stop(self) -> None:
        """End the worker, whatever it does."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            if self._reading is not None:
                await self._reading

"""The process that lints: takes messages from standard input, one after the other, and answers on standard output.

It ends with its input. A file that ends the process (too little memory, a crash of the interpreter) leaves the
editor's connection alone; the server starts another one.
"""

from __future__ import annotations

import gc
import os
import queue
import signal
import sys
import threading
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from loss_lint.server.channel import packed, receive
from loss_lint.server.messages import Buffer, Hover, Lint, Measure, Mend, OnDisk, Request, Response, Setup
from loss_lint.server.session import Session, Superseded

if TYPE_CHECKING:
    from loss_lint.server.messages import Answer, Asked

# Seconds without a message after which garbage is collected: never while somebody waits.
_IDLE = 2.0
# The largest C stack that threads can be given: the parser and deep expressions need more than the usual one.
_STACK = 256 * 1024 * 1024


def main() -> None:
    """Answer until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server ends with its client, and this process with it
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not get among the answers
    Worker(sys.stdin.buffer, answers).run()


class Worker:
    """Reads in one thread and answers in another, so that an answer knows when it is superseded."""

    def __init__(self, messages: BinaryIO, answers: BinaryIO) -> None:
        self._messages, self._answers = messages, answers
        self._waiting: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._session = Session(self._pause)

    def run(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()
        gc.disable()
        with suppress(ValueError):
            threading.stack_size(_STACK)
        answering = threading.Thread(target=self._answer_all)
        answering.start()
        answering.join()

    def _read(self) -> None:
        try:
            while True:
                self._waiting.put(receive(self._messages))
        except (EOFError, OSError):
            self._waiting.put(None)

    def _pause(self) -> None:
        if not self._waiting.empty():
            raise Superseded

    def _answer_all(self) -> None:
        is_clean = True
        while True:
            try:
                message = self._waiting.get(timeout=None if is_clean else _IDLE)
            except queue.Empty:
                gc.collect()
                is_clean = True
                continue
            if message is None:
                return
            is_clean = False
            try:
                self._take(message)
            except BrokenPipeError:
                return
            except Exception:  # noqa: BLE001 - the outermost edge: the session goes on with what it was told
                traceback.print_exc()
                self._session.start_afresh()

    def _take(self, message: object) -> None:
        match message:
            case Setup():
                self._session.setup(message)
            case Buffer():
                self._session.buffer(message)
            case OnDisk():
                self._session.on_disk(message)
            case Request(number=number, asked=asked):
                self._answers.write(packed(self._response(number, asked)))
                self._answers.flush()

    def _response(self, number: int, asked: Asked) -> Response:
        try:
            return Response(number, self._answer(asked))
        except Superseded:
            return Response(number, superseded=True)
        except Exception:  # noqa: BLE001 - the outermost edge: the session goes on
            return Response(number, failure=traceback.format_exc())

    def _answer(self, asked: Asked) -> Answer:
        match asked:
            case Lint():
                return self._session.lint(asked)
            case Hover():
                return self._session.hover(asked)
            case Measure():
                return self._session.measure(asked)
            case Mend():
                return self._session.mend(asked)


if __name__ == "__main__":
    main()

"""How far a scan is, on standard error: one line that is written over on a terminal, else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

# Seconds from one line to the next, on a terminal and elsewhere.
_OFTEN, _SELDOM = 0.2, 30.0


Step = Callable[[int, str], None]


class Progress:
    """Tells a stream how far a scan is; none where nothing is to be said."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._is_terminal = stream is not None and stream.isatty()

    @contextmanager
    def phase(self, title: str, things: str, sizes: Sequence[int], done: int = 0) -> Iterator[Step]:
        """A phase of things of these sizes, after so many that were done before.

        What it gives is called after each, with its size and with more to say.
        """
        began = last = time.monotonic()
        total, said = done + len(sizes), ""
        left = sum(sizes)
        worked = 0

        def step(size: int, more: str) -> None:
            nonlocal done, last, said, left, worked
            done, worked, left, now = done + 1, worked + size, left - size, time.monotonic()
            said = f"{title}: {done:,} of {total:,} {things}{', ' * bool(more)}{more}"
            if now - last >= (_OFTEN if self._is_terminal else _SELDOM) and done < total:
                last = now
                self._say(f"{said}, {_clock((now - began) / max(1, worked) * left)} left", ends=False)

        self._say(f"{title}: {done:,} of {total:,} {things}", ends=False)
        yield step
        self._say(
            f"{said or f'{title}: nothing left to do'}, took {_clock(time.monotonic() - began)}", ends=True
        )

    def _say(self, text: str, *, ends: bool) -> None:
        if self._stream is None:
            return
        if self._is_terminal:
            self._stream.write(f"\r\x1b[K{text}" + "\n" * ends)
        else:
            self._stream.write(f"{text}\n")
        self._stream.flush()


def _clock(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}"

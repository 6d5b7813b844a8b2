"""Messages between two processes of loss-lint: pickled, each after its length."""

from __future__ import annotations

import pickle
import struct
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import asyncio

_LENGTH = struct.Struct(">I")


def packed(message: object) -> bytes:
    """A message as it goes over the channel."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


def receive(stream: BinaryIO) -> Any:
    """The next message of a stream; raises EOFError at its end."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    body = stream.read(length)
    if len(body) < length:
        raise EOFError
    return pickle.loads(body)  # noqa: S301 - from our own process


async def receive_later(stream: asyncio.StreamReader) -> Any:
    """As `receive`, without keeping others waiting; raises asyncio.IncompleteReadError at the end."""
    (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
    return pickle.loads(await stream.readexactly(length))  # noqa: S301 - from our own process

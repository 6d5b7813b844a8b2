"""Decoded text as the bytes of a file."""

from __future__ import annotations

import re

_CODING = re.compile(r"^([ \t\f]*#.*?)coding([:=])", re.MULTILINE)
_LINE_END = re.compile(r"\r\n|\n|\r")
_BOM = "\ufeff"


def encoded(text: str) -> bytes:
    """The text as a UTF-8 file: what its coding comment says was true of the bytes that were decoded."""
    start = 0
    for _ in range(2):
        end = _LINE_END.search(text, start)
        start = len(text) if end is None else end.end()
    head = _CODING.sub(r"\1c0ding\2", text[:start])
    return (head + text[start:]).removeprefix(_BOM).encode("utf-8", "surrogatepass")

"""The imports of a file, read from its bytes: nothing is parsed."""

from __future__ import annotations

import re
from typing import NamedTuple

# UTF-8 beyond ASCII counts as letters; a backslash joins a line with the next.
_LINE = re.compile(
    rb"(?:[ \t\f]|\\\r?\n)*"
    rb"(?:from(?:[ \t]|\\\r?\n)+(?P<source>[.\w\x80-\xff]+)(?:[ \t]|\\\r?\n)+import(?:[ \t]|\\\r?\n)*"
    rb"(?P<names>\((?:[^)#]|#[^\n]*)*\)|(?:\\\r?\n|[^\n#;\\])*)"
    rb"|import(?:[ \t]|\\\r?\n)+(?P<modules>(?:[\w\x80-\xff., \t]|\\\r?\n)+))"
)
_WORD = rb"[\w\x80-\xff]+"
_NAME = re.compile(rb"(%b|\*)(?:[ \t\\\n\r]+as[ \t\\\n\r]+(%b))?" % (_WORD, _WORD))
_COMMENT = re.compile(rb"#[^\n]*")


class ImportLine(NamedTuple):
    """`from module import name as bound` with `level` dots, or `import module as bound` (`name` is None)."""

    module: str
    level: int
    name: str | None
    bound: str


def import_lines(data: bytes) -> tuple[ImportLine, ...]:
    """What the file imports, in its order; text in strings that looks like an import counts too."""
    found: list[ImportLine] = []
    start = data.find(b"import")
    end = 0
    while start != -1:
        begin = _statement_start(data, start)
        match = _LINE.match(data, begin) if begin >= end else None
        if match is not None:
            end = match.end()
            found.extend(_imports(match))
        start = data.find(b"import", max(start + 6, end))
    return tuple(found)


def _statement_start(data: bytes, place: int) -> int:
    """Where the statement around a place starts: with its line, the first of joined ones, or behind `;` and `:`."""
    line = data.rfind(b"\n", 0, place) + 1
    while line and data[max(0, line - 3) : line].rstrip(b"\r\n").endswith(b"\\"):
        line = data.rfind(b"\n", 0, line - 1) + 1
    return max(line, data.rfind(b";", line, place) + 1, data.rfind(b":", line, place) + 1)


def _imports(match: re.Match[bytes]) -> list[ImportLine]:
    modules = match["modules"]
    if modules is not None:
        parts = modules.replace(b"\\", b" ").decode("utf-8", "replace").split(",")
        return [_module(part) for part in parts if part.strip()]
    source = match["source"].decode("utf-8", "replace")
    module = source.lstrip(".")
    level = len(source) - len(module)
    listed = match["names"]
    names = _NAME.findall(_COMMENT.sub(b"", listed) if b"#" in listed else listed)
    decoded = [(name.decode("utf-8", "replace"), alias.decode("utf-8", "replace")) for name, alias in names]
    return [ImportLine(module, level, name, alias or name) for name, alias in decoded]


def _module(text: str) -> ImportLine:
    name, _, alias = " ".join(text.split()).partition(" as ")
    return ImportLine(name, 0, None, alias or name.partition(".")[0])

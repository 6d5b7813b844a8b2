"""The imports of a file, read from its bytes: nothing is parsed."""

from __future__ import annotations

import re
from typing import NamedTuple

_LINE = re.compile(
    rb"[ \t]*(?:from[ \t]+(?P<source>[.\w]+)[ \t]+import[ \t]*(?P<names>\([^)]*\)|[^\n#;]*)"
    rb"|import[ \t]+(?P<modules>[\w., \t]+))"
)
_NAME = re.compile(rb"(\w+|\*)(?:[ \t\\\n\r]+as[ \t]+(\w+))?")
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
        line = data.rfind(b"\n", 0, start) + 1
        match = _LINE.match(data, line) if line >= end else None
        if match is not None:
            end = match.end()
            found.extend(_imports(match))
        start = data.find(b"import", max(start + 6, end))
    return tuple(found)


def _imports(match: re.Match[bytes]) -> list[ImportLine]:
    modules = match["modules"]
    if modules is not None:
        return [_module(part) for part in modules.decode("ascii", "replace").split(",") if part.strip()]
    source = match["source"].decode("utf-8", "replace")
    module = source.lstrip(".")
    level = len(source) - len(module)
    names = _NAME.findall(_COMMENT.sub(b"", match["names"]))
    decoded = [(name.decode("utf-8", "replace"), alias.decode("utf-8", "replace")) for name, alias in names]
    return [ImportLine(module, level, name, alias or name) for name, alias in decoded]


def _module(text: str) -> ImportLine:
    name, _, alias = text.partition(" as ")
    name = name.strip()
    return ImportLine(name, 0, None, alias.strip() or name.partition(".")[0])

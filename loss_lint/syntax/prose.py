"""What a file says without using it: comments, sentences, and classes that only annotate or are only asked about."""

from __future__ import annotations

import re

_LINE_END = re.compile(r"\r\n|\n|\r")
_SPACE = re.compile(r"\s")

# Comments and strings.
_PROSE = re.compile(
    r"""\#[^\r\n]*
    | \"(?:""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*\"{3} | [^"\\\r\n]*(?:\\(?:\r\n|.)[^"\\\r\n]*)*")
    | '(?:''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'{3} | [^'\\\r\n]*(?:\\(?:\r\n|.)[^'\\\r\n]*)*')
    """,
    re.DOTALL | re.VERBOSE,
)

# What stands in the braces of a formatted string, with those of its format.
_FIELD = re.compile(r"\{([^{}]+(?:\{[^{}]*\}[^{}]*)*)\}")

# Each pattern starts with what is found fast, and looks back from there.
_OTHER_CLASS = r"(?![\w.]*(?:[Ll]oss|[Cc]riterion|Softmax))[\w.]+"
_ANNOTATION = (
    r""":(?<=[\w)\]]:)[ \t]*["']?[A-Z][\w.]*(?:\[[\w.\[\], |"']*)?(?:[ \t]*\|[ \t]*[\w.\[\]]+)*["']?"""
    r"""(?=[ \t]*[,)=\n])"""
)
_RESULT = r"->[^\n:]+(?=:)"
_ASKED = (
    rf"isinstance\((?<=\bisinstance\()[\w.]+,[ \t]*\(?{_OTHER_CLASS}(?:,[ \t]*{_OTHER_CLASS})*,?\)?(?=\))"
)
# That a name is not in a registry, and all names in it, say nothing of what it holds.
_MISSING = r"not in [\w.]+(?![\w.(\[])"
_KEYS = r"""\.join\((?<=["']\.join\()[\w.]+(?=\))"""
_UNUSED = tuple(map(re.compile, (_ANNOTATION, _RESULT, _ASKED, _MISSING, _KEYS)))
_UNUSED_BYTES = tuple(re.compile(one.pattern.encode()) for one in _UNUSED)


def code_of(text: str) -> str:
    """The text without comments, sentences, and classes and registries that are not used, on the same lines.

    Strings of one word stay: they may name something.
    """
    code = _PROSE.sub(_blank, text)
    for unused in _UNUSED:
        code = unused.sub("", code)
    return code


def without_unused(code: bytes) -> bytes:
    """The code without classes that only annotate a parameter, a result or a field or are only asked about, and without
    registries of which only the keys are.
    """
    for unused in _UNUSED_BYTES:
        code = unused.sub(b"", code)
    return code


def _fields(part: str) -> str:
    """What a formatted string inserts, on the same lines."""
    kept: list[str] = []
    end = 0
    for field in _FIELD.finditer(part):
        kept += ("\n" * len(_LINE_END.findall(part, end, field.start())), " ", field[1], " ")
        end = field.end()
    return "".join((*kept, "\n" * len(_LINE_END.findall(part, end))))


def _blank(found: re.Match[str]) -> str:
    part = found[0]
    if part[0] == "#":
        return ""
    if _SPACE.search(part) is None:
        return part
    before = found.string[max(0, found.start() - 2) : found.start()].lower()
    if before.endswith("f") or before == "fr":
        return _fields(part)
    return "\n" * len(_LINE_END.findall(part)) if part[1:3] == part[0] * 2 or "\\" in part else ""

"""Which files can hold a finding, decided on their bytes before anything is parsed."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Every name that torch gives a loss ends so, as a class (`CrossEntropyLoss`, `NLLLoss2d`) or as a function.
# A project's own are called by such a word as well: `criterion(output, target)`, `self.loss_fn(...)`.
# Each pattern starts with bytes that are found fast.
_NAMES = (b"cross_entropy", b"nll_loss", b"kl_div")
_CALLS = tuple((word, re.compile(rb"%b\w*\s*\(" % word)) for word in (b"criterion", b"objective"))
_LOSS = re.compile(rb"oss(?:(?<=[lL]oss)\w*\s*\(|(?<=Loss)(?:2d)?\b)")


def is_python_of_torch(data: bytes) -> bool:
    """Whether the file is worth a syntax check: it holds the bytes `torch`."""
    return b"torch" in data


# Cross entropy written by hand.
_LOG = re.compile(rb"\blog\s*\(")


# Strings and comments in their order, so that a quote in one does not begin another.
_TEXT = re.compile(
    rb"""\"{3}(?:[^\\"]++|\\.|"(?!""))*+\"{3}|'{3}(?:[^\\']++|\\.|'(?!''))*+'{3}"""
    rb"""|"(?:[^"\\\n]++|\\.)*+"|'(?:[^'\\\n]++|\\.)*+'|\#[^\n]*+""",
    re.DOTALL,
)
_LONG = frozenset({b'"""', b"'''"})


def without_prose(data: bytes) -> bytes:
    """The code without comments and long strings; short ones may name something."""
    return _TEXT.sub(_short, data)


def _short(found: re.Match[bytes]) -> bytes:
    part, start = found[0], found.start()
    is_formatted = b"f" in found.string[max(0, start - 2) : start].lower()
    is_prose = part[:1] == b"#" or (part[:3] in _LONG and not is_formatted)
    return b"" if is_prose else part


def _places(data: bytes) -> Iterator[int]:
    """Where something names a loss or calls one, in prose too."""
    for name in _NAMES:
        place = data.find(name)
        while place != -1:
            yield place
            place = data.find(name, place + 1)
    for word, call in _CALLS:
        if word in data:
            yield from (found.start() for found in call.finditer(data))
    if b"oss" in data:
        yield from (found.start() for found in _LOSS.finditer(data))


def _is_surely_code(data: bytes, place: int) -> bool:
    """Whether a place lies in no comment and no string, as far as can be told without reading all before it."""
    line = data.rfind(b"\n", 0, place) + 1
    before = data[line:place]
    if b"#" in before or b"'" in before or b'"' in before:
        return False
    return not any(data.count(quote, 0, line) % 2 for quote in _LONG)


def names_one_of(words: frozenset[str], data: bytes) -> bool:
    """Whether the code names one of a project's own losses."""
    written = [word.encode() for word in words if word.encode() in data]
    if not written:
        return False
    named = re.compile(rb"\b(?:%b)\b" % b"|".join(map(re.escape, written)))
    return named.search(without_prose(data)) is not None


def is_relevant(data: bytes, own: frozenset[str] = frozenset()) -> bool:
    """Whether the file names torch and one of its losses, or trains on the logarithm of a softmax.

    Or it names one of the project's `own` losses.
    """
    if own and names_one_of(own, data):
        return True
    if b"torch" not in data:
        return False
    places = [*_places(data)]
    if any(_is_surely_code(data, place) for place in places):
        return True
    if places and next(_places(without_prose(data)), None) is not None:
        return True
    return b"oftmax" in data and b"backward(" in data and _LOG.search(data) is not None

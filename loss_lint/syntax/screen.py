"""Which files can hold a finding, decided on their bytes before anything is parsed."""

from __future__ import annotations

import re

# Every name that torch gives a loss ends so, as a class (`CrossEntropyLoss`, `NLLLoss2d`) or as a function.
# A project's own are called by such a word as well: `criterion(output, target)`, `self.loss_fn(...)`.
_LOSS = re.compile(
    rb"Loss(?:2d)?\b|cross_entropy|nll_loss|kl_div|(?:[lL]oss(?:_f[nu]\w*)?|criterion|objective)\w*\s*\("
)


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


def is_relevant(data: bytes) -> bool:
    """Whether the file names torch and one of its losses, or trains on the logarithm of a softmax."""
    if b"torch" not in data:
        return False
    if _LOSS.search(data) is not None and _LOSS.search(without_prose(data)) is not None:
        return True
    return b"oftmax" in data and b"backward(" in data and _LOG.search(data) is not None

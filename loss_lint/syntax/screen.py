"""Which files can hold a finding, decided on their bytes before anything is parsed."""

from __future__ import annotations

import re

# Every name that torch gives a loss ends so, as a class (`CrossEntropyLoss`, `NLLLoss2d`) or as a function.
_LOSS = re.compile(rb"Loss(?:2d)?\b|cross_entropy|nll_loss|kl_div|(?:_loss)\s*\(")


def is_python_of_torch(data: bytes) -> bool:
    """Whether the file is worth a syntax check: it holds the bytes `torch`."""
    return b"torch" in data


def is_relevant(data: bytes) -> bool:
    """Whether the file names torch and one of its losses."""
    return b"torch" in data and _LOSS.search(data) is not None

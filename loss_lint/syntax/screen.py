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


def is_relevant(data: bytes) -> bool:
    """Whether the file names torch and one of its losses, or trains on the logarithm of a softmax."""
    if b"torch" not in data:
        return False
    if _LOSS.search(data) is not None:
        return True
    return b"oftmax" in data and b"backward(" in data and _LOG.search(data) is not None

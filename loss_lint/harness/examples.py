"""The examples of rules' documentation pages, as source text."""

from __future__ import annotations

import re
from typing import NamedTuple

_SECTION = re.compile(r"^## Examples?\s*$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INSTEAD = "Use instead:"


class Example(NamedTuple):
    """What a rule flags, and what it asks for instead ("" where its page shows nothing)."""

    bad: str
    good: str


def example(page: str) -> Example | None:
    """The example on a rule's page; None where it has none."""
    section = _SECTION.search(page)
    if section is None:
        return None
    before, _, after = section[1].partition(_INSTEAD)
    bad, good = _BLOCK.search(before), _BLOCK.search(after)
    return None if bad is None else Example(bad[1], "" if good is None else good[1])

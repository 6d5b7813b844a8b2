"""Limits on the evaluator's work: past each of them a value is unknown, which is counted and shown by `-v` and `show`.

What is unknown is not reported, so a limit can hide a finding, never make one.
"""

from __future__ import annotations

from typing import Literal

Limit = Literal[
    "statements",
    "calls",
    "depth",
    "classes",
    "alternatives",
    "choices",
    "items",
    "optional items",
    "entries",
    "jumps",
    "readings",
    "uses",
]

# "statements": those run in one root, and in all roots of a file; what comes after that still gets a few. The items
# of comprehensions over what is known count as statements, and so do calls that are not followed.
# Calls that have no loss in them, and those that were put off, get some of them (ASIDE); less what a constructor calls
# in another file, which may be all of a framework: methods of its own object (BASE), and what has no loss (FACTORY).
MAX_STATEMENTS = 6_000
MAX_FILE_STATEMENTS = 8_000
MAX_BASE_STATEMENTS = 40
MAX_FACTORY_STATEMENTS = 100
MAX_ASIDE_STATEMENTS = 500
FEW_STATEMENTS = 60

# "calls": functions of the project inside one another, one function inside itself, and calls of any kind: modules in
# modules, callables that return callables.
MAX_DEPTH = 14
MAX_RECURSION = 2
MAX_NESTING = 60

# "classes": those in which an attribute is looked for.
MAX_CLASSES = 40

# "alternatives": values that a join of branches may be.
MAX_ALTERNATIVES = 24

# "choices": conditions `a or b` on one path of which it is asked whether something excludes both sides; the latest.
MAX_CHOICES = 32

# "items": those of a tuple or list that is put together of others, and those that `.items()` of a dict yields.
MAX_ITEMS = 1_000
MAX_PAIRS = 200

# "optional items": those before a position in a list, each of which doubles what may be there.
MAX_OPTIONAL = 4

# "entries": those of a registry that an unknown key may mean.
MAX_ENTRIES = 12

# "jumps": `continue`s of one iteration behind which the loop goes on.
MAX_JUMPS = 4

# "readings": steps of one walk from a value to where it came from.
MAX_STEPS = 400

# "uses": operations behind one result, and parts of one value, that are looked at.
MAX_DOWNSTREAM = 2_000
MAX_PARTS = 200

# "depth" is Python's own: expressions nested deeper than its stack lets us follow.

_met: dict[str, int] = {}


def count(limit: Limit) -> None:
    """Note that a limit was met."""
    _met[limit] = _met.get(limit, 0) + 1


def met() -> tuple[tuple[str, int], ...]:
    """How often each limit was met since `forget`, by its name."""
    return tuple(sorted(_met.items()))


def forget() -> None:
    """Count from zero: another file is evaluated."""
    count_into({})


def count_into(counts: dict[str, int]) -> dict[str, int]:
    """Count into `counts` from now on; gives where the counts went before."""
    global _met
    before, _met = _met, counts
    return before

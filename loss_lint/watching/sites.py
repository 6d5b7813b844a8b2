"""What was seen at each loss call of the program."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loss_lint.watching.ledger import Scaling
    from loss_lint.watching.looks import Look
    from loss_lint.watching.places import Call

# Looks that are kept: the first ones and the latest.
MAX_LOOKS = 48


@dataclass(frozen=True, slots=True)
class Division:
    """A mean loss that reached `backward()` divided by `by`."""

    scaling: Scaling
    look: Look
    backwards: int  # how often `backward()` ran in that cycle
    terms: int  # how many losses were in what it ran on


@dataclass(slots=True)
class Site:
    """One loss at one place.

    `looks` are the calls that were looked at closely. `trained` counts those that `backward()` reached as a whole, and
    unscaled where `undivided` does. `applied` is where the operation was called that made its input.
    """

    loss: str
    call: Call
    calls: int = 0
    trained: int = 0
    trained_alone: int = 0
    undivided: int = 0
    negated: int = 0
    first_cycle_trained: bool = False
    looks: list[Look] = field(default_factory=list)
    # The call that is under way.
    open: list[Look] = field(default_factory=list)
    divisions: list[Division] = field(default_factory=list)
    uneven: list[Uneven] = field(default_factory=list)
    even_cycles: int = 0
    applied: dict[str, Call] = field(default_factory=dict)

    def add(self, look: Look) -> None:
        self.looks.append(look)
        if len(self.looks) > MAX_LOOKS:
            del self.looks[MAX_LOOKS // 2]


@dataclass(frozen=True, slots=True)
class Uneven:
    """A cycle of accumulation in which means of unequal counts were weighted alike."""

    counts: tuple[int, ...]
    sizes: tuple[int, ...]


def is_due(count: int) -> bool:
    """Whether the call number `count` is looked at: the first ones, then two in each doubling.

    >>> [count for count in range(1, 100) if is_due(count)]
    [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96]
    """
    if count <= 4:
        return True
    top = 1 << (count.bit_length() - 1)
    return count in (top, top + top // 2)

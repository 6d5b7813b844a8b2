"""What the rules say and every surface shows: plain, frozen data without behaviour.

Positions are 1-based lines and 1-based columns in characters, ends exclusive, as in ruff's JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from loss_lint.symbolic.edits import Witness

Verdict = Literal[
    "value",
    "gradient",
    "value+gradient",
    "raises",
    "unstable",
    "none",
    "no-gradient",
    "reported",
    "memory",
    "unmeasured",
]
Applicability = Literal["safe", "unsafe"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A range of source text in one file.

    In a notebook, whose code cells make one module, lines are that module's where `cell` is 0. Where it is not, it is
    the cell's number, counted from one over cells of all kinds, and lines are counted in that cell.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    cell: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One place on the way from a finding's cause to its sink, and what happens there."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """The text that replaces a place."""

    place: Place
    content: str


@dataclass(frozen=True, slots=True, order=True)
class Fix:
    """Edits that repair a finding; `unsafe` ones change the numbers that the program computes."""

    applicability: Applicability
    message: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A number as flagged (None where torch raised before it was there) and as fixed."""

    flagged: float | None
    fixed: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What torch computed for a finding's expression, as flagged and as fixed.

    `error` holds torch's message where it raised, or the reason why nothing was measured. `loss` and `grad_norm`
    are None where there is no such number, `grad_cosine` too where one of the gradients is missing.
    """

    verdict: Verdict
    loss: Comparison | None = None
    grad_norm: Comparison | None = None
    grad_cosine: float | None = None
    error: str | None = None
    shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()
    seed: int = 0
    torch: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect at one place.

    `claim` is what the rule says of the numbers in this very case (`value`, `gradient`, `raises`, ...,
    see `Verdict`); `guards` are the conditions, as source text, under which it holds; `also` are further
    places (of the call that brought the parts together) where `# noqa` silences it.
    """

    code: str
    name: str
    message: str
    place: Place
    claim: tuple[Verdict, ...] = ()
    trace: tuple[Step, ...] = ()
    guards: tuple[str, ...] = ()
    fix: Fix | None = None
    evidence: Evidence | None = None
    also: tuple[Place, ...] = ()
    witness: Witness | None = field(default=None, repr=False, compare=False)

    def sort_key(self) -> tuple[Place, str, str]:
        return (self.place, self.code, self.message)

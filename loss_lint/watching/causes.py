"""What was found out, before it becomes a finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loss_lint.findings import Verdict
    from loss_lint.watching.looks import Look
    from loss_lint.watching.places import Call


@dataclass(frozen=True, slots=True)
class Cause:
    """One defect at one call.

    `seen` tells what the run showed, `steps` further calls that led to it. `look` is the call to measure on,
    `by` the number that a loss was divided by.
    """

    code: str
    call: Call
    message: str
    claim: tuple[Verdict, ...]
    seen: str = ""
    steps: tuple[tuple[Call, str], ...] = ()
    look: Look | None = None
    by: float | None = None

    @property
    def key(self) -> tuple[str, object]:
        """Equal for what has one cause."""
        return self.code, self.call.place


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as torch writes it.

    >>> shape_text((8, 1)), shape_text((8,)), shape_text(())
    ('(8, 1)', '(8,)', '()')
    """
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


def number_text(value: float) -> str:
    """Three digits.

    >>> number_text(0.123456), number_text(48213.0)
    ('0.123', '4.82e+04')
    """
    return f"{value:.3g}"

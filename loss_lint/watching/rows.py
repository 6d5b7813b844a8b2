"""Rows of a loss's operands: whether they are probabilities, known by what made them or by how many agree."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from loss_lint.watching.causes import number_text, shape_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loss_lint.watching.looks import Look

# So many rows that all sum to one do so on purpose.
MIN_ROWS = 16


class Seen(NamedTuple):
    """A look and its numbers."""

    look: Look
    facts: Mapping[str, float]


def lies_in_unit(facts: Mapping[str, float], prefix: str) -> bool:
    """Whether all elements are known to lie between 0 and 1."""
    low, high = facts.get(f"{prefix}minimum"), facts.get(f"{prefix}maximum")
    return low is not None and high is not None and low >= 0 and high <= 1


class Normalized(NamedTuple):
    """Rows that sum to one: the look to show, what they did, and what made them, as far as that is known."""

    look: Look
    text: str
    name: str


def normalized(seen: Sequence[Seen], kind: str) -> Normalized | None:
    """Whether inputs are probabilities over the classes: known by what made them, or by many rows that agree."""
    made = [one for one in seen if one.look.origin is not None and one.look.origin.kind == kind]
    agree = [one for one in seen if _sums_to_one(one, "")]
    shown = next((one for one in made if _sums_to_one(one, "")), None)
    if shown is None:
        if len(agree) < len(seen) or not agree:
            return None
        rows = sum(one.facts.get("rows", 0) for one in agree)
        varied = any(one.facts["spread"] > 1e-3 for one in agree)
        if rows < MIN_ROWS or not varied or all(one.facts["binary"] < 1e-6 for one in agree):
            return None
        shown = max(agree, key=lambda one: one.facts["spread"])
    facts = shown.facts
    text = (
        f"All rows of its input, of shape {shape_text(shown.look.input_shape)}, sum to 1, with values between "
        f"{number_text(facts['minimum'])} and {number_text(facts['maximum'])}."
    )
    return Normalized(shown.look, text, kind if shown in made else "a normalization")


def _sums_to_one(one: Seen, prefix: str) -> bool:
    facts = one.facts
    if f"{prefix}sum_error" not in facts or one.look.classes < 2:
        return False
    error = tolerance(one.look)
    return (
        facts[f"{prefix}sum_error"] <= error
        and facts[f"{prefix}minimum"] >= 0
        and facts[f"{prefix}maximum"] <= 1 + error
    )


def tolerance(look: Look) -> float:
    """How far from one the sum of a row of probabilities is, in its own precision."""
    bits = {"torch.float16": 1e-3, "torch.bfloat16": 8e-3}.get(str(look.input_dtype), 1e-6)
    return bits * max(10.0, math.sqrt(look.classes))


def is_distribution(one: Seen, prefix: str) -> bool:
    """Whether all rows are probabilities that sum to one."""
    facts = one.facts
    return (
        facts[f"{prefix}sum_error"] <= tolerance(one.look)
        and facts[f"{prefix}minimum"] >= 0
        and facts[f"{prefix}spread"] > 0
    )


def is_log_distribution(one: Seen, prefix: str) -> bool:
    """Whether all rows are log-probabilities, whose exp sums to one."""
    facts = one.facts
    return facts[f"{prefix}log_error"] <= 10 * tolerance(one.look) and facts[f"{prefix}maximum"] <= 0

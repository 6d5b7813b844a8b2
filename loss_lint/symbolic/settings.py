"""Activations that a setting chooses: the same numbers go through one of several, or through none."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from loss_lint.symbolic.facts import Meaning, meaning
from loss_lint.symbolic.graph import NO_GUARDS, Guards, Op, Value
from loss_lint.symbolic.walk import Walk, origins


def has_right_setting(
    value: Value, guards: Guards, numbers: AbstractSet[int], right: AbstractSet[Meaning]
) -> bool:
    """Whether another reading of `value` is what it should be, made of the same `numbers` as the reading at hand.

    Models of which one ends in the right activation are no such thing: their numbers differ.
    """
    walk = Walk(every=True)
    for view in origins(value, guards, walk):
        fact = meaning(view, walk)
        if fact is None or fact.meaning not in right:
            continue
        # The logarithm of a softmax is made of what the softmax was applied to.
        made = fact.view.node if fact.meaning == "log_of_probabilities" else fact.op
        if isinstance(made, Op) and not numbers.isdisjoint(activated(made)):
            return True
    return False


def activated(activation: Op) -> frozenset[int]:
    """The contents of the numbers that an activation may have been applied to."""
    if not activation.operands:
        return frozenset()
    found = origins(activation.operands[0], NO_GUARDS, Walk(every=True))
    return frozenset(view.node.content for view in found)

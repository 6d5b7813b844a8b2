"""What only a run can tell and no static rule claims, described as rules are: codes, names and summaries.

They have codes of their own kind (`LOSW..`), which `select`, `ignore` and `# noqa` take like any other.
"""

from __future__ import annotations

from loss_lint.rules.rule import Rule

OUT_OF_RANGE = Rule(
    code="LOSW01",
    name="target-out-of-range",
    summary="a class index that no logit belongs to",
    claim=("raises",),
    fix="none",
)
CONSTANT_ZERO = Rule(
    code="LOSW02",
    name="constant-zero-loss",
    summary="a loss that is trained on and was zero whenever it was looked at",
    claim=("gradient", "no-gradient"),
    fix="none",
)
FIRST_LOSS = Rule(
    code="LOSW03",
    name="first-loss-far-from-chance",
    summary="a first loss far above that of guessing",
    claim=("value",),
    fix="none",
)
GROWS = Rule(
    code="LOSW04",
    name="loss-grows-with-batch",
    summary="a classification loss that is a sum over the batch, divided by nothing, and trained on",
    claim=("value", "gradient", "value+gradient"),
    fix="none",
)

OBSERVATIONS: tuple[Rule, ...] = (OUT_OF_RANGE, CONSTANT_ZERO, FIRST_LOSS, GROWS)

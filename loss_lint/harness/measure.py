"""Both expressions on the same tensors, over several seeds, and what the difference is called."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from loss_lint.findings import Comparison, Evidence, Verdict
from loss_lint.harness import microbatches, relabel
from loss_lint.harness.execute import Run, broadcasts, holds_loss, run, run_in_parts
from loss_lint.harness.expression import Input
from loss_lint.harness.layouts import Layout, Shape, Sizes, assignments, by_rank, layouts, sizes
from loss_lint.harness.lowering import Unrunnable
from loss_lint.harness.plan import MICRO_BATCHES, ONE_BASED, PARTLY_IGNORED, RELABELLED, Plan
from loss_lint.harness.roles import labels
from loss_lint.harness.values import Values, draw

# Without the build's label: the same evidence whichever device torch was built for.
VERSION = str(torch.__version__).partition("+")[0]
SEEDS = (0, 1, 2)
LARGE = 1e4
# float32, over expressions of different order.
RELATIVE, ABSOLUTE = 1e-3, 1e-5

# What a difference is called, the strongest first: where seeds disagree, the strongest that most of them show.
_STRENGTH: tuple[Verdict, ...] = (
    "raises", "no-gradient", "value+gradient", "value", "gradient", "unstable", "reported", "memory", "none"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """One assignment of shapes on which the fixed expression runs."""

    plan: Plan
    layout: Layout
    given: Sizes
    shapes: dict[Input, Shape]

    def values(self, seed: int, scale: float = 1.0) -> Values:
        drawn = draw(self.plan.roles, self.layout, self.given, self.shapes, seed, scale)
        return relabel.targets(drawn, ONE_BASED) if self.plan.how == ONE_BASED else drawn


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one seed showed."""

    verdict: Verdict
    flagged: Run
    fixed: Run
    seed: int


def measure(plan: Plan, claim: tuple[Verdict, ...]) -> Evidence | None:
    """The evidence for a plan; None where the fixed expression runs on no shapes.

    It comes from the first shapes on which both expressions run. Shapes on which only the fixed one runs say
    something only of a finding that claims so: `softmax(dim=2)` raises on two dimensions for a reason of its own.
    """
    raised: Evidence | None = None
    given = sizes(plan.fixed, plan.flagged)
    for setting in settings(plan, given, layouts(given)):
        evidence = _evidence(setting)
        if evidence.verdict != "raises" or "raises" in claim:
            return evidence
        raised = raised or evidence
    return raised


def settings(plan: Plan, given: Sizes, tried: Sequence[Layout]) -> Iterator[Setting]:
    """For each layout the first assignment of shapes on which the fixed expression runs."""
    for layout in by_rank(plan.roles, tried):
        for shapes in assignments(plan.roles, layout, given):
            setting = Setting(plan, layout, given, shapes)
            if _runs(setting):
                yield setting
                break


def _runs(setting: Setting) -> bool:
    values = setting.values(SEEDS[0])
    fixed = run(setting.plan.fixed, values)
    if fixed.loss is None and fixed.error is not None:
        return False
    return not broadcasts(setting.plan.fixed, values) and not run(setting.plan.flagged, values).is_stray


def _evidence(setting: Setting) -> Evidence:
    seen = [_look(setting, seed) for seed in SEEDS]
    chosen = _strongest(seen)
    if chosen.verdict == "none" and setting.plan.how != MICRO_BATCHES:
        large = _look_at_large(setting)
        chosen = large or chosen
    return _as_evidence(chosen, setting)


def _strongest(seen: list[_Seen]) -> _Seen:
    """The first seed with the strongest verdict that most seeds show, or with the strongest of all."""
    verdicts = [one.verdict for one in seen]
    for verdict in _STRENGTH:
        if verdicts.count(verdict) * 2 > len(verdicts):
            return seen[verdicts.index(verdict)]
    return min(seen, key=lambda one: _STRENGTH.index(one.verdict))


def _look(setting: Setting, seed: int, scale: float = 1.0) -> _Seen:
    plan = setting.plan
    if plan.how == MICRO_BATCHES:
        return _look_at_parts(setting, seed)
    if plan.how == PARTLY_IGNORED:
        ignoring = [microbatches.partly_ignored(setting.values(seed, scale), plan.fixed) for _ in range(2)]
        flagged, fixed = run(plan.flagged, ignoring[0]), run(plan.fixed, ignoring[1])
        return _Seen(verdict(flagged, fixed), flagged, fixed, seed)
    values = setting.values(seed, scale)
    fixed = run(plan.fixed, values)
    if plan.how in RELABELLED:
        flagged = run(plan.flagged, relabel.targets(values, plan.how))
        return _Seen(_relabelled(flagged, fixed), flagged, fixed, seed)
    flagged = run(plan.flagged, setting.values(seed, scale))
    return _Seen(verdict(flagged, fixed), flagged, fixed, seed)


def _look_at_parts(setting: Setting, seed: int) -> _Seen:
    plan, given = setting.plan, setting.given
    whole = microbatches.whole(plan.roles, setting.layout, given, setting.shapes, seed, plan.fixed)
    fixed = run(plan.fixed, whole)
    flagged = run_in_parts(plan.flagged, microbatches.parts(whole, given), whole)
    return _Seen(verdict(flagged, fixed), flagged, fixed, seed)


def _look_at_large(setting: Setting) -> _Seen | None:
    """On large logits: what the flagged expression loses there, if the fixed one keeps its numbers."""
    for seed in SEEDS:
        seen = _look(setting, seed, LARGE)
        if _is_finite(seen.fixed) and seen.verdict in ("value", "gradient", "value+gradient"):
            return _Seen("unstable", seen.flagged, seen.fixed, seed)
    return None


def verdict(flagged: Run, fixed: Run) -> Verdict:
    """What the difference between two runs is called, in the words of the rules' claims."""
    if flagged.loss is None or (flagged.error is not None and fixed.has_graph):
        return "raises"
    if not fixed.has_graph:
        same = _equal(flagged.loss, fixed.loss)
        if flagged.has_graph:
            return "memory" if same else "value"
        return "none" if same else "reported"
    if all(gradient is None for gradient in flagged.gradients) and not all(
        gradient is None for gradient in fixed.gradients
    ):
        return "no-gradient"
    value, gradient = not _equal(flagged.loss, fixed.loss), not _same_gradient(flagged, fixed)
    if value and gradient:
        return "value+gradient"
    return "value" if value else ("gradient" if gradient else "none")


def _relabelled(flagged: Run, fixed: Run) -> Verdict:
    """The same index means another class: the loss says so, the gradients are those of another problem."""
    if flagged.loss is None:
        return "raises"
    return "none" if _equal(flagged.loss, fixed.loss) else "value"


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    if not (math.isfinite(one) and math.isfinite(other)):
        return one == other or (math.isnan(one) and math.isnan(other))
    return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _flat(one: Run, like: Run) -> torch.Tensor:
    """The gradients as one vector, zeros where none arrives."""
    parts = []
    for own, other in zip(one.gradients, like.gradients, strict=True):
        present = own if own is not None else (None if other is None else torch.zeros_like(other))
        if present is not None:
            parts.append(present.detach().double().reshape(-1))
    return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.float64)


def _same_gradient(flagged: Run, fixed: Run) -> bool:
    one, other = _flat(flagged, fixed), _flat(fixed, flagged)
    if not torch.isfinite(other).all():
        return True
    scale = max(other.norm().item(), one.norm().item())
    return bool((one - other).norm().item() <= RELATIVE * scale + ABSOLUTE)


def _is_finite(one: Run) -> bool:
    finite = one.loss is not None and math.isfinite(one.loss)
    return finite and all(
        gradient is None or bool(torch.isfinite(gradient).all()) for gradient in one.gradients
    )


def _as_evidence(seen: _Seen, setting: Setting) -> Evidence:
    plan = setting.plan
    shapes = tuple((label, setting.shapes[one]) for one, label in labels(plan.roles).items())
    # The number that stands for a tensor says something only beside another one.
    has_loss = seen.verdict != "raises" or holds_loss(plan.fixed)
    return compared(
        seen.verdict,
        seen.flagged,
        seen.fixed,
        shapes,
        seed=seen.seed,
        has_loss=has_loss,
        has_gradient=plan.how not in RELABELLED,
    )


def compared(
    found: Verdict,
    flagged: Run,
    fixed: Run,
    shapes: tuple[tuple[str, Shape], ...],
    *,
    seed: int = 0,
    has_loss: bool = True,
    has_gradient: bool = True,
) -> Evidence:
    """Two runs as evidence."""
    raised = found == "raises"
    loss = Comparison(flagged.loss, fixed.loss) if has_loss and fixed.loss is not None else None
    norm, cosine = _gradients(flagged, fixed) if has_gradient else (None, None)
    return Evidence(
        verdict=found,
        loss=loss,
        grad_norm=norm,
        grad_cosine=cosine,
        error=flagged.error if raised else None,
        shapes=shapes,
        seed=seed,
        torch=VERSION,
    )


def _gradients(flagged: Run, fixed: Run) -> tuple[Comparison | None, float | None]:
    if not fixed.has_graph:
        return None, None
    if flagged.error is not None:
        return Comparison(None, _flat(fixed, fixed).norm().item()), None
    if not flagged.has_graph:
        return None, None
    one, other = _flat(flagged, fixed), _flat(fixed, flagged)
    lengths = one.norm().item(), other.norm().item()
    product = lengths[0] * lengths[1]
    cosine = (one @ other).item() / product if math.isfinite(product) and product > 0 else None
    return Comparison(*lengths), cosine


def unmeasured(reason: str) -> Evidence:
    return Evidence("unmeasured", error=reason, torch=VERSION)


__all__ = ["VERSION", "Setting", "Unrunnable", "compared", "measure", "settings", "unmeasured", "verdict"]

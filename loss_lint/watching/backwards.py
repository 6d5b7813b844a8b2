"""What happens to losses at `backward()`, and over the micro-batches of one optimizer step."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from loss_lint.catalogue.names import counts_samples, counts_steps
from loss_lint.rules import sentences
from loss_lint.watching.causes import Cause, shape_text
from loss_lint.watching.looks import BY_CLASS
from loss_lint.watching.places import Call, divisor_text, users
from loss_lint.watching.sites import Division, Uneven, is_due

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from loss_lint.findings import Verdict
    from loss_lint.watching.ledger import Scaling, Term, Tracked
    from loss_lint.watching.looks import Look
    from loss_lint.watching.sites import Site

_MEANS = ("mean", "batchmean")
_CHANGES: tuple[Verdict, ...] = ("value", "gradient", "value+gradient")
# Counts that differ by less change next to nothing.
_UNEVEN = 1.05
_FIRST_SIZE = re.compile(r"^[\w.\[\]'\"]+\.(size\(0\)|shape\[0\]|size\(\)\[0\]|size\(dim=0\)|numel\(\))$")
_LENGTH = re.compile(r"^len\((\w+)\)$")
# A division that follows the size of so many different batches is no coincidence.
_MIN_SIZES = 2


@dataclass(frozen=True, slots=True)
class Arrival:
    """A tensor made of losses on which `backward()` ran."""

    call: Call
    root: Tracked


@dataclass(slots=True)
class Cycle:
    """What happens between two steps of an optimizer.

    `counts_of_samples` are places of divisions whose divisor is written as a number of samples.
    """

    number: int
    arrivals: list[Arrival] = field(default_factory=list)
    light: int = 0
    counts_of_samples: set[object] = field(default_factory=set)
    # Whether everything in it is followed.
    is_deep: bool = field(init=False)

    def __post_init__(self) -> None:
        self.is_deep = is_due(self.number)


def named_counts(call: Call, frame: FrameType | None, by: float) -> set[object]:
    """The place of a division, if its divisor is written as a number of samples: `x.size(0)`, `batch_size`."""
    text = divisor_text(call.place)
    if not text or by < 2:
        return set()
    last = text.rpartition(".")[2]
    if _FIRST_SIZE.match(text) or counts_samples(last):
        return {call.place}
    length = _LENGTH.match(text)
    owner = users(frame)
    if length is not None and owner is not None:
        value = owner.f_locals.get(length[1], owner.f_globals.get(length[1]))
        if isinstance(value, torch.Tensor) and value.dim() and _same(value.shape[0], by):
            return {call.place}
    return set()


def broken(root: torch.Tensor, tracked: Tracked | None, call: Call, *, has_gradient: bool) -> Cause | None:
    """What is the matter with a tensor that reaches no parameter, or on which torch is about to raise."""
    if tracked is None:
        return None
    term = tracked.terms[0]
    loss = f"{term.look.loss} at line {term.site.call.place.line}"
    if root.grad_fn is None:
        return _without_graph(root, term, call, loss)
    if root.numel() > 1 and not has_gradient and term.look.reduction == "none" and term.reduced is None:
        seen = f"The tensor has shape {shape_text(tuple(root.shape))}."
        return Cause("LOS106", call, sentences.unreduced_backward(loss), ("raises",), seen)
    return None


def _without_graph(root: torch.Tensor, term: Term, call: Call, loss: str) -> Cause | None:
    if term.cut is not None and term.has_graph:
        how, place = term.cut
        at = f"backward() at line {call.place.line}"
        silent = root.requires_grad
        effect = f"{at} reaches no parameter and nothing trains" if silent else f"{at} raises"
        return Cause(
            "LOS501",
            place or call,
            sentences.loss_cut_from_graph(how, f" ({loss})", effect),
            ("no-gradient",) if silent else ("raises",),
            steps=((term.site.call, f"{term.look.loss} is computed"), (call, "run backward")),
        )
    if root.requires_grad or term.look.reduction == "none" or term.has_graph:
        return None
    reason = (
        "its input requires no gradient"
        if term.look.grad_enabled
        else "it is computed where no gradient is recorded"
    )
    return Cause(
        "LOS213",
        term.site.call,
        f"Nothing is trained by {term.look.loss}: {reason}; backward() at line {call.place.line} raises. "
        "Compute the loss of the model's own output.",
        ("raises",),
        steps=((call, "run backward"),),
    )


def note(term: Term, root: Tracked, cycle: Cycle) -> None:
    """Count what reaches `backward()`."""
    site = term.site
    site.trained += 1
    if cycle.number == 1 and term.look.number == 1:
        site.first_cycle_trained = True
    if root.is_whole and len(root.terms) == 1:
        site.trained_alone += 1
        if term.factor is not None and term.factor < 0:
            site.negated += 1
        if _is_sum(term) and term.factor == 1.0:
            site.undivided += 1


def _is_sum(term: Term) -> bool:
    return term.look.reduction == "sum" or (term.look.reduction == "none" and term.reduced == "sum")


def divided(term: Term, root: Tracked, cycle: Cycle) -> Iterator[Cause]:
    """A mean loss that was divided by a number of its samples on the way."""
    if not (term.look.reduction in _MEANS or (term.look.reduction == "none" and term.reduced == "mean")):
        return
    if term.factor is None:
        return
    for scaling in term.scalings:
        counted = _counted(scaling, term.look)
        if counted is None or scaling.call is None or scaling.call.place not in cycle.counts_of_samples:
            continue
        # The mean of as many losses; and what has been multiplied by a count may be divided by one.
        if round(_divisor(scaling)) == len(root.terms) or any(_divisor(one) < 0.7 for one in term.scalings):
            continue
        yield _division(scaling, term.look, term.site, counted)


def _divisor(scaling: Scaling) -> float:
    """What a loss is divided by: a product divides by the reciprocal of its factor."""
    if scaling.divides:
        return scaling.by
    return 1 / scaling.by if scaling.by else math.inf


def _counted(scaling: Scaling, look: Look) -> str | None:
    """Which number of samples a loss was divided by, if it is one."""
    by = _divisor(scaling)
    if by < 1.5 or scaling.call is None:
        return None
    if _same(by, look.batch):
        return "the batch size"
    if _same(by, look.targets):
        return "the number of its targets"
    facts = look.facts() or {}
    if _same(by, facts.get("counted", 0)):
        return "the number of targets that count"
    return None


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-6)


def _division(scaling: Scaling, look: Look, site: Site, counted: str) -> Cause:
    assert scaling.call is not None
    by = _divisor(scaling)
    return Cause(
        "LOS101",
        scaling.call,
        sentences.mean_loss_divided(f"{look.loss} at line {site.call.place.line}", counted),
        _CHANGES,
        f"It was divided by {round(by)}, for an input of shape {shape_text(look.input_shape)}.",
        ((site.call, f"{look.loss} averages over the batch"),),
        look,
        by,
    )


def closed(cycle: Cycle) -> Iterator[Cause]:
    """What a whole cycle shows."""
    by_site: dict[int, list[Term]] = {}
    for arrival in cycle.arrivals:
        for term in arrival.root.terms:
            by_site.setdefault(id(term.site), []).append(term)
    for terms in by_site.values():
        yield from _followed(terms, cycle)
    yield from _micro_batches(cycle)


def _followed(terms: list[Term], cycle: Cycle) -> Iterator[Cause]:
    """Divisions by a number that follows the batch's size, whatever it is called."""
    for term in terms:
        site = term.site
        if term.look.reduction not in _MEANS or term.factor is None:
            continue
        dividing = [scaling for scaling in term.scalings if _counted(scaling, term.look) is not None]
        if len(dividing) != 1 or len(term.scalings) != 1:
            continue
        scaling = dividing[0]
        assert scaling.call is not None
        count = _divisor(scaling)
        if round(count) == len(cycle.arrivals) or counts_steps(
            divisor_text(scaling.call.place).rpartition(".")[2]
        ):
            continue
        site.divisions.append(Division(scaling, term.look, len(cycle.arrivals), len(terms)))
        del site.divisions[:-16]
        sizes = {
            round(_divisor(one.scaling))
            for one in site.divisions
            if one.scaling.call is not None and one.scaling.call.place == scaling.call.place
        }
        if len(sizes) >= _MIN_SIZES:
            counted = _counted(scaling, term.look)
            assert counted is not None
            yield _division(scaling, term.look, site, counted)
            return


def _micro_batches(cycle: Cycle) -> Iterator[Cause]:
    """Means of unequal counts that were weighted alike."""
    by_site: dict[int, list[Term]] = {}
    for arrival in cycle.arrivals:
        seen = [id(term.site) for term in arrival.root.terms]
        for term in arrival.root.terms:
            if seen.count(id(term.site)) == 1:
                by_site.setdefault(id(term.site), []).append(term)
    for terms in by_site.values():
        if len(terms) < 2:
            continue
        found = _uneven(terms)
        if found is not None:
            yield _means(terms, found)


def _uneven(terms: list[Term]) -> Uneven | None:
    counts: list[int] = []
    for term in terms:
        look = term.look
        if (
            look.loss not in BY_CLASS
            or look.reduction != "mean"
            or not look.has_indices
            or term.factor is None
        ):
            return None
        facts = look.facts(wait=True)
        if facts is None or "counted" not in facts:
            return None
        counts.append(round(facts["counted"]))
    factors = [term.factor for term in terms if term.factor is not None]
    sizes = [term.look.targets for term in terms]
    ignoring = any(count < size for count, size in zip(counts, sizes, strict=True))
    alike = all(_same(factor, factors[0]) for factor in factors)
    if not ignoring or not alike or min(counts) == 0 or max(counts) < _UNEVEN * min(counts):
        return None
    return Uneven(tuple(counts), tuple(sizes))


def _means(terms: list[Term], found: Uneven) -> Cause:
    first = terms[0]
    name, site = first.look.loss, first.site
    # A trainer's own division is not the user's to mend.
    divisions = [
        scaling.call
        for scaling in first.scalings
        if scaling.divides and scaling.call is not None and scaling.call.inside is None
    ]
    where = divisions[0] if divisions else site.call
    counts = ", ".join(map(str, found.counts[:6])) + (", ..." if len(found.counts) > 6 else "")
    sizes = ", ".join(map(str, found.sizes[:6])) + (", ..." if len(found.sizes) > 6 else "")
    at = f" (line {site.call.place.line})" if divisions else ""
    return Cause(
        "LOS109",
        where,
        sentences.micro_batch_mean(f"{name}{at}", "the number of targets that it does not ignore"),
        _CHANGES,
        f"Of {sizes} targets, the micro-batches of one step counted {counts}.",
        ((site.call, f"the {name} divides by what it counts"),) if divisions else (),
    )

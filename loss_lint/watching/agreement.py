"""Whether a run bears out what the static check says of the files that ran."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from loss_lint import catalogue
from loss_lint.findings import Evidence, Finding, Place, Verdict
from loss_lint.harness.lowering import Unrunnable
from loss_lint.harness.measure import unmeasured
from loss_lint.harness.plan import plans
from loss_lint.harness.rebind import is_of, rebound
from loss_lint.harness.replay import replay
from loss_lint.report.paths import shown_position
from loss_lint.watching.evidence import widened
from loss_lint.watching.kinds import SEEN
from loss_lint.watching.places import home_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from loss_lint.conventions import Conventions
    from loss_lint.symbolic.graph import Site as Written
    from loss_lint.syntax.sources import Sources
    from loss_lint.watching.looks import Kept
    from loss_lint.watching.sites import Site

# A run of a large project imports many files; those in which losses were called are read.
_MAX_FILES = 40


class Agreement(NamedTuple):
    """What a run says of a static finding: `found` is the run's own finding of the same, if it made one."""

    static: Finding
    found: Finding | None
    evidence: Evidence | None

    @property
    def is_confirmed(self) -> bool:
        return self.found is not None or (
            self.evidence is not None
            and self.evidence.verdict != "unmeasured"
            and self.evidence.verdict in self.static.claim
        )


def static_findings(
    sites: Sequence[Site], sources: Sources, conventions: Callable[[str], Conventions]
) -> tuple[Finding, ...]:
    """What the static check finds in the user's files that losses were called from."""
    from loss_lint.discover import import_roots
    from loss_lint.runner import lint_files

    paths = {
        os.path.abspath(place.path)
        for site in sites
        for place in (site.call.place, site.call.inside)
        if place is not None and home_of(place.path) == "user" and os.path.isfile(place.path)
    }
    files = sorted(paths)[:_MAX_FILES]
    if not files:
        return ()
    return lint_files(files, sources, roots=import_roots(files), jobs=1, conventions=conventions).findings


def agreements(
    static: Sequence[Finding], found: Sequence[Finding], sites: Sequence[Site]
) -> Iterator[Agreement]:
    """What the run says of each static finding whose loss it reached."""
    for finding in static:
        same = next((one for one in found if is_same(one, finding)), None)
        site = _site_of(finding, sites)
        if same is not None:
            yield Agreement(finding, same, same.evidence)
        elif site is not None and site.looks:
            yield Agreement(finding, None, None if finding.code in SEEN else _evidence(finding, site))


def is_same(one: Finding, other: Finding) -> bool:
    """Whether two findings are of one defect: the place of either lies on the other's way."""
    return one.code == other.code and (
        any(_overlap(place, other.place) for place in _places(one))
        or any(_overlap(place, one.place) for place in _places(other))
    )


def _places(finding: Finding) -> tuple[Place, ...]:
    return (finding.place, *(step.place for step in finding.trace))


def _overlap(one: Place, other: Place) -> bool:
    return (
        os.path.abspath(one.path) == os.path.abspath(other.path)
        and one.line <= other.end_line
        and other.line <= one.end_line
    )


def _site_of(finding: Finding, sites: Sequence[Site]) -> Site | None:
    """The run's calls of the loss that a finding is about."""
    witness = finding.witness
    if witness is None:
        return None
    for op in (witness.root, *witness.spine):
        if catalogue.loss(op.name) is None:
            continue
        for site in sites:
            if site.loss == op.name and any(
                place is not None and _is_written_at(place, op.site)
                for place in (site.call.place, site.call.inside)
            ):
                return site
    return None


def _is_written_at(place: Place, site: Written) -> bool:
    return (
        os.path.abspath(place.path) == os.path.abspath(site.path)
        and place.line <= site.line <= place.end_line
    )


def evidence_of_run(finding: Finding, sites: Sequence[Site]) -> Evidence | None:
    """A finding's own expression on the run's tensors; None where the run did not reach its loss."""
    site = _site_of(finding, sites)
    return _evidence(finding, site) if site is not None and site.looks else None


def _evidence(finding: Finding, site: Site) -> Evidence:
    """The finding's own expression on the tensors of one of the run's calls."""
    kept = next((look.kept for look in site.looks if look.kept is not None), None)
    if kept is None or finding.witness is None:
        return unmeasured("no tensors of the call were kept")
    reason = "its expression is another one"
    try:
        for plan in plans(finding.witness):
            if not is_of(plan, site.loss):
                continue
            try:
                tensors, logits = rebound(plan, widened(kept.input), widened(kept.target), _parameters(kept))
            except Unrunnable as error:
                reason = str(error)
                continue
            shapes = (("input", tuple(kept.input.shape)),)
            return replay(plan.flagged, plan.fixed, tensors, logits, shapes)
    except Unrunnable as error:
        reason = str(error)
    return unmeasured(reason)


def _parameters(kept: Kept) -> dict[str, object]:
    return {name: widened(value) for name, value in kept.parameters}


def confirmed(agreement: Agreement) -> Finding:
    """The run's finding, or else the static one, saying that both agree."""
    finding = agreement.found or agreement.static
    measured = factor(agreement.evidence) or _OUTCOMES.get(finding.claim, "")
    both = "The static check finds it, too, and this run confirms it"
    return replace(
        finding,
        message=f"{finding.message} {both}{f': {measured}' if measured else ''}.",
        evidence=agreement.evidence,
        fix=finding.fix or agreement.static.fix,
    )


_OUTCOMES: dict[tuple[Verdict, ...], str] = {
    ("no-gradient",): "no gradient arrives",
    ("raises",): "torch raises",
    ("none",): "the numbers are equal",
}


def doubt(agreement: Agreement) -> str:
    """What to say of a static finding that the run does not confirm."""
    static, evidence = agreement.static, agreement.evidence
    where = shown_position(static.place, os.getcwd())
    if evidence is None:
        why = "the tensors of this run do not show it"
    elif evidence.verdict == "unmeasured":
        why = f"it cannot be measured on this run's tensors ({evidence.error})"
    elif evidence.verdict == "none":
        why = "on this run's tensors the numbers are equal"
    else:
        why = f"on this run's tensors the verdict is {evidence.verdict}"
    return f"{where}: check reports {static.code} ({static.name}); {why}"


def factor(evidence: Evidence | None) -> str:
    """How the numbers differ, in one phrase; "" where there are none.

    >>> from loss_lint.findings import Comparison
    >>> factor(Evidence("gradient", grad_norm=Comparison(0.1, 0.58)))
    'gradient 5.8 times smaller'
    """
    if evidence is None or evidence.verdict in ("unmeasured", "none"):
        return ""
    for name, pair in (("gradient", evidence.grad_norm), ("loss", evidence.loss)):
        if pair is None or pair.flagged is None:
            continue
        if name == "gradient" and pair.flagged == 0 and pair.fixed > 0:
            return "no gradient arrives"
        if pair.flagged <= 0 or pair.fixed <= 0:
            continue
        ratio = pair.fixed / pair.flagged
        if ratio >= 1.05:
            return f"{name} {ratio:.3g} times smaller"
        if ratio <= 1 / 1.05:
            return f"{name} {1 / ratio:.3g} times larger"
    if evidence.grad_cosine is not None and evidence.grad_cosine < 0.99:
        return f"the gradient points elsewhere (cosine {evidence.grad_cosine:.2f})"
    return ""

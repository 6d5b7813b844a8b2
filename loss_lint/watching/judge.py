"""What the looks at one loss call mean: functions of what was seen, without torch and without effects.

Numbers alone say little: three logits may sum to one. So a claim needs either the operation that made the tensor, as
its graph tells it, or enough rows that all agree; and every look has to agree, unless the graph is there to tell.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from loss_lint.rules import sentences
from loss_lint.rules.observations import CONSTANT_ZERO, FIRST_LOSS, GROWS, OUT_OF_RANGE
from loss_lint.watching.causes import Cause, number_text, shape_text
from loss_lint.watching.rows import (
    MIN_ROWS,
    Seen,
    is_distribution,
    is_log_distribution,
    lies_in_unit,
    normalized,
    tolerance,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from loss_lint.findings import Verdict
    from loss_lint.watching.looks import Look
    from loss_lint.watching.places import Call
    from loss_lint.watching.sites import Site

_CHANGES: tuple[Verdict, ...] = ("value", "gradient", "value+gradient")
_REGRESSIONS = frozenset({"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"})
_REDUCED = ("mean", "sum", "batchmean")
# So many looks at soft labels of which every row was a one-hot: they are no soft labels.
_MIN_ONE_HOT_LOOKS, _MIN_ONE_HOT_ROWS = 4, 64
# So many looks at a loss that was zero each time.
_MIN_ZERO_LOOKS = 6
_MIN_GROWING_LOOKS = 4
# A first loss above both of these multiples and differences of chance is none that an untrained model should have.
_FAR, _FARTHER = 3.0, 4.0
_MIN_FIRST_TARGETS = 8


def judge(site: Site, *, is_final: bool = False) -> Iterator[Cause]:
    """The causes that the looks at a site support; at the end of a run, those that need the whole of it too."""
    seen = []
    for look in site.looks:
        facts = look.facts(wait=is_final)
        if facts is not None:
            seen.append(Seen(look, facts))
    if not seen:
        return
    for rule in _BY_LOSS.get(site.loss, ()):
        yield from rule(site, seen, is_final)
    if is_final:
        yield from _zero(site, seen)


def out_of_range(call: Call, look: Look, lowest: int, highest: int, *, is_zero_seen: bool) -> Cause | None:
    """Targets for which there is no logit, of which torch raises."""
    classes = look.classes
    if not classes or (lowest >= 0 and highest < classes):
        return None
    if classes == 1 and lowest >= 0:
        return _of_one_class(call, look, ("raises",))
    seen = (
        f"The targets lie between {lowest} and {highest}, the input has shape {shape_text(look.input_shape)}."
    )
    if lowest >= 1 and highest == classes and not is_zero_seen:
        return Cause(
            "LOS603",
            call,
            f"{look.loss} gets class indices that are numbered from 1, and {classes} logits, of which the first is 0; "
            f"torch raises when label {classes} occurs. Number the classes from 0, or take 1 from the target.",
            ("raises",),
            seen,
        )
    wrong = highest if highest >= classes else lowest
    return Cause(
        OUT_OF_RANGE.code,
        call,
        f"{look.loss} gets the class index {wrong}, and {classes} logits, numbered from 0 to {classes - 1}; torch "
        "raises. Make as many outputs as there are classes, or ignore the index (ignore_index).",
        ("raises",),
        seen,
    )


# Cross entropy


def _one_class(site: Site, seen: Sequence[Seen], _: bool) -> Iterator[Cause]:
    for look, _facts in seen:
        if look.classes == 1 and look.has_indices and len(look.input_shape) > 1 and site.trained:
            yield _of_one_class(site.call, look, ("value", "gradient", "value+gradient"))
            return


def _of_one_class(call: Call, look: Look, claim: tuple[Verdict, ...]) -> Cause:
    return Cause(
        "LOS214",
        call,
        f"cross_entropy over one class: its input has shape {shape_text(look.input_shape)}, and the softmax of "
        "one number is 1; the loss is 0 and trains nothing, or torch raises for a label other than 0. Use "
        "binary_cross_entropy_with_logits for one score, or make as many outputs as classes.",
        claim,
    )


def _swapped(site: Site, seen: Sequence[Seen], _: bool) -> Iterator[Cause]:
    """Labels as the input: zeros and ones without a gradient, beside a target that has one."""
    for look, facts in seen:
        if (
            look.input_requires_grad
            or not look.target_requires_grad
            or facts.get("binary", 1.0) != 0.0
            or facts.get("maximum") != 1.0
            or lies_in_unit(facts, "target_")
        ):
            continue
        yield Cause(
            "LOS401",
            site.call,
            f"{look.loss} gets the labels as its input, and what the model makes as its target; the loss is another "
            "one. Swap them: the model's output comes first.",
            _CHANGES,
            f"Its input holds nothing but zeros and ones and requires no gradient, its target requires one: shapes "
            f"{shape_text(look.input_shape)} and {shape_text(look.target_shape)}.",
            look=look,
        )
        return


def _softmaxed(site: Site, seen: Sequence[Seen], _: bool) -> Iterator[Cause]:
    found = normalized(seen, "softmax")
    if found is None:
        return
    call = site.applied.get("softmax")
    applied = f"softmax at {_at(call, site)}" if call is not None else found.name
    yield Cause(
        "LOS201",
        site.call,
        sentences.softmax_into_cross_entropy(applied),
        _CHANGES,
        found.text,
        ((call, "softmax makes probabilities"),) if call is not None else (),
        found.look,
    )


def _log_softmaxed(site: Site, seen: Sequence[Seen], _: bool) -> Iterator[Cause]:
    for look, facts in seen:
        if (
            look.origin is None
            or look.origin.kind != "log_softmax"
            or look.classes < 2
            or "log_error" not in facts
        ):
            continue
        normal = facts["log_error"] <= 10 * tolerance(look)
        dim = look.origin.dim
        if not normal and (dim is None or look.origin.rank != len(look.input_shape) or dim == 1):
            continue  # some of the classes, perhaps
        call = site.applied.get("log_softmax")
        applied = f"log_softmax at {_at(call, site)}" if call is not None else "log_softmax"
        effect = "this changes nothing" if normal else (
            f"it normalizes dimension {dim}, not the classes: the loss changes"
        )  # fmt: skip
        shown = (
            f"Its input, of shape {shape_text(look.input_shape)}, lies between {number_text(facts['minimum'])} and "
            f"{number_text(facts['maximum'])}" + (", and exp of each row sums to 1." if normal else ".")
        )
        yield Cause(
            "LOS202",
            site.call,
            sentences.log_softmax_into_cross_entropy(applied, effect),
            ("none",) if normal else _CHANGES,
            shown,
            ((call, "log_softmax makes log-probabilities"),) if call is not None else (),
            look if normal else None,
        )
        return


def _one_hot_rows(site: Site, seen: Sequence[Seen], is_final: bool) -> Iterator[Cause]:
    """Soft labels that never were any: known only when many have been seen."""
    soft = [one for one in seen if "target_binary" in one.facts]
    hard = [
        one
        for one in soft
        if one.facts["target_binary"] == 0.0
        and one.facts["target_sum_error"] == 0.0
        and not one.look.target_requires_grad
    ]
    rows = sum(one.facts["target_rows"] for one in hard)
    if not is_final or not hard or len(hard) < len(seen):
        return
    if len(hard) < _MIN_ONE_HOT_LOOKS or rows < _MIN_ONE_HOT_ROWS:
        return
    look = hard[0].look
    changed = look.weighted and look.reduction == "mean"
    effect = sentences.WEIGHTED_ROWS if changed else sentences.UNWEIGHTED_ROWS
    yield Cause(
        "LOS302",
        site.call,
        sentences.one_hot_probabilities("one-hot rows as probabilities", effect),
        _CHANGES if changed else ("none",),
        f"In {len(hard)} looks all rows of its target, of shape {shape_text(look.target_shape)}, hold one 1 and zeros.",
        look=look,
    )


def _one_hot_indices(site: Site, seen: Sequence[Seen], _: bool) -> Iterator[Cause]:
    """Integer one-hot rows that torch takes for indices, as the logits have as many positions as classes."""
    fitting = [one for one in seen if "one_hot_error" in one.facts]
    if not fitting or len(fitting) < len(seen) or any(one.facts["one_hot_error"] for one in fitting):
        return
    look = fitting[0].look
    if sum(one.look.targets // max(one.look.classes, 1) for one in fitting) < MIN_ROWS:
        return
    effect = f"torch reads each 0 and 1 as a class, as the logits of shape {shape_text(look.input_shape)} fit"
    yield Cause(
        "LOS301",
        site.call,
        sentences.one_hot_target(look.loss, f"one-hot rows of shape {shape_text(look.target_shape)}", effect),
        _CHANGES,
    )


def _first_loss(site: Site, seen: Sequence[Seen], _: bool) -> Iterator[Cause]:
    look, facts = seen[0]
    if look.number != 1 or not site.first_cycle_trained or look.reduction != "mean" or not look.has_indices:
        return
    chance = math.log(look.classes) if look.classes > 1 else 0.0
    loss = facts.get("loss", 0.0)
    if not math.isfinite(loss) or facts.get("counted", 0) < _MIN_FIRST_TARGETS or look.weighted or not chance:
        return
    if loss < max(_FAR * chance, chance + _FARTHER):
        return
    if look.origin is None or look.origin.kind not in ("linear", "conv"):
        return  # a scaled similarity is large on purpose
    yield Cause(
        FIRST_LOSS.code,
        site.call,
        f"the first {look.loss} is {number_text(loss)}, and guessing among {look.classes} classes costs "
        f"-log(1/{look.classes}) = {number_text(chance)}: the model starts out sure and wrong. Normalize the data, "
        "or make the last layer's weights smaller.",
        ("value",),
        f"The logits, of shape {shape_text(look.input_shape)}, lie between {number_text(facts['minimum'])} and "
        f"{number_text(facts['maximum'])}.",
    )


def _grows(site: Site, seen: Sequence[Seen], _: bool) -> Iterator[Cause]:
    """A sum over the batch that is trained on as it is."""
    if site.undivided < _MIN_GROWING_LOOKS or site.undivided < site.trained_alone:
        return
    matrices = [
        one for one in seen if len(one.look.input_shape) == 2 and one.look.has_indices and "loss" in one.facts
    ]
    sizes = [one.look.batch for one in matrices]
    if len(matrices) < _MIN_GROWING_LOOKS or len(matrices) < len(seen):
        return
    usual = max(set(sizes), key=sizes.count)
    # Sentences of one batch each differ in length; batches do not.
    if usual < 2 or sizes.count(usual) * 4 < len(sizes) * 3:
        return
    look, facts = matrices[0]
    each = facts["loss"] / max(facts.get("counted", look.batch), 1)
    yield Cause(
        GROWS.code,
        site.call,
        f"{look.loss} is a sum over the batch, and nothing divides it: twice the batch doubles loss and gradient, so "
        'that the learning rate holds for one batch size alone. Use reduction="mean".',
        _CHANGES,
        f"It was {number_text(facts['loss'])} for a batch of {look.batch}, {number_text(each)} for each sample.",
        look=look,
    )


# NLL


def _probabilities_into_nll(site: Site, seen: Sequence[Seen], _: bool) -> Iterator[Cause]:
    if not site.trained_alone or site.negated:
        return  # a negated one picks the target's probability
    found = normalized(seen, "softmax")
    if found is None:
        return
    call = site.applied.get("softmax")
    maker = f"softmax at {_at(call, site)} makes them" if call is not None else f"{found.name} makes them"
    yield Cause(
        "LOS203",
        site.call,
        sentences.probabilities_into_nll(maker, "Use log_softmax"),
        _CHANGES,
        found.text,
        ((call, "softmax makes probabilities"),) if call is not None else (),
        found.look,
    )


def _logits_into_nll(site: Site, seen: Sequence[Seen], _: bool) -> Iterator[Cause]:
    if not site.trained_alone or site.negated:
        return
    for look, facts in seen:
        made = look.origin.kind if look.origin is not None else ""
        if made in ("linear", "conv") and facts.get("maximum", 0.0) > 1e-3:
            yield Cause(
                "LOS204",
                site.call,
                sentences.logits_into_nll(made),
                _CHANGES,
                f"Its input, of shape {shape_text(look.input_shape)}, lies between {number_text(facts['minimum'])} and "
                f"{number_text(facts['maximum'])}; no logarithm of a probability is above 0.",
                look=look,
            )
            return


# Binary cross entropy


def _squashed(site: Site, seen: Sequence[Seen], _: bool) -> Iterator[Cause]:
    for look, facts in seen:
        kind = look.origin.kind if look.origin is not None else ""
        if kind not in ("sigmoid", "softmax") or not lies_in_unit(facts, ""):
            continue
        call = site.applied.get(kind)
        yield Cause(
            "LOS206",
            site.call,
            sentences.sigmoid_into_bce_with_logits(
                look.loss, f"{kind} at {_at(call, site)}" if call else kind
            ),
            _CHANGES,
            f"Its input, of shape {shape_text(look.input_shape)}, lies between {number_text(facts['minimum'])} and "
            f"{number_text(facts['maximum'])}.",
            ((call, f"{kind} makes probabilities"),) if call is not None else (),
            look,
        )
        return


# KL divergence


def _divergence(site: Site, seen: Sequence[Seen], _: bool) -> Iterator[Cause]:
    wide = [
        one for one in seen if one.look.input_shape and one.look.input_shape[-1] > 1 and "rows" in one.facts
    ]
    if not wide or len(wide) < len(seen) or sum(one.facts["rows"] for one in wide) < MIN_ROWS:
        return
    look = wide[0].look
    shape = shape_text(look.input_shape)
    if all(is_distribution(one, "") for one in wide):
        says = "wants log-probabilities as its input and gets probabilities"
        yield Cause(
            "LOS209",
            site.call,
            sentences.kl_div_operand(says, "Use log_softmax"),
            _CHANGES,
            f"All rows of its input, of shape {shape}, sum to 1.",
            look=look,
        )
        return
    with_target = [one for one in wide if "target_rows" in one.facts]
    if len(with_target) < len(wide):
        return
    if not look.log_target and all(is_log_distribution(one, "target_") for one in wide):
        says, instead = (
            "wants probabilities as its target and gets log-probabilities",
            "Pass probabilities, or log_target=True",
        )
    elif look.log_target and all(is_distribution(one, "target_") for one in wide):
        says, instead = (
            "is told log_target=True and gets probabilities as its target",
            "Pass log-probabilities, or drop log_target=True",
        )
    else:
        return
    shown = f"Its target, of shape {shape_text(look.target_shape)}, " + (
        f"is nowhere above {number_text(wide[0].facts['target_maximum'])}, and exp of each row sums to 1."
        if not look.log_target
        else "has rows that sum to 1."
    )
    yield Cause("LOS209", site.call, sentences.kl_div_operand(says, instead), _CHANGES, shown)


# Regression


def _broadcast(site: Site, seen: Sequence[Seen], _: bool) -> Iterator[Cause]:
    for look, _facts in seen:
        wide, narrow, which, other = look.input_shape, look.target_shape, "input", "target"
        if len(wide) < len(narrow):
            wide, narrow, which, other = narrow, wide, other, which
        if look.reduction not in _REDUCED or not _is_forgotten(wide, narrow):
            continue
        yield Cause(
            "LOS305",
            site.call,
            sentences.regression_broadcast(look.loss, which, shape_text(wide), other, shape_text(narrow)),
            _CHANGES,
            look=look,
        )
        return


def _is_forgotten(wide: tuple[int, ...], narrow: tuple[int, ...]) -> bool:
    """Whether one shape is the other with a dimension of size one too many, and both meet in all pairs of samples."""
    if len(wide) != len(narrow) + 1 or not narrow or narrow[0] < 2 or wide[0] != narrow[0]:
        return False
    return any(
        size == 1 and (*wide[:at], *wide[at + 1 :]) == narrow for at, size in enumerate(wide) if at > 0
    )


# Any loss


def _zero(site: Site, seen: Sequence[Seen]) -> Iterator[Cause]:
    """A loss that has nothing to teach."""
    if site.loss not in _NEVER_ZERO or not site.trained_alone or site.trained_alone < len(seen) / 2:
        return
    if any(one.look.classes == 1 and one.look.has_indices for one in seen):
        return  # LOS214 says why
    losses = [one.facts["loss"] for one in seen if "loss" in one.facts]
    if len(losses) < _MIN_ZERO_LOOKS or len(losses) < len(seen) or any(losses):
        return
    look = seen[0].look
    yield Cause(
        CONSTANT_ZERO.code,
        site.call,
        f"{look.loss} is trained on and was exactly 0 whenever it was looked at: there is nothing to learn from it. "
        "Compare its input with its target.",
        ("gradient", "no-gradient"),
        f"It was looked at in {len(losses)} of {site.calls} calls, for an input of shape "
        f"{shape_text(look.input_shape)} and a target of shape {shape_text(look.target_shape)}.",
    )


# Losses that are zero only for a perfect prediction.
_NEVER_ZERO = frozenset(
    {"cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div", "mse_loss",
     "l1_loss", "smooth_l1_loss", "huber_loss"}
)  # fmt: skip


def _at(call: Call | None, site: Site) -> str:
    """`line 18`, or `net.py:18` from another file."""
    if call is None:
        return ""
    place = call.place
    if place.path == site.call.place.path:
        return f"line {place.line}"
    return f"{place.path.replace(chr(92), '/').rpartition('/')[2]}:{place.line}"


_BY_LOSS: dict[str, tuple[Callable[[Site, Sequence[Seen], bool], Iterator[Cause]], ...]] = {
    "cross_entropy": (
        _one_class, _swapped, _softmaxed, _log_softmaxed, _one_hot_rows, _one_hot_indices, _first_loss, _grows,
    ),
    "nll_loss": (_probabilities_into_nll, _logits_into_nll, _one_hot_indices, _grows),
    "binary_cross_entropy_with_logits": (_swapped, _squashed),
    "multilabel_soft_margin_loss": (_squashed,),
    "kl_div": (_divergence,),
    **dict.fromkeys(_REGRESSIONS, (_broadcast,)),
}  # fmt: skip

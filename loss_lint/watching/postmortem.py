"""Why a loss raised: what its frame held, read from the exception's traceback."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from loss_lint.rules import sentences
from loss_lint.watching.causes import Cause, number_text, shape_text
from loss_lint.watching.judge import out_of_range
from loss_lint.watching.looks import BY_CLASS, Look, abandon, see
from loss_lint.watching.places import caller_in

if TYPE_CHECKING:
    from types import CodeType, TracebackType

    from loss_lint.watching.places import Call
    from loss_lint.watching.recorder import Recorder, Watched
    from loss_lint.watching.sites import Site

_BINARY = frozenset({"binary_cross_entropy", "binary_cross_entropy_with_logits"})


def explain(error: BaseException, recorder: Recorder) -> Iterator[Cause]:
    """The causes of an exception that a loss raised."""
    if _is_of_device(error):
        abandon()
    codes: dict[CodeType, Watched] = {
        function.__code__: watched
        for function, watched in recorder.losses.items()
        if hasattr(function, "__code__")
    }
    trace = error.__traceback__
    call = caller_in(trace)
    while trace is not None:
        watched = codes.get(trace.tb_frame.f_code)
        if watched is not None and call is not None and _is_innermost(trace):
            bound = {name: trace.tb_frame.f_locals.get(name) for name in _names(watched)}
            yield from _of_loss(watched, bound, call, recorder)
        trace = trace.tb_next
    if _is_of_device(error):
        yield from _before_failure(recorder)


def _is_of_device(error: BaseException) -> bool:
    """Whether a device has failed: that is told by whatever waits for it next, far from the cause."""
    return isinstance(error, RuntimeError) and "device-side assert" in str(error)


def _before_failure(recorder: Recorder) -> Iterator[Cause]:
    """Targets out of range that were seen before the loss ran."""
    for site in list(recorder.sites.values()):
        for look in [*site.looks, *site.open]:
            facts = look.facts(wait=True) or {}
            if "highest" not in facts or not math.isfinite(facts["highest"]):
                continue
            cause = out_of_range(
                site.call, look, int(facts["lowest"]), int(facts["highest"]), is_zero_seen=_has_zero(site)
            )
            if cause is not None:
                yield cause
                return


def _has_zero(site: Site) -> bool:
    """Whether class 0 occurred at a call."""
    return any((look.facts(wait=True) or {}).get("lowest") == 0 for look in site.looks)


def _is_innermost(trace: TracebackType) -> bool:
    """Whether a loss itself raised, and not what it called back into."""
    return trace.tb_next is None


def _names(watched: Watched) -> Iterator[str]:
    return (parameter.name for parameter in watched.signature.parameters)


def _of_loss(watched: Watched, bound: dict[str, Any], call: Call, recorder: Recorder) -> Iterator[Cause]:
    look = see(watched.name, 0, bound, watched.operands, 0)
    if look is None:
        return
    given, target = bound[watched.operands[0]], bound[watched.operands[1]]
    try:
        if look.loss in BY_CLASS:
            cause = _of_indices(look, given, target, call, recorder)
        else:
            cause = _of_binary(look, given, target, call) if look.loss in _BINARY else None
    except RuntimeError:  # the device has failed, and nothing on it can be read
        return
    if cause is not None:
        yield cause


def _of_indices(
    look: Look, given: torch.Tensor, target: torch.Tensor, call: Call, recorder: Recorder
) -> Cause | None:
    shapes = f"Input {shape_text(look.input_shape)}, target {shape_text(look.target_shape)}."
    same_rank = target.dim() == given.dim()
    if same_rank and target.dim() > 1 and target.shape[1] == 1 and look.classes > 1:
        return Cause(
            "LOS304",
            call,
            f"{look.loss} gets class indices of shape {shape_text(look.target_shape)}, for logits of shape "
            f"{shape_text(look.input_shape)}; torch raises, as it wants them without the dimension of size one. "
            "Take the dimension of size one away.",
            ("raises",),
        )
    if same_rank and target.shape == given.shape and (look.has_indices or look.loss == "nll_loss"):
        ones = target.detach().double()
        if bool(((ones == 0) | (ones == 1)).all()) and bool(
            (ones.sum(1 if ones.dim() > 1 else 0) == 1).all()
        ):
            rows = f"one-hot rows of shape {shape_text(look.target_shape)}"
            return Cause(
                "LOS301", call, sentences.one_hot_target(look.loss, rows, "torch raises"), ("raises",), shapes
            )
    if not look.has_indices and target.dim() == given.dim() - 1 and bool((target == target.round()).all()):
        return Cause(
            "LOS303",
            call,
            f"{look.loss} gets class indices as floats ({str(look.target_dtype).removeprefix('torch.')}); torch "
            "raises, as it takes floats for probabilities. Drop the cast.",
            ("raises",),
            shapes,
        )
    return _of_range(look, target, call, recorder)


def _of_range(look: Look, target: torch.Tensor, call: Call, recorder: Recorder) -> Cause | None:
    if not look.has_indices or not target.numel():
        return None
    counting = target[target != look.ignore_index]
    bounds = (int(counting.min()), int(counting.max())) if counting.numel() else None
    zero = any(_has_zero(site) for site in recorder.sites.values() if site.call.place == call.place)
    return out_of_range(call, look, *bounds, is_zero_seen=zero) if bounds is not None else None


def _of_binary(look: Look, given: torch.Tensor, target: torch.Tensor, call: Call) -> Cause | None:
    if look.has_indices and given.is_floating_point() and given.shape == target.shape:
        kind = str(look.target_dtype).removeprefix("torch.")
        return Cause(
            "LOS306",
            call,
            f"{look.loss} wants floats as its target, but gets {kind}; torch raises. Pass target.float().",
            ("raises",),
        )
    if look.loss != "binary_cross_entropy" or not given.numel() or given.shape != target.shape:
        return None
    low, high = float(given.min()), float(given.max())
    if low >= 0 and high <= 1:
        return None
    return Cause(
        "LOS207",
        call,
        "binary_cross_entropy wants probabilities and gets raw logits; torch raises as soon as one leaves [0, 1]. "
        "Use binary_cross_entropy_with_logits.",
        ("raises",),
        f"Its input, of shape {shape_text(look.input_shape)}, lies between {number_text(low)} and {number_text(high)}.",
    )

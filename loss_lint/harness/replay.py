"""Two expressions on tensors that a program has computed: what torch makes of both, and how they differ."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from loss_lint.findings import Evidence
from loss_lint.harness.execute import Raised, Run, differentiated, evaluate, first_line
from loss_lint.harness.expression import Input, Node
from loss_lint.harness.lowering import Unrunnable
from loss_lint.harness.measure import VERSION, compared, unmeasured, verdict


def replay(
    flagged: Node,
    fixed: Node,
    tensors: Mapping[Input, Any],
    logits: Sequence[torch.Tensor],
    shapes: tuple[tuple[str, tuple[int, ...]], ...],
) -> Evidence:
    """The evidence for two expressions over the same inputs; gradients are those of `logits`."""
    try:
        with as_it_is():
            one, other = _run(flagged, tensors, logits), _run(fixed, tensors, logits)
    except Unrunnable as error:
        return unmeasured(str(error))
    if other.loss is None:
        return unmeasured(other.error or "the corrected expression is no number")
    return compared(verdict(one, other), one, other, shapes)


def _run(root: Node, tensors: Mapping[Input, Any], logits: Sequence[torch.Tensor]) -> Run:
    try:
        result = evaluate(root, tensors)
    except Raised as raised:
        return Run(error=first_line(raised.cause))
    return differentiated(result, logits)


@contextmanager
def as_it_is() -> Iterator[None]:
    """Gradients recorded, nothing cast, no mode, no warning given twice; then all is as it was."""
    with (
        warnings.catch_warnings(),
        torch._C.DisableTorchFunction(),  # noqa: SLF001
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.autocast("cpu", enabled=False),
    ):
        warnings.simplefilter("ignore")
        yield


__all__ = ["VERSION", "as_it_is", "replay"]

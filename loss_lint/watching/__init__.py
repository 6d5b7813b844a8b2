"""Watches a real training run for losses that are not what their author believes.

    import loss_lint

    with loss_lint.watch():
        train(model, loader)

What no reading of the source can know, the run's own tensors tell: rows that sum to one on their way into cross
entropy, shapes that broadcast, a mean divided by its batch's size. Findings have the codes of the static rules, the
user's file and line, the shapes and values that were seen, and what torch computes of them as written and corrected.

The way of the data: `observer` sees torch's functions being called, `looks` reads tensors without waiting for
them, `sites` keeps what was seen at each call, `ledger` follows losses to their `backward()`, `judge` and `cycles`
say what that means, `session` reports it. torch is imported when something is first watched.
"""

from __future__ import annotations

from loss_lint.watching.api import LossMisuse, LossMisuseWarning, Watch, watch

__all__ = ["LossMisuse", "LossMisuseWarning", "Watch", "watch"]

"""Runs the expressions of findings in torch, as flagged and as fixed, and says how the numbers differ.

    from loss_lint import lint_source
    from loss_lint.harness import confirm

    for finding in lint_source(text):
        print(finding.code, confirm(finding).verdict)

Nothing of the user's is imported or run: what runs is the finding's expression, rebuilt from its graph, on
synthetic tensors. torch is imported when something is first measured; without it that raises TorchMissing.
"""

from __future__ import annotations

from loss_lint.harness.confirm import confirm, confirm_all, contradicts
from loss_lint.harness.missing import TorchMissing

__all__ = ["TorchMissing", "confirm", "confirm_all", "contradicts"]

"""Numbers that a piece of source text spells out, computed through its graph: for worked examples."""

from __future__ import annotations

from typing import Any

from loss_lint.harness.missing import require_torch
from loss_lint.symbolic.edits import Witness
from loss_lint.symbolic.graph import NO_GUARDS, Op
from loss_lint.symbolic.machine import Machine
from loss_lint.symbolic.walk import views
from loss_lint.syntax.sources import Memory

_PATH = "worked.py"


def worked(text: str, name: str) -> Any:
    """What the module-level variable `name` of `text` is: a tensor, as nested lists of Python numbers.

    All that it is computed from has to be written down in `text`. Nothing of it is executed as Python: what runs
    is its graph. Raises TorchMissing without torch, KeyError for an unknown name.
    """
    require_torch()
    from loss_lint.harness.execute import evaluate, settled
    from loss_lint.harness.lowering import lower

    module = Machine(Memory({_PATH: text})).module(_PATH)
    if module is None:
        raise SyntaxError("the text cannot be parsed")
    root = next(view.node for view in views(module.state.names[name], NO_GUARDS))
    assert isinstance(root, Op), f"{name} is no operation of torch's"
    with settled():
        return evaluate(lower(Witness(root, (root,), NO_GUARDS, ()), (), "whole"), {}).tolist()

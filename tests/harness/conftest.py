"""Source texts as findings and as hand-made ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from loss_lint.findings import Finding, Place, Verdict
from loss_lint.linter import lint
from loss_lint.symbolic.edits import GraphEdit, Witness
from loss_lint.symbolic.graph import NO_GUARDS, Op
from loss_lint.symbolic.machine import Machine
from loss_lint.symbolic.root import evaluate_roots
from loss_lint.syntax.sources import Memory

PATH = "program.py"
HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"

Ops = dict[str, Op]
Made = Callable[..., Finding]


@pytest.fixture
def linted() -> Callable[[str, str], Finding]:
    """The only finding of a code in a text (torch is imported for it)."""

    def run(text: str, code: str) -> Finding:
        found = [one for one in lint(PATH, Memory({PATH: HEAD + text})) if one.code == code]
        assert len(found) == 1, found
        return found[0]

    return run


@pytest.fixture
def made() -> Made:
    """A finding on the operations of a function `f`, by hand: its spine by name, its edits as a function of them."""

    def make(
        body: str,
        spine: Sequence[str],
        edits: Callable[[Ops], Sequence[GraphEdit]] = lambda _: (),
        claim: tuple[Verdict, ...] = (),
        completion: str | None = None,
    ) -> Finding:
        text = f"{HEAD}def f(x, y, m, n):\n    F.cross_entropy  # what names a loss is evaluated\n    return {body}\n"
        machine = Machine(Memory({PATH: text}))
        root, *_ = evaluate_roots(machine, PATH)
        ops = {op.name: op for op in root.ops}
        chain = tuple(ops[name] for name in spine)
        witness = Witness(chain[0], chain, NO_GUARDS, tuple(edits(ops)), completion)
        return Finding("LOS000", "by-hand", "", Place(PATH, 1, 1, 1, 1), claim=claim, witness=witness)

    return make

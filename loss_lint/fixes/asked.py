"""What a repair away from the loss has to know: who else gets what it would change."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from loss_lint.fixes.flows import Flows
from loss_lint.fixes.held import MODULE, Held
from loss_lint.fixes.names import Found
from loss_lint.fixes.program import Program, Tree, Uncertain
from loss_lint.fixes.text import Texts
from loss_lint.symbolic.edits import hand_rolled
from loss_lint.symbolic.graph import Guards, Op, Site

# Which of several numbers is the largest does not change with these.
_ORDER_KEEPING = frozenset({"softmax", "log_softmax", "sigmoid", "logsigmoid", "softmax2d"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A repair of the loss at `sink` that has to be written elsewhere.

    `wants` says whether the loss at a place wants the change of what is made at a place, `entered` what a call runs.
    With `alone`, the loss itself is changed too, so that no other one may get the changed value.
    """

    program: Program
    texts: Texts
    sink: Site
    alone: bool
    wants: Callable[[Site, Site, frozenset[str]], bool]
    entered: Callable[[Site, frozenset[str]], list[Found]]

    def flows(self, culprit: Site, name: str, *, ends_at_calls: bool = False, goes_on: bool = False) -> Flows:
        def wants(site: Site, files: frozenset[str]) -> bool:
            return site == self.sink or (not self.alone and self.wants(site, culprit, files))

        return Flows(
            self.program,
            wants,
            self.entered,
            largest_stays=name in _ORDER_KEEPING,
            ends_at_calls=ends_at_calls,
            goes_on=goes_on,
        )

    def is_all_for_it(self, flows: Flows, tree: Tree, node: ast.AST, held: Held) -> bool:
        """Whether all uses of a value are known and want the change, the loss's own among them."""
        try:
            flows.follow(tree, node, held)
        except Uncertain:
            return False
        return self.sink in flows.sinks


def kept_slot(op: Op, operand: int, guards: Guards) -> Site | None:
    """Where the operand is written that stays when an operation goes: a hand-rolled softmax's logits."""
    rolled = hand_rolled(op, guards) if operand == 0 else None
    if rolled is None:
        return op.slots[operand] if operand < len(op.slots) else None
    return rolled[2]


def calls_want(made: Site, flows: Flows, asked: Asked) -> bool:
    """Whether all calls of the object that is made there want the change."""
    tree = asked.program.tree(made.path)
    node = tree.at(made) if tree is not None else None
    return tree is not None and node is not None and asked.is_all_for_it(flows, tree, node, MODULE)

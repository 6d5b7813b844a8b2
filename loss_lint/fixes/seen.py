"""What evaluating a file's roots shows of its losses, as places: for fixes that must know of all uses."""

from __future__ import annotations

from dataclasses import dataclass, field

from loss_lint.rules import all_rules
from loss_lint.symbolic.facts import force_inputs
from loss_lint.symbolic.graph import Frame, Op, Site
from loss_lint.symbolic.machine import Machine
from loss_lint.symbolic.root import evaluate_roots
from loss_lint.symbolic.walk import effect


@dataclass(slots=True)
class Seen:
    """`matched` are the sinks that a rule matched at, by its code, sink and what it wants to be changed.

    `losses` are the names of the losses that a call is, `entered` one place inside each function that a call runs.
    """

    matched: set[tuple[str, Site, Site]] = field(default_factory=set)
    losses: dict[Site, set[str]] = field(default_factory=dict)
    entered: dict[Site, dict[tuple[str, int], Site]] = field(default_factory=dict)


def look(machine: Machine, path: str) -> Seen:
    """Evaluate the roots of the file at `path` once more, and what they lead to in other files."""
    seen = Seen()
    for root in evaluate_roots(machine, path):
        index = 0
        while index < len(root.ops):
            op = root.ops[index]
            index += 1
            _note_frames(op, seen)
            if effect(op) != "loss":
                continue
            force_inputs(op)
            seen.losses.setdefault(op.site, set()).add(op.name)
            for rule in all_rules():
                if rule.match is not None and op.name in rule.sinks:
                    seen.matched |= {
                        (rule.code, op.site, place)
                        for match in rule.match(op, root)
                        for edit in match.edits
                        for place in places(edit.op)
                    }
    return seen


def places(op: Op) -> tuple[Site, ...]:
    """Where an operation may be edited: where it is called, and where its module is made."""
    return (op.site,) if op.made is None else (op.site, op.made)


def _note_frames(op: Op, seen: Seen) -> None:
    frame: Frame | None = op.frame
    site = op.site
    while frame is not None and frame.call is not None:
        known = seen.entered.setdefault(frame.call, {})
        key = (frame.name, frame.function)
        if key in known:
            return
        known[key] = site
        site, frame = frame.call, frame.parent

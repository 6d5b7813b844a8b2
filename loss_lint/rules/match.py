"""What a rule says when it matches: where, why, and how the graph would be right."""

from __future__ import annotations

from dataclasses import dataclass

from loss_lint.findings import Verdict
from loss_lint.rules.wording import origin, spelled
from loss_lint.symbolic.edits import Bypass, GraphEdit, Rename, Wrap
from loss_lint.symbolic.facts import Fact
from loss_lint.symbolic.graph import Guards, Op, Pass, Site, Value, const


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """A rule's match at `sink`, where the finding stands unless the operand came in as an argument.

    `message` says what happened, what it does to the numbers, and what to write. `spine` leads from the root of
    what is measured to the culprit, the operation that has to go or change. `passes` are the
    arguments that the wrong operand went through, nearest the sink first. `steps` are further places worth
    showing, origin first. `harmless_here` says that this use of a defect does no harm (a copy that is only
    logged): nothing is reported for it, but it does not speak for the other uses either.
    """

    sink: Op
    message: str
    claim: tuple[Verdict, ...]
    guards: Guards
    spine: tuple[Op, ...]
    edits: tuple[GraphEdit, ...] = ()
    passes: tuple[Pass, ...] = ()
    steps: tuple[tuple[Site, str], ...] = ()
    safe: bool = False
    fix_message: str = ""
    completion: str | None = None
    harmless_here: bool = False


CHANGES: tuple[Verdict, ...] = ("value", "gradient", "value+gradient")


def too_much(sink: Op, fact: Fact, message: str, makes: str) -> Match:
    """The match of a loss that applies itself what `fact`'s operation has applied to its input already.

    `makes` says what that operation makes of the logits. The repair takes it out.
    """
    return Match(
        sink=sink,
        message=message,
        claim=CHANGES,
        guards=fact.view.guards,
        spine=(sink, *fact.view.chain, fact.op),
        edits=tuple(Bypass(op) for op in fact.ops),
        passes=fact.view.passes,
        steps=((origin(fact.op), f"{spelled(fact.op)} makes {makes}"),),
        fix_message="Pass the logits",
    )


def logarithm(sink: Op, fact: Fact) -> tuple[tuple[GraphEdit, ...], str]:
    """What makes log-probabilities of the probabilities that are the loss's input, and how to say so."""
    if all(op.name == "exp" for op in fact.ops):
        return tuple(Bypass(op) for op in fact.ops), "Pass the log-probabilities"
    if all(op.name in _OF_LOGITS for op in fact.ops):
        return tuple(Rename(op, "log_softmax", _OF_LOGITS[op.name]) for op in fact.ops), "Use log_softmax"
    return (Wrap(sink, 0, "log"),), "Pass their logarithm"


# Softmaxes that are a log-softmax with another name, and the dim of those that have none to say.
_OF_LOGITS: dict[str, tuple[tuple[str, Value], ...]] = {
    "softmax": (),
    "div": (),
    "softmax2d": (("dim", const(-3)),),
}

"""Runs the rules over a file's roots and turns their matches into findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from loss_lint.findings import Finding, Step
from loss_lint.rules import all_rules
from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.sightings import Report, Sighting, Sink
from loss_lint.symbolic.describe import conditions
from loss_lint.symbolic.edits import Witness
from loss_lint.symbolic.facts import force_inputs
from loss_lint.symbolic.graph import Atom, Frame, Op, Pass, Site
from loss_lint.symbolic.guards import rests_on_a_hole, subject
from loss_lint.symbolic.machine import Machine
from loss_lint.symbolic.places import Places
from loss_lint.symbolic.root import BACKWARD, Root, evaluate_roots
from loss_lint.symbolic.shape_tests import asks_for_shapes, is_refuted
from loss_lint.symbolic.shapes import forget_shapes
from loss_lint.symbolic.walk import effect


@dataclass(frozen=True, slots=True, eq=False)
class _Located:
    """A match at the place where it stands, with the arguments that led from there to the sink."""

    rule: Rule
    match: Match
    site: Site
    frame: Frame
    moved: tuple[Pass, ...]


class Engine:
    """Runs the rules over the roots of files of one project."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._rules: dict[str, list[Rule]] = {}
        for rule in all_rules():
            for sink in rule.sinks:
                self._rules.setdefault(sink, []).append(rule)

    def examine(self, path: str, repaired: Callable[[Finding], Finding]) -> Report:
        """What the roots of the file at `path` say; `repaired` gives findings their fixes."""
        matches = _Matches()
        for root in evaluate_roots(self._machine, path):
            _match_root(root, self._rules, matches)
        places = Places(self._machine)
        return Report(
            path,
            tuple(_sighting(located, places, repaired) for located in matches.best.values()),
            frozenset(matches.confirmed),
            frozenset(matches.refuted),
        )


# Operations that are most often none of a loss.
_EVERYWHERE = frozenset({"div", "mul", "sum", "mean"})


class _Matches:
    """The plainest match for each place, and what the callers of each sink say of it."""

    def __init__(self) -> None:
        self.best: dict[tuple[str, Site], _Located] = {}
        self.confirmed: set[Sink] = set()
        self.refuted: set[Sink] = set()

    def add(self, rule: Rule, sink: Op, located: list[_Located]) -> None:
        # Of the very many sums and products only those of losses are worth remembering.
        if sink.frame.call is not None and (sink.lossy or sink.name not in _EVERYWHERE):
            (self.confirmed if located else self.refuted).add(Sink(rule.code, sink.site))
        for one in located:
            if not _speaks(one.match):
                continue
            key = (rule.code, one.site)
            known = self.best.get(key)
            if known is None or _rank(one) < _rank(known):
                self.best[key] = one


def _match_root(root: Root, rules_by_sink: dict[str, list[Rule]], matches: _Matches) -> None:
    forget_shapes()
    several: list[tuple[Rule, Op, list[Match]]] = []
    index = 0
    while index < len(root.ops):  # matching forces calls, which adds operations
        op = root.ops[index]
        index += 1
        if effect(op) == "loss" or op.name in BACKWARD:
            force_inputs(op)
        for rule in rules_by_sink.get(op.name, ()):
            assert rule.match is not None
            found = [match for match in rule.match(op, root) if _is_known(match, rule, root)]
            if found:
                several.append((rule, op, found))
            else:
                matches.add(rule, op, [])
    specific = [
        (rule, match) for rule, _, found in several if rule.covers for match in found if _speaks(match)
    ]
    for rule, op, found in several:
        kept = [match for match in found if not _is_covered(rule, match, specific)]
        matches.add(rule, op, [_locate(rule, match) for match in kept])


def _is_known(match: Match, rule: Rule, root: Root) -> bool:
    """Whether nothing that is known speaks against a match, and nothing that is not known had to choose it."""
    if is_refuted(match.guards):
        return False
    deciding = frozenset(_deciding(match))
    if rule.by_shape and asks_for_shapes(deciding):
        return False
    return not rests_on_a_hole(deciding, root.machine.cut_short)


def _speaks(match: Match) -> bool:
    """Whether a match is reported."""
    return not (match.harmless_here or _needs_a_coincidence(match))


def _is_covered(rule: Rule, match: Match, specific: list[tuple[Rule, Match]]) -> bool:
    """Whether another rule says more specifically what is wrong, wherever `match` holds."""
    return any(
        rule.code in other.covers
        and _is_of_the_same(match, its)
        and its.guards <= match.guards | match.sink.guards
        for other, its in specific
    )


def _is_of_the_same(one: Match, other: Match) -> bool:
    """Whether two matches are of one operation: the sink of one leads the other to its culprit, or is that."""
    return any(op is other.sink for op in (one.sink, *one.spine)) or any(op is one.sink for op in other.spine)


def _sighting(located: _Located, places: Places, repaired: Callable[[Finding], Finding]) -> Sighting:
    sink, rule = located.match.sink, located.rule
    return Sighting(
        repaired(_finding(located, places)),
        Sink(rule.code, sink.site),
        _rank(located),
        sink.frame.call is not None,
        rule.unanimous,
    )


def _needs_a_coincidence(match: Match) -> bool:
    """Whether the loss was chosen by one condition and the wrong operand by another that has nothing to do with it."""
    chosen = {subject(atom.condition) for atom in match.sink.chosen}
    deciding = {subject(atom.condition) for atom in _deciding(match)}
    return bool(chosen and deciding) and chosen.isdisjoint(deciding)


def _rank(located: _Located) -> tuple[int, int, int]:
    """The plainest of several ways to the same finding: fewest conditions, then fewest steps."""
    return (len(located.match.guards), len(located.moved), located.frame.depth)


def _locate(rule: Rule, match: Match) -> _Located:
    """Where the finding stands: an operand that came in as an argument moves it to the call.

    A function inside another one reads the outer one's parameters too: it is as innocent.
    """
    site, frame = match.sink.site, match.sink.frame
    moved: list[Pass] = []
    for entered in match.passes:
        if entered.frame.parent is not None and any(entered.frame is one for one in _outwards(frame)):
            site, frame = entered.call, entered.frame.parent
            moved.append(entered)
    return _Located(rule, match, site, frame, tuple(moved))


def _finding(located: _Located, places: Places) -> Finding:
    match, rule = located.match, located.rule
    guards = conditions(_deciding(match), places)
    message = _in_own_words(match.message, match)
    if guards:
        message = f"{message.rstrip('.')} (when {' and '.join(guards)})."
    witness = Witness(
        match.spine[0],
        match.spine,
        match.guards,
        match.edits,
        match.completion,
        match.safe,
        match.fix_message,
    )
    return Finding(
        code=rule.code,
        name=rule.name,
        message=message,
        place=places.place(located.site),
        claim=match.claim,
        trace=tuple(_trace(located, places)),
        guards=guards,
        also=tuple(places.place(call) for call in _calls(located.frame)),
        witness=witness,
    )


def _in_own_words(text: str, match: Match) -> str:
    """The text with the project's own names for those of torch's operations that it uses under these."""
    ops = (match.sink, *match.spine)
    for name, alias in {op.name: op.alias for op in ops if op.alias}.items():
        if all(op.alias == alias for op in ops if op.name == name):
            text = re.sub(rf"\b{re.escape(name)}\b", alias.rpartition(".")[2], text)
    return text


def _deciding(match: Match) -> list[Atom]:
    """The conditions that chose the wrong reading, beyond those on the way to the sink."""
    return [atom for atom in match.guards if atom not in match.sink.guards]


def _outwards(frame: Frame) -> Iterator[Frame]:
    """A frame, and those that its call stands in."""
    current: Frame | None = frame
    while current is not None:
        yield current
        current = current.parent


def _calls(frame: Frame) -> Iterator[Site]:
    for one in _outwards(frame):
        if one.call is None:
            return
        yield one.call


def _trace(located: _Located, places: Places) -> Iterator[Step]:
    match = located.match
    for site, message in match.steps:
        yield Step(places.place(site), _in_own_words(message, match))
    for entered in reversed(match.passes):
        if entered not in located.moved:
            yield Step(places.place(entered.site), "passed on as an argument")
    for entered in reversed(located.moved):
        yield Step(places.place(entered.site), "passed on as an argument")
    if located.moved:
        yield Step(places.place(match.sink.site), _in_own_words(f"{match.sink.name} gets it", match))
    for call in _calls(located.frame):
        yield Step(places.place(call), "called here")

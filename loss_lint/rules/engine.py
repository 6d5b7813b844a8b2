"""Runs the rules over a file's roots and turns their matches into findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loss_lint.findings import Finding, Step
from loss_lint.rules import all_rules
from loss_lint.rules.match import Match
from loss_lint.rules.rule import Rule
from loss_lint.symbolic.describe import conditions
from loss_lint.symbolic.edits import Witness
from loss_lint.symbolic.facts import force_inputs
from loss_lint.symbolic.graph import Atom, Frame, Op, Pass, Site
from loss_lint.symbolic.guards import subject
from loss_lint.symbolic.machine import Machine
from loss_lint.symbolic.places import Places
from loss_lint.symbolic.root import BACKWARD, Root, evaluate_roots
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
    """Lints files of one project; every root is evaluated once, however many files it says something of."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._rules: dict[str, list[Rule]] = {}
        for rule in all_rules():
            for sink in rule.sinks:
                self._rules.setdefault(sink, []).append(rule)
        self._matches: dict[str, _Matches] = {}

    def lint(self, path: str, callers: Sequence[str] = ()) -> tuple[Finding, ...]:
        """All findings whose place, or whose bringing call, is in the file at `path`; sorted.

        `callers` are the files whose roots say what the functions of `path` are called with.
        """
        matches = _Matches()
        for source in (path, *callers):
            matches.update(self._of_roots(source))
        places = Places(self._machine)
        findings = (_finding(located, places) for located in matches.standing())
        shown = (
            finding
            for finding in findings
            if finding.place.path == path or any(place.path == path for place in finding.also)
        )
        return tuple(sorted(shown, key=Finding.sort_key))

    def _of_roots(self, path: str) -> _Matches:
        known = self._matches.get(path)
        if known is None:
            known = self._matches[path] = _Matches()
            for root in evaluate_roots(self._machine, path):
                _match_root(root, self._rules, known)
        return known


class _Matches:
    """The plainest match for each place, and what the callers of each sink say of it."""

    def __init__(self) -> None:
        self._best: dict[tuple[str, Site], _Located] = {}
        self._confirmed: set[tuple[str, Site]] = set()
        self._refuted: set[tuple[str, Site]] = set()

    def add(self, rule: Rule, sink: Op, located: list[_Located]) -> None:
        key = (rule.code, sink.site)
        if sink.frame.call is not None:
            (self._confirmed if located else self._refuted).add(key)
        for one in located:
            if one.match.harmless_here or _needs_a_coincidence(one.match):
                continue
            known = self._best.get((rule.code, one.site))
            if known is None or _rank(one) < _rank(known):
                self._best[(rule.code, one.site)] = one

    def update(self, other: _Matches) -> None:
        """Add what another file's roots say."""
        self._confirmed |= other._confirmed
        self._refuted |= other._refuted
        for key, located in other._best.items():
            known = self._best.get(key)
            if known is None or _rank(located) < _rank(known):
                self._best[key] = located

    def standing(self) -> list[_Located]:
        """The matches that stand: a function's callers know more of its arguments than its defaults do."""
        return [located for located in self._best.values() if self._stands(located)]

    def _stands(self, located: _Located) -> bool:
        sink = located.match.sink
        key = (located.rule.code, sink.site)
        if located.rule.unanimous and key in self._refuted:
            return False
        return sink.frame.call is not None or key not in self._refuted or key in self._confirmed


def _match_root(root: Root, rules_by_sink: dict[str, list[Rule]], matches: _Matches) -> None:
    index = 0
    while index < len(root.ops):  # matching forces calls, which adds operations
        op = root.ops[index]
        index += 1
        if effect(op) == "loss" or op.name in BACKWARD:
            force_inputs(op)
        for rule in rules_by_sink.get(op.name, ()):
            assert rule.match is not None
            matches.add(rule, op, [_locate(rule, match) for match in rule.match(op, root)])


def _needs_a_coincidence(match: Match) -> bool:
    """Whether the loss was chosen by one condition and the wrong operand by another that has nothing to do with it."""
    chosen = {subject(atom.condition) for atom in match.sink.chosen}
    deciding = {subject(atom.condition) for atom in _deciding(match)}
    return bool(chosen and deciding) and chosen.isdisjoint(deciding)


def _rank(located: _Located) -> tuple[int, int, int]:
    """The plainest of several ways to the same finding: fewest conditions, then fewest steps."""
    return (len(located.match.guards), len(located.moved), located.frame.depth)


def _locate(rule: Rule, match: Match) -> _Located:
    """Where the finding stands: an operand that came in as an argument moves it to the call."""
    site, frame = match.sink.site, match.sink.frame
    moved: list[Pass] = []
    for entered in match.passes:
        if entered.frame is frame and frame.parent is not None:
            site, frame = entered.call, frame.parent
            moved.append(entered)
    return _Located(rule, match, site, frame, tuple(moved))


def _finding(located: _Located, places: Places) -> Finding:
    match, rule = located.match, located.rule
    guards = conditions(_deciding(match), places)
    message = match.message
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


def _deciding(match: Match) -> list[Atom]:
    """The conditions that chose the wrong reading, beyond those on the way to the sink."""
    return [atom for atom in match.guards if atom not in match.sink.guards]


def _calls(frame: Frame) -> Iterator[Site]:
    current: Frame | None = frame
    while current is not None and current.call is not None:
        yield current.call
        current = current.parent


def _trace(located: _Located, places: Places) -> Iterator[Step]:
    match = located.match
    for site, message in match.steps:
        yield Step(places.place(site), message)
    for entered in reversed(match.passes):
        if entered not in located.moved:
            yield Step(places.place(entered.site), "passed on as an argument")
    for entered in reversed(located.moved):
        yield Step(places.place(entered.site), "passed on as an argument")
    if located.moved:
        yield Step(places.place(match.sink.site), f"{match.sink.name} gets it")
    for call in _calls(located.frame):
        yield Step(places.place(call), "called here")

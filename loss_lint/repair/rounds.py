"""Fixes applied round by round, the files looked at again after each, until nothing is left to fix.

Nothing is written: the new texts lie over the sources that the linter reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loss_lint.repair.choice import chosen
from loss_lint.repair.text import Unfit, breaks, edited, module_of

if TYPE_CHECKING:
    from loss_lint.findings import Edit, Finding
    from loss_lint.syntax.sources import Snapshot

# Each round applies a fix at least, so findings that wait for each other need as many rounds as there are of them.
# Past these and some more for what comes to light only then, fixes make work for each other.
MAX_FURTHER_ROUNDS = 10

Identity = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """What fixes make of the files: the changed ones' bytes before and after by path, and the findings then.

    `applied` are the findings that were fixed, in the order in which that was done; their places are those of their
    round. `left_out` says of fixes that were not applied, by their finding, why.
    """

    findings: tuple[Finding, ...]
    before: Mapping[str, bytes] = field(default_factory=dict)
    after: Mapping[str, bytes] = field(default_factory=dict)
    applied: tuple[Finding, ...] = ()
    left_out: tuple[tuple[Finding, str], ...] = ()

    def groups(self) -> list[frozenset[str]]:
        """The changed files, those together that a fix changes together."""
        groups = [frozenset({path}) for path in sorted(self.after)]
        for finding in self.applied:
            touched = edited_paths(finding)
            joined = [group for group in groups if group & touched]
            groups = [group for group in groups if group not in joined]
            groups.append(frozenset().union(*joined))
        return sorted((group for group in groups if group), key=sorted)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What repairing needs: files as bytes, how to look at them, and which fixes are wanted.

    `look` gives the findings, sorted, of what the sources hold that it gets. `obstacle` says why a file is not to
    be edited, None where it may be.
    """

    sources: Snapshot
    look: Callable[[Snapshot], Sequence[Finding]]
    wants: Callable[[Finding], bool]
    obstacle: Callable[[str], str | None]

    def over(self, texts: Mapping[str, bytes]) -> Snapshot:
        """The sources with other texts over them."""
        return self.sources.with_files(texts)


def repair(findings: Sequence[Finding], workshop: Workshop) -> Repair:
    """Apply what fixes there are for `findings`, and for what is found after that, until nothing is left.

    A fix is left out where a file that it edits must not be changed, or would not parse then. So are fixes that
    undo each other.
    """
    unsettled: dict[tuple[str, str], Finding] = {}
    while True:
        attempt = _Attempt(workshop, tuple(findings), frozenset(unsettled))
        restless = attempt.run()
        if not restless:
            reason = "it does not settle with the others. Please report this"
            also = tuple((finding, reason) for finding in unsettled.values())
            return attempt.result(also)
        unsettled |= {_kind(finding): finding for finding in restless}


@dataclass(slots=True)
class _Attempt:
    workshop: Workshop
    findings: tuple[Finding, ...]
    unsettled: frozenset[tuple[str, str]]
    before: dict[str, bytes] = field(default_factory=dict)
    after: dict[str, bytes] = field(default_factory=dict)
    applied: list[Finding] = field(default_factory=list)
    left_out: dict[Identity, tuple[Finding, str]] = field(default_factory=dict)

    def run(self) -> Sequence[Finding]:
        """Go on until nothing is left to fix; gives the findings whose fixes never come to an end, if there are."""
        seen = [dict(self.after)]
        rounds = MAX_FURTHER_ROUNDS + sum(map(self.workshop.wants, self.findings))
        for _ in range(rounds):
            done = self._round()
            if not done:
                return ()
            if self.after in seen:
                return done
            seen.append(dict(self.after))
            self.applied += done
            self.findings = tuple(self.workshop.look(self.workshop.over(self.after)))
        return self._candidates()

    def result(self, left_out: tuple[tuple[Finding, str], ...]) -> Repair:
        changed = {path for path, data in self.after.items() if data != self.before[path]}
        return Repair(
            self.findings,
            {path: self.before[path] for path in sorted(changed)},
            {path: self.after[path] for path in sorted(changed)},
            tuple(self.applied),
            (*self.left_out.values(), *left_out),
        )

    def _round(self) -> list[Finding]:
        """Apply the fixes that go together; gives their findings."""
        together = chosen(self._candidates())
        if not together:
            return []
        try:
            self.after |= self._edited(together)
        except Unfit:
            together = self._one_by_one(together)
        return together

    def _candidates(self) -> list[Finding]:
        return [finding for finding in self.findings if self.workshop.wants(finding) and self._may(finding)]

    def _may(self, finding: Finding) -> bool:
        if _kind(finding) in self.unsettled:
            return False
        identity = self._identity(finding)
        if identity in self.left_out:
            return False
        for path in sorted(edited_paths(finding)):
            reason = self.workshop.obstacle(path)
            if reason is not None:
                self.left_out[identity] = (finding, reason)
                return False
        return True

    def _one_by_one(self, together: Sequence[Finding]) -> list[Finding]:
        """Apply those fixes that can be, in turn: where all together do not fit, one of them is the reason."""
        done: list[Finding] = []
        texts: dict[str, bytes] = {}
        for finding in together:
            try:
                texts = self._edited([*done, finding])
            except Unfit as error:
                self.left_out[self._identity(finding)] = (finding, str(error))
            else:
                done.append(finding)
        self.after |= texts
        return done or self._round()

    def _edited(self, findings: Iterable[Finding]) -> dict[str, bytes]:
        """The texts after the findings' fixes, by path; raises Unfit."""
        edits: dict[str, list[Edit]] = {}
        for finding in findings:
            for edit in finding.fix.edits if finding.fix is not None else ():
                edits.setdefault(edit.place.path, []).append(edit)
        texts: dict[str, bytes] = {}
        for path, own in edits.items():
            before = self._bytes(path)
            texts[path] = edited(path, before, own)
            if breaks(path, before, texts[path]):
                raise Unfit("a file would not parse after it. Please report this")
        return texts

    def _bytes(self, path: str) -> bytes:
        known = self.after.get(path)
        if known is not None:
            return known
        try:
            self.before[path] = self.workshop.sources.file(path)
        except (OSError, ValueError):
            raise Unfit("a file that it edits cannot be read") from None
        return self.before[path]

    def _identity(self, finding: Finding) -> Identity:
        """What a finding is known by in another round, in which it may have moved."""
        fix = finding.fix
        edits = () if fix is None else tuple((edit.place.path, edit.content) for edit in fix.edits)
        return (*_kind(finding), edits, self._line(finding))

    def _line(self, finding: Finding) -> bytes:
        try:
            path = finding.place.path
            lines = module_of(path, self._bytes(path)).splitlines()
        except Unfit:
            return b""
        return lines[finding.place.line - 1] if finding.place.line <= len(lines) else b""


def edited_paths(finding: Finding) -> frozenset[str]:
    """The files that a finding's fix edits."""
    return (
        frozenset(edit.place.path for edit in finding.fix.edits) if finding.fix is not None else frozenset()
    )


def _kind(finding: Finding) -> tuple[str, str]:
    return finding.place.path, finding.code

"""What the static check, the harness and the watcher each say of one case, and whether they agree."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from loss_lint.harness.confirm import confirm_all
from loss_lint.harness.examples import example
from loss_lint.harness.lowering import Unrunnable
from loss_lint.linter import lint
from loss_lint.rules import all_rules, docstring
from loss_lint.syntax.sources import Folder
from loss_lint.watching import script
from loss_lint.watching.agreement import evidence_of_run, is_same
from loss_lint.watching.api import Watch
from loss_lint.watching.kinds import SEEN
from loss_lint.watching.rehearsal import Rehearsal, heard, rehearse
from loss_lint.watching.session import Session

if TYPE_CHECKING:
    from loss_lint.findings import Evidence, Finding

# "finds": reports it unasked; "confirms": told where to look, computes what is claimed; "silent": does not report it;
# "refutes": computes something else than is claimed; "blind": cannot tell; "-": is not asked.
Outcome = Literal["finds", "confirms", "silent", "refutes", "blind", "-"]
# A finding's expression as flagged and as fixed, a program without a finding, one that ran.
Kind = Literal["flagged", "fixed", "right", "run"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one of the three says: `detail` is what was measured, or why it is blind."""

    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One case: a code at a place, or a whole program in which nothing is found (code "", line 0)."""

    code: str
    path: str
    line: int
    kind: Kind
    static: Answer
    harness: Answer
    watcher: Answer

    @property
    def answers(self) -> tuple[Answer, Answer, Answer]:
        return self.static, self.harness, self.watcher

    @property
    def agrees(self) -> bool:
        """Whether none says the opposite of another one; who is blind or not asked says nothing."""
        said = {answer.outcome for answer in self.answers} - {"blind", "-"}
        if self.kind in ("fixed", "right"):
            return said <= {"silent"}
        return "refutes" not in said and (said <= {"silent"} or "silent" not in said)


_NOT_ASKED = Answer("-")
_SILENT = Answer("silent")
_NOT_RUN = Answer("blind", "the source of a file is not run")
_OF_THE_RUN = Answer("blind", "it follows from what only a run knows")
_NO_RULE = Answer("blind", "no static rule claims it")
# Why a run cannot show what a rule claims, where that is the rule's own nature.
_BLIND: dict[str, str] = {
    "LOS103": "a watcher does not follow what is logged over an epoch",
    "LOS205": "the numbers differ for large logits only",
    "LOS208": "the numbers differ for large logits only",
    "LOS402": "a watcher hears a loss called, not constructed",
    "LOS502": "a watcher does not follow what is kept after backward",
    "LOS601": "the order differs in another process only",
    "LOS602": "a watcher does not know which numbering was meant",
    "LOS604": "torch raises before a loss is called",
}


def of_examples(codes: Sequence[str] = ()) -> Iterator[Case]:
    """The examples of the rules' own pages (of `codes`, if any are given): what they flag, and what they ask for."""
    with tempfile.TemporaryDirectory(prefix="examples-") as folder:
        for rule in all_rules():
            shown = example(docstring(rule))
            if not rule.claim or shown is None or (codes and rule.code not in codes):
                continue
            bad, good = Path(folder, f"{rule.name}.py"), Path(folder, f"{rule.name}-instead.py")
            bad.write_text(shown.bad, encoding="utf-8")
            good.write_text(shown.good, encoding="utf-8")
            left = any(one.code == rule.code for one in lint(str(good), Folder()))
            for case in of_file(str(bad), (rule.code,)):
                static = case.static if case.kind == "flagged" else Answer("finds" if left else "silent")
                yield replace(case, path=f"{rule.name}.md", static=static)


def of_file(path: str, codes: Sequence[str] = ()) -> Iterator[Case]:
    """The findings in a file (of `codes`, if any are given), each as flagged and as fixed; nothing of it is run.

    A file without any is one case.
    """
    found = _found(path, codes)
    for finding in confirm_all(found):
        yield from _of_finding(finding)
    if not found:
        yield Case("", path, 0, "right", _SILENT, _NOT_ASKED, _NOT_RUN)


def _found(path: str, codes: Sequence[str]) -> list[Finding]:
    return [one for one in lint(path, Folder()) if one.claim and (not codes or one.code in codes)]


def _of_finding(finding: Finding) -> Iterator[Case]:
    line, path = finding.place.line, finding.place.path
    harness = _measured(finding, finding.evidence)
    yield Case(finding.code, path, line, "flagged", Answer("finds"), harness, _watched(finding))
    yield Case(finding.code, path, line, "fixed", _NOT_ASKED, _NOT_ASKED, _watched_as_fixed(finding))


def _measured(finding: Finding, evidence: Evidence | None) -> Answer:
    """What the harness says, which is asked to bear a finding out."""
    if evidence is None or evidence.verdict == "unmeasured":
        return Answer("blind", evidence.error or "" if evidence is not None else "not measured")
    return Answer("confirms" if evidence.verdict in finding.claim else "refutes", evidence.verdict)


def _watched(finding: Finding) -> Answer:
    try:
        seen = rehearse(finding)
    except Unrunnable as error:
        return Answer("blind", str(error))
    return _asked(finding, seen)


def _asked(finding: Finding, seen: Rehearsal) -> Answer:
    """What a run says of a finding: that it found it, or what the finding's expression gives on its own tensors."""
    if seen.failures:
        return _failed(seen)
    if any(is_same(one, finding) for one in seen.findings):
        return Answer("finds")
    evidence = evidence_of_run(finding, seen.sites)
    if evidence is not None and evidence.verdict in finding.claim:
        return Answer("confirms", evidence.verdict)
    if finding.code in _BLIND:
        return Answer("blind", _BLIND[finding.code])
    if finding.code in SEEN:
        return Answer("blind", "what it listens for is not there")
    if evidence is None:
        return Answer("blind", seen.error or "its expression holds no call of a loss")
    if evidence.verdict == "unmeasured":
        return Answer("blind", evidence.error or "")
    if evidence.verdict == "none":  # a mask that masks nothing, a batch of one
        return Answer("blind", "on the tensors of the run the numbers are equal")
    return Answer("refutes", evidence.verdict)


def _failed(seen: Rehearsal) -> Answer:
    return Answer("refutes", f"loss-lint failed while watching ({seen.failures[0]})")


def _watched_as_fixed(finding: Finding) -> Answer:
    try:
        seen = rehearse(finding, as_fixed=True)
    except Unrunnable as error:
        return Answer("blind", str(error))
    if seen.failures:
        return _failed(seen)
    found = [one for one in seen.findings if one.code == finding.code]
    return Answer("finds", found[0].message) if found else _SILENT


def of_script(path: str, codes: Sequence[str] = ()) -> Iterator[Case]:
    """A program that is run under a watch: what the check or the watcher finds, each place one case."""
    path = os.path.abspath(path)
    static = confirm_all(_found(path, codes))
    seen = _run(path)
    if codes:
        seen = replace(seen, findings=tuple(one for one in seen.findings if one.code in codes))
    matched: set[Finding] = set()
    for finding in static:
        matched.update(one for one in seen.findings if is_same(one, finding))
        watcher = _asked(finding, seen)
        harness = _measured(finding, finding.evidence)
        yield Case(finding.code, path, finding.place.line, "run", Answer("finds"), harness, watcher)
    for one in seen.findings:
        if one not in matched:
            blind = _NO_RULE if one.code.startswith("LOSW") else _OF_THE_RUN
            measured = (
                Answer("confirms", one.evidence.verdict) if _holds(one) and one.evidence else _NOT_ASKED
            )
            yield Case(one.code, path, one.place.line, "run", blind, measured, Answer("finds"))
    if not static and not seen.findings:
        yield Case("", path, 0, "run", _SILENT, _NOT_ASKED, _failed(seen) if seen.failures else _SILENT)


def _holds(finding: Finding) -> bool:
    return finding.evidence is not None and finding.evidence.verdict in finding.claim


def _run(path: str) -> Rehearsal:
    """Run a program; what it writes is left out, as its traceback is."""
    program = script.script(path)
    session = Session(Watch(on_finding="collect", check=False, isolated=True))
    error: BaseException | None = None
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with script.as_main(program, [path]) as main:
                exec(program.code, main.__dict__)  # noqa: S102 - it is what was asked for
        except (Exception, SystemExit) as raised:  # noqa: BLE001 - the program's own
            error = raised
        return heard(session, error)

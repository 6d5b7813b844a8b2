"""One watched run: when torch is listened to, and what becomes of what is found."""

from __future__ import annotations

import os
import threading
import time
import weakref
from dataclasses import replace
from threading import get_ident
from typing import TYPE_CHECKING, Any

from torch.compiler import is_compiling
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils._device import DeviceContext

from loss_lint.findings import Finding, Step
from loss_lint.selection import known_codes
from loss_lint.syntax.noqa import Suppressions
from loss_lint.syntax.sources import Folder, Snapshot
from loss_lint.watching.agreement import agreements, confirmed, doubt, static_findings
from loss_lint.watching.api import LossMisuse, configuration
from loss_lint.watching.evidence import evidence_for
from loss_lint.watching.observer import (
    Observer,
    active_modes,
    compiles,
    innermost,
    pop_mode,
    push_mode,
    take_out,
)
from loss_lint.watching.postmortem import explain
from loss_lint.watching.recorder import Recorder, Refused
from loss_lint.watching.sites import is_due

if TYPE_CHECKING:
    from loss_lint.watching.api import Watch
    from loss_lint.watching.causes import Cause

# What one call of a torch function costs more under a mode, in seconds of CPU time, generously.
_CALL_COST = 5e-6
# What watching may cost beside the steps that are always looked at: so much at once, that share of a step for the first
# seconds, and a smaller one for good.
_ALLOWANCE = 0.02
_BUDGET, _LATER_BUDGET = 0.03, 0.01
_FIRST_SECONDS = 5.0

_local = threading.local()
_alive: weakref.WeakSet[Run] = weakref.WeakSet()


class Run:
    """What one thread's watches share: the eyes, and everything found so far."""

    def __init__(self, watch: Watch) -> None:
        self.is_alive = True
        self.watches = [watch]
        self.findings: list[Finding] = []
        self.late: list[Finding] | None = None
        self.doubts: list[str] = []
        self.recorder = Recorder(self._found)
        self._sources = Snapshot(Folder())
        self._suppressions = Suppressions(self._sources)
        watch.validate()
        self._configuration = configuration(watch)
        self._names = {rule.code: rule.name for rule in known_codes()}
        self._observer = Observer(self.recorder.handlers)
        self._thread = get_ident()
        self._steps = 0
        self._listening = False
        self._below: tuple[int, Any] = innermost()
        self._began = time.perf_counter()
        self._paused = False
        self._hooks = (
            register_optimizer_step_pre_hook(self._stepping),
            register_optimizer_step_post_hook(self._stepped),
        )
        _alive.add(self)
        self._listen()

    # Listening

    def _listen(self) -> None:
        push_mode(self._observer)
        self._listening = True

    def _stop_listening(self) -> bool:
        """Take the observer off, unless the program has put a mode of its own above it."""
        if innermost()[1] is not self._observer:
            return False
        pop_mode()
        self._listening = False
        self._below = innermost()
        return True

    def _may_listen(self) -> bool:
        """Whether the modes are those that there were when listening stopped; a default device may come and go."""
        return innermost() == self._below or active_modes()[-1:] == [
            mode for mode in self._below[1:] if mode is not None and not isinstance(mode, DeviceContext)
        ]

    def _concerns(self) -> bool:
        """Whether an optimizer's step is one of this run's, which is known by its thread."""
        return self.is_alive and get_ident() == self._thread and not is_compiling()

    def _stepping(self, _: object, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        """Before an optimizer's step, which holds no loss, unless the program gave it a closure."""
        if not self._listening or not self._concerns():
            return
        has_closure = kwargs.get("closure") is not None or (len(args) > 1 and args[1] is not None)
        self._paused = not has_closure and self._stop_listening()

    def _stepped(self, *_: object) -> None:
        """After an optimizer's step: end a cycle, and decide whether to listen to the next one."""
        if not self._concerns():
            return
        self._steps += 1
        if not (self._listening or self._paused):
            if self._wants() and self._may_listen():
                self.recorder.resumed(self._steps)
                self._listen()
            return
        self.recorder.stepped(self._steps)
        wants = self._wants()
        if wants and self._paused and self._may_listen():
            self._listen()
        elif not wants and self._listening:
            self._stop_listening()
        self._paused = False

    def _wants(self) -> bool:
        """Whether to listen to the next step: always to few, more and more rarely, to others while that costs little.

        Graphs that torch compiles know which modes were active: once there are any, listening does not stop.
        """
        if is_due(self._steps + 1):
            return True
        spent = self._observer.calls * _CALL_COST + self.recorder.spent
        lasted = time.perf_counter() - self._began
        first = min(lasted, _FIRST_SECONDS)
        return spent < _ALLOWANCE + _BUDGET * first + _LATER_BUDGET * (lasted - first) or compiles()

    def close(self) -> None:
        """Leave nothing behind."""
        self.is_alive = False
        _alive.discard(self)
        for hook in self._hooks:
            hook.remove()
        if self._listening:
            self._listening = False
            take_out(self._observer)
        if getattr(_local, "run", None) is self:
            _local.run = None

    # Findings

    def _found(self, cause: Cause) -> None:
        """A new cause: made a finding, if it is asked for, and told to the innermost watch."""
        finding = self._as_finding(cause)
        if finding is None:
            return
        self.findings.append(finding)
        if self.late is not None:
            self.late.append(finding)
            return
        try:
            self.watches[-1].tell(finding)
        except Exception as error:
            raise Refused(error) from error

    def _as_finding(self, cause: Cause) -> Finding | None:
        place, library = cause.call.place, cause.call.inside
        if cause.code not in self._configuration.codes(os.path.abspath(place.path)):
            return None
        steps = [Step(call.place, text) for call, text in cause.steps]
        if library is not None:
            steps.append(Step(library, "torch is called here"))
        finding = Finding(
            code=cause.code,
            name=self._names[cause.code],
            message=f"{cause.message} {cause.seen}".rstrip(),
            place=place,
            claim=cause.claim,
            trace=tuple(steps),
        )
        also = () if library is None else (library,)
        if self._suppressions.silences(replace(finding, also=also)):
            return None
        return replace(finding, evidence=evidence_for(cause))

    def look_back(self, error: BaseException | None) -> list[Finding]:
        """What the end, or the exception that ended the run, allows to say: the findings that are new."""
        self.late = []
        if error is not None and not isinstance(error, LossMisuse):
            self.recorder.explain(lambda: explain(error, self.recorder))
        self.recorder.finish()
        late, self.late = self.late, None
        return late

    def compare(self) -> None:
        """Say of each finding whether the static check agrees, and add what it finds and the run confirms."""
        try:
            self._compare()
        except Exception as error:  # noqa: BLE001 - the run has been watched to its end
            self.recorder.failed(error)

    def _compare(self) -> None:
        sites = [site for site in self.recorder.sites.values() if site.looks]
        static = static_findings(sites, self._sources, self._configuration.conventions)
        wanted = [finding for finding in static if self._is_wanted(finding)]
        found: dict[Finding, Finding] = {finding: finding for finding in self.findings}
        for agreement in agreements(wanted, list(found), sites):
            if agreement.found is not None:
                found[agreement.found] = confirmed(agreement)
            elif agreement.is_confirmed:
                found[agreement.static] = confirmed(agreement)
            else:
                self.doubts.append(doubt(agreement))
        self.findings[:] = found.values()

    def _is_wanted(self, finding: Finding) -> bool:
        codes = self._configuration.codes(os.path.abspath(finding.place.path))
        return finding.code in codes and not self._suppressions.silences(finding)


class Session:
    """One watch that is running: a run of its own, or a part of the one that runs in this thread already."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._pid = os.getpid()
        outer: Run | None = getattr(_local, "run", None)
        self._is_outermost = outer is None or not outer.is_alive
        if outer is None or self._is_outermost:
            outer = _local.run = Run(watch)
        else:
            outer.watches.append(watch)
        self.run = outer
        self._began = len(outer.findings)
        self._calls = self._count()
        self.late: tuple[Finding, ...] = ()

    def end(self, error: BaseException | None) -> tuple[Finding, ...] | None:
        """What was found while it ran, sorted; None in a process that a fork made of the one that was watched."""
        run = self.run
        if os.getpid() != self._pid or not run.is_alive:
            return None
        late = run.look_back(error)
        self._calls = self._count() - self._calls
        run.watches.remove(self._watch)
        if self._is_outermost:
            run.close()
            if self._watch.check:
                run.compare()
        self.late = tuple(late)
        return tuple(sorted(run.findings[self._began :], key=Finding.sort_key))

    @property
    def is_told_by_another(self) -> bool:
        """Whether a watch around this one reports what this one finds, too."""
        return any(watch.is_reported for watch in self.run.watches)

    def _count(self) -> int:
        return sum(site.calls for site in self.run.recorder.sites.values())

    @property
    def calls(self) -> int:
        """How many calls of losses were heard."""
        return self._calls

    @property
    def notes(self) -> tuple[str, ...]:
        failures = self.run.recorder.failures
        return (
            *self.run.doubts,
            *(f"loss-lint failed while watching ({failure}); please report this" for failure in failures),
        )


def _forget() -> None:
    """In a process that a fork made: what is inherited is not watched."""
    for run in list(_alive):
        run.is_alive = False
        take_out(run._observer)  # noqa: SLF001
    _alive.clear()


os.register_at_fork(after_in_child=_forget)

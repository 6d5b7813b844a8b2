"""Many files to findings: screened in this process, linted in as many as it pays to start."""

from __future__ import annotations

import gc
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loss_lint.conventions import USUAL, Conventions
from loss_lint.findings import Finding, Place
from loss_lint.selection import INTERNAL_ERROR
from loss_lint.sightings import Report, judge, seen_in, single
from loss_lint.syntax.screen import is_python_of_torch
from loss_lint.syntax.sources import is_notebook, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ProcessPoolExecutor

    from loss_lint.cache import Cache
    from loss_lint.linter import Linter
    from loss_lint.syntax.sources import Sources

Findings = tuple[Finding, ...]

# A syntax check costs about a tenth of what linting does.
_CHECK_COST = 0.1
# A process is worth its start from about this many bytes on.
_BYTES_PER_JOB = 100_000
# The cyclic garbage collector visits every tree that is alive, again and again; it runs when this much
# source has been linted, which bounds what cycles can hold.
_BYTES_PER_COLLECTION = 200_000_000


@dataclass(frozen=True, slots=True)
class Task:
    """A file that has gone past the screen, and what it will cost, in bytes to lint."""

    path: str
    cost: float


@dataclass(frozen=True, slots=True)
class Run:
    """What a run found: sorted findings, and how often a limit on work was met, by its name.

    `looked_at` are the files and folders that it followed from.
    """

    findings: Findings
    limits: tuple[tuple[str, int], ...] = ()
    looked_at: frozenset[str] = field(default=frozenset(), compare=False, repr=False)


@dataclass(slots=True)
class Job:
    """What examining a file needs besides its path; it travels to other processes."""

    linter: Linter
    cache: Cache | None = None
    begins: Callable[[str], None] | None = None

    def report(self, path: str) -> Report:
        """What one file says; an exception becomes a finding that asks for a report."""
        if self.begins is not None:
            self.begins(path)
        try:
            found = self.linter.examine(path)
        except Exception as error:  # noqa: BLE001 - the outermost edge: one file must not end the run
            self.linter.start_afresh()
            return single(path, internal_error(path, f"{type(error).__name__}: {error}"))
        if self.cache is not None:
            self.cache.store(found)
        return found


def lint_files(
    paths: Iterable[str],
    sources: Sources,
    *,
    roots: Sequence[str] = (),
    jobs: int | None = None,
    cache: Callable[[Linter], Cache] | None = None,
    begins: Callable[[str], None] | None = None,
    conventions: Callable[[str], Conventions] | None = None,
) -> Run:
    """All findings in `paths`, sorted; the same for every number of jobs.

    `roots` are the folders that were asked for. `jobs` is the number of processes, by default as many as the
    work is worth. Findings of other processes or of the cache carry no witness. `begins` hears the path of
    each file that is about to be looked at, in this process. `conventions` tells what a file's project means by
    its own names.
    """
    from loss_lint.linter import Linter

    given = dict.fromkeys(paths)
    alike: dict[Conventions, list[str]] = {}
    for path in given:
        alike.setdefault(USUAL if conventions is None else conventions(path), []).append(path)
    sources = snapshot(sources)
    runs: list[Run] = []
    caches: list[Cache] = []
    for meant, own in alike.items():
        linter = Linter(sources, roots, meant)
        if cache is not None:
            caches.append(cache(linter))
        job = Job(linter, caches[-1] if caches else None, begins)
        runs.append(_lint_alike(own, given.keys() - set(own), job, jobs))
    if caches:
        caches[0].tidy(caches)
    if len(runs) == 1:
        return runs[0]
    limits: Counter[str] = Counter()
    for run in runs:
        limits.update(dict(run.limits))
    found = {finding for run in runs for finding in run.findings}
    looked_at = frozenset[str]().union(*(run.looked_at for run in runs))
    return Run(tuple(sorted(found, key=Finding.sort_key)), tuple(sorted(limits.items())), looked_at)


def _lint_alike(
    paths: Sequence[str],
    others: AbstractSet[str],
    job: Job,
    jobs: int | None,
) -> Run:
    """All findings in files of the same conventions; `others` are linted with theirs."""
    given = dict.fromkeys(paths)
    linter = job.linter
    reports = _Reports(job, jobs)
    reports.add(given)
    # What calls into a file judges it, be it among the given ones or not.
    for path in given:
        if not linter.project.is_covered_by(path, given):
            reports.add(linter.relevance.callers(path))
    # A file that is not among the given ones is judged where one of them brings parts together.
    groups = {path: (path, *linter.relevance.callers(path)) for path in sorted(seen_in(reports.all()))}
    reports.add(path for group in groups.values() for path in group)
    # No module imports a notebook, but those that were asked for judge the modules that they use.
    notebooks = [report for report in reports.all() if is_notebook(report.path)]
    groups = {
        path: (*group, *(one.path for one in notebooks if path in one.files and path != one.path))
        for path, group in groups.items()
    }
    found = {
        finding
        for path, group in groups.items()
        for finding in judge(path, [reports[one] for one in group])
        if path in given or (path not in others and any(place.path in given for place in finding.also))
    }
    return Run(tuple(sorted(found, key=Finding.sort_key)), reports.limits(given), reports.looked_at())


class _Reports:
    """Reports by file, made when they are asked for."""

    def __init__(self, job: Job, jobs: int | None) -> None:
        self._job = job
        self._jobs = jobs
        self._made: dict[str, Report] = {}

    def __getitem__(self, path: str) -> Report:
        return self._made[path]

    def all(self) -> Sequence[Report]:
        return list(self._made.values())

    def add(self, paths: Iterable[str]) -> None:
        """Make the reports of `paths` that are not there yet."""
        with _without_automatic_collection():
            tasks: list[Task] = []
            for path in paths:
                if path not in self._made:
                    self._made[path] = Report(path)  # until there is another
                    task = self._screen(path)
                    if task is not None:
                        tasks.append(task)
            count = _job_count(tasks, self._jobs)
            results = (
                _in_processes(tasks, self._job, count) if count > 1 else _in_this_process(tasks, self._job)
            )
            for report in results:
                self._made[report.path] = report
                if self._job.cache is not None:
                    self._job.cache.has_stored(report.path)

    def _screen(self, path: str) -> Task | None:
        """What there is to do for a file; nothing if no loss is in sight, or what it says is remembered."""
        linter, cache = self._job.linter, self._job.cache
        if self._job.begins is not None:
            self._job.begins(path)
        try:
            if is_notebook(path) and linter.relevance.is_out_of_sight(path):
                return None
            data = linter.project.sources.read(path)
        except (OSError, ValueError):
            return Task(path, 0)
        relevant = linter.is_relevant(path, data)
        if not relevant and not is_python_of_torch(data):
            return None
        if cache is not None and (known := cache.load(path)) is not None:
            self._made[path] = known
            return None
        return Task(path, len(data) * (1 if relevant else _CHECK_COST))

    def looked_at(self) -> frozenset[str]:
        """The files and folders that the reports followed from."""
        looked_at = {path for report in self._made.values() for path in (*report.files, *report.folders)}
        return frozenset(looked_at)

    def limits(self, paths: Iterable[str]) -> tuple[tuple[str, int], ...]:
        """How often the files met a limit on work, by the limit's name."""
        counts: dict[str, int] = {}
        for path in paths:
            for name, count in self._made[path].limits:
                counts[name] = counts.get(name, 0) + count
        return tuple(sorted(counts.items()))


def internal_error(path: str, cause: str) -> Finding:
    """The finding that stands for a defect of loss-lint itself."""
    cause = " ".join(cause.split())
    message = f"loss-lint failed on this file ({cause[:200]}). Please report this, with the file if you can."
    return Finding(INTERNAL_ERROR, "internal-error", message, Place(path, 1, 1, 1, 1))


def _job_count(tasks: Sequence[Task], jobs: int | None) -> int:
    if jobs is not None:
        return min(jobs, len(tasks))
    useful = int(sum(task.cost for task in tasks) / _BYTES_PER_JOB)
    return max(1, min(useful, _usable_cores(), len(tasks)))


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Collector:
    """Collects garbage when enough has been linted since the last time.

    What survives is looked at again only where modules have been dropped.
    """

    def __init__(self, linter: Linter) -> None:
        self._linter = linter
        self._since = 0.0

    def linted(self, cost: float) -> None:
        self._since += cost
        if self._since >= _BYTES_PER_COLLECTION:
            if self._linter.dropped_bytes >= _BYTES_PER_COLLECTION:
                gc.unfreeze()
                self._linter.dropped_bytes = 0
            gc.collect()
            gc.freeze()
            self._since = 0


@contextmanager
def _without_automatic_collection() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _in_this_process(tasks: Iterable[Task], job: Job) -> Iterator[Report]:
    collector = _Collector(job.linter)
    for task in tasks:
        yield job.report(task.path)
        collector.linted(task.cost)


def _in_processes(tasks: Sequence[Task], job: Job, count: int) -> Iterator[Report]:
    """Reports in the order in which processes finish; large files first, so that none is left over."""
    waiting = {task.path: task for task in sorted(tasks, key=lambda task: (-task.cost, task.path))}
    while waiting:
        yield from _until_broken(waiting, job, count)
        # A file that ended its process (too little memory, a crash of the interpreter) was being linted:
        # tasks start in order, so it is among the first that are left. Only these need a process each.
        for task in list(waiting.values())[:count]:
            yield _alone(task, job)
            del waiting[task.path]


def _until_broken(waiting: dict[str, Task], job: Job, count: int) -> Iterator[Report]:
    """Lint what is waiting, and take it from there, until all is done or a process has ended early."""
    from concurrent.futures import as_completed
    from concurrent.futures.process import BrokenProcessPool

    with suppress(BrokenProcessPool), _pool(min(count, len(waiting)), job) as pool:
        futures = {pool.submit(_report_remotely, task): path for path, task in waiting.items()}
        try:
            for future in as_completed(futures):
                report = future.result()
                del waiting[futures[future]]
                yield report
        finally:
            pool.shutdown(cancel_futures=True)


def _alone(task: Task, job: Job) -> Report:
    from concurrent.futures.process import BrokenProcessPool

    try:
        with _pool(1, job) as pool:
            return pool.submit(_report_remotely, task).result()
    except BrokenProcessPool:
        return single(task.path, internal_error(task.path, "its process ended"))


def _pool(count: int, job: Job) -> ProcessPoolExecutor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Forking shares what is imported already; where threads make it unsafe, processes start afresh.
    can_fork = sys.platform == "linux" and _is_single_threaded()
    if can_fork:
        import loss_lint.linter  # noqa: F401
    context = multiprocessing.get_context("fork" if can_fork else "spawn")
    return ProcessPoolExecutor(count, context, initializer=_start_worker, initargs=(job,))


def _is_single_threaded() -> bool:
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


_worker_job: Job
_worker_collector: _Collector


def _start_worker(job: Job) -> None:
    global _worker_job, _worker_collector
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    _worker_job, _worker_collector = job, _Collector(job.linter)
    gc.disable()
    gc.freeze()


def _report_remotely(task: Task) -> Report:
    found = _worker_job.report(task.path)
    _worker_collector.linted(task.cost)
    return found.without_witnesses()


def witnessed(findings: Iterable[Finding], linter: Linter) -> Iterator[Finding]:
    """The findings with the witnesses that other processes and the cache leave out."""
    known: dict[str, dict[Finding, Finding]] = {}
    for finding in findings:
        path = finding.place.path
        if finding.witness is None and path not in known:
            known[path] = {again: again for again in linter.lint(path)}
        yield known.get(path, {}).get(finding, finding)

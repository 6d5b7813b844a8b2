"""Many files to findings: screened in this process, linted in as many as it pays to start."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from loss_lint.findings import Finding, Place
from loss_lint.selection import INTERNAL_ERROR
from loss_lint.syntax.screen import is_python_of_torch, is_relevant
from loss_lint.syntax.sources import Overlay

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

    from loss_lint.cache import Cache
    from loss_lint.syntax.sources import Sources

Findings = tuple[Finding, ...]

# A syntax check costs about a tenth of what linting does.
_CHECK_COST = 0.1
# A process is worth its start from about this many bytes on.
_BYTES_PER_JOB = 100_000
# The cyclic garbage collector visits every tree that is alive, again and again; it runs when this much
# source has been linted, which bounds what cycles can hold.
_BYTES_PER_COLLECTION = 4_000_000


@dataclass(frozen=True, slots=True)
class Task:
    """A file that has gone past the screen, and what it will cost, in bytes to lint."""

    path: str
    cost: float


@dataclass(frozen=True, slots=True)
class Job:
    """What linting one file needs besides its path; it travels to other processes."""

    sources: Sources
    cache: Cache | None = None

    def lint(self, path: str) -> Findings:
        """The findings of one file; an exception becomes a finding that asks for a report."""
        try:
            data = self.sources.read(path)
        except OSError:
            return _lint(path, self.sources)[0]
        if self.cache is None:
            return self._examine(path, data, self.sources)[0]
        from loss_lint.cache import Recorder

        recorder = Recorder(self.sources)
        found, dependencies = self._examine(path, data, recorder)
        if not any(finding.code == INTERNAL_ERROR for finding in found):
            self.cache.store(path, data, found, dependencies, recorder)
        return found

    @staticmethod
    def _examine(path: str, data: bytes, sources: Sources) -> tuple[Findings, tuple[str, ...]]:
        if not is_relevant(data) and _parses(path, data):
            return (), ()
        return _lint(path, Overlay(sources, {path: data}))


def lint_files(
    paths: Iterable[str], sources: Sources, *, jobs: int | None = None, cache: Cache | None = None
) -> Findings:
    """All findings in `paths`, sorted; the same for every number of jobs.

    `jobs` is the number of processes, by default as many as the work is worth. Findings of other
    processes or of the cache carry no witness.
    """
    found: set[Finding] = set()
    tasks: list[Task] = []
    for path in paths:
        screened = _screen(path, sources, cache)
        if isinstance(screened, Task):
            tasks.append(screened)
        else:
            found.update(screened)
    job = Job(sources, cache)
    count = _job_count(tasks, jobs)
    results = _in_processes(tasks, job, count) if count > 1 else _in_this_process(tasks, job)
    with _without_automatic_collection():
        for findings in results:
            found.update(findings)
    return tuple(sorted(found, key=Finding.sort_key))


def _screen(path: str, sources: Sources, cache: Cache | None) -> Task | Findings:
    """What is known of a file without parsing it: that there is work to do, or its findings."""
    try:
        data = sources.read(path)
    except OSError:
        return Task(path, 0)
    if not is_python_of_torch(data):
        return ()
    if cache is not None and (known := cache.load(path, data)) is not None:
        return known
    return Task(path, len(data) * (1 if is_relevant(data) else _CHECK_COST))


def _parses(path: str, data: bytes) -> bool:
    """Whether the interpreter accepts the file; linting it anew says why not.

    A symbol table is built without Python objects for the tree, in half of its time.
    """
    import symtable
    import warnings

    from loss_lint.syntax.module import decode

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            symtable.symtable(decode(data), path, "exec")
    except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError):
        return False
    return True


def _lint(path: str, sources: Sources) -> tuple[Findings, tuple[str, ...]]:
    try:
        from loss_lint.linter import lint

        result = lint(path, sources)
    except Exception as error:  # noqa: BLE001 - the outermost edge: one file must not end the run
        return (internal_error(path, f"{type(error).__name__}: {error}"),), ()
    return result.findings, result.dependencies


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
    """Collects garbage when enough has been linted since the last time."""

    def __init__(self) -> None:
        self._since = 0.0

    def linted(self, cost: float) -> None:
        self._since += cost
        if self._since >= _BYTES_PER_COLLECTION:
            gc.collect()
            self._since = 0.0


@contextmanager
def _without_automatic_collection() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _in_this_process(tasks: Iterable[Task], job: Job) -> Iterator[Findings]:
    collector = _Collector()
    for task in tasks:
        yield job.lint(task.path)
        collector.linted(task.cost)


def _in_processes(tasks: Sequence[Task], job: Job, count: int) -> Iterator[Findings]:
    """Findings in the order in which processes finish; large files first, so that none is left over."""
    waiting = {task.path: task for task in sorted(tasks, key=lambda task: (-task.cost, task.path))}
    while waiting:
        yield from _until_broken(waiting, job, count)
        # A file that ended its process (too little memory, a crash of the interpreter) was being linted:
        # tasks start in order, so it is among the first that are left. Only these need a process each.
        for task in list(waiting.values())[:count]:
            yield _alone(task, job)
            del waiting[task.path]


def _until_broken(waiting: dict[str, Task], job: Job, count: int) -> Iterator[Findings]:
    """Lint what is waiting, and take it from there, until all is done or a process has ended early."""
    from concurrent.futures import as_completed
    from concurrent.futures.process import BrokenProcessPool

    with suppress(BrokenProcessPool), _pool(min(count, len(waiting)), job) as pool:
        futures = {pool.submit(_lint_remotely, task): path for path, task in waiting.items()}
        try:
            for future in as_completed(futures):
                findings = future.result()
                del waiting[futures[future]]
                yield findings
        finally:
            pool.shutdown(cancel_futures=True)


def _alone(task: Task, job: Job) -> Findings:
    from concurrent.futures.process import BrokenProcessPool

    try:
        with _pool(1, job) as pool:
            return pool.submit(_lint_remotely, task).result()
    except BrokenProcessPool:
        return (internal_error(task.path, "its process ended"),)


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
    _worker_job, _worker_collector = job, _Collector()
    gc.disable()
    gc.freeze()


def _lint_remotely(task: Task) -> Findings:
    found = _worker_job.lint(task.path)
    _worker_collector.linted(task.cost)
    # Witnesses hold expression graphs, which are costly to send and can be made again.
    return tuple(replace(finding, witness=None) for finding in found)


def witnessed(findings: Iterable[Finding], sources: Sources) -> Iterator[Finding]:
    """The findings with the witnesses that other processes and the cache leave out."""
    known: dict[str, dict[Finding, Finding]] = {}
    for finding in findings:
        path = finding.place.path
        if finding.witness is None and path not in known:
            known[path] = {again: again for again in _lint(path, sources)[0]}
        yield known.get(path, {}).get(finding, finding)

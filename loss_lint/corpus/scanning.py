"""A scan from its input to its findings: three passes over the plan, each of which goes on where it was ended."""

from __future__ import annotations

import json
import time
from array import array
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from loss_lint.corpus import engine
from loss_lint.corpus.alone import LOCK, alone
from loss_lint.corpus.buckets import Bucket, Counts, Finished, finished, lint_bucket
from loss_lint.corpus.census import SCREEN, Screen, census
from loss_lint.corpus.plan import check, claim, plan
from loss_lint.corpus.progress import Progress
from loss_lint.corpus.settings import Settings
from loss_lint.corpus.shuffle import FOLDER, shuffle
from loss_lint.corpus.store import BEGUN
from loss_lint.selection import Layer, known_rules, selected_codes

if TYPE_CHECKING:
    from loss_lint.corpus.engine import Engine
    from loss_lint.corpus.plan import Plan

_SUMMARY = "_scan/summary.json"

Engines = Callable[[], AbstractContextManager["Engine"]]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a scan found.

    `counts` are of all repositories with a file of torch; `problems` are parts of the input that could not be read.
    `files` and `lines` are the Python files and notebooks of the whole input, if this run has counted them.
    `linted` are the lines of the repositories that this run linted, `seconds` its time by the clock, and
    `processor_seconds` the time of the processes that lint.
    """

    counts: Counts
    problems: tuple[str, ...] = ()
    files: int = 0
    lines: int = 0
    linted: int = 0
    seconds: float = 0.0
    processor_seconds: float = 0.0


def scan(
    source: str,
    output: str,
    *,
    settings: Settings | None = None,
    workers: int | None = None,
    address: str | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Lint the corpus at `source`, a Parquet file or a folder of them, and write what is found to `output`.

    Both are paths that all nodes see, or URLs that pyarrow understands. A scan that was ended goes on when it is
    asked for again. It runs on the Ray cluster at `address`, on the one that this process is connected to, or on one
    that it starts on this machine, with at most `workers` processes (by default as many as there are processors).

    Raises Unusable (a ValueError) where the input or the output folder is none, UnknownSelector (a ValueError) for
    a selector that no rule answers to, ImportError where Ray is missing, EngineFailed where a node could not do its
    work (a full disk, say).
    """
    return scan_on(
        partial(engine.cluster, workers, address),
        source,
        output,
        settings or Settings(),
        progress or Progress(None),
    )


def scan_on(engines: Engines, source: str, output: str, settings: Settings, progress: Progress) -> Summary:
    """A scan on an engine, which is started if there is something left to do."""
    selected_codes([Layer(settings.select, settings.ignore)], known_rules())
    planned = plan(source, output, settings)
    check(planned)
    if not planned.output.exists(_SUMMARY):
        with alone(planned.output):
            claim(planned)
            if not planned.output.exists(_SUMMARY):  # else another scan has ended in this moment
                with engines() as started:
                    return _run(planned, _finished(planned), started, progress)
    problems = json.loads(planned.output.read(_SUMMARY))["problems"]
    return Summary(_total(_finished(planned)), tuple(problems))


def _finished(plan: Plan) -> list[Finished]:
    """The buckets that are linted already."""
    return [found for number in range(plan.buckets) if (found := finished(plan.output, number))]


def _run(plan: Plan, done: Sequence[Finished], engine: Engine, progress: Progress) -> Summary:
    began = time.perf_counter()
    files, lines = _screen(plan, engine, progress)
    shuffled = _shuffle(plan, engine, progress)
    found, linted, processor_seconds = _lint(plan, done, shuffled, engine, progress)
    problems = tuple(problem for _, problem in sorted(shuffled.problems.items()))
    plan.output.write(_SUMMARY, json.dumps({"problems": problems}).encode())
    for name in (FOLDER, SCREEN, BEGUN, LOCK):
        plan.output.delete(name)
    return Summary(
        _total(found),
        problems,
        files=files,
        lines=lines,
        linted=linted,
        seconds=time.perf_counter() - began,
        processor_seconds=processor_seconds,
    )


def _screen(plan: Plan, engine: Engine, progress: Progress) -> tuple[int, int]:
    """Make the screen, if it is not there yet; gives how many files and lines the input has."""
    files = lines = 0
    if plan.output.exists(SCREEN):
        return files, lines
    screen = Screen(plan.slots)
    with progress.phase("looking for torch", "units", _sizes(plan)) as step:
        for counted in engine.mapped(partial(census, plan=plan), plan.units):
            screen.add(counted)
            files, lines = files + counted.files, lines + counted.lines
            step(plan.units[counted.unit].bytes, f"{lines:,} lines")
    plan.output.write(SCREEN, screen.dump())
    return files, lines


@dataclass(slots=True)
class _Sorted:
    """What the second pass made of all units: files by unit, bytes of text by bucket, problems by unit."""

    files: array[int]
    sizes: array[int]
    problems: dict[int, str] = field(default_factory=dict)


def _shuffle(plan: Plan, engine: Engine, progress: Progress) -> _Sorted:
    """Sort the rows of all units."""
    found = _Sorted(array("q", bytes(8 * len(plan.units))), array("q", bytes(8 * plan.buckets)))
    with progress.phase("bringing repositories together", "units", _sizes(plan)) as step:
        for unit in engine.mapped(partial(shuffle, plan=plan), plan.units):
            found.files[unit.unit] = unit.files
            for bucket, size in enumerate(unit.bytes):
                found.sizes[bucket] += size
            if unit.problem is not None:
                found.problems[unit.unit] = unit.problem
            step(plan.units[unit.unit].bytes, "")
    return found


def _lint(
    plan: Plan, done: Sequence[Finished], shuffled: _Sorted, engine: Engine, progress: Progress
) -> tuple[list[Finished], int, float]:
    """Lint the buckets that are left, the largest first; gives all, and the lines and processor time of these."""
    sizes = shuffled.sizes
    known = {found.number for found in done}
    left = sorted(set(range(plan.buckets)) - known, key=lambda number: (-sizes[number], number))
    buckets = [Bucket(number, _problems(number, plan, shuffled)) for number in left]
    finished = [*done]
    lines = 0
    seconds = 0.0
    with progress.phase("linting", "buckets", [sizes[number] for number in left], len(done)) as step:
        began = time.perf_counter()
        for bucket in engine.mapped(partial(lint_bucket, plan=plan, files=shuffled.files), buckets):
            finished.append(bucket)
            lines += bucket.counts.lines
            seconds += bucket.seconds
            rate = lines / (time.perf_counter() - began)
            count = sum(sum(found.counts.codes.values()) for found in finished)
            step(sizes[bucket.number], f"{lines:,} lines, {rate:,.0f} a second, {count:,} findings")
    return finished, lines, seconds


def _sizes(plan: Plan) -> list[int]:
    return [unit.bytes for unit in plan.units]


def _problems(number: int, plan: Plan, shuffled: _Sorted) -> tuple[str, ...]:
    """What was wrong with the units that this bucket reports."""
    return tuple(
        problem for unit, problem in sorted(shuffled.problems.items()) if unit % plan.buckets == number
    )


def _total(buckets: Sequence[Finished]) -> Counts:
    total = Counts()
    for bucket in buckets:
        total.add(bucket.counts)
    return total

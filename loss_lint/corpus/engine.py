"""Ray: a function mapped over items by the nodes of a cluster. Nothing else imports it."""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# A local cluster's shared memory: only items and results go through it.
_OBJECT_STORE_BYTES = 300 * 2**20


class EngineFailed(RuntimeError):
    """The work could not be done; what is done stays done."""


class Engine(Protocol):
    """Whatever maps a function over items, several at a time and each at least once."""

    def mapped(self, function: Callable[[_Item], _Result], items: Sequence[_Item]) -> Iterator[_Result]:
        """The results, in the order in which they are there."""


class RayData:
    """Maps with Ray Data. What a lost node was doing is done again by another one."""

    def __init__(self, workers: int | None) -> None:
        self._workers = workers

    def mapped(self, function: Callable[[_Item], _Result], items: Sequence[_Item]) -> Iterator[_Result]:
        import ray.data
        import ray.exceptions

        if not items:
            return
        rows = [{"item": pickle.dumps(item)} for item in items]
        dataset = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
            Mapped(function), compute=ray.data.TaskPoolStrategy(size=self._workers), num_cpus=1
        )
        try:
            for row in dataset.iter_rows():
                yield result(row)
        except ray.exceptions.RayError as error:
            raise EngineFailed(f"{type(error).__name__}: {str(error).strip().splitlines()[0]}") from error


class Mapped:
    """A function of a row for a function of an item."""

    def __init__(self, function: Callable[[Any], object]) -> None:
        self._function = function

    def __call__(self, row: dict[str, Any]) -> dict[str, object]:
        item = pickle.loads(row["item"])  # noqa: S301 - what `mapped` made
        try:
            return {"result": pickle.dumps(self._function(item)), "failure": ""}
        except Exception as error:  # noqa: BLE001 - said where the scan was asked for, in one line
            return {"result": b"", "failure": f"{type(error).__name__}: {error}"}


def result(row: dict[str, Any]) -> Any:
    """What a function gave; raises EngineFailed where it raised something."""
    if row["failure"]:
        raise EngineFailed(row["failure"])
    return pickle.loads(row["result"])  # noqa: S301 - what `Mapped` made


@contextmanager
def cluster(workers: int | None, address: str | None) -> Iterator[RayData]:
    """The engine on the cluster at `address`, on the one that this process has, or else on this machine.

    Raises ImportError where Ray is missing, and ConnectionError where there is no cluster at `address`.
    """
    # Ray reports its use unless it is told not to, before it is imported.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    import ray.data

    owned = not ray.is_initialized()
    if owned:
        given = address or os.environ.get("RAY_ADDRESS")
        local = {"num_cpus": workers, "object_store_memory": _OBJECT_STORE_BYTES, "include_dashboard": False}
        ray.init(
            address=given or "local",
            log_to_driver=False,
            logging_level=logging.ERROR,
            **({} if given else local),
        )
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    for logger in ("ray", "ray.data"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    try:
        yield RayData(workers)
    finally:
        if owned:
            ray.shutdown()

"""An existing Dask cluster as a batch system: a pilot is a long task that runs one park-noded on one worker.

A node takes as many CPUs as its worker has threads; each worker gets one. Nobody's other tasks are touched, but what
the worker runs besides shares its machine. Runs in clerk.py's process.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from park_spool.errors import ConfigError, TemporaryError
from park_spool.pilots import dask_task
from park_spool.pilots.profiles import Profile
from park_spool.pilots.records import Pilot

PREFIX = "park-spool-"
_START = 5.0  # s until a scheduler has given a task to its worker


@dataclass(slots=True)
class ByDask:
    """The scheduler at the profile's address."""

    profile: Profile

    def submit(self, command: str, folder: Path) -> tuple[str, dict[str, Any]]:
        """Start a node on a worker that has none. Raises TemporaryError where there is no such worker."""
        import cloudpickle

        key = f"{PREFIX}{folder.name}"
        cloudpickle.register_pickle_by_value(dask_task)  # the workers need not have park-spool
        with self._client() as client:
            worker, threads = _free_worker(client)
            task = client.submit(
                dask_task.run_node,
                *(command, key, threads, str(folder), dask_task.SHELL, dask_task.GRACE),
                key=key,
                workers=[worker],
                allow_other_workers=False,
                pure=False,
                retries=0,
            )
            _distributed().fire_and_forget(task)  # it outlives this client
            _wait_for_start(client, key)
        return key, {"address": self.profile.address, "worker": worker, "folder": str(folder)}

    def states(self, pilots: Sequence[Pilot]) -> dict[str, tuple[str, str]]:
        """Say which tasks their workers hold; one that none holds has ended, or its worker has."""
        with self._client() as client:
            held = {key for keys in client.processing().values() for key in keys}
            gone = [pilot for pilot in pilots if pilot.job not in held]
            _forget(client, gone)
        return {one.job: ("running", "processing") if one.job in held else ("over", "ended") for one in pilots}

    def cancel(self, pilots: Sequence[Pilot]) -> dict[str, str]:
        """Cancel tasks: their nodes are told to end, and give back what they have."""
        with self._client() as client:
            _forget(client, pilots)
        return {pilot.job: "" for pilot in pilots}

    @contextmanager
    def _client(self) -> Iterator[Any]:
        try:
            distributed = _distributed()
        except ImportError as error:
            raise ConfigError(
                f"Dask clusters need the package distributed, which is not installed ({error}): "
                "install park-spool with its extra, `pip install 'park-spool[dask]'`; nothing was submitted"
            ) from error
        try:
            client = distributed.Client(self.profile.address, timeout=self.profile.timeout, set_as_default=False)
        except OSError as error:
            raise TemporaryError(f"the scheduler at {self.profile.address} cannot be reached: {error}") from error
        try:
            yield client
        finally:
            client.close()


def _free_worker(client: Any) -> tuple[str, int]:
    workers = client.scheduler_info(n_workers=-1)["workers"]
    taken = {worker for worker, keys in client.processing().items() if any(str(key).startswith(PREFIX) for key in keys)}
    free = [(worker, int(about["nthreads"])) for worker, about in workers.items() if worker not in taken]
    if not free:
        raise TemporaryError(f"all {len(workers)} workers of the Dask cluster have a node already, or there is none")
    return max(free, key=lambda one: one[1])


def _wait_for_start(client: Any, key: str) -> None:
    end = time.monotonic() + _START
    while time.monotonic() < end and not any(key in keys for keys in client.processing().values()):
        time.sleep(0.05)


def _forget(client: Any, pilots: Sequence[Pilot]) -> None:
    if pilots:
        client.cancel([_distributed().Future(pilot.job, client) for pilot in pilots], force=True)


def _distributed() -> Any:
    """Import distributed, which is slow to, and may be missing."""
    return importlib.import_module("distributed")

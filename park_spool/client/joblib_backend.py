"""joblib on a spool: a parallel backend over a SpoolExecutor. Imported only when asked for, since it imports joblib.

    register()
    with parallel_config(backend="spool", pool=pool):
        Parallel()(delayed(function)(item) for item in items)

Guarantees: what a nested Parallel does inside a call runs there one after the other; whatever is left when one call
fails is taken back, if no node has claimed it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from joblib import register_parallel_backend
from joblib._parallel_backends import AutoBatchingMixin, ParallelBackendBase, SequentialBackend

from park_spool.client.executor import SpoolExecutor

NAME = "spool"


def register() -> None:
    """Make the backend known to joblib as "spool"."""
    register_parallel_backend(NAME, SpoolBackend)


class SpoolBackend(AutoBatchingMixin, ParallelBackendBase):  # type: ignore[misc]
    """What joblib asks of a backend; `pool` is the executor."""

    supports_retrieve_callback = True
    default_n_jobs = -1

    def __init__(self, pool: SpoolExecutor | None = None, **options: Any) -> None:
        super().__init__(**options)
        if pool is None:
            raise ValueError('expected an executor: parallel_config(backend="spool", pool=SpoolExecutor(…))')
        self._pool = pool
        self._futures: set[Future[Any]] = set()

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """Return how many calls run at a time: as many as asked for, or as the spool has CPUs (-1), or so many less."""
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        if n_jobs is None:
            return 1
        return n_jobs if n_jobs > 0 else max(1, self._pool.cpus + 1 + n_jobs)

    def submit(self, func: Callable[[], Any], callback: Callable[[Future[Any]], Any] | None = None) -> Future[Any]:
        """Send a batch of joblib's; it goes as an argument, so that all batches are calls of one function."""
        future = self._pool.submit(_call, func)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        if callback is not None:
            future.add_done_callback(callback)
        return future

    def retrieve_result_callback(self, out: Future[Any]) -> Any:
        """Return what a batch returned, or raise what it raised."""
        return out.result()

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Take back what no node has claimed: one call has failed, or nobody wants the rest."""
        for future in list(self._futures):
            future.cancel()

    def terminate(self) -> None:
        """Forget what this Parallel has measured; the executor is its owner's to shut down."""
        self.reset_batch_stats()

    def get_nested_backend(self) -> tuple[Any, None]:
        """Return what a Parallel inside a call uses."""
        return SequentialBackend(nesting_level=(self.nesting_level or 0) + 1), None


def _call(batch: Callable[[], Any]) -> Any:
    return batch()

"""No-op functions: jobs a second from submit until all are done, and archived where the queue keeps anything.

park-spool   real daemons on a fresh spool; from the copy into the inbox to the last job in SQLite; durable
Pool         multiprocessing.Pool.imap_unordered, one process for each CPU; in memory, nothing is kept
Dask         LocalCluster, one process with one thread for each CPU; client.map, then as_completed; in memory
jug          one `jug execute` for each CPU on a fresh file store, with their starts; durable, a file a task
huey         SqliteHuey as it comes, huey_consumer with one process for each CPU; durable, a row a task
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager

import peers
from figures import Measure, Part, Target
from spools import cpus, running, session


@contextmanager
def part(most: int) -> Iterator[Part]:
    """Give the measures, with at most so many jobs a run; slow peers get fewer."""
    few, some = min(most, 5000), min(most, 10_000)
    measures = [
        Measure("park-spool", lambda: most / park_spool(most), most),
        Measure("Pool, chunks of 1", lambda: most / pool(most, 1), most),
        Measure("Pool, chunks of 64", lambda: most / pool(most, 64), most),
    ]
    others = [
        ("Dask", "distributed", peers.dask, some),
        ("jug", "jug", peers.jug, few),
        ("huey", "huey", peers.huey, few),
    ]
    found, notes = peers.installed(others)
    measures += [Measure(name, lambda run=run, jobs=jobs: jobs / run(jobs), jobs) for name, run, jobs in found]
    targets = [Target("park-spool", least=60_000), Target("park-spool", least=20, against="Dask")]
    yield Part("No-op functions, submit to archived", measures, targets, notes)


def park_spool(jobs: int) -> float:
    with running() as spool:
        return spool.seconds(session("tester/noop", jobs), jobs)


def pool(jobs: int, chunk: int) -> float:
    """Return the seconds in a pool; it is made before the clock starts."""
    with multiprocessing.get_context("fork").Pool(cpus()) as workers:
        workers.map(peers.noop, range(cpus()))
        begin = time.perf_counter()
        for _ in workers.imap_unordered(peers.noop, range(jobs), chunk):
            pass
        return time.perf_counter() - begin

"""Function calls of a Python program: a spool's executor beside ProcessPoolExecutor, all workers warm.

A map of 16 small calls is what a fitter asks for again and again; a value is the median, or the 95th percentile, of so
many maps in a row. A map of many no-op calls tells what a call costs by itself, and 16 naps of 50 ms how well all CPUs
are kept busy: with two the least is 400 ms.
ProcessPoolExecutor   one process for each CPU; in memory, on one machine
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from figures import Measure, Part, Target
from spools import cpus, running

from park_spool.client.executor import SpoolExecutor
from park_spool.config import load

SMALL, MAPS, MANY = 16, 101, 10_000
NAPS, NAP = 16, 0.05


def square(x: int) -> int:
    return x * x


def nothing(x: int) -> None:
    return None


def nap(seconds: float) -> None:
    time.sleep(seconds)


@contextmanager
def part(most: int) -> Iterator[Part]:
    with (
        running() as spool,
        SpoolExecutor(load(spool.folder)) as ours,
        ProcessPoolExecutor(cpus(), get_context("forkserver")) as theirs,
    ):
        many, maps = min(most, MANY), min(most, MAPS)
        for pool in (ours, theirs):
            warm(pool)
        measures = [
            Measure("SpoolExecutor", lambda: rate(ours, many), many),
            Measure("ProcessPoolExecutor", lambda: rate(theirs, many), many),
            Measure("ProcessPoolExecutor, 64", lambda: rate(theirs, many, 64), many, note="chunksize=64"),
            *small("16 calls", ours, maps),
            *small("16 calls, ProcessPool", theirs, maps),
            Measure("16 naps", lambda: milliseconds(ours, nap, [NAP] * NAPS), NAPS, "ms"),
            Measure("16 naps, ProcessPool", lambda: milliseconds(theirs, nap, [NAP] * NAPS), NAPS, "ms"),
        ]
        yield Part("Calls of an executor, local spool", measures, [Target("16 calls, median", most=15)])


def small(name: str, pool: Executor, maps: int) -> list[Measure]:
    """Measure many maps of a few small calls, once for the median and once for the slow ones."""

    def times() -> list[float]:
        return sorted(milliseconds(pool, square, range(SMALL)) for _ in range(maps))

    return [
        Measure(f"{name}, median", lambda: statistics.median(times()), SMALL * maps, "ms"),
        Measure(f"{name}, p95", lambda: times()[int(0.95 * maps)], SMALL * maps, "ms"),
    ]


def milliseconds(pool: Executor, function: Callable[..., object], items: object) -> float:
    begin = time.perf_counter()
    for _ in pool.map(function, items):  # type: ignore[call-overload]
        pass
    return 1000 * (time.perf_counter() - begin)


def rate(pool: Executor, count: int, chunksize: int = 1) -> float:
    begin = time.perf_counter()
    for _ in pool.map(nothing, range(count), chunksize=chunksize):
        pass
    return count / (time.perf_counter() - begin)


def warm(pool: Executor) -> None:
    """Let every worker start, and learn what calls take."""
    list(pool.map(nap, [NAP] * 4 * cpus()))
    for function in (square, nothing):
        for _ in range(5):
            list(pool.map(function, range(100)))

"""48 real fits, those of `park demo`, against the same function in a multiprocessing.Pool with chunks of 1.

Both are warm, with one thread a process: before the clock starts every worker of the Pool has done a fit, and
park-spool has done a session of two fits for each CPU, so that its children have their imports. Both read the file
anew and make the whole reply for each fit; park-spool archives it.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figures import Measure, Part, Target
from peers import apart, installed
from spools import cpus, running

from park_spool.config import shipped_services

if TYPE_CHECKING:
    from park_spool.catalog.manifest import Command

SEED, DATA = 26, "analysis/tests/c_PLP0011859_q.txt"
FOLDER = shipped_services() / "reflectivity"
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
AXIS = "start='26' stop='73' count='48'"


@contextmanager
def part(most: int) -> Iterator[Part]:
    """Give both measures of as many fits, 48 unless fewer are asked for."""
    jobs = min(most, 48)
    found, notes = installed([("park-spool", "refnx", park_spool, jobs), ("Pool", "refnx", pool, jobs)])
    measures = [Measure(name, lambda run=run: jobs / run(jobs), jobs, "jobs/s") for name, run, _ in found]
    targets = [Target("park-spool", least=0.95, against="Pool")]
    yield Part("Real reflectivity fits", measures, targets, notes[:1])


def demo(first: int, jobs: int) -> str:
    """Return the demo's session with other seeds."""
    text = (FOLDER / "demo.xml").read_text()
    if AXIS not in text:
        raise SystemExit("benchmark: demo.xml is not as it was; put its axis into fits.py")
    return text.replace(AXIS, f"start='{first}' stop='{first + jobs - 1}' count='{jobs}'")


def park_spool(jobs: int) -> float:
    with running() as spool:
        warm = 2 * cpus()
        spool.seconds(demo(1000, warm), warm)
        return spool.seconds(demo(SEED, jobs), jobs)


def pool(jobs: int) -> float:
    return apart(_pool, jobs)


def _pool(jobs: int) -> float:
    os.environ.update(ONE_THREAD)
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(cpus() + 1)
    with context.Pool(cpus(), _warm, (barrier,)) as workers:
        barrier.wait()
        begin = time.perf_counter()
        for _ in workers.imap_unordered(fit, range(SEED, SEED + jobs), 1):
            pass
        return time.perf_counter() - begin


def _warm(barrier: Barrier) -> None:
    sys.path.insert(0, str(FOLDER))
    fit(1000)
    barrier.wait()


def fit(seed: int) -> dict[str, Any]:
    """Do one fit as park-spool's worker does: the function of the service on its typed input."""
    import refnx

    data = Path(refnx.__file__).parent / DATA
    reply: dict[str, Any] = importlib.import_module("fit").fit(given(seed, data))
    return reply


def given(seed: int, data: Path) -> dict[str, object]:
    """Return the input of a job of the demo, with the manifest's defaults filled in."""
    from park_spool.catalog.manifest import typed_input
    from park_spool.sessions.element import Element

    return {**typed_input(_command(), Element("input", {"seed": str(seed)})), "data": {"film": str(data)}}


@cache
def _command() -> Command:
    """Read the manifest once a worker, as park-spool does."""
    from park_spool.catalog.manifest import read_service

    return read_service(FOLDER).commands["fit"]

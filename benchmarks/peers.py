"""Other queues, each used as its own documentation says, in processes of their own: seconds for so many no-op jobs.

Servers and workers run before the clock starts and have done a job, as park-spool's daemons run; jug has neither.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from spools import PATIENCE, cpus

JUGFILE = """from jug import TaskGenerator
@TaskGenerator
def noop(number):
    return None
tasks = [noop(number) for number in range({jobs})]
"""
HUEYFILE = """from huey import SqliteHuey
huey = SqliteHuey(filename="huey.db")
@huey.task()
def noop(number):
    return number
"""
PACKAGES = (
    "dask",
    "distributed",
    "jug",
    "huey",
    "hyperqueue",
    "numpy",
    "refnx",
    "flask",
    "waitress",
    "pooch",
    "fsspec",
)
HYPERQUEUE_LOOK = 1.0  # s between the looks of its client
Run = Callable[[int], float]


def noop(number: int) -> None:
    return None


def installed(peers: Iterable[tuple[str, str, Run, int]]) -> tuple[list[tuple[str, Run, int]], list[str]]:
    """Split (name, module, run, jobs) into those that can run, and a note on each that cannot."""
    found, notes = [], []
    for name, module, run, jobs in peers:
        if importlib.util.find_spec(module):
            found.append((name, run, jobs))
        else:
            notes.append(f"{name}: skipped, not installed (`pip install -e .[bench]`)")
    return found, notes


def versions() -> dict[str, str | None]:
    """Return the versions of the peers; None for one that is not installed."""
    found: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def apart(run: Run, *arguments: object) -> float:
    """Call a function in a fresh, quiet process, so that no peer leaves threads or imports to the next."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _quieten) as executor:
        return executor.submit(run, *arguments).result()


def _quieten() -> None:
    os.environ["TQDM_DISABLE"] = "1"
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)


def dask(jobs: int) -> float:
    return apart(_dask, jobs)


def _dask(jobs: int) -> float:
    from distributed import Client, LocalCluster, as_completed

    place = {"n_workers": cpus(), "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with LocalCluster(**place) as cluster, Client(cluster) as client:
        client.gather(client.map(noop, range(-cpus(), 0)))
        begin = time.perf_counter()
        for _ in as_completed(client.map(noop, range(jobs))):
            pass
        return time.perf_counter() - begin


def jug(jobs: int) -> float:
    with tempfile.TemporaryDirectory(prefix="park-benchmark-") as folder:
        Path(folder, "jugfile.py").write_text(JUGFILE.format(jobs=jobs))
        program = "import sys; from jug.jug import main; sys.exit(main())"
        command = [sys.executable, "-c", program, "execute", "jugfile.py"]
        begin = time.perf_counter()
        workers = [subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) for _ in range(cpus())]
        codes = [worker.wait() for worker in workers]
        if any(codes):
            raise SystemExit("benchmark: jug failed")
        return time.perf_counter() - begin


def huey(jobs: int) -> float:
    return apart(_huey, jobs)


def _huey(jobs: int) -> float:
    with tempfile.TemporaryDirectory(prefix="park-benchmark-") as folder:
        os.chdir(folder)
        Path("tasks.py").write_text(HUEYFILE)
        sys.path.insert(0, folder)
        import tasks

        program = "from huey.bin.huey_consumer import consumer_main; consumer_main()"
        command = [sys.executable, "-c", program, "tasks.huey", "-k", "process", "-w", str(cpus()), "--quiet"]
        consumer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            tasks.noop(0).get(blocking=True)
            begin = time.perf_counter()
            tasks.noop.map(range(jobs))
            while tasks.huey.result_count() < jobs:
                if time.perf_counter() - begin > PATIENCE or consumer.poll() is not None:
                    raise RuntimeError("huey's consumer gets no further")
                time.sleep(0.01)
            return time.perf_counter() - begin
        finally:
            consumer.terminate()
            consumer.wait()


def hyperqueue(program: str, jobs: int, keeps_output: bool) -> float:
    return apart(_hyperqueue, program, jobs, keeps_output)


def _hyperqueue(program: str, jobs: int, keeps_output: bool) -> float:
    from hyperqueue import Job, LocalCluster
    from hyperqueue.cluster import WorkerConfig

    options = {} if keeps_output else {"stdout": None, "stderr": None}

    def many(count: int) -> Job:
        job = Job(default_workdir=folder)
        for _ in range(count):
            job.program([program], **options)
        return job

    with tempfile.TemporaryDirectory(prefix="park-benchmark-") as folder, LocalCluster(folder) as cluster:
        cluster.start_worker(WorkerConfig(cores=cpus()))
        client = cluster.client()
        client.wait_for_jobs([client.submit(many(1))])
        begin = time.perf_counter()
        client.wait_for_jobs([client.submit(many(jobs))])
        # It looks once a second: five jobs and 400 alike take 1.00 s. On average half of that was over already.
        return max(time.perf_counter() - begin - HYPERQUEUE_LOOK / 2, HYPERQUEUE_LOOK / 2)

"""Jobs a second, submit to archived, beside multiprocessing.Pool and jug in the same run: `python benchmarks/throughput.py`.

Prints a table of rates and of ratios to park-spool, and keeps it as JSON. Machines are shared and noisy: the ratios
of one run
mean something, single rates do not. Each figure is the median of several runs taken in turn.

    park-spool   real daemons on a fresh spool; from the copy into the inbox to the last job in SQLite; durable
    Pool         multiprocessing.Pool.imap_unordered, one process for each CPU; in memory, nothing is kept
    jug          one `jug execute` for each CPU on a fresh file store; durable, a file a task
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from park_spool.config import make_spool

SESSION = """<session version='2.0.1' user='benchmark' email='' priority='0'><group name='no-op'><task cmd='tester/noop'/>
<joblist name='jobs' cnt='{jobs}'><input/></joblist></group></session>"""
JUGFILE = """from jug import TaskGenerator
@TaskGenerator
def noop(number):
    return None
tasks = [noop(number) for number in range({jobs})]
"""
PATIENCE = 600.0


def noop(number: int) -> None:
    return None


def park_spool(jobs: int) -> float:
    """Return the seconds from the copy into the inbox until the archive has all jobs."""
    with tempfile.TemporaryDirectory(prefix="park-benchmark-") as folder:
        spool = Path(folder) / "spool"
        make_spool(spool)
        daemons = [_daemon(name, spool) for name in ("spoold", "reduced", "noded")]
        try:
            _until(lambda: any((spool / "nodes").iterdir()) and _archived(spool / "archive" / "park.sqlite") == 0)
            session = Path(folder) / "session.xml"
            session.write_text(SESSION.format(jobs=jobs))
            begin = time.perf_counter()
            shutil.copy(session, spool / "inbox")
            _until(lambda: _archived(spool / "archive" / "park.sqlite") == jobs)
            return time.perf_counter() - begin
        finally:
            for daemon in daemons:
                daemon.terminate()
            for daemon in daemons:
                daemon.wait()


def _daemon(name: str, spool: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"park_spool.{name}", "--spool", str(spool)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _archived(path: Path) -> int:
    """Count the jobs that are archived; -1 while the archive is being made."""
    if not path.exists():
        return -1
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT ifnull(sum(ok), 0) FROM joblists").fetchone()[0])
    except sqlite3.OperationalError:
        return -1


def _until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > end:
            raise SystemExit("throughput: a run did not end in ten minutes; nothing was measured")
        time.sleep(0.01)


def pool(chunk: int) -> Callable[[int], float]:
    """Return the measurement of a pool with this chunk size; the pool is made before the clock starts."""

    def measure(jobs: int) -> float:
        with multiprocessing.get_context("fork").Pool(cpus()) as workers:
            workers.map(noop, range(cpus()))
            begin = time.perf_counter()
            for _ in workers.imap_unordered(noop, range(jobs), chunk):
                pass
            return time.perf_counter() - begin

    return measure


def jug(jobs: int) -> float:
    """Return the seconds that one `jug execute` for each CPU takes, with their starts."""
    with tempfile.TemporaryDirectory(prefix="park-benchmark-") as folder:
        Path(folder, "jugfile.py").write_text(JUGFILE.format(jobs=jobs))
        command = [
            sys.executable,
            "-c",
            "import sys; from jug.jug import main; sys.exit(main())",
            "execute",
            "jugfile.py",
        ]
        begin = time.perf_counter()
        workers = [subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) for _ in range(cpus())]
        if any(worker.wait() for worker in workers):
            raise SystemExit("throughput: jug failed; install it with `pip install -e .[bench]`")
        return time.perf_counter() - begin


def cpus() -> int:
    return len(os.sched_getaffinity(0))


def rates(measures: Sequence[tuple[str, Callable[[int], float], int]], runs: int) -> dict[str, list[float]]:
    """Measure each in turn, `runs` times; return jobs a second."""
    found: dict[str, list[float]] = {name: [] for name, _, _ in measures}
    for number in range(runs):
        for name, measure, jobs in measures:
            found[name].append(jobs / measure(jobs))
            print(f"run {number + 1}: {name:<12} {found[name][-1]:>12,.0f} jobs/s", file=sys.stderr)
    return found


def table(found: dict[str, list[float]]) -> str:
    """Return the medians, and how many times as fast park-spool is."""
    medians = {name: statistics.median(values) for name, values in found.items()}
    ours = medians["park-spool"]
    lines = ["| | jobs/s (median) | lowest | highest | park-spool is |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {median:,.0f} | {min(found[name]):,.0f} | {max(found[name]):,.0f} | {ours / median:.3g} times as fast |"
        for name, median in medians.items()
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--jobs", type=int, default=200_000, help="no-op jobs in a park-spool session (default %(default)s)"
    )
    parser.add_argument("--runs", type=int, default=3, help="runs of each, taken in turn (default %(default)s)")
    parser.add_argument(
        "--json",
        type=Path,
        default=Path(__file__).parent / "results" / "throughput.json",
        help="where to keep the figures",
    )
    options = parser.parse_args()
    measures = [
        ("park-spool", park_spool, options.jobs),
        ("Pool, 1", pool(1), options.jobs),
        ("Pool, 64", pool(64), options.jobs),
        ("jug", jug, min(options.jobs, 5000)),
    ]
    found = rates(measures, options.runs)
    print(table(found))
    about = {"cpus": cpus(), "python": platform.python_version(), "jobs": options.jobs, "rates": found}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()

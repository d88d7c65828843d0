"""How long the queries behind the pages take: 10,000 sessions in the overview, and a session of very many jobs.

    python benchmarks/overview.py [--sessions 10000] [--jobs 1000000] [--keep FOLDER]

The archive is made by its own writer. Each figure is the median of several looks, in milliseconds of CPU, each of which opens
the archive as a page does.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from park_spool.archive.job_table import JobsWanted
from park_spool.archive.listing import SORTS, Asked
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.writing import Archive, Result
from park_spool.errors import ParkError

USERS = [f"user{number}" for number in range(40)]
SERVICES = ("reflectivity/fit", "small_angle/fit", "tester/toys", "node/ls")
STATES = ("done", "done", "done", "done", "failed", "cancelled", "running", "queued", "paused")
BASE = 1_790_000_000.0
LOOKS = 15


def sid_of(number: int) -> str:
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(BASE + 97 * number))
    return f"{stamp}-{number:04x}"[:20]


def session(number: int, size: int, groups: int) -> dict[str, Any]:
    cmd = SERVICES[number % len(SERVICES)]
    service, _, command = cmd.partition("/")
    task = {"cmd": cmd, "service": service, "command": command}
    joblists = [{"name": "starts", "priority": 0, "size": size, "inputs": [], "scan": None}]
    one = {"name": f"film {number}", "task": task, "reduce": "Chisq", "joblists": joblists}
    user = USERS[number % len(USERS)]
    return {
        "user": user,
        "email": "",
        "priority": 0,
        "attributes": {},
        "groups": [one] * groups,
        "file": f"f{number}.xml",
    }


def results(sid: str, groups: int, jobs: int, start: float, parameters: bool = True) -> Iterator[Result]:
    for group in range(1, groups + 1):
        for job in range(1, jobs + 1):
            chisq = random.lognormvariate(8, 2)
            fitted = [{"name": "thickness", "value": random.random(), "error": 0.1, "min": 0, "max": 1}]
            output = {"chisq": chisq, "npoints": 408, "dof": 399, **({"parameters": fitted} if parameters else {})}
            is_bad = random.random() < 0.02
            yield Result(
                *(sid, group, 1, job, "failed" if is_bad else "ok", 0, 0, f"n{job % 8}_1_aaaaaa"),
                started=start + job,
                seconds=random.random(),
                why="exit status 3" if is_bad else None,
                output="" if is_bad else json.dumps(output),
            )


def fill(path: Path, sessions: int, jobs: int) -> str:
    """Make the archive; return the id of the session with very many jobs."""
    random.seed(6)
    with Archive.open(path) as archive:
        for first in range(0, sessions, 500):
            with archive.transaction():
                for number in range(first, min(first + 500, sessions)):
                    groups, sid = 1 + number % 2, sid_of(number)
                    record = session(number, 24, groups)
                    archive.add_session(sid, record, b"<session/>", BASE + 97 * number)
                    archive.put_results(results(sid, groups, 1 + number % 24, BASE + 97 * number))
                    archive.set_state(sid, STATES[number % len(STATES)], BASE + 97 * number + 60)
        large = sid_of(sessions + 1)
        with archive.transaction():
            archive.add_session(large, session(0, jobs, 1), b"<session/>", BASE + 97 * sessions)
        several: list[Result] = []
        for result in results(large, 1, jobs, BASE, parameters=False):
            several.append(result)
            if len(several) == 20_000:
                with archive.transaction():
                    archive.put_results(several)
                several = []
        with archive.transaction():
            archive.put_results(several)
            archive.set_state(large, "done", BASE + 97 * sessions + 60)
    return large


def measured(name: str, look: Callable[[], object], looks: int = LOOKS) -> None:
    spent = []
    for _ in range(looks):
        begun = time.process_time()
        look()
        spent.append(time.process_time() - begun)
    print(f"{name:48} {statistics.median(spent) * 1000:8.2f} ms", flush=True)


def overview(reader: ArchiveReader) -> None:
    for sort in SORTS:
        measured(f"overview by {sort}", partial(reader.listing, Asked(sort=sort)))
    measured("overview, page 100", lambda: reader.listing(Asked(page=100)))
    measured("overview, text", lambda: reader.listing(Asked(text="film 99")))
    measured("overview, service", lambda: reader.listing(Asked(service="reflectivity")))
    measured("overview, user and state", lambda: reader.listing(Asked(user=USERS[3], state="done")))


def job_table(reader: ArchiveReader, sid: str) -> None:
    for wanted, offset in (
        (JobsWanted(), 0),
        (JobsWanted(), 900_000),
        (JobsWanted(descending=True), 0),
        (JobsWanted(group=1, sort="chisq"), 0),
        (JobsWanted(group=1, sort="chisq"), 200_000),
        (JobsWanted(status="bad"), 0),
        (JobsWanted(status="bad", sort="seconds"), 0),
        (JobsWanted(text="exit status"), 0),
    ):
        measured(f"jobs {_said(wanted)}, from {offset:,}", partial(reader.job_table, sid, wanted, 100, offset))
    try:
        reader.job_table(sid, JobsWanted(sort="seconds"))
    except ParkError as error:
        print(error)


def _said(wanted: JobsWanted) -> str:
    first = JobsWanted()
    return ", ".join(
        f"{one.name}={getattr(wanted, one.name)}"
        for one in fields(wanted)
        if getattr(wanted, one.name) != getattr(first, one.name)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        path = (given.keep or Path(place)) / "park.sqlite"
        large = sid_of(given.sessions + 1) if path.exists() else fill(path, given.sessions, given.jobs)
        reader = ArchiveReader.open(path)
        overview(reader)
        job_table(reader, large)


if __name__ == "__main__":
    main()

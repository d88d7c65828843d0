"""From the drop of a session into the inbox of an idle spool until a node has claimed its first unit.

One value is the median of 21 drops, one every second or so: the whole spool is idle again before the next. A job
sleeps for half a second, so that its claim is seen; who looks does so once a millisecond.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from figures import Measure, Part, Target
from spools import Spool, running, service, session

MANIFEST = """[commands.nap]
mode = "function"
function = "naps:nap"
takes = "dict"
"""
NAP = """import time
def nap(inputs):
    time.sleep(0.5)
"""
DROPS = 21


@contextmanager
def part(most: int) -> Iterator[Part]:
    drops = min(most, DROPS)
    with service({"service.toml": MANIFEST, "naps.py": NAP}) as services:
        measures = [
            Measure("copied (cp)", lambda: milliseconds(services, drops, Spool.submit), drops, "ms"),
            Measure("renamed (mv)", lambda: milliseconds(services, drops, renamed), drops, "ms"),
        ]
        targets = [Target("copied (cp)", most=20), Target("renamed (mv)", most=20)]
        yield Part("Drop to first claim, idle spool on a local disk", measures, targets)


def milliseconds(services: Path, drops: int, drop: Callable[[Spool, str], None]) -> float:
    with running(services) as spool:
        spool.seconds(session("bench/nap", 1), 1)
        return 1000 * statistics.median(one(spool, drop, number + 2) for number in range(drops))


def one(spool: Spool, drop: Callable[[Spool, str], None], jobs: int) -> float:
    """Return the seconds of one drop, and wait until all is idle."""
    begin = time.perf_counter()
    drop(spool, session("bench/nap", 1))
    while not is_claimed(spool.folder / "claimed"):
        time.sleep(0.001)
    seconds = time.perf_counter() - begin
    spool.wait_for(jobs)
    spool.await_so(lambda: not any(path.name != "closed" for path in (spool.folder / "sessions").iterdir()))
    return seconds


def is_claimed(folder: Path) -> bool:
    """Say whether a unit is there: claimed/NODE/UNIT, or claimed/UNIT."""
    return any(files for _, _, files in os.walk(folder))


def renamed(spool: Spool, text: str) -> None:
    """Write a session beside the inbox and move it in, whole at once."""
    path = spool.folder.parent / f"moved{time.monotonic_ns()}.xml"
    path.write_text(text)
    path.rename(spool.folder / "inbox" / path.name)

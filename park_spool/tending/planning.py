"""What to offer next: how large units are, how many may wait, and in which order. Pure.

A session's jobs that are not yet offered are a few *pending* units: whole job lists at first, pieces and single
jobs when something was lost. Offering takes units off their front.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from park_spool import intervals
from park_spool.config import Config
from park_spool.naming import Unit
from park_spool.retries import Retries

PIECES = 8
NO_RETRIES = Retries()


@dataclass(frozen=True, slots=True)
class Pending:
    """A range of jobs that wait to be offered, at its rank, for its user."""

    rank: str
    user: str
    unit: Unit


def window(cpus: int, config: Config) -> int:
    """Return how many units may wait in one rank folder: four for each CPU that may claim there, else one.

    Every claim lists them all. So there are never more than are claimed while listings may be late, at either end.

    >>> from pathlib import Path
    >>> coherent = Config(Path("s"), Path("a"), staleness_seconds=2.0, look_seconds=1.5, units_per_second=100.0)
    >>> [window(cpus, coherent) for cpus in (0, 1, 100, 1000)]
    [1, 8, 400, 500]
    """
    late = config.staleness_seconds + 2 * config.look_seconds
    most = min(config.window, max(8, math.ceil(config.units_per_second * late)))
    return min(most, max(8, 4 * cpus)) if cpus else 1


def unit_seconds(live_cpus: int, config: Config) -> float:
    """Return how long a unit should last: so long that all nodes together need no more than `units_per_second`.

    >>> from pathlib import Path
    >>> unit_seconds(64, Config(Path("s"), Path("a")))
    1.0
    >>> unit_seconds(400, Config(Path("s"), Path("a"), units_per_second=100.0))
    4.0
    """
    return max(config.unit_seconds, live_cpus / config.units_per_second)


def unit_size(seconds: float | None, remaining: int, cpus: int, wanted: float, config: Config) -> int:
    """Return how many jobs the next unit of a job list takes: about `wanted` seconds of work.

    One job while the time is unknown; smaller towards the end of the list (guided self-scheduling: Polychronopoulos and
    Kuck, IEEE Trans. Comput. C-36 (1987) 1425) of which `remaining` jobs wait for `cpus` CPUs that suit.

    >>> from pathlib import Path
    >>> unit_size(0.01, 10_000, 2, 1.0, Config(Path("s"), Path("a")))
    100
    >>> unit_size(0.01, 100, 2, 1.0, Config(Path("s"), Path("a")))
    25
    """
    if seconds is None:
        return 1
    fair = -(-remaining // (2 * max(cpus, 1)))
    return max(1, min(int(wanted / max(seconds, 1e-9)), fair, config.max_unit))


def choose(
    pending: Iterable[Pending],
    ready: Iterable[Unit],
    users: Mapping[str, str],
    room: int,
    size_of: Callable[[Unit], int],
) -> list[Unit]:
    """Choose up to `room` units of one rank: the user with the fewest waiting first, then first in, first out.

    `ready` are the units that wait now, `users` says whose session a sid is, `size_of` how many jobs to take off a
    pending range.
    """
    waiting = Counter(users.get(unit.sid, "") for unit in ready)
    queues: dict[str, deque[Unit]] = {}
    for item in sorted(pending, key=lambda item: item.unit):
        queues.setdefault(item.user, deque()).append(item.unit)
    chosen: list[Unit] = []
    while queues and len(chosen) < room:
        user = min(queues, key=lambda name: (waiting[name], queues[name][0]))
        waiting[user] += 1
        whole = queues[user].popleft()
        stop = min(whole.start + size_of(whole), whole.stop)
        chosen.append(whole.piece(whole.start, stop))
        if stop < whole.stop:
            queues[user].appendleft(whole.piece(stop, whole.stop))
        elif not queues[user]:
            del queues[user]
    return chosen


def pieces(unit: Unit, rest: intervals.Intervals) -> list[Unit]:
    """Cut what is left of a lost unit of many jobs into about eight, so that a job that kills nodes is soon alone."""
    left = intervals.total(rest)
    return [
        unit.piece(start, stop)
        for first, last in rest
        for start, stop in intervals.cut(first, last, max(1, round(PIECES * (last - first) / left)))
    ]


def without(pending: Iterable[Unit], unit: Unit) -> list[Unit]:
    """Return the pending ranges less the jobs of a unit that was offered."""
    rest: list[Unit] = []
    for whole in pending:
        if (whole.key, whole.round, whole.attempt) != (unit.key, unit.round, unit.attempt):
            rest.append(whole)
            continue
        left = intervals.subtract([(whole.start, whole.stop)], [(unit.start, unit.stop)])
        rest += [whole.piece(start, stop) for start, stop in left]
    return rest


def missing(
    sid: str, sizes: Mapping[tuple[int, int], int], held: Mapping[tuple[int, int], intervals.Intervals]
) -> list[Unit]:
    """Return the ranges of a session's jobs that nothing holds, as units of attempt 0.

    >>> missing("s", {(1, 1): 10}, {(1, 1): [(1, 4)]})
    [Unit(sid='s', group=1, joblist=1, start=4, stop=11, round=0, attempt=0)]
    """
    return [
        Unit(sid, *key, start, stop)
        for key, size in sorted(sizes.items())
        for start, stop in intervals.subtract([(1, size + 1)], held.get(key, []))
    ]


def with_attempts(
    ranges: Iterable[Unit], last: Mapping[tuple[int, int, int], tuple[int, int]], retries: Retries = NO_RETRIES
) -> list[Unit]:
    """Give missing ranges their rounds and attempts: a job that was tried in its round comes alone, one attempt higher.

    `last`: (group, job list, job) → (round, attempt), the highest that was tried. The round of a job is the highest
    that a retry names it in; what was tried in an earlier one does not count any more.
    """
    tried: dict[tuple[int, int], list[int]] = {}
    for group, joblist, job in sorted(last):
        if retries.is_last((group, joblist), job, last[group, joblist, job][0]):
            tried.setdefault((group, joblist), []).append(job)
    units: list[Unit] = []
    for unit in ranges:
        jobs = tried.get(unit.key, [])
        named = jobs[bisect_left(jobs, unit.start) : bisect_left(jobs, unit.stop)]
        rest = intervals.subtract([(unit.start, unit.stop)], [(job, job + 1) for job in named])
        for number, pieces in retries.split(unit.key, rest):
            units += [replace(unit.piece(start, stop), round=number) for start, stop in pieces]
        for job in named:
            round_, attempt = last[*unit.key, job]
            units.append(replace(unit.piece(job, job + 1), round=round_, attempt=attempt + 1))
    return sorted(units)


def still_wanted(pending: Iterable[Unit], retries: Retries) -> list[Unit]:
    """Return the pending ranges less the jobs that a later round names: those are missing in that round."""
    rest: list[Unit] = []
    for unit in pending:
        named = retries.after(unit.round).get(unit.key, [])
        left = intervals.subtract([(unit.start, unit.stop)], named)
        rest += [unit.piece(start, stop) for start, stop in left]
    return rest

"""How users write jobs: `GROUP.JOBLIST.JOB` for one, `GROUP.JOBLIST.FIRST-LAST` for several, `GROUP.JOBLIST` for all.

All are counted from 1, and both ends of a range are included. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from park_spool import intervals
from park_spool.errors import NotFound
from park_spool.intervals import Interval, Intervals

Key = tuple[int, int]  # (group, job list)
EVER = 10**9  # more than the last job of any job list
_NAME = re.compile(r"(\d{1,3})\.(\d{1,3})(?:\.(\d{1,9})(?:-(\d{1,9}))?)?", re.ASCII)


def read(text: str) -> tuple[Key, Interval]:
    """Read what a user wrote into a job list and an interval of jobs. Raises NotFound if it names no jobs.

    >>> read("1.2.17"), read("1.2.3-7"), read("1.2")
    (((1, 2), (17, 18)), ((1, 2), (3, 8)), ((1, 2), (1, 1000000000)))
    """
    match = _NAME.fullmatch(text.strip())
    if match is None:
        raise NotFound(f"{text!r} is no job: expected one as 1.1.17, several as 1.1.3-7, or a whole job list as 1.1")
    first = int(match[3]) if match[3] else 1
    last = int(match[4] or match[3]) if match[3] else EVER - 1
    if not 1 <= first <= last:
        raise NotFound(f"{text!r} names no job: jobs are counted from 1")
    return (int(match[1]), int(match[2])), (first, last + 1)


def read_one(text: str) -> tuple[int, int, int]:
    """Read the name of one job. Raises NotFound if it is none, or more than one.

    >>> read_one("1.2.17")
    (1, 2, 17)
    """
    key, (start, stop) = read(text)
    if stop - start > 1:
        raise NotFound(f"{text!r} names several jobs: expected one, as 1.1.17")
    return (*key, start)


def several(texts: Iterable[str]) -> dict[Key, Intervals]:
    """Read several names into a set of jobs.

    >>> several(["1.1.3", "1.1.4", "2.1.9"])
    {(1, 1): [(3, 5)], (2, 1): [(9, 10)]}
    """
    found: dict[Key, Intervals] = {}
    for key, piece in map(read, texts):
        found[key] = intervals.union([*found.get(key, []), piece])
    return found


def words(jobs: Mapping[Key, Intervals], most: int = 8) -> str:
    """Write a set of jobs as users write them, the first few if it is in many pieces.

    >>> words({(1, 1): [(3, 5), (9, 10)]})
    '1.1.3-4, 1.1.9'
    """
    names = [_name(key, piece) for key, pieces in sorted(jobs.items()) for piece in pieces]
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def _name(key: Key, piece: Interval) -> str:
    first, last = piece[0], piece[1] - 1
    return f"{key[0]}.{key[1]}.{first}" + (f"-{last}" if last > first else "")


def chosen(failed: Mapping[Key, Intervals], names: Collection[str], sid: str) -> dict[Key, Intervals]:
    """Choose those of the failed jobs that are named, all if none is. Raises NotFound if a name means none of them.

    >>> chosen({(1, 1): [(3, 6)]}, ("1.1.4",), "20261123-025532-k3j9")
    {(1, 1): [(4, 5)]}
    """
    if not failed:
        raise NotFound(f"no job of session {sid} failed for good; nothing was changed")
    found: dict[Key, Intervals] = {}
    for name in names or [f"{group}.{joblist}" for group, joblist in failed]:
        key, piece = read(name)
        pieces = intervals.intersect(failed.get(key, []), [piece])
        if not pieces:
            raise NotFound(
                f"{name}: no job of it failed for good: what is ok stays, and what has attempts left is tried again by "
                f"itself; nothing was changed. Failed are {words(failed)}"
            )
        found[key] = intervals.union([*found.get(key, []), *pieces])
    return found

"""What the durable bundles of a session say of its jobs, where this host's archive does not know: slow, but there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from park_spool import intervals, replies, sealed
from park_spool.atomic import Disk
from park_spool.errors import TornError
from park_spool.intervals import Intervals
from park_spool.layout import Layout

Key = tuple[int, int]  # (group, job list)


def ok_jobs(sizes: Mapping[Key, int], results: Iterable[tuple[Key, int]]) -> dict[Key, Intervals]:
    """Collect the jobs with an ok result; `results` are (group, job list) and job of results that are ok.

    >>> ok_jobs({(1, 1): 3}, [((1, 1), 2), ((1, 1), 2), ((1, 1), 3)])
    {(1, 1): [(2, 4)]}
    """
    seen = {key: bytearray(size + 1) for key, size in sizes.items()}
    for key, job in results:
        seen[key][job] = 1
    return {key: _pieces(flags) for key, flags in seen.items()}


def _pieces(flags: bytearray) -> Intervals:
    return intervals.union((job, job + 1) for job, flag in enumerate(flags) if flag)


def results(disk: Disk, spool: Layout, sid: str) -> Iterable[tuple[Key, int]]:
    """Yield the jobs that the durable bundles of a session call ok."""
    for name in disk.names(spool.bundles(sid)):
        data = disk.read(spool.bundles(sid) / name)
        try:
            for part, reply in sealed.unbind(data or b""):
                decoded = replies.decode(part, reply)
                yield from ((decoded.unit.key, job.job) for job in decoded.jobs if job.status == "ok")
        except TornError:
            continue

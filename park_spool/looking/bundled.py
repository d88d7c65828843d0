"""What the durable bundles of a session say of its jobs, where this host's archive does not know: slow, but there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from park_spool import intervals, replies, sealed
from park_spool.archive.fit_rows import RunRow
from park_spool.atomic import Disk
from park_spool.errors import TornError
from park_spool.intervals import Intervals
from park_spool.layout import Layout
from park_spool.replies import Reply

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
    for reply in _replies(disk, spool, sid):
        yield from ((reply.unit.key, job.job) for job in reply.jobs if job.status == "ok")


def runs(disk: Disk, spool: Layout, sid: str, key: tuple[int, int, int]) -> tuple[list[RunRow], str]:
    """Return the runs of a job, the first one first, and the output of that which counts: the first that was ok."""
    found: list[RunRow] = []
    outputs: list[str] = []
    for reply in _replies(disk, spool, sid):
        unit = reply.unit
        for job in reply.jobs if unit.key == key[:2] and unit.start <= key[2] < unit.stop else ():
            if job.job == key[2]:
                ended = (job.status, job.started, job.seconds, job.why, job.exit, job.signal, job.stderr)
                counts = job.status == "ok" and not outputs
                outputs += [job.output] if counts else []
                found.append(RunRow(unit.round, unit.attempt, reply.node, *ended, counts))
    found.sort(key=lambda run: (run.round, run.attempt, run.started, run.node))
    return found, outputs[0] if outputs else ""


def _replies(disk: Disk, spool: Layout, sid: str) -> Iterator[Reply]:
    """Yield the replies in the durable bundles of a session, as far as they are whole."""
    for name in disk.names(spool.bundles(sid)):
        data = disk.read(spool.bundles(sid) / name)
        try:
            for part, reply in sealed.unbind(data or b""):
                yield replies.decode(part, reply)
        except TornError:
            continue

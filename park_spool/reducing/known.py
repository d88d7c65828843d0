"""A session as the reducer has it, and what it decides: what is final, what a job is about, in what state it all is.

All are pure. What is final follows from the retries that the archive counts by, so that the same replies give the
same rows whether a retry comes before or after them (PROTOCOL.md section 8).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter

from park_spool.admitted import Admitted
from park_spool.archive.entries import Block
from park_spool.archive.writing import Result
from park_spool.controls import Controls
from park_spool.intervals import Intervals
from park_spool.naming import Unit
from park_spool.replies import Reply
from park_spool.retries import Retries
from park_spool.sessions import datasets
from park_spool.sessions.session import JobList
from park_spool.starts import Waits, waits_of

_SAID = attrgetter("status", "why", "exit", "signal", "stderr", "data", "files")
_NOTHING_BUT_OUTPUT = ("ok", None, None, None, None, None, None)


@dataclass(slots=True)
class Known:
    """One session; `wishes` are the names in its folder that were taken in, `read` what the retries among them say.

    `reduced`: the highest sequence of the wishes to reduce again among them.
    """

    admitted: Admitted
    retries: Retries = field(default_factory=Retries)
    controls: Controls = field(default_factory=Controls)
    wishes: frozenset[str] = frozenset()
    reduced: int = 0
    read: dict[str, dict[tuple[int, int], Intervals]] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()  # wishes whose files did not say who and when, at one look
    _about: dict[tuple[int, int], JobList | None] = field(default_factory=dict)  # job lists whose inputs name data sets
    waits: Waits = field(init=False)

    def __post_init__(self) -> None:
        self.waits = waits_of(self.admitted.session)

    @property
    def sid(self) -> str:
        return self.admitted.sid

    def has_datasets(self, key: tuple[int, int]) -> bool:
        """Say whether jobs of a (group, job list) are about data sets by their inputs."""
        if key not in self._about:
            self._about[key] = self._with_datasets(key)
        return self._about[key] is not None

    def dataset(self, key: tuple[int, int], job: int, output: str) -> str | None:
        """Return the data set that a job is about."""
        joblist = self._about[key] if self.has_datasets(key) else None
        if joblist is None or not 1 <= job <= joblist.size:
            return datasets.of_output(output)
        return datasets.of_job(joblist, job, output)

    def _with_datasets(self, key: tuple[int, int]) -> JobList | None:
        if not self.admitted.session.sizes().get(key):
            return None  # a bundle may be damaged
        joblist = self.admitted.session.groups[key[0] - 1].joblists[key[1] - 1]
        return joblist if datasets.are_in(joblist) else None


def is_final(session: Admitted, retries: Retries, unit: Unit, job: int, status: str) -> bool:
    """Say whether a result ends its job: as its attempt says, unless a retry of a later round names the job."""
    if status == "ok":
        return True
    return session.is_final(status, unit.attempt) and retries.is_last(unit.key, job, unit.round)


def results_of(known: Known, reply: Reply) -> list[Result]:
    """Turn the lines of a reply into results, each final or not."""
    unit, node = reply.unit, reply.node
    session, retries = known.admitted, known.retries
    return [
        Result(
            *(unit.sid, unit.group, unit.joblist, job.job, job.status, unit.round, unit.attempt, node),
            *(job.started, job.seconds, job.output, job.why, job.exit, job.signal, job.stderr, job.data),
            job.files,
            job.status == "ok" or is_final(session, retries, unit, job.job, job.status),
            known.dataset(unit.key, job.job, job.output),
        )
        for job in reply.jobs
    ]


def block_of(reply: Reply) -> Block | None:
    """Return a reply as one block of results, None unless its jobs are all ok, consecutive, and have only outputs."""
    unit, jobs = reply.unit, reply.jobs
    if list(map(_SAID, jobs)).count(_NOTHING_BUT_OUTPUT) < len(jobs):
        return None
    if [job.job for job in jobs] != list(range(unit.start, unit.start + len(jobs))):
        return None
    return Block(
        *(unit.sid, unit.group, unit.joblist, unit.start, unit.round, unit.attempt, reply.node),
        started=[job.started for job in jobs],
        seconds=[job.seconds for job in jobs],
        outputs=[job.output for job in jobs],
    )


def state_of(controls: Controls, counts: tuple[int, int, int], has_run: bool) -> str:
    """Say in what state a session is; `counts`: its jobs, those that are ok, those that failed for good.

    >>> state_of(Controls(), (4, 3, 1), True), state_of(Controls(), (4, 0, 0), False)
    ('failed', 'queued')
    >>> state_of(Controls(is_cancelled=True), (4, 4, 0), True), state_of(Controls(is_paused=True), (4, 3, 0), True)
    ('cancelled', 'paused')
    """
    jobs, ok, failed = counts
    is_complete = ok + failed == jobs
    if controls.is_cancelled or (controls.is_deleted and not is_complete):
        return "cancelled"
    if is_complete:
        return "failed" if failed else "done"
    if controls.is_paused:
        return "paused"
    return "running" if has_run else "queued"

"""What a program that watches a session is told: how far it is, and how good its best fit."""

from __future__ import annotations

from dataclasses import dataclass

from park_spool.looking.sight import Sight


@dataclass(frozen=True, slots=True)
class Update:
    """One look at a session; `done` counts the jobs that have their result, what is not known (yet) is None.

    `rate` is in jobs a second, `left` in seconds. `chisqs` are the improvements of the best chisq, `waits` says in
    sentences why nothing moves.
    """

    sid: str
    state: str
    jobs: int | None
    done: int
    failed: int | None
    best_chisq: float | None
    best_job: str | None
    rate: float | None
    left: float | None
    running: tuple[str, ...]
    chisqs: tuple[float, ...]
    waits: tuple[str, ...]
    is_closed: bool

    def __str__(self) -> str:
        jobs = "waits to be admitted" if self.jobs is None else f"{self.done:,} of {self.jobs:,} jobs"
        best = "" if self.best_chisq is None else f", best chisq {self.best_chisq:.6g} (job {self.best_job})"
        return f"{self.state}: {jobs}{best}"


def of_sight(sight: Sight) -> Update:
    """Return what a look shows."""
    one, now = sight.standing, sight.story.progress
    return Update(
        sid=one.sid,
        state=one.state,
        jobs=one.jobs,
        done=one.final,
        failed=one.failed,
        best_chisq=one.best_chisq,
        best_job=one.best_job,
        rate=now.rate if now and now.rate else sight.rate,
        left=now.left if now else None,
        running=tuple(job.job for job in sight.running),
        chisqs=sight.story.chisqs,
        waits=sight.waits,
        is_closed=one.is_closed,
    )

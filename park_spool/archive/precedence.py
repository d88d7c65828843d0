"""Which of several final results of one job counts, and which jobs improved on chi-square: pure deciders.

Guarantee: every order of arrival, and every cutting into batches, ends in the same rows.  So each decision
is the minimum of a total order, and each count is the size of a set.

    ok before everything else; then the higher (round, attempt); then the smaller node.

A *run* of a job is (round, attempt, node).  The same run seen again is the same result, not a duplicate; if
one node ran a job twice under one attempt, the earlier start stands for the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from .entries import HistoryPoint, JobKey, JobListKey, Result


class Rank(NamedTuple):
    """The place of a final result among the final results of its job; the smallest one counts."""

    is_not_ok: bool
    minus_round: int
    minus_attempt: int
    node: str
    started: float
    seconds: float
    status: str

    @property
    def run(self) -> tuple[int, int, str]:
        return -self.minus_round, -self.minus_attempt, self.node


def rank(status: str, round_: int, attempt: int, node: str, started: float, seconds: float) -> Rank:
    """Rank one final result: the smallest rank counts.

    >>> rank("ok", 0, 0, "b", 1.0, 1.0) < rank("failed", 0, 2, "a", 0.0, 0.0)
    True
    >>> rank("ok", 0, 1, "b", 1.0, 1.0) < rank("ok", 0, 0, "a", 0.0, 0.0)
    True
    """
    return Rank(status != "ok", -round_, -attempt, node, started, seconds, status)


def rank_of(result: Result) -> Rank:
    return rank(result.status, result.round, result.attempt, result.node, result.started, result.seconds)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a batch of final results."""

    accepted: list[Result] = field(default_factory=list)  # the job had no final result yet
    replacing: list[Result] = field(default_factory=list)  # beats the one that is stored
    beaten: list[Result] = field(default_factory=list)  # of another run than the one that counts


def settle(stored: dict[JobKey, Rank], finals: Iterable[Result]) -> Verdict:
    """Decide which of these final results are new, which replace a stored one, and which are duplicates.

    A stored result that is replaced by another run's is a duplicate too; it is not in `beaten`, since it
    lies in the archive already.
    """
    best: dict[JobKey, Result] = {}
    contested: list[Result] = []
    for result in finals:
        key = result[:4]
        if best.setdefault(key, result) is not result:
            contested.append(result)
    if not contested and not stored:
        return Verdict(accepted=list(best.values()))
    return _settle_contested(stored, best, contested)


def _settle_contested(stored: dict[JobKey, Rank], best: dict[JobKey, Result], contested: list[Result]) -> Verdict:
    everything = [*best.values(), *contested]
    for result in contested:
        if rank_of(result) < rank_of(best[result[:4]]):
            best[result[:4]] = result
    verdict = Verdict()
    for key, result in best.items():
        if key not in stored:
            verdict.accepted.append(result)
        elif rank_of(result) < stored[key]:
            verdict.replacing.append(result)
    for result in everything:
        winner = min(rank_of(best[result[:4]]), stored.get(result[:4], _LAST))
        if rank_of(result).run != winner.run:
            verdict.beaten.append(result)
    return verdict


_LAST = Rank(True, 1, 1, "", 0.0, 0.0, "")  # behind every real rank: rounds and attempts count from 0


def runs(results: Iterable[Result]) -> Iterator[tuple[JobListKey, int, int]]:
    """Yield the runs of consecutive jobs of one job list as (job list, start, stop), in the order given."""
    head: JobListKey | None = None
    start = stop = 0
    for result in results:
        if result.job == stop and result[:3] == head:
            stop += 1
            continue
        if head is not None:
            yield head, start, stop
        head, start, stop = result[:3], result.job, result.job + 1
    if head is not None:
        yield head, start, stop


def improvements(points: Iterable[HistoryPoint]) -> list[HistoryPoint]:
    """Return the staircase of improvements: the points lower in chisq than every one that finished earlier.

    Points are taken in the order (finished, job list, job).  The staircase of a union is the staircase of the
    staircases' union, so it can be kept step by step without looking at the other jobs again.

    >>> points = [HistoryPoint(2.0, 1, 2, 9.0), HistoryPoint(1.0, 1, 1, 10.0), HistoryPoint(3.0, 1, 3, 9.0)]
    >>> [(point.job, point.chisq) for point in improvements(points)]
    [(1, 10.0), (2, 9.0)]
    """
    front: list[HistoryPoint] = []
    for point in sorted(points):
        if not front or point.chisq < front[-1].chisq:
            front.append(point)
    return front

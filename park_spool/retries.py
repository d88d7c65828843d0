"""Jobs that are to be run again after they had failed for good: `retry.ROUND.RANDOM` in a session's folder.

Each names its jobs, so that "final" means the same to everybody, in every order: a result that is not ok is final only
if its attempt is the last of its round *and* no retry of a later round names the job. Two users may open a round at
once; then both files count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from park_spool import intervals, sealed, wishes
from park_spool.atomic import Disk
from park_spool.errors import TornError
from park_spool.intervals import Intervals
from park_spool.member import Member

Key = tuple[int, int]  # (group, job list)
Jobs = Mapping[Key, Intervals]
LAST_ROUND = 99


@dataclass(frozen=True, slots=True)
class Retries:
    """The jobs that each round names; round 0 is everybody's first, and names nobody."""

    rounds: Mapping[int, Jobs] = field(default_factory=dict)

    @property
    def highest(self) -> int:
        return max(self.rounds, default=0)

    def round_of(self, key: Key, job: int) -> int:
        """Return the highest round that names a job, 0 if none does.

        >>> Retries({1: {(1, 1): [(3, 5)]}}).round_of((1, 1), 4)
        1
        """
        named = (number for number, jobs in self.rounds.items() if intervals.holds(jobs.get(key, []), job, job + 1))
        return max(named, default=0)

    def is_last(self, key: Key, job: int, round_: int) -> bool:
        """Say whether no later round names a job: else no result of this one is final unless it is ok."""
        return self.round_of(key, job) <= round_

    def split(self, key: Key, pieces: Intervals) -> list[tuple[int, Intervals]]:
        """Sort jobs of a job list by the highest round that names them, the first round first.

        >>> Retries({1: {(1, 1): [(3, 5)]}}).split((1, 1), [(1, 5)])
        [(0, [(1, 3)]), (1, [(3, 5)])]
        """
        found: list[tuple[int, Intervals]] = []
        for number in sorted(self.rounds, reverse=True):
            named = self.rounds[number].get(key, [])
            found.append((number, intervals.intersect(pieces, named)))
            pieces = intervals.subtract(pieces, named)
        return [(number, jobs) for number, jobs in ((0, pieces), *reversed(found)) if jobs]

    def after(self, round_: int) -> dict[Key, Intervals]:
        """Return the jobs that rounds later than this one name: who knows only this one must not call them final."""
        found: dict[Key, Intervals] = {}
        for number, jobs in self.rounds.items():
            for key, pieces in jobs.items() if number > round_ else ():
                found[key] = intervals.union([*found.get(key, []), *pieces])
        return found


def encode(jobs: Jobs, user: str, at: float) -> bytes:
    shown = {f"{group}.{joblist}": pieces for (group, joblist), pieces in jobs.items()}
    return sealed.seal_json({"by": user, "at": at, "jobs": shown})


def decode(data: bytes) -> dict[Key, Intervals]:
    """Read the jobs that a retry names. Raises TornError if it is not whole."""
    fields = sealed.unseal_json(data)
    try:
        return {_key(word): intervals.union((int(a), int(b)) for a, b in pieces) for word, pieces in _items(fields)}
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise TornError(f"not a retry: {error!r}") from error


def _items(fields: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    items: Iterable[tuple[str, Any]] = fields["jobs"].items()
    return items


def _key(word: str) -> Key:
    group, _, joblist = word.partition(".")
    return int(group), int(joblist)


def names_of(names: Iterable[str]) -> list[str]:
    """Return those of the names in a session's folder that are retries."""
    return [name for name in names if wishes.parse_retry(name) is not None]


def read(disk: Disk, folder: Path, names: Iterable[str], known: dict[str, dict[Key, Intervals]]) -> Retries:
    """Read the retries in a session's folder; `known` keeps what was read under a name, for the next call."""
    rounds: dict[int, dict[Key, Intervals]] = {}
    for name in names_of(names):
        if name not in known:
            jobs = _read_one(disk, folder / name)
            if jobs is None:
                continue
            known[name] = jobs
        round_ = rounds.setdefault(wishes.parse_retry(name) or 0, {})
        for key, pieces in known[name].items():
            round_[key] = intervals.union([*round_.get(key, []), *pieces])
    return Retries(rounds)


def _read_one(disk: Disk, path: Path) -> dict[Key, Intervals] | None:
    data = disk.read(path)
    try:
        return None if data is None else decode(data)
    except TornError:
        return {}  # it is published durably, so this is damage: it names nobody, and `park retry` can be said again


def open_round(member: Member, folder: Path, jobs: Jobs, user: str) -> int:
    """Name jobs that are to be run again, in a round of their own; return the round.

    At the instant of the rename they are not final any more. Raises ValueError if no round is left.
    """
    taken = _rounds(member, folder)
    while max(taken, default=0) < LAST_ROUND:
        round_ = max(taken, default=0) + 1
        name = wishes.retry_name(round_, member.choose)
        member.disk.publish(folder / name, encode(jobs, user, member.wall()), durable=True)
        taken = _rounds(member, folder)
        # RACE: a tally says which rounds it knows, not whose: who sees that two opened one at once opens the next, too.
        if taken.count(round_) <= 1:
            return round_
    raise ValueError(f"a session has at most {LAST_ROUND} rounds")


def _rounds(member: Member, folder: Path) -> list[int]:
    return [wishes.parse_retry(name) or 0 for name in member.disk.names(folder)]

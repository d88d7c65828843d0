"""What an examination found, as values: put together from what the two sides say. No disk and no clock here."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from park_spool.doctor.alone import Alone
from park_spool.doctor.probing import LOCKS, LOOKS


@dataclass(frozen=True, slots=True)
class Race:
    """All processes of both sides tried for each of `files`: how often one won, and how many each side won.

    `unlisted` winners said that they won, and the name that they made does not stand there.
    """

    files: int
    once: int
    twice: int
    never: int
    sides: tuple[int, int]
    unlisted: int
    errors: Mapping[str, int]

    @property
    def is_fair(self) -> bool:
        """Say whether every file was won by exactly one, and it is there."""
        return self.once == self.files and not self.unlisted


@dataclass(frozen=True, slots=True)
class Delay:
    """How long side 1 did not see what side 0 did, in seconds; `unseen` changes were not seen within `limit`."""

    seen: tuple[float, ...]
    unseen: int
    limit: float

    @property
    def median(self) -> float:
        return statistics.median(self.seen) if self.seen else self.limit

    @property
    def worst(self) -> float:
        return self.limit if self.unseen else max(self.seen, default=self.limit)


@dataclass(frozen=True, slots=True)
class Lock:
    """Whether a lock of side 0 kept side 1 out (None: not found out), and how many counted turns under it were lost."""

    excludes: bool | None
    turns: int
    lost: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """All of it. `is_two_sided` says whether the sides were two mounts; `skew` (s) is the other host's clock's lead."""

    is_two_sided: bool
    skew: float
    rename: Race
    create: Race
    delays: Mapping[str, Delay]
    locks: Mapping[str, Lock]
    is_told: bool | None
    alone: Alone

    @property
    def worst_name(self) -> float:
        """Return how long a new name may stay unseen, by whatever look, in seconds."""
        return max(self.delays[what].worst for what in ("list", "open"))


def race_of(files: int, racers: Sequence[Sequence[Mapping[str, Any]]], listed: Sequence[str] | None) -> Race:
    """Count who won what; `listed` are the names NUMBER.WINNER that stand there, None where winners leave none.

    >>> race_of(2, [[{"me": "0-0", "won": [0], "errors": {}}], [{"me": "1-0", "won": [0], "errors": {}}]], None).twice
    1
    """
    everyone = [one for side in racers for one in side]
    wins = Counter(number for one in everyone for number in one["won"])
    errors: Counter[str] = Counter()
    for one in everyone:
        errors.update(one["errors"])
    names = {f"{number:05d}.{one['me']}" for one in everyone for number in one["won"]}
    times = list(wins.values())
    first, *others = (sum(len(one["won"]) for one in side) for side in racers)
    return Race(
        files,
        times.count(1),
        sum(time > 1 for time in times),
        files - len(wins),
        (first, sum(others)),
        len(names - set(listed)) if listed is not None else 0,
        dict(errors),
    )


def delays_of(changed: Mapping[str, Any], looked: Mapping[str, Any], skew: float, limit: float) -> dict[str, Delay]:
    """Say of each kind of change how late it was seen; the looking clock is `skew` seconds ahead."""
    delays = {}
    for what in LOOKS:
        pairs = list(zip(changed["times"][what], looked["times"][what], strict=True))
        seen = [max(0.0, late - skew - done) for done, late in pairs if done is not None and late is not None]
        unseen = sum(done is not None and late is None for done, late in pairs)
        delays[what] = Delay(tuple(round(delay, 4) for delay in seen), unseen, limit)
    return delays


def locks_of(
    holding: Mapping[str, Any], trying: Mapping[str, Any], counts: Mapping[str, int], skew: float
) -> dict[str, Lock]:
    """Say of each kind of lock whether it held the other side off, and whether what it guards adds up."""
    found = {}
    for how in LOCKS:
        mine, theirs = holding["locks"][how], trying["locks"][how]
        turns = mine.get("turns", 0) + theirs.get("turns", 0)
        error = mine.get("error") or theirs.get("error") or ""
        # NFS: a lock may be a second in coming, and who tries meanwhile has it first.
        met = not error and mine["got"] and mine["by"] < theirs["at"] - skew and theirs["by"] - skew < mine["till"]
        found[how] = Lock(not theirs["got"] if met else None, turns, max(0, turns - counts[how]), error)
    return found

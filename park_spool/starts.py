"""What of a session starts from something else, and the start values that stand for it in the session's folder.

    group with `after`          start.GROUP.000.000000000
    step 2, 3, … of a list      start.GROUP.JOBLIST.JOB

Published durably by the reducer: at that instant it may be run. spoold offers by the names alone, nodes read the
values. A job that needs both starts from the group's, with its step's laid over them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from park_spool import sealed
from park_spool.atomic import Disk
from park_spool.errors import TornError
from park_spool.naming import Start, Unit, parse_start
from park_spool.sessions.after import After, after_of
from park_spool.sessions.session import Session

Key = tuple[int, int]  # (group, job list)


@dataclass(frozen=True, slots=True)
class Waits:
    """The groups of a session that wait for something, and the sizes of its sequential job lists."""

    groups: Mapping[int, After] = field(default_factory=dict)
    lists: Mapping[Key, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.groups or self.lists)

    @property
    def sids(self) -> set[str]:
        """Return the sessions that it waits for."""
        return {after.sid for after in self.groups.values() if after.sid is not None}

    def needed(self, key: Key, job: int) -> list[Start]:
        """Return the start values that a job needs, in the order in which they are laid over each other."""
        group = [Start(key[0])] if key[0] in self.groups else []
        return [*group, Start(*key, job)] if key in self.lists and job > 1 else group

    def may_have(self, start: Start) -> bool:
        """Say whether start values of this name are ever given."""
        if start.job:
            return 1 < start.job <= self.lists.get(start.key, 0)
        return start.group in self.groups

    def is_begun(self, group: int, starts: Collection[Start]) -> bool:
        """Say whether the units of a group may be offered."""
        return group not in self.groups or Start(group) in starts

    def startable(self, units: Iterable[Unit], starts: Collection[Start]) -> Iterator[Unit]:
        """Yield what of some units may be offered now: of a sequential job list one step at a time.

        >>> waits = Waits({2: After(None, 1)}, {(1, 1): 9})
        >>> units = [Unit("s", 1, 1, 3, 10), Unit("s", 2, 1, 1, 5)]
        >>> [(unit.key, unit.start, unit.stop) for unit in waits.startable(units, {Start(1, 1, 5)})]
        [((1, 1), 5, 6)]
        """
        for unit in units:
            if not self.is_begun(unit.group, starts):
                continue
            if unit.key in self.lists:
                jobs = {1, *(start.job for start in starts if start.key == unit.key)}
                yield from (unit.piece(job, job + 1) for job in sorted(jobs) if unit.start <= job < unit.stop)
            else:
                yield unit


def waits_of(session: Session) -> Waits:
    """Work out what of a session starts from something else."""
    groups = {number: after_of(session, number) for number in range(1, len(session.groups) + 1)}
    return Waits(
        {number: after for number, after in groups.items() if after is not None},
        {
            (number, place): joblist.size
            for number, group in enumerate(session.groups, 1)
            for place, joblist in enumerate(group.joblists, 1)
            if joblist.is_sequential
        },
    )


def starts_in(names: Iterable[str]) -> frozenset[Start]:
    """Return the starts among the names in a session's folder."""
    return frozenset(start for start in map(parse_start, names) if start is not None)


@dataclass(frozen=True, slots=True)
class Given:
    """Start values, and from which fit they come: `job` (group.joblist.job) of session `sid`, empty for none."""

    values: Mapping[str, str] = field(default_factory=dict)
    sid: str = ""
    job: str = ""
    chisq: float | None = None


def encode(given: Given, by: str, at: float) -> bytes:
    """Seal start values; `by` is the reducer that gives them, `at` Unix time."""
    origin = {"sid": given.sid, "job": given.job, "chisq": given.chisq} if given.job else None
    return sealed.seal_json({"values": dict(given.values), "from": origin, "by": by, "at": at})


def decode(data: bytes) -> Given:
    """Read start values. Raises TornError if they are not whole."""
    fields = sealed.unseal_json(data)
    try:
        values = {str(name): str(text) for name, text in fields["values"].items()}
        origin = fields.get("from") or {}
        return Given(values, str(origin.get("sid", "")), str(origin.get("job", "")), origin.get("chisq"))
    except (KeyError, AttributeError) as error:
        raise TornError(f"not start values: {error!r}") from error


def read(disk: Disk, folder: Path, starts: Iterable[Start]) -> dict[str, str] | None:
    """Read the values of some starts, laid over each other in their order; None if one is not there (yet)."""
    values: dict[str, str] = {}
    for start in starts:
        given = read_one(disk, folder, start)
        if given is None:
            return None
        values |= given.values
    return values


def read_one(disk: Disk, folder: Path, start: Start) -> Given | None:
    """Read one start; None if it is not there, or torn."""
    data = disk.read(folder / start.name)
    try:
        return None if data is None else decode(data)
    except TornError:
        return None  # CRASH: it is published durably, so this is damage; the reducer puts it right at its next look

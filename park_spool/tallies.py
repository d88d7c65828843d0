"""What is final, as reducers say it on the spool: `sessions/SID/tally.REDUCER.SEQ`.

A tally is computed from the archive, never from a batch. It holds final jobs as intervals and other failures as
bounded ranges, so it stays small for ten million jobs. spoold takes the union of the newest tally of each reducer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from park_spool import intervals, naming, sealed
from park_spool.atomic import Disk
from park_spool.errors import TornError
from park_spool.intervals import Intervals
from park_spool.retries import Retries

Key = tuple[int, int]
Failure = tuple[int, int, int]  # job, round, attempt
MAX_FAILURES = 2000
NO_RETRIES = Retries()


@dataclass(frozen=True, slots=True)
class Tally:
    """Final jobs and failures that are not final, for each (group, job list).

    `unnamed`: jobs that failed, too, and are not named among the first `MAX_FAILURES`; their turn comes. `round`: the
    latest round of retries that it takes into account; what a later one names is not final (`known_to`). `reduced`: the
    highest sequence of the wishes to reduce again that were carried out.
    """

    final: Mapping[Key, Intervals] = field(default_factory=dict)
    failures: Mapping[Key, list[Failure]] = field(default_factory=dict)
    unnamed: Mapping[Key, Intervals] = field(default_factory=dict)
    round: int = 0
    reduced: int = 0

    def known_to(self, retries: Retries) -> Tally:
        """Return this tally less the jobs that it calls final and a later retry names."""
        again = retries.after(self.round)
        if not again:
            return self
        final = {key: intervals.subtract(pieces, again.get(key, [])) for key, pieces in self.final.items()}
        return replace(self, final=final, round=retries.highest)

    def covers(self, sizes: Mapping[Key, int]) -> bool:
        """Say whether all jobs of a session are final."""
        return all(intervals.holds(self.final.get(key, []), 1, size + 1) for key, size in sizes.items())

    def is_within(self, other: Tally) -> bool:
        """Say whether another tally holds everything that this one holds as final."""
        return all(not intervals.subtract(pieces, other.final.get(key, [])) for key, pieces in self.final.items())


def union(tallies: Iterable[Tally]) -> Tally:
    """Put the tallies of several reducers together; of several attempts of a job the highest counts."""
    several = list(tallies)
    final: dict[Key, Intervals] = {}
    failed: dict[Key, dict[int, tuple[int, int]]] = {}
    for tally in several:
        for key, pieces in tally.final.items():
            final[key] = intervals.union([*final.get(key, []), *pieces])
        for key, failures in tally.failures.items():
            jobs = failed.setdefault(key, {})
            for job, round_, attempt in failures:
                jobs[job] = max(jobs.get(job, (-1, -1)), (round_, attempt))
    left = {
        key: [
            (job, *last) for job, last in sorted(jobs.items()) if not intervals.holds(final.get(key, []), job, job + 1)
        ]
        for key, jobs in failed.items()
    }
    latest = max((one.round for one in several), default=0), max((one.reduced for one in several), default=0)
    return Tally(final, left, _unnamed(several, final, left), *latest)


def _unnamed(
    several: Iterable[Tally], final: Mapping[Key, Intervals], failures: Mapping[Key, list[Failure]]
) -> dict[Key, Intervals]:
    found: dict[Key, Intervals] = {}
    for tally in several:
        for key, pieces in tally.unnamed.items():
            found[key] = intervals.union([*found.get(key, []), *pieces])
    known = {
        key: intervals.union([*final.get(key, []), *((job, job + 1) for job, *_ in failures.get(key, []))])
        for key in found
    }
    left = {key: intervals.subtract(pieces, known[key]) for key, pieces in found.items()}
    return {key: pieces for key, pieces in left.items() if pieces}


def encode(tally: Tally) -> bytes:
    """Seal a tally; of the failures only the first of each job list are named, the others when those are done."""
    unnamed = {
        key: intervals.union([*tally.unnamed.get(key, []), *((job, job + 1) for job, *_ in failures[MAX_FAILURES:])])
        for key, failures in tally.failures.items()
    }
    return sealed.seal_json(
        {
            "round": tally.round,
            "reduced": tally.reduced,
            "final": {_word(key): pieces for key, pieces in tally.final.items() if pieces},
            "failures": {_word(key): failures[:MAX_FAILURES] for key, failures in tally.failures.items() if failures},
            "unnamed": {_word(key): pieces for key, pieces in unnamed.items() if pieces},
        }
    )


def decode(data: bytes) -> Tally:
    """Read a tally. Raises TornError if it is not whole."""
    fields = sealed.unseal_json(data)
    try:
        return Tally(
            _intervals(fields["final"]),
            {_key(word): [(int(a), int(b), int(c)) for a, b, c in rows] for word, rows in fields["failures"].items()},
            _intervals(fields.get("unnamed", {})),
            *(int(fields.get(name, 0)) for name in ("round", "reduced")),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise TornError(f"not a tally: {error!r}") from error


def _intervals(fields: Mapping[str, Any]) -> dict[Key, Intervals]:
    return {_key(word): intervals.union((int(a), int(b)) for a, b in pieces) for word, pieces in fields.items()}


def newest(names: Iterable[str]) -> dict[str, str]:
    """Pick the newest tally of each reducer out of the names in a session's folder: reducer → name."""
    found: dict[str, tuple[int, str]] = {}
    for name in names:
        parsed = naming.parse_tally(name)
        if parsed is not None:
            found[parsed[0]] = max(found.get(parsed[0], (-1, "")), (parsed[1], name))
    return {reducer: name for reducer, (_, name) in found.items()}


def read(
    disk: Disk,
    session: Path,
    known: dict[str, Any],
    retries: Retries = NO_RETRIES,
    names: Iterable[str] | None = None,
) -> Tally:
    """Read the union of the newest tallies in a session's folder, less what later retries name.

    `known` keeps what was read under a name, for the next call; `names` are those in the folder, if they were listed.
    """
    fresh: dict[str, Tally] = {}
    for name in newest(disk.names(session) if names is None else names).values():
        tally = known.get(name) or read_one(disk, session / name)
        if tally is not None:
            fresh[name] = tally
    known.clear()
    known.update(fresh)
    return union(tally.known_to(retries) for tally in fresh.values())


def read_one(disk: Disk, path: Path) -> Tally | None:
    """Read one tally; None if it is gone or torn."""
    data = disk.read(path)
    try:
        return None if data is None else decode(data)
    except TornError:
        return None  # CRASH: torn by a power cut; the reducer publishes a newer one at its start


def _word(key: Key) -> str:
    return f"{key[0]}.{key[1]}"


def _key(word: str) -> Key:
    group, _, joblist = word.partition(".")
    return int(group), int(joblist)

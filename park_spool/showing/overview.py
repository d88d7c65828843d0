"""The list of sessions as it is shown: rows with progress and a line of the falling chisq, and what is not in it yet.

What lies in the inbox, is being admitted, or runs for an executor is not in the archive; what was rejected never will
be. stamp.py says whether anything of all this may have changed.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from park_spool.archive.finding import Found
from park_spool.archive.listing import Asked, Listed, Listing
from park_spool.archive.rows import SessionRow
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.errors import NotFound
from park_spool.progress import progress
from park_spool.showing.coming import Coming, Rejected, coming, rejected

MOST_POINTS = 40
MOST_SIZE = 500


@dataclass(frozen=True, slots=True)
class SessionShown:
    """A session. `done` jobs have their result, ok or not; `rate` is in jobs a second, `left` in seconds.

    `tasks` are those of its groups, `services` what stands before their `/`. `sparkline`: log10 of the best chisq so
    far, at each improvement of the group with the best fit, thinned to at most 40. `is_open`: it may still change.
    """

    sid: str
    user: str
    file: str
    state: str
    is_open: bool
    priority: int
    received: float
    jobs: int
    done: int
    ok: int
    failed: int
    duplicates: int = 0
    closed: float | None = None
    rate: float | None = None
    left: float | None = None
    best_chisq: float | None = None
    best_job: str | None = None
    first_started: float | None = None
    last_finished: float | None = None
    tasks: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    sparkline: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Overview:
    """A page of sessions. `total` are wanted, on `pages` pages; `states` counts those wanted but for their state.

    `note` says how old a snapshot is; `why` in a sentence why the archive cannot be seen (yet).
    """

    sessions: tuple[SessionShown, ...] = ()
    total: int = 0
    page: int = 1
    pages: int = 1
    size: int = 50
    states: dict[str, int] = field(default_factory=dict)
    users: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    coming: tuple[Coming, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    note: str = ""
    why: str = ""


def overview(settings: Config, disk: Disk, found: Found | None, asked: Asked, why: str = "") -> Overview:
    """Look at the list. `found` is the archive, None where there is none to be read, for the reason `why`.

    Raises NotFound if it cannot be sorted as asked.
    """
    if not (1 <= asked.size <= MOST_SIZE and asked.page >= 1):
        raise NotFound(f"expected a page from 1 on and 1 to {MOST_SIZE} sessions on it, got {asked.page}, {asked.size}")
    listing = Listing([], 0, {}, [], []) if found is None else found.reader.listing(asked)
    known = found.reader.known if found else _nothing
    return Overview(
        tuple(map(of_listed, listing.sessions)),
        listing.total,
        asked.page,
        max(1, -(-listing.total // asked.size)),
        asked.size,
        listing.states,
        tuple(listing.users),
        tuple(listing.tasks),
        services(listing.tasks),
        coming(settings, disk, known, asked.owner),
        rejected(settings, disk, asked.owner),
        "" if found is None else found.note,
        why,
    )


def _nothing(sids: Collection[str]) -> set[str]:
    return set()


def of_listed(one: Listed) -> SessionShown:
    """Show a session of the list."""
    return shown(one.row, one.tasks, one.chisqs)


def shown(row: SessionRow, tasks: Sequence[str] = (), chisqs: Sequence[float] = ()) -> SessionShown:
    """Show a session from its row, the tasks of its groups, and the staircase of its best group."""
    now = progress(row)
    kept = ("sid", "user", "file", "state", "priority", "received", "jobs", "ok", "failed", "duplicates", "closed")
    more = ("best_chisq", "best_job", "first_started", "last_finished")
    return SessionShown(
        **{name: getattr(row, name) for name in (*kept, *more)},
        is_open=now.is_open,
        done=now.done,
        rate=now.rate,
        left=now.left,
        tasks=tuple(tasks),
        services=services(tasks),
        sparkline=sparkline(chisqs),
    )


def services(tasks: Sequence[str]) -> tuple[str, ...]:
    """Return the services of tasks, each once.

    >>> services(["reflectivity/fit", "reflectivity/demo", "tester/toys"])
    ('reflectivity', 'tester')
    """
    return tuple(dict.fromkeys(task.partition("/")[0] for task in tasks))


def sparkline(chisqs: Sequence[float], most: int = MOST_POINTS) -> tuple[float, ...]:
    """Return log10 of a staircase's values, thinned out evenly; the first and the last stay.

    >>> sparkline([1000.0, 100.0, 0.0, 10.0]), len(sparkline(range(1, 500)))
    ((3.0, 2.0, 1.0), 40)
    """
    drawn = [round(math.log10(value), 4) for value in chisqs if 0 < value < math.inf]
    if len(drawn) > most:
        drawn = [drawn[round(place * (len(drawn) - 1) / (most - 1))] for place in range(most)]
    return tuple(drawn)

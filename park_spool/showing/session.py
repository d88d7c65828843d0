"""One session as its page shows it: how far it is, its groups with their best fits, what runs, what failed, what it
waits for, what was said of it and what may be asked now.

The archive says how jobs went, the spool where the session stands: without an archive, or with an old copy of one, the
page still says what can be known.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from park_spool import intervals, naming, recorded, whereabouts, wishes
from park_spool.admitted import Admitted
from park_spool.archive.finding import Found
from park_spool.archive.reading import ArchiveReader
from park_spool.archive.rows import FailureRow, MessageRow, SessionRow
from park_spool.atomic import Disk
from park_spool.config import Config
from park_spool.errors import NotFound, ParkError
from park_spool.looking import alive, reports, stalls, standing
from park_spool.looking.choices import Choices, choices
from park_spool.looking.standing import Look, Standing
from park_spool.progress import UNDECIDED
from park_spool.showing.groups import GroupShown, groups
from park_spool.showing.overview import SessionShown, services, shown

MOST_FAILURES = 50
MOST_RUNNING = 200
MOST_MESSAGES = 50
MOST_TEXT = 4000  # characters of the end of a failed job's standard error


@dataclass(frozen=True, slots=True)
class FailureShown:
    """A job that failed for good; `stderr` is the end of what it wrote there."""

    job: str
    status: str
    why: str
    node: str
    round: int
    attempt: int
    seconds: float
    finished: float
    stderr: str


@dataclass(frozen=True, slots=True)
class RunningShown:
    """A job that runs now, for `seconds`; `chisq` and `line` are what it said last of how far it is."""

    sid: str
    job: str
    node: str
    seconds: float | None
    chisq: float | None
    line: str


@dataclass(frozen=True, slots=True)
class MessageShown:
    """What the reducer of a group said; `number` counts in its group, anew when the reducer begins anew."""

    sid: str
    group: int
    number: int
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """What users said of a session that still counts; `why` it was cancelled, if that was not by its user."""

    is_paused: bool = False
    is_cancelled: bool = False
    is_deleted: bool = False
    priority: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class SessionPage:
    """All of one session's page. `place` is where it stands on the spool, None where it is not there any more.

    `rounds` is the highest round of jobs run again, `edition` that of an answer of now, `deliveries` those in the
    outbox by edition. `waits` are sentences why nothing moves. `after` is the session that it waits for. `note`: how
    old a snapshot is, or why the archive cannot be read.
    """

    session: SessionShown
    name: str
    place: str | None
    groups: tuple[GroupShown, ...]
    failures: tuple[FailureShown, ...]
    running: tuple[RunningShown, ...]
    messages: tuple[MessageShown, ...]
    waits: tuple[str, ...]
    said: Said
    may: Choices
    rounds: int
    edition: int
    deliveries: dict[int, str]
    attributes: dict[str, str]
    warnings: tuple[str, ...]
    after: str
    note: str = ""


def session(settings: Config, found: Found | None, sid: str, wall: Callable[[], float] = time.time) -> SessionPage:
    """Look at one session; `found` is the archive, if that was found already. Raises NotFound if nothing is known."""
    look = Look(settings, is_of_all=False, found=found)
    place, one, said = look.place(sid), _standing(look, sid), look.said(sid)
    reader, row = _archived(look, sid)
    there = None if place in ("inbox", "admitting") else recorded.find(look.disk, settings.layout, reader, sid)
    admitted = there[1] if there else None
    crew = alive.look(look.disk, settings.layout)
    folder = whereabouts.folder_of(settings.layout, sid, place)
    names = look.disk.names(folder) if folder is not None else []
    known = admitted.session if admitted else None
    return SessionPage(
        session=_shown(one, row, reader, admitted),
        name=known.attributes.get("name", "") if known else "",
        place=place,
        groups=groups(look.disk, settings, reader, sid, known) if reader else (),
        failures=tuple(map(of_failure, reader.failures(sid, MOST_FAILURES))) if reader else (),
        running=() if one.is_closed else _running(crew, sid, wall()),
        messages=tuple(of_message(sid, row) for row in reader.messages(sid, MOST_MESSAGES)) if reader else (),
        waits=() if one.is_closed else tuple(stalls.reasons(look, one, crew)),
        said=Said(said.is_paused, said.is_cancelled, said.is_deleted, said.priority, one.why or ""),
        may=choices(place, one, said, known if there and there[0] else None, _failed(look, one)),
        rounds=max((number for name in names if (number := wishes.parse_retry(name))), default=0),
        edition=wishes.edition_of(names),
        deliveries=_deliveries(look.disk, settings, sid, wishes.edition_of(names)),
        attributes=dict(known.attributes) if known else {},
        warnings=known.warnings if known else (),
        after=known.after if known else "",
        note=look.note,
    )


def _failed(look: Look, one: Standing) -> int:
    """Count the jobs that failed for good, and were not asked for again since."""
    return sum(map(intervals.total, standing.failed_jobs(look, one.sid).values())) if one.failed else 0


def _archived(look: Look, sid: str) -> tuple[ArchiveReader | None, SessionRow | None]:
    """Return the archive and its row of the session; nothing where it cannot be read, or does not know it."""
    try:
        reader = look.archive()
        return reader, reader.session(sid)
    except NotFound:
        return None, None
    except ParkError as error:
        look.note = str(error)
        return None, None


def _shown(
    one: Standing, row: SessionRow | None, reader: ArchiveReader | None, admitted: Admitted | None
) -> SessionShown:
    """Show the session's row, with what the spool knows better: state, and how many jobs are final."""
    if row is None or reader is None:
        return _of_spool(one, admitted)
    tasks = tuple(dict.fromkeys(group.task for group in reader.groups(row.sid)))
    group = int(row.best_job.partition(".")[0]) if row.best_job else 0
    chisqs = [step.chisq for step in reader.history(row.sid, group)] if group else []
    archived = shown(row, tasks, chisqs)
    is_open = one.state in UNDECIDED or not one.is_closed
    done = max(archived.done, one.final) if one.jobs is not None else archived.done
    return replace(archived, state=one.state, is_open=is_open, done=done)


def _of_spool(one: Standing, admitted: Admitted | None) -> SessionShown:
    """Show a session that the archive does not know."""
    received = admitted.received if admitted else naming.sid_time(one.sid)
    tasks = tuple(dict.fromkeys(group.task.cmd for group in admitted.session.groups)) if admitted else ()
    priority, jobs = admitted.session.priority if admitted else 0, one.jobs or 0
    return SessionShown(
        sid=one.sid,
        user=one.user,
        file=one.file,
        state=one.state,
        is_open=not one.is_closed,
        priority=priority,
        received=received,
        jobs=jobs,
        done=one.final,
        ok=one.ok or 0,
        failed=one.failed or 0,
        best_chisq=one.best_chisq,
        best_job=one.best_job,
        tasks=tasks,
        services=services(tasks),
    )


def _running(crew: alive.Crew, sid: str, now: float) -> tuple[RunningShown, ...]:
    """Return what live nodes say that they run of a session, the longest first."""
    heard = [of_running(job) for node in crew.nodes for job in reports.read(node, now=now).running if job.sid == sid]
    return tuple(sorted(heard, key=lambda job: (-(job.seconds or 0.0), job.job))[:MOST_RUNNING])


def of_running(job: reports.RunningJob) -> RunningShown:
    """Show a job that a node says it runs."""
    return RunningShown(job.sid, job.job, job.node, job.seconds, job.chisq, job.line or "")


def of_failure(row: FailureRow) -> FailureShown:
    """Show a job that failed for good."""
    why, stderr = row.why or "", (row.stderr or "")[-MOST_TEXT:]
    head = (row.job, row.status, why, row.node, row.round, row.attempt)
    return FailureShown(*head, row.seconds, row.finished, stderr)


def of_message(sid: str, row: MessageRow) -> MessageShown:
    """Show what a reducer said."""
    return MessageShown(sid, row.group, row.number, row.at, row.text)


def _deliveries(disk: Disk, settings: Config, sid: str, most: int) -> dict[int, str]:
    """Return the folders in the outbox by their editions; that is not listed, since it may hold many thousands."""
    places = {edition: settings.layout.delivered(sid, edition) for edition in range(1, most + 1)}
    return {edition: place.name for edition, place in places.items() if disk.kind(place) is not None}


def _standing(look: Look, sid: str) -> Standing:
    """Say where a session stands. Raises NotFound, with the reason if it was rejected."""
    try:
        return look.exactly(sid)
    except NotFound as error:
        reason = whereabouts.rejection(look.disk, look.settings.layout, sid) if naming.is_sid(sid) else None
        if reason is None:
            raise
        raise NotFound(f"session {sid} was rejected: {reason}") from error

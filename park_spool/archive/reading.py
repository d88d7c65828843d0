"""The readers' side of the archive: any number of processes and threads, read-only.

Each call opens the file, takes one consistent snapshot and closes it again, so that no reader ever holds up
the writer or keeps its log from being emptied.  While the file is not there, or is still being made, NotFound
says so in a sentence; TemporaryError says that looking again will help.
"""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from park_spool.intervals import Intervals

from . import ahead, fit_queries, happenings, job_queries, listing, queries, sessions
from .ahead import Fit
from .fit_rows import (
    BatchRow,
    DataSetRow,
    FitRow,
    ParameterRow,
    ProvenanceRow,
    RunRow,
    Said,
    SpreadRow,
    TextRow,
)
from .page_reading import PageReader
from .rows import (
    AttemptRow,
    BestRow,
    EventRow,
    FailureRow,
    FileRow,
    GroupPage,
    GroupRow,
    HistoryPicture,
    HistoryRow,
    JobDetail,
    JobRow,
    MessageRow,
    NodeEventRow,
    NodeRow,
    RunningRow,
    SessionPage,
    SessionRow,
    Wanted,
)

ANY = Wanted()
MOST_DOTS = 2000  # jobs drawn in the picture of a group's chi-square
MOST_FAILURES = 50
MOST_MESSAGES = 50


@dataclass(frozen=True, slots=True)
class ArchiveReader(PageReader):
    """The archive, for looking; may be used from several threads at once."""

    @classmethod
    def open(cls, path: Path) -> ArchiveReader:
        """Open the archive for looking. Raises NotFound if it is not there or is still being made."""
        reader = cls(path)
        reader.sessions(limit=1)
        return reader

    def copied(self) -> float:
        """Return when a copy was made (Unix time); 0 if it does not say."""
        with self._snapshot() as connection:
            return queries.copied(connection)

    def sessions(self, limit: int = 50, offset: int = 0, wanted: Wanted = ANY) -> list[SessionRow]:
        """Return the sessions that are wanted, newest first."""
        with self._snapshot() as connection:
            return listing.sessions(connection, wanted, limit, offset)

    def count_sessions(self, wanted: Wanted = ANY) -> int:
        """Count the sessions that are wanted."""
        with self._snapshot() as connection:
            return listing.count_sessions(connection, wanted)

    def users(self) -> list[str]:
        """Return the users who have sessions, by name."""
        with self._snapshot() as connection:
            return listing.users(connection)

    def closed_before(self, at: float) -> list[SessionRow]:
        """Return the sessions that were closed before a time and not deleted since, the first to close first."""
        with self._snapshot() as connection:
            return [queries.session(connection, sid) for sid in sessions.closed_before(connection, at)]

    def session(self, prefix: str) -> SessionRow:
        """Return the session whose id begins with `prefix`; NotFound if there is none, or more than one."""
        with self._snapshot() as connection:
            return queries.session(connection, prefix)

    def groups(self, sid: str) -> list[GroupRow]:
        with self._snapshot() as connection:
            return queries.groups(connection, sid)

    def history(self, sid: str, group: int) -> list[HistoryRow]:
        """Return the staircase of improvements of a group, first to finish first."""
        with self._snapshot() as connection:
            return queries.history(connection, sid, group)

    def best(self, sid: str, group: int) -> BestRow | None:
        """Return a group's best fit, or None while no job gave a chisq."""
        with self._snapshot() as connection:
            return queries.best(connection, sid, group)

    def best_fit(self, sid: str, group: int) -> Fit | None:
        """Return the fit with the smallest chisq of a group, with its whole output; None while no job gave one."""
        with self._snapshot() as connection:
            return ahead.best(connection, sid, group)

    def last_ok(self, sid: str, group: int, joblist: int, before: int) -> Fit | None:
        """Return the last job of a job list before a number that is ok; None if none is."""
        with self._snapshot() as connection:
            return ahead.last_ok(connection, sid, group, joblist, before)

    def fit(self, sid: str, group: int, joblist: int, job: int) -> BestRow | None:
        """Return any fit as `best` returns the best one; None if the job has no chisq."""
        with self._snapshot() as connection:
            return queries.fit(connection, sid, group, joblist, job)

    def fits(self, sid: str, group: int, limit: int = 100, offset: int = 0) -> list[FitRow]:
        """Return the fits of a group, the lowest chisq first."""
        with self._snapshot() as connection:
            return fit_queries.fits(connection, sid, group, limit, offset)

    def parameters(self, sid: str, group: int, joblist: int, job: int) -> list[ParameterRow]:
        """Return the parameters that a job gave, in the order of its output."""
        with self._snapshot() as connection:
            return fit_queries.parameters(connection, (sid, group, joblist, job))

    def spread(self, sid: str, group: int, most: int = 1000, limit: float = math.inf) -> list[SpreadRow]:
        """Return the parameters of the best `most` fits of a group up to a chisq, the lowest first."""
        with self._snapshot() as connection:
            return fit_queries.spread(connection, sid, group, most, limit)

    def batch(self, sid: str, group: int, limit: int = 1000, offset: int = 0) -> list[BatchRow]:
        """Return the best fit of each data set of a group, by the data sets' names."""
        with self._snapshot() as connection:
            return fit_queries.batch(connection, sid, group, limit, offset)

    def datasets_by_jobs(self, sid: str, group: int, limit: int) -> list[str]:
        """Return the data sets that jobs of a group are about, in the order of the first job of each."""
        with self._snapshot() as connection:
            return fit_queries.datasets_by_jobs(connection, sid, group, limit)

    def count_datasets(self, sid: str, group: int) -> int:
        """Count the data sets that jobs of a group are about."""
        with self._snapshot() as connection:
            return fit_queries.count_datasets(connection, sid, group)

    def said(self, sid: str, group: int, joblist: int, job: int) -> Said | None:
        """Return what a job said, with its curve if it gave one; None if it said nothing, or is not final."""
        with self._snapshot() as connection:
            return fit_queries.said(connection, (sid, group, joblist, job))

    def runs(self, sid: str, group: int, joblist: int, job: int) -> list[RunRow]:
        """Return every run of a job with its last lines of standard error, the first one first: the job's log."""
        with self._snapshot() as connection:
            return fit_queries.runs(connection, (sid, group, joblist, job))

    def data_sets(self, sid: str) -> list[DataSetRow]:
        """Return the data sets that jobs of a session read."""
        with self._snapshot() as connection:
            return fit_queries.data_sets(connection, sid)

    def provenance(self, sid: str) -> list[ProvenanceRow]:
        """Return what ran the jobs of a session."""
        with self._snapshot() as connection:
            return fit_queries.provenance(connection, sid)

    def texts(self, sid: str) -> list[TextRow]:
        """Return what the reducers of a session put."""
        with self._snapshot() as connection:
            return fit_queries.texts(connection, sid)

    def deliveries(self, sid: str) -> dict[int, str]:
        """Return a session's folders in the outbox by their editions."""
        with self._snapshot() as connection:
            return happenings.deliveries(connection, sid)

    def messages(self, sid: str, limit: int = MOST_MESSAGES) -> list[MessageRow]:
        """Return the newest messages of a session's reducers, oldest of them first."""
        with self._snapshot() as connection:
            return queries.messages(connection, sid, limit)

    def messages_after(self, sid: str, group: int, number: int, limit: int = 1000) -> list[MessageRow]:
        """Return the messages of a group after this number, in order; a reducer that begins anew numbers anew."""
        with self._snapshot() as connection:
            return queries.messages_after(connection, sid, group, number, limit)

    def events(self, sid: str) -> list[EventRow]:
        """Return what happened to a session, the first thing first."""
        with self._snapshot() as connection:
            return queries.events(connection, sid)

    def node_events(self, limit: int = 100) -> list[NodeEventRow]:
        """Return the newest things that happened to nodes, the newest first."""
        with self._snapshot() as connection:
            return queries.node_events(connection, limit)

    def failures(self, sid: str, limit: int = MOST_FAILURES) -> list[FailureRow]:
        """Return the jobs of a session that failed for good, with the reason in words."""
        with self._snapshot() as connection:
            return queries.failures(connection, sid, limit)

    def jobs(self, sid: str, limit: int = 100, offset: int = 0) -> list[JobRow]:
        """Return the finished jobs of a session in the order of their names."""
        with self._snapshot() as connection:
            return job_queries.jobs(connection, sid, limit, offset)

    def jobs_after(self, sid: str, key: tuple[int, int, int], limit: int) -> list[JobRow]:
        """Return the finished jobs that come after this one (group, job list, job), however many stand before."""
        with self._snapshot() as connection:
            return job_queries.jobs_after(connection, sid, key, limit)

    def job(self, prefix: str, group: int, joblist: int, job: int) -> JobDetail:
        """Return all that is known of one job; NotFound if there is no such session, or no such job in it."""
        with self._snapshot() as connection:
            return job_queries.job(connection, queries.session(connection, prefix).sid, group, joblist, job)

    def failed_jobs(self, sid: str) -> dict[tuple[int, int], Intervals]:
        """Return the jobs that failed for good, for each (group, job list)."""
        with self._snapshot() as connection:
            return job_queries.failed_jobs(connection, sid)

    def running(self, sid: str) -> list[RunningRow]:
        """Return the jobs of a session that live nodes said they run, a second or two ago."""
        with self._snapshot() as connection:
            return job_queries.running(connection, sid)

    def attempts(self, sid: str, limit: int = 100) -> list[AttemptRow]:
        """Return the runs of a session that ended nothing, in the order of the jobs' names."""
        with self._snapshot() as connection:
            return job_queries.attempts(connection, sid, limit)

    def files(self, sid: str, job: tuple[int, int, int] | None = None) -> list[FileRow]:
        """Return the files that jobs of a session left, or one job (group, job list, job)."""
        with self._snapshot() as connection:
            return job_queries.files(connection, sid, job)

    def nodes(self) -> list[NodeRow]:
        with self._snapshot() as connection:
            return queries.nodes(connection)

    def session_page(self, prefix: str) -> SessionPage:
        """Return all that the page of one session shows, of one instant."""
        with self._snapshot() as connection:
            row = queries.session(connection, prefix)
            groups = [
                GroupPage(group, queries.best(connection, row.sid, group.group))
                for group in queries.groups(connection, row.sid)
            ]
            failures = queries.failures(connection, row.sid, MOST_FAILURES)
            messages = queries.messages(connection, row.sid, MOST_MESSAGES)
            return SessionPage(row, groups, failures, messages, job_queries.running(connection, row.sid))

    def history_version(self, prefix: str, group: int) -> str:
        """Return a short text that changes whenever the picture of a group's chi-square does."""
        with self._snapshot() as connection:
            return queries.history_version(connection, _group(connection, prefix, group))

    def best_version(self, prefix: str, group: int) -> str:
        """Return a short text that changes whenever the picture of a group's best fit does."""
        with self._snapshot() as connection:
            return queries.best_version(connection, _group(connection, prefix, group))

    def history_picture(self, prefix: str, group: int) -> HistoryPicture:
        """Return what the picture of a group's chi-square shows, of one instant."""
        with self._snapshot() as connection:
            row = _group(connection, prefix, group)
            steps = queries.history(connection, row.sid, group)
            return HistoryPicture(row, steps, queries.dots(connection, row, MOST_DOTS))


def _group(connection: sqlite3.Connection, prefix: str, group: int) -> GroupRow:
    return queries.group(connection, queries.session(connection, prefix).sid, group)
